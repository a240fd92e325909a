//! Deadlines: silence is an alarm. None is missed, none fires twice, whatever the nodes and the clock do.

use crate::both;
use crate::crash::journal::gaps;
use crate::crash::server::{self, Server};
use crate::harness::{DAY, Database, HOUR, Hub, Kind, Scene, TestChild};
use samverka::sandbox::Issuer;
use samverka_domain::catalogue::Section;
use samverka_domain::clock::Clock;
use samverka_domain::hub::Database as DomainDatabase;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};
use uuid::Uuid;

both! {
    a_handover_that_nobody_confirms_escalates_step_by_step
    a_clock_that_jumps_misses_nothing_and_fires_nothing_twice
    what_has_happened_rings_no_alarm
    what_is_set_anew_fires_anew_and_what_is_cancelled_never
    one_that_cannot_be_fired_is_tried_again_and_holds_up_none
    what_a_dead_node_had_taken_is_fired_by_the_next
    several_nodes_and_writers_fire_each_once
    the_county_is_told_between_whom_and_never_of_whom
    items_accesses_and_episodes_ring_too
    deadlines_are_counted
}

const MINUTE: i64 = HOUR / 60;
const SECOND: i64 = MINUTE / 60;

/// A handover from Malmö to Landskrona that was accepted, and is expected in an hour.
async fn handover(hub: &Hub, child: &TestChild) -> Uuid {
    let id = hub.uuid();
    let columns = vec![
        ("id", id.into()),
        ("child_id", child.uuid.into()),
        ("kind", "CASE_TRANSFER".into()),
        ("moves", "LEAD".into()),
        ("state", "ACCEPTED".into()),
        ("from_agency_id", hub.agency("malmo-soc").into()),
        ("proposer_agency_id", hub.agency("malmo-soc").into()),
        ("urgent", false.into()),
        ("to_agency_id", hub.agency("landskrona-soc").into()),
        ("proposed_at", (hub.now() - DAY).into()),
        ("expected_at", (hub.now() + HOUR).into()),
        ("details", json!({ "escort": "Kanarieeskort" }).into()),
    ];
    hub.insert("handover", columns).await;
    id
}

async fn set(hub: &Hub, child: &TestChild, (about, about_id): (&str, Uuid), step: &str, due_at: i64) -> Uuid {
    let id = hub.uuid();
    let columns = vec![
        ("id", id.into()),
        ("child_id", child.uuid.into()),
        ("about", about.into()),
        ("about_id", about_id.into()),
        ("step", step.into()),
        ("due_at", due_at.into()),
        ("attempts", 0.into()),
    ];
    hub.insert("deadline", columns).await;
    id
}

/// The three steps of a handover: at the expected arrival, and 4 and 12 hours after.
async fn escalation(hub: &Hub, child: &TestChild) -> Uuid {
    let id = handover(hub, child).await;
    for (step, after) in [("OVERDUE", 1), ("COUNTY", 5), ("EPISODE", 13)] {
        set(hub, child, ("HANDOVER", id), step, hub.now() + after * HOUR).await;
    }
    id
}

async fn run(hub: &Hub) -> u64 {
    hub.domain.run_deadlines().await.expect("the database answers")
}

/// The kinds of all that a caller was told.
async fn told(hub: &Hub, persona: &str) -> Vec<String> {
    let answer = hub.caller(persona).ask("{ changes(first: 100) { nodes { kind } } }").await;
    let nodes = answer.data("/changes/nodes").as_array().expect("a list").clone();
    nodes.iter().map(|node| node["kind"].as_str().expect("a kind").to_owned()).collect()
}

/// The kinds of all events, in the order in which they were written.
async fn events(hub: &Hub) -> Vec<String> {
    let rows = hub.rows("SELECT kind FROM event ORDER BY child_id, sequence").await;
    rows.iter().map(|row| row.try_get_by_index(0).expect("text")).collect()
}

const STEPS: [&str; 3] = ["HANDOVER_OVERDUE", "HANDOVER_OVERDUE_IN_COUNTY", "EPISODE_PROPOSED"];

async fn a_handover_that_nobody_confirms_escalates_step_by_step(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    escalation(&hub, &child).await;
    let none: [&str; 0] = [];
    assert_eq!((run(&hub).await, events(&hub).await), (0, vec![]));
    hub.wait(HOUR - 1);
    assert_eq!(run(&hub).await, 0, "not a moment too early");
    hub.wait(1);
    assert_eq!((run(&hub).await, run(&hub).await), (1, 0), "and then once");
    assert_eq!(told(&hub, "malmo-soc").await, STEPS[..1]);
    assert_eq!(told(&hub, "landskrona-soc").await, STEPS[..1]);
    assert_eq!(told(&hub, "lansstyrelsen-skane").await, none);
    let overdue = format!("overdue_at = {}", hub.now());
    assert_eq!(hub.count("handover", &overdue).await, 1);
    hub.wait(4 * HOUR);
    // Another node, or the same after a restart.
    let next = hub.beside().await;
    assert_eq!((run(&next).await, run(&hub).await), (1, 0));
    assert_eq!(told(&hub, "malmo-soc").await, STEPS[..1]);
    assert_eq!(told(&hub, "lansstyrelsen-skane").await, STEPS[1..2]);
    hub.wait(8 * HOUR);
    assert_eq!(run(&hub).await, 1);
    assert_eq!(hub.count("handover", &overdue).await, 1, "it is overdue since the first");
    assert_eq!(hub.count("missing_episode", "1 = 1").await, 0, "nothing is opened by itself");
    // What the report would be filled with is told as sections and versions, to whom they are shown.
    let query = "{ changes(first: 100) { nodes { kind childId handoverId sections { section version } } } }";
    let proposed = async |persona: &str| hub.caller(persona).ask(query).await.data("/changes/nodes/1").clone();
    let board = proposed("malmo-soc").await;
    let sections: Vec<&str> =
        board["sections"].as_array().expect("a list").iter().filter_map(|s| s["section"].as_str()).collect();
    assert_eq!((board["kind"].as_str(), board["childId"].as_str()), (Some(STEPS[2]), Some(child.id.as_str())));
    assert!(["identity", "description", "network"].iter().all(|section| sections.contains(section)), "{sections:?}");
    let version = hub.caller("malmo-soc").version(&child.id, Section::Description).await;
    assert!(
        board["sections"]
            .as_array()
            .expect("a list")
            .contains(&json!({ "section": "description", "version": version }))
    );
    let receiver = proposed("landskrona-soc").await;
    assert_eq!(
        (receiver["kind"].as_str(), &receiver["childId"], &receiver["sections"]),
        (Some(STEPS[2]), &Value::Null, &json!([]))
    );
    assert!(receiver["handoverId"].is_string());
    assert_eq!(events(&hub).await, STEPS);
    assert_eq!(told(&hub, "migrationsverket").await, none);
    assert_eq!(gaps(&hub.outside).await, none);
}

async fn a_clock_that_jumps_misses_nothing_and_fires_nothing_twice(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    escalation(&hub, &child).await;
    let start = hub.now();
    hub.set_time(start + 30 * DAY);
    // All three at once, in their order.
    assert_eq!(run(&hub).await, 3);
    assert_eq!(events(&hub).await, STEPS);
    for jump in [-400 * DAY, HOUR, 40 * DAY, -DAY] {
        hub.set_time(start + jump);
        assert_eq!(run(&hub).await, 0, "{jump}");
    }
    // A lease that was taken before the clock was set back does not bind for so long.
    let other = hub.child(Scene::default()).await;
    let id = handover(&hub, &other).await;
    hub.set_time(start);
    set(&hub, &other, ("HANDOVER", id), "OVERDUE", start - SECOND).await;
    let ahead = start + 3 * DAY;
    let lease = format!("UPDATE deadline SET lease_until = {ahead}, attempts = 1 WHERE fired_at IS NULL");
    hub.sql(&lease).await;
    assert_eq!(run(&hub).await, 1);
    assert_eq!(gaps(&hub.outside).await, [""; 0]);
}

async fn what_has_happened_rings_no_alarm(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    let start = hub.now();
    escalation(&hub, &child).await;
    hub.sql(&format!("UPDATE handover SET state = 'ARRIVED', arrived_at = {start}, ended_at = {start}")).await;
    hub.wait(DAY);
    assert_eq!((run(&hub).await, events(&hub).await), (0, vec![]));
    assert_eq!(hub.count("deadline", "cancelled_at IS NOT NULL AND fired_at IS NULL").await, 3);
    assert_eq!(hub.count("handover", "overdue_at IS NOT NULL").await, 0);
    // Of a child that is known to be missing no episode is proposed.
    let missing = hub.child(Scene { missing: true, ..Scene::default() }).await;
    escalation(&hub, &missing).await;
    hub.wait(DAY);
    assert_eq!((run(&hub).await, events(&hub).await), (2, STEPS[..2].iter().map(|kind| (*kind).to_owned()).collect()));
}

async fn what_is_set_anew_fires_anew_and_what_is_cancelled_never(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    let id = handover(&hub, &child).await;
    set(&hub, &child, ("HANDOVER", id), "OVERDUE", hub.now()).await;
    set(&hub, &child, ("HANDOVER", id), "COUNTY", hub.now()).await;
    hub.sql(&format!("UPDATE deadline SET cancelled_at = {} WHERE step = 'COUNTY'", hub.now())).await;
    assert_eq!((run(&hub).await, run(&hub).await), (1, 0));
    let twice = hub.try_insert(
        "deadline",
        vec![
            ("id", hub.uuid().into()),
            ("child_id", child.uuid.into()),
            ("about", "HANDOVER".into()),
            ("about_id", id.into()),
            ("step", "OVERDUE".into()),
            ("due_at", hub.now().into()),
            ("attempts", 0.into()),
        ],
    );
    assert!(twice.await.is_err(), "a step has one moment");
    hub.sql(&format!("UPDATE deadline SET due_at = {}, fired_at = NULL, lease_until = NULL, lease_by = NULL, attempts = 0 WHERE step = 'OVERDUE'", hub.now() + HOUR)).await;
    assert_eq!(run(&hub).await, 0);
    hub.wait(HOUR);
    assert_eq!((run(&hub).await, run(&hub).await), (1, 0));
    assert_eq!(events(&hub).await, [STEPS[0], STEPS[0]]);
}

async fn one_that_cannot_be_fired_is_tried_again_and_holds_up_none(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    let id = handover(&hub, &child).await;
    // A step that only a newer node knows, before the others of the same handover.
    set(&hub, &child, ("HANDOVER", id), "TOMORROW", hub.now() - 2).await;
    set(&hub, &child, ("HANDOVER", id), "OVERDUE", hub.now() - 1).await;
    set(&hub, &child, ("HANDOVER", id), "COUNTY", hub.now()).await;
    assert_eq!(run(&hub).await, 2);
    assert_eq!(events(&hub).await, STEPS[..2]);
    let failing = async |attempts: i64, pause: i64| {
        let rows = hub.rows("SELECT CAST(attempts AS bigint), lease_until FROM deadline WHERE step = 'TOMORROW'").await;
        let found: (i64, i64) =
            (rows[0].try_get_by_index(0).expect("a number"), rows[0].try_get_by_index(1).expect("a time"));
        assert_eq!(found, (attempts, hub.now() + pause));
    };
    failing(1, 2 * SECOND).await;
    hub.wait(SECOND);
    assert_eq!(run(&hub).await, 0);
    failing(1, SECOND).await;
    for (attempts, pause) in [(2, 4), (3, 8), (4, 16)] {
        hub.wait(pause * SECOND / 2);
        assert_eq!(run(&hub).await, 0);
        failing(attempts, pause * SECOND).await;
    }
    hub.sql("UPDATE deadline SET attempts = 40 WHERE step = 'TOMORROW'").await;
    hub.wait(DAY);
    assert_eq!(run(&hub).await, 0);
    failing(41, 10 * MINUTE).await;
    // Now a node comes that knows it.
    hub.sql("UPDATE deadline SET step = 'EPISODE' WHERE step = 'TOMORROW'").await;
    hub.wait(HOUR);
    assert_eq!(run(&hub).await, 1);
}

async fn what_a_dead_node_had_taken_is_fired_by_the_next(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    let id = handover(&hub, &child).await;
    let deadline = set(&hub, &child, ("HANDOVER", id), "OVERDUE", hub.now()).await;
    set(&hub, &child, ("HANDOVER", id), "COUNTY", hub.now()).await;
    let dead = match hub.database.kind {
        Kind::Sqlite => format!("X'{}'", deadline.simple()),
        Kind::Postgres => format!("'{deadline}'"),
    };
    hub.sql(&format!(
        "UPDATE deadline SET lease_until = {}, lease_by = {dead}, attempts = 1 WHERE step = 'OVERDUE'",
        hub.now() + 30 * SECOND
    ))
    .await;
    // Nor does the next step overtake it.
    assert_eq!(run(&hub).await, 0);
    hub.wait(30 * SECOND);
    assert_eq!(run(&hub).await, 2);
    assert_eq!(events(&hub).await, STEPS[..2]);
}

async fn several_nodes_and_writers_fire_each_once(hub: Hub) {
    const CHILDREN: usize = 12;
    let mut children = Vec::new();
    for _ in 0..CHILDREN {
        let child = hub.child(Scene::default()).await;
        escalation(&hub, &child).await;
        children.push(child);
    }
    hub.wait(DAY);
    let nodes = match hub.database.kind {
        Kind::Postgres => vec![hub.beside().await, hub.beside().await],
        Kind::Sqlite => Vec::new(),
    };
    let fired = std::sync::atomic::AtomicU64::new(0);
    let node = async |node: &Hub| {
        for _ in 0..4 {
            fired.fetch_add(run(node).await, std::sync::atomic::Ordering::SeqCst);
        }
    };
    let write = async |children: &[TestChild]| {
        for (n, child) in children.iter().enumerate() {
            let set = json!({ "wishes": format!("Önskan {n}") });
            let answer = hub.caller("malmo-soc").update(&child.id, Section::Voice, set, &[]).await;
            assert!(matches!(answer.codes().as_slice(), [] | ["CONFLICT"]), "{}", answer.text);
        }
    };
    let others = futures_of(&nodes, &node);
    tokio::join!(node(&hub), node(&hub), others, write(&children), write(&children[..6]));
    assert_eq!(fired.into_inner(), 3 * CHILDREN as u64);
    for step in STEPS {
        assert_eq!(hub.count("event", &format!("kind = '{step}'")).await, CHILDREN as i64, "{step}");
    }
    assert_eq!(gaps(&hub.outside).await, [""; 0]);
}

async fn futures_of(nodes: &[Hub], run: &impl AsyncFn(&Hub)) {
    if let [one, other] = nodes {
        _ = tokio::join!(run(one), run(other));
    }
}

async fn the_county_is_told_between_whom_and_never_of_whom(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    let id = escalation(&hub, &child).await;
    let query = "query($after: String) { overdueHandovers(first: 1, after: $after) { nodes { id kind from { code } to { code } expectedAt overdueSince }
        pageInfo { hasNextPage endCursor } } }";
    let ask = async |persona: &str| hub.caller(persona).ask(query).await;
    let none = json!([]);
    assert_eq!(ask("malmo-soc").await.data("/overdueHandovers/nodes"), &none);
    hub.wait(HOUR);
    run(&hub).await;
    let public = format!("handover_{}", data_encoding::BASE32_DNSSEC.encode(id.as_bytes()));
    let expected = |id: Value| {
        json!([{ "id": id, "kind": "CASE_TRANSFER", "from": { "code": "malmo-soc" }, "to": { "code": "landskrona-soc" },
        "expectedAt": "2026-11-21T13:00:00.000000Z", "overdueSince": "2026-11-21T13:00:00.000000Z" }])
    };
    for party in ["malmo-soc", "landskrona-soc"] {
        assert_eq!(ask(party).await.data("/overdueHandovers/nodes"), &expected(json!(public)), "{party}");
    }
    assert_eq!(ask("lansstyrelsen-skane").await.data("/overdueHandovers/nodes"), &none, "its turn comes later");
    hub.wait(4 * HOUR);
    run(&hub).await;
    let county = ask("lansstyrelsen-skane").await;
    assert_eq!(county.data("/overdueHandovers/nodes"), &expected(Value::Null));
    for secret in [&child.id, &child.uuid.to_string(), &child.subject.to_string(), &public, "Kanarie"] {
        assert!(!county.text.contains(secret), "{secret}");
    }
    assert!(child.canaries.values().all(|canary| !county.text.contains(canary)));
    // The log has it.
    let request = county.headers["x-request-id"].to_str().expect("an id");
    let logged = format!("record LIKE '%{request}%' AND record LIKE '%{}%'", child.subject);
    assert_eq!(hub.count("ledger", &logged).await, 1);
    for other in ["migrationsverket", "polisen", "skola", "radda-barnen"] {
        assert_eq!(ask(other).await.data("/overdueHandovers/nodes"), &none, "{other}");
    }
    assert_eq!(ask("dataskydd").await.codes(), ["OPERATION_FORBIDDEN"]);
    assert_eq!(hub.caller("malmo-soc").without_purpose().ask(query).await.codes(), ["PURPOSE_REQUIRED"]);
    // A second one comes on a second page, and an arrival ends it.
    let other = hub.child(Scene::default()).await;
    escalation(&hub, &other).await;
    hub.wait(HOUR);
    run(&hub).await;
    let first = ask("malmo-soc").await;
    assert_eq!(first.data("/overdueHandovers/pageInfo/hasNextPage"), &json!(true));
    let after = first.data("/overdueHandovers/pageInfo/endCursor");
    let second = hub.caller("malmo-soc").ask_with(query, json!({ "after": after })).await;
    assert_eq!(second.data("/overdueHandovers/nodes/0/overdueSince"), &json!("2026-11-21T18:00:00.000000Z"));
    let stolen = hub.caller("landskrona-soc").ask_with(query, json!({ "after": after })).await;
    assert_eq!(stolen.codes(), ["INVALID_CURSOR"]);
    hub.sql(&format!("UPDATE handover SET arrived_at = {0}, ended_at = {0}", hub.now())).await;
    assert_eq!(ask("malmo-soc").await.data("/overdueHandovers/nodes"), &none);
    assert_eq!(ask("lansstyrelsen-skane").await.data("/overdueHandovers/nodes"), &none);
}

async fn items_accesses_and_episodes_ring_too(hub: Hub) {
    let child = hub
        .child(Scene {
            involved: vec![("migrationsverket", "LEAD"), ("malmo-soc", "RESPONSIBLE"), ("hvb-malmo", "WHEREABOUTS")],
            ..Scene::default()
        })
        .await;
    let now = hub.now();
    let episode = hub.uuid();
    let opened_by = hub.agency("hvb-malmo");
    hub.insert(
        "missing_episode",
        vec![
            ("id", episode.into()),
            ("child_id", child.uuid.into()),
            ("opened_at", now.into()),
            ("opened_by", opened_by.into()),
        ],
    )
    .await;
    let item = hub.uuid();
    hub.insert(
        "checklist_item",
        vec![
            ("id", item.into()),
            ("child_id", child.uuid.into()),
            ("about", "EPISODE".into()),
            ("about_id", episode.into()),
            ("position", 1.into()),
            ("routine", "12/1".into()),
            ("key", "x".into()),
            ("moment", "MISSING".into()),
            ("actor", "CARE_HOME".into()),
            ("sv", "x".into()),
            ("en", "x".into()),
            ("source", "x".into()),
            ("mandatory", true.into()),
            ("state", "OPEN".into()),
            ("agency_id", opened_by.into()),
        ],
    )
    .await;
    let access = hub.uuid();
    hub.insert(
        "break_glass",
        vec![
            ("id", access.into()),
            ("child_id", child.uuid.into()),
            ("agency_id", hub.agency("polisen").into()),
            ("role", "POLICE_MISSING".into()),
            ("purpose", "SEARCH".into()),
            ("reason", "x".into()),
            ("opened_at", now.into()),
            ("until", now.into()),
            ("review_by", now.into()),
        ],
    )
    .await;
    for (n, (about, step)) in [
        (("EPISODE", episode), "POLICE_REPORT"),
        (("EPISODE", episode), "RETURN_TALK"),
        (("ITEM", item), "OVERDUE"),
        (("BREAK_GLASS", access), "REVIEW"),
    ]
    .into_iter()
    .enumerate()
    {
        set(&hub, &child, about, step, now + n as i64).await;
    }
    hub.wait(DAY);
    assert_eq!(run(&hub).await, 4);
    assert_eq!(told(&hub, "malmo-soc").await, ["POLICE_REPORT_DUE", "FOLLOW_UP_DUE", "ITEM_OVERDUE"]);
    assert_eq!(told(&hub, "hvb-malmo").await, ["POLICE_REPORT_DUE", "ITEM_OVERDUE"]);
    assert_eq!(told(&hub, "migrationsverket").await, ["FOLLOW_UP_DUE"]);
    assert_eq!(told(&hub, "dataskydd").await, ["BREAK_GLASS_UNREVIEWED"]);
    assert!(told(&hub, "polisen").await.is_empty());
}

async fn deadlines_are_counted(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    escalation(&hub, &child).await;
    hub.wait(5 * HOUR);
    let figures = hub.domain.figures();
    assert_eq!((figures.deadlines_due, figures.deadlines_fired, figures.deadlines_late), (0, 0, 0));
    run(&hub).await;
    let figures = hub.domain.figures();
    assert_eq!((figures.deadlines_due, figures.deadlines_fired, figures.deadlines_late), (0, 2, 1));
}

/// A number below another.
fn random(below: u64) -> u64 {
    RandomState::new().hash_one(0) % below
}

/// The hub as it is shipped, on the machine's clock, as so many nodes, each killed again and again at any moment.
async fn deadlines_survive_kills(kind: Kind, nodes: usize) {
    const HANDOVERS: usize = 100;
    const KILLS: usize = 6;
    let Some(database) = Database::new(kind).await else { return };
    let opened = DomainDatabase::connect(&database.url).await.expect("connects");
    opened.remember("seeded", || "0".to_owned()).await.expect("no children are made up");
    Issuer::of(&opened).await.expect("a sandbox");
    opened.close().await;
    let (url, again) = (database.url.clone(), database.again());
    let hub = Hub::start_at(again, &url, samverka_domain::policy::Engine::embedded()).await;
    hub.set_time(Clock::system().now());
    for _ in 0..HANDOVERS {
        let child = hub.child(Scene::default()).await;
        let id = handover(&hub, &child).await;
        for (n, step) in ["OVERDUE", "COUNTY", "EPISODE"].into_iter().enumerate() {
            set(&hub, &child, ("HANDOVER", id), step, hub.now() - MINUTE + n as i64).await;
        }
    }
    let outside = sea_orm::Database::connect(url.as_str()).await.expect("connects");
    let open = async || {
        let count = "SELECT COUNT(*) FROM deadline WHERE fired_at IS NULL";
        let row = outside.query_one_raw(sea_orm::Statement::from_string(outside.get_database_backend(), count)).await;
        row.expect("answers").expect("a row").try_get_by_index::<i64>(0).expect("a number")
    };
    let policies = server::policies();
    let start = || -> Vec<Server> {
        std::thread::scope(|scope| {
            let start = || Server::start(server::shipped, &url, &policies);
            let starting: Vec<_> = (0..nodes).map(|_| scope.spawn(start)).collect();
            starting.into_iter().map(|server| server.join().expect("a hub starts")).collect()
        })
    };
    let (mut kills, mut amid) = (0, 0);
    while kills < KILLS && open().await > 0 {
        let before = open().await;
        let (servers, begun) = (start(), Instant::now());
        // A node looks a second after its start; what it takes then takes a fraction of one.
        while open().await == before && begun.elapsed() < Duration::from_secs(5) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        tokio::time::sleep(Duration::from_millis(random(40))).await;
        servers.into_iter().for_each(Server::kill);
        kills += 1;
        let left = open().await;
        amid += usize::from(left > 0 && left < before);
        // What a killed node had taken is free after half a minute, which need not be waited for.
        outside.execute_unprepared("UPDATE deadline SET lease_until = 0 WHERE fired_at IS NULL").await.expect("runs");
    }
    let (servers, begun) = (start(), Instant::now());
    while open().await > 0 {
        assert!(begun.elapsed() < Duration::from_secs(60), "{} are not fired", open().await);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    servers.into_iter().for_each(Server::kill);
    _ = std::fs::remove_dir_all(policies);
    assert!(amid > 0, "no kill came amid the work");
    for step in STEPS {
        assert_eq!(
            hub.count("event", &format!("kind = '{step}'")).await,
            HANDOVERS as i64,
            "{step} after {kills} kills"
        );
    }
    assert_eq!(hub.count("handover", "overdue_at IS NOT NULL").await, HANDOVERS as i64);
    assert_eq!(told(&hub, "malmo-soc").await.len(), 100, "and they are told");
    assert_eq!(gaps(&hub.outside).await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deadlines_survive_kills_of_three_nodes_on_postgres() {
    deadlines_survive_kills(Kind::Postgres, 3).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deadlines_survive_kills_on_sqlite() {
    deadlines_survive_kills(Kind::Sqlite, 1).await;
}
