//! Logged before shown: no value leaves before the row that tells of it is committed.

use crate::both;
use crate::harness::{DAY, HOUR, Hub, Kind, Scene, everything};
use samverka::sandbox::{AUDIENCE, Issuer};
use samverka::serve;
use samverka_domain::catalogue::FieldId;
use samverka_domain::clock::Clock;
use samverka_domain::hub::Database as DomainDatabase;
use samverka_domain::ledger::Verdict;
use samverka_domain::policy::Engine;
use sea_orm::sea_query::{Alias, Expr, Query};
use sea_orm::{ConnectionTrait, SqliteTransactionMode, TransactionOptions, TransactionTrait};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use uuid::Uuid;

both! {
    no_canary_is_on_the_wire_without_an_earlier_committed_row
    while_the_log_cannot_be_written_nothing_is_shown
    a_row_tells_who_saw_which_fields_by_which_rules_and_never_a_value
    a_row_tells_of_earlier_placements_what_was_shown_of_them
    a_row_tells_by_which_number_a_child_was_found
    refusals_and_misses_are_logged_too
    a_receipt_tells_its_caller_nothing_of_what_the_row_holds
    the_log_is_append_only_and_any_tampering_is_found
    a_lane_whose_end_is_cut_off_is_found_by_the_next
    each_agency_reads_its_own_showings_and_the_data_protection_officer_all
    many_callers_share_commits_and_the_chain_holds
    a_forgotten_field_is_withheld
    committed_means_durable_or_the_hub_does_not_start
    migrations_go_up_and_down_and_up_again
    what_was_acknowledged_survives_the_end_of_the_process
    a_caller_that_hangs_up_leaves_no_change_unlogged
    the_log_beside_a_child_takes_no_second_connection
    a_list_tells_of_each_child_once_and_of_all_that_was_shown
    a_long_log_is_indexed_to_its_end_and_as_often_as_one_likes
    sqlite_is_compiled_without_locks_for_all_connections
}

/// The record of a row, read from outside.
async fn record(hub: &Hub, receipt: &str) -> Option<Value> {
    use sea_orm::sea_query::ExprTrait;
    let parts: Vec<&str> = receipt.split('/').collect();
    let [lane, seq, hash] = parts[..] else { panic!("{receipt}") };
    let lane: Uuid = lane.parse().expect("a lane");
    let seq: i64 = seq.parse().expect("a place");
    let mut query = Query::select();
    query
        .columns([Alias::new("record"), Alias::new("hash")])
        .from(Alias::new("ledger"))
        .and_where(Expr::col(Alias::new("lane")).eq(lane))
        .and_where(Expr::col(Alias::new("seq")).eq(seq));
    let row = hub.outside.query_one(&query).await.expect("the log can be read")?;
    assert_eq!(row.try_get_by_index::<String>(1).expect("a hash"), hash, "the receipt proves the row");
    Some(serde_json::from_str(&row.try_get_by_index::<String>(0).expect("a record")).expect("JSON"))
}

async fn rows(hub: &Hub) -> i64 {
    use sea_orm::sea_query::ExprTrait;
    let mut query = Query::select();
    query.expr(Expr::col(Alias::new("seq")).count()).from(Alias::new("ledger"));
    let row = hub.outside.query_one(&query).await.expect("reads").expect("a row");
    row.try_get_by_index(0).expect("a count")
}

fn header<'a>(head: &'a str, name: &str) -> &'a str {
    let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with(name)).expect("the header");
    line.split_once(':').expect("a header").1.trim()
}

async fn no_canary_is_on_the_wire_without_an_earlier_committed_row(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("listens");
    let address = listener.local_addr().expect("an address");
    let router = hub.router.clone();
    tokio::spawn(async move { axum::serve(listener, router).await });
    let query = format!("query($id: ID!) {{ child(id: $id) {{ {} }} }}", everything());
    let body = json!({ "query": query, "variables": { "id": child.id } }).to_string();
    for persona in ["malmo-soc", "migrationsverket"] {
        let mut socket = TcpStream::connect(address).await.expect("connects");
        let request = format!(
            "POST /graphql HTTP/1.1\r\nhost: hub\r\nauthorization: Bearer {}\r\nsamverka-purpose: PROTECT\r\n\
             content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            hub.token(persona),
            body.len()
        );
        socket.write_all(request.as_bytes()).await.expect("sends");
        // The head comes first: at this instant the row must be visible to an independent connection.
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(socket.read_u8().await.expect("a byte of the head"));
        }
        let head = String::from_utf8(head).expect("text");
        let record = record(&hub, header(&head, "audit-receipt")).await.expect("the row was there before the answer");
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.expect("the answer");
        let shown = record["shown"][0]["fields"].to_string();
        assert_eq!(record["shown"][0]["subjects"], json!([child.subject]));
        let mut seen = 0;
        for (id, canary) in &child.canaries {
            let on_wire = answer.contains(canary.as_str());
            seen += usize::from(on_wire);
            assert_eq!(on_wire, shown.contains(&format!("\"{id}\"")), "{persona}: {id}");
        }
        assert!(seen > 20, "{persona} saw {seen} canaries");
    }
}

/// Keeps the log from being written, from outside, until the guard is dropped.
pub async fn block(hub: &Hub) -> sea_orm::DatabaseTransaction {
    match hub.database.kind {
        Kind::Sqlite => {
            let immediate = TransactionOptions {
                sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
                ..Default::default()
            };
            hub.outside.begin_with_options(immediate).await.expect("takes the lock")
        }
        Kind::Postgres => {
            let held = hub.outside.begin().await.expect("begins");
            held.execute_unprepared("LOCK TABLE ledger IN SHARE MODE").await.expect("takes the lock");
            held
        }
    }
}

async fn while_the_log_cannot_be_written_nothing_is_shown(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    let query = "query($id: ID!) { child(id: $id) { identity { givenNames } } }";
    let canary = &child.canaries[&FieldId::by_path("identity.givenNames").expect("a field")];
    let before = rows(&hub).await;
    let held = block(&hub).await;
    let answer = hub.caller("malmo-soc").ask_with(query, json!({ "id": child.id })).await;
    assert_eq!((answer.status.as_u16(), answer.codes()), (503, vec!["AUDIT_UNAVAILABLE"]));
    assert!(answer.headers.contains_key("retry-after"));
    assert!(!answer.text.contains(canary.as_str()), "{}", answer.text);
    assert_eq!(answer.json["data"], Value::Null);
    held.rollback().await.expect("gives the lock back");
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    let answer = hub.caller("malmo-soc").ask_with(query, json!({ "id": child.id })).await;
    assert!(answer.text.contains(canary.as_str()), "it goes on by itself: {}", answer.text);
    assert!(rows(&hub).await > before);
    assert!(matches!(verify(&hub).await, Verdict::Intact { .. }));
}

async fn verify(hub: &Hub) -> Verdict {
    let database = DomainDatabase::connect(&hub.database.url).await.expect("connects");
    database.verify_ledger().await.expect("reads the log")
}

async fn a_row_tells_who_saw_which_fields_by_which_rules_and_never_a_value(hub: Hub) {
    let child =
        hub.child(Scene { involved: vec![("malmo-soc", "LEAD"), ("skola", "INVOLVED")], ..Scene::default() }).await;
    let query =
        "query Fråga($id: ID!) { child(id: $id) { schooling { schoolName absentSince } health { criticalNeeds } } }"
            .replace("Fråga", "Q");
    let caller = hub.caller("skola").header("samverka-case", "SK-77").header("samverka-user", "u-4711");
    let answer = caller.ask_with(&query, json!({ "id": child.id })).await;
    let receipt = answer.headers["audit-receipt"].to_str().expect("text");
    let record = record(&hub, receipt).await.expect("the row");
    assert_eq!(record["agency"], hub.domain.agency_by_code("skola").expect("an agency").id.to_string());
    for (part, expected) in [
        ("role", "SCHOOL"),
        ("purpose", "SCHOOL"),
        ("case", "SK-77"),
        ("user", "u-4711"),
        ("client", "skola-system"),
        ("operation", "query child"),
        ("policy", Engine::embedded().hash()),
    ] {
        assert_eq!(record[part], expected, "{part}");
    }
    assert_eq!(record["request"], answer.headers["x-request-id"].to_str().expect("text"));
    let shown = &record["shown"][0];
    assert_eq!(shown["relation"], "INVOLVED");
    assert_eq!(shown["fields"], json!(["schooling.schoolName", "schooling.absentSince"]));
    assert_eq!(shown["withheld"], json!(["health.criticalNeeds"]));
    assert_eq!(shown["rules"].as_array().expect("rules").len(), 3);
    let text = record.to_string();
    assert!(child.canaries.values().all(|canary| !text.contains(canary.as_str())), "{text}");
    assert!(!text.contains(&child.id), "the log knows the child by a pseudonym: {text}");
}

async fn a_row_tells_by_which_number_a_child_was_found(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    let number = &child.canaries[&FieldId::by_path("identifiers.dossierNumbers").expect("a field")];
    let query = "query($v: String!) { childByIdentifier(kind: DOSSIER_NUMBER, value: $v) { id } }";
    let answer = hub.caller("malmo-soc").ask_with(query, json!({ "v": number })).await;
    assert_eq!(answer.data("/childByIdentifier/id"), child.id.as_str());
    let record = record(&hub, answer.headers["audit-receipt"].to_str().expect("text")).await.expect("the row");
    assert!(record["shown"].to_string().contains("identifiers.dossierNumbers"), "{record}");
}

async fn a_row_tells_of_earlier_placements_what_was_shown_of_them(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    let query = "query($id: ID!) { child(id: $id) { placement { earlier { street } } } }";
    let answer = hub.caller("malmo-soc").ask_with(query, json!({ "id": child.id })).await;
    assert!(answer.data("/child/placement/earlier/0/street").is_string());
    let record = record(&hub, answer.headers["audit-receipt"].to_str().expect("text")).await.expect("the row");
    let fields = record["shown"][0]["fields"].to_string();
    assert!(fields.contains("placement.earlier") && fields.contains("placement.street"), "{fields}");
}

async fn refusals_and_misses_are_logged_too(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    let query = "query($id: ID!) { child(id: $id) { id } }";
    let miss = hub.caller("skola").ask_with(query, json!({ "id": child.id })).await;
    let refused = hub.caller("skola").purpose("AUDIT").ask_with(query, json!({ "id": child.id })).await;
    assert_eq!(refused.codes(), ["PURPOSE_NOT_ALLOWED"]);
    let record_of_miss = record(&hub, miss.headers["audit-receipt"].to_str().expect("text")).await.expect("the row");
    assert_eq!((&record_of_miss["misses"], &record_of_miss["refused"]), (&json!(1), &json!(["NOT_FOUND"])));
    assert!(record_of_miss["shown"].is_null());
    let mut last = Query::select();
    last.column(Alias::new("record"))
        .from(Alias::new("ledger"))
        .order_by(Alias::new("seq"), sea_orm::Order::Desc)
        .limit(1);
    let last = hub.outside.query_one(&last).await.expect("reads").expect("a row");
    let last: String = last.try_get_by_index(0).expect("a record");
    assert!(last.contains("PURPOSE_NOT_ALLOWED"), "{last}");
}

async fn a_receipt_tells_its_caller_nothing_of_what_the_row_holds(hub: Hub) {
    let child = hub.child(Scene { missing: true, ..Scene::default() }).await;
    let query = "query($id: ID!) { child(id: $id) { id } }";
    let nobody = crate::harness::child_id(Uuid::from_u128(1));
    let mut salts = Vec::new();
    for (id, is_told) in [(&child.id, true), (&child.id, true), (&nobody, false), (&nobody, false)] {
        let miss = hub.caller("skola").ask_with(query, json!({ "id": id })).await;
        assert_eq!(miss.codes(), ["NOT_FOUND"]);
        let record = record(&hub, miss.headers["audit-receipt"].to_str().expect("text")).await.expect("the row");
        assert_eq!(record["signals"].is_array(), is_told, "the look is told to whoever leads the search: {record}");
        // With it, nobody can try both hashes.
        let salt = record["salt"].as_str().expect("a salt").to_owned();
        assert!(u128::from_str_radix(&salt, 16).expect("128 bits").count_ones() > 16, "{salt}");
        assert!(!miss.json.to_string().contains(&salt) && miss.headers.values().all(|value| value != salt.as_str()));
        salts.push(salt);
    }
    salts.dedup();
    assert_eq!(salts.len(), 4, "no salt is used twice");
    hub.caller("malmo-soc").ask_with(query, json!({ "id": child.id })).await.data("/child");
    let officer = hub.caller("dataskydd");
    let log = "query($id: ID!) { accessLog(childId: $id) { edges { node { place hash } } } }";
    let log = officer.ask_with(log, json!({ "id": child.id })).await;
    let row = log.data("/accessLog/edges/0/node");
    let receipt = format!("{}/{}", row["place"].as_str().expect("a place"), row["hash"].as_str().expect("a hash"));
    let record = record(&hub, &receipt).await.expect("the row");
    assert!(!log.json.to_string().contains(record["salt"].as_str().expect("a salt")), "{}", log.json);
}

/// Lets the rows of the log be altered, which the database refuses.
pub async fn unguard(hub: &Hub) {
    let sql = match hub.database.kind {
        Kind::Sqlite => "DROP TRIGGER ledger_no_update; DROP TRIGGER ledger_no_delete;",
        Kind::Postgres => "ALTER TABLE ledger DISABLE TRIGGER ledger_append_only;",
    };
    hub.sql(sql).await;
}

async fn the_log_is_append_only_and_any_tampering_is_found(hub: Hub) {
    for _ in 0..6 {
        hub.caller("skola").ask("{ me { role } }").await.data("/me");
    }
    assert_eq!(verify(&hub).await, Verdict::Intact { lanes: 1, rows: 7 });
    for sql in ["UPDATE ledger SET record = '{}' WHERE seq = 3", "DELETE FROM ledger WHERE seq = 3"] {
        let refused = hub.outside.execute_unprepared(sql).await;
        assert!(refused.is_err_and(|error| error.to_string().contains("append-only")), "{sql}");
    }
    unguard(&hub).await;
    hub.sql("UPDATE ledger SET record = replace(record, 'SCHOOL', 'HEALTH') WHERE seq = 3").await;
    let Verdict::Broken { seq: 3, reason: "the row was altered", .. } = verify(&hub).await else { panic!("not found") };
    hub.sql("UPDATE ledger SET record = replace(record, 'HEALTH', 'SCHOOL') WHERE seq = 3").await;
    assert!(matches!(verify(&hub).await, Verdict::Intact { .. }));
    hub.sql("UPDATE ledger SET at = at + 1 WHERE seq = 5").await;
    let Verdict::Broken { seq: 5, .. } = verify(&hub).await else { panic!("not found") };
    hub.sql("DELETE FROM ledger WHERE seq = 2").await;
    let Verdict::Broken { seq: 2, reason: "a row is missing", .. } = verify(&hub).await else { panic!("not found") };
}

/// Starts another hub on the same database: a new lane.
async fn another(hub: &Hub) -> samverka_domain::hub::Hub {
    let database = DomainDatabase::connect(&hub.database.url).await.expect("connects");
    let issuers = Issuer::of(&database).await.expect("a key").configs();
    let now = hub.now();
    let settings = ("other", AUDIENCE, issuers.as_slice());
    serve::service(database, Engine::embedded(), Clock::from_fn(move || now), settings).await.expect("starts").0
}

async fn a_lane_whose_end_is_cut_off_is_found_by_the_next(hub: Hub) {
    for _ in 0..3 {
        hub.caller("skola").ask("{ me { role } }").await.data("/me");
    }
    let second = another(&hub).await;
    assert_eq!(verify(&hub).await, Verdict::Intact { lanes: 2, rows: 5 });
    unguard(&hub).await;
    hub.sql("DELETE FROM ledger WHERE seq = 3").await;
    let Verdict::Broken { seq: 3, reason: "the end of the lane is missing", .. } = verify(&hub).await else {
        panic!("not found")
    };
    drop(second);
}

async fn each_agency_reads_its_own_showings_and_the_data_protection_officer_all(hub: Hub) {
    let child =
        hub.child(Scene { involved: vec![("malmo-soc", "LEAD"), ("skola", "INVOLVED")], ..Scene::default() }).await;
    let see = "query($id: ID!) { child(id: $id) { identity { givenNames } health { criticalNeeds } } }";
    for code in ["skola", "malmo-soc", "skola", "region-skane"] {
        hub.wait(HOUR);
        hub.caller(code).ask_with(see, json!({ "id": child.id })).await;
    }
    let log = "query($id: ID!, $first: Int, $after: String) { accessLog(childId: $id, first: $first, after: $after) {
        edges { node { at role purpose shown withheld changed relation operation } } pageInfo { hasNextPage endCursor } } }";
    let read = async |code: &str, first: u32, after: Value| {
        hub.caller(code).ask_with(log, json!({ "id": child.id, "first": first, "after": after })).await
    };
    let entries = |answer: &crate::harness::Answer| {
        let edges = answer.data("/accessLog/edges").as_array().expect("edges").clone();
        let told = |node: &Value| {
            format!("{} {}", node["role"].as_str().expect("a role"), node["operation"].as_str().expect("one"))
        };
        edges.iter().map(|edge| told(&edge["node"])).collect::<Vec<_>>()
    };
    let own = read("skola", 10, Value::Null).await;
    assert_eq!(entries(&own), ["SCHOOL query child"; 2]);
    let node = own.data("/accessLog/edges/0/node");
    assert_eq!(
        (&node["shown"], &node["withheld"]),
        (&json!(["identity.givenNames"]), &json!(["health.criticalNeeds"]))
    );
    assert_eq!(entries(&read("malmo-soc", 10, Value::Null).await), ["SOCIAL_SERVICES query child"]);
    // The region looked and was shown nothing; nobody else has seen anything. That they look into the log, even
    // twice, tells them nothing either.
    for code in ["region-skane", "polisen", "lansstyrelsen-skane", "polisen"] {
        assert_eq!(entries(&read(code, 10, Value::Null).await), [""; 0], "{code}");
    }
    // The officer sees all, page by page, the looks into the log among them.
    let (mut all, mut after) = (Vec::new(), Value::Null);
    loop {
        let page = read("dataskydd", 2, after).await;
        all.extend(entries(&page).into_iter().filter(|entry| !entry.starts_with("DATA_PROTECTION")));
        after = page.data("/accessLog/pageInfo/endCursor").clone();
        if page.data("/accessLog/pageInfo/hasNextPage") == &json!(false) {
            break;
        }
    }
    let showings = ["SCHOOL query child", "SOCIAL_SERVICES query child", "SCHOOL query child"];
    assert_eq!(all[..2], ["SOCIAL_SERVICES query accessLog", "SCHOOL query accessLog"]);
    assert_eq!(all[2..], showings);
    assert_eq!(read("skola", 2, after).await.codes(), ["INVALID_CURSOR"]);
    // Two looks at one child in one document are told together, and a write is told as one.
    let twice = "query($id: ID!) { a: child(id: $id) { identity { sex } } b: child(id: $id) { placement { street } voice { version } } }";
    let answer = hub.caller("malmo-soc").ask_with(twice, json!({ "id": child.id })).await;
    let version = answer.data("/b/voice/version").clone();
    let latest = read("malmo-soc", 1, Value::Null).await;
    assert_eq!(
        latest.data("/accessLog/edges/0/node/shown"),
        &json!(["identity.sex", "placement.street", "voice.version"])
    );
    let update = "mutation($id: ID!, $v: String!) { updateVoice(childId: $id, expectedVersion: $v,
        set: { wishes: \"Bo kvar\" }) { child { id } } }";
    hub.caller("malmo-soc").ask_with(update, json!({ "id": child.id, "v": version })).await.data("/updateVoice/child");
    let latest = read("malmo-soc", 1, Value::Null).await;
    assert_eq!(latest.data("/accessLog/edges/0/node/changed"), &json!(["voice.wishes"]));
    let unknown =
        hub.caller("dataskydd").ask_with(log, json!({ "id": crate::harness::child_id(Uuid::from_u128(1)) })).await;
    assert_eq!(entries(&unknown), [""; 0]);
    let wrong = hub.caller("dataskydd").ask_with(log, json!({ "id": "agency_x" })).await;
    assert_eq!(wrong.codes(), ["INVALID_ID"]);
}

async fn many_callers_share_commits_and_the_chain_holds(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    let query = "query($id: ID!) { child(id: $id) { identity { givenNames } } }";
    let before = rows(&hub).await;
    let asks = (0..200).map(|_| {
        let request = hub.caller("malmo-soc").request(json!({ "query": query, "variables": { "id": child.id } }));
        let router = hub.router.clone();
        tokio::spawn(async move { tower::ServiceExt::oneshot(router, request).await.expect("answers").status() })
    });
    for ask in asks.collect::<Vec<_>>() {
        assert_eq!(ask.await.expect("ends"), 200);
    }
    assert_eq!(rows(&hub).await, before + 200);
    assert!(matches!(verify(&hub).await, Verdict::Intact { .. }));
}

async fn a_forgotten_field_is_withheld(hub: Hub) {
    // Policies in which the rule that shows schools their pupils' absence was forgotten.
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../api/domain/policy");
    let mut files = Vec::new();
    for file in std::fs::read_dir(folder).expect("the policies").map(|file| file.expect("a file").path()) {
        if file.extension().is_some_and(|extension| extension == "cedar") {
            let text = std::fs::read_to_string(&file).expect("text");
            files
                .push((file.display().to_string(), text.replace("Action::\"read.absence\"", "Action::\"read.voice\"")));
        }
    }
    let engine = Engine::load(files.iter().map(|(name, text)| (name.as_str(), text.as_str()))).expect("sound");
    let forgetful = Hub::start_with(hub.database.kind, Box::leak(Box::new(engine))).await.expect("starts");
    let scene = || Scene { involved: vec![("malmo-soc", "LEAD"), ("skola", "INVOLVED")], ..Scene::default() };
    let query = "query($id: ID!) { child(id: $id) { schooling { schoolName absentSince withheld { field rule } } } }";
    for (hub, forgotten) in [(&hub, false), (&forgetful, true)] {
        let child = hub.child(scene()).await;
        let answer = hub.caller("skola").ask_with(query, json!({ "id": child.id })).await;
        let schooling = answer.data("/child/schooling");
        assert_eq!(schooling["absentSince"].is_null(), forgotten);
        let withheld = if forgotten { json!([{ "field": "absentSince", "rule": "default-deny" }]) } else { json!([]) };
        assert_eq!(schooling["withheld"], withheld);
        assert!(schooling["schoolName"].is_string());
    }
}

async fn committed_means_durable_or_the_hub_does_not_start(hub: Hub) {
    if hub.database.kind == Kind::Postgres {
        let name = hub.database.url.rsplit('/').next().expect("a name");
        for setting in ["synchronous_commit = off", "default_transaction_read_only = on"] {
            hub.sql(&format!("ALTER DATABASE {name} SET {setting}")).await;
            let database = DomainDatabase::connect(&hub.database.url).await.expect("connects");
            let refused = database.assert_durable().await.expect_err("it is refused").to_string();
            assert!(
                refused.contains(if setting.starts_with("sync") { "synchronous_commit" } else { "read_only" }),
                "{refused}"
            );
            let setting = setting.split(' ').next().expect("a name");
            hub.sql(&format!("SET default_transaction_read_only = off; ALTER DATABASE {name} RESET {setting}")).await;
        }
    }
    let database = DomainDatabase::connect(&hub.database.url).await.expect("connects");
    database.assert_durable().await.expect("the settings are right");
    let ask = if hub.database.kind == Kind::Sqlite { "PRAGMA journal_mode" } else { "SHOW synchronous_commit" };
    let statement = sea_orm::Statement::from_string(hub.outside.get_database_backend(), ask);
    let row = hub.outside.query_one_raw(statement).await.expect("reads").expect("a row");
    let value: String = row.try_get_by_index(0).expect("a value");
    assert!(["wal", "on"].contains(&value.as_str()), "{value}");
}

async fn migrations_go_up_and_down_and_up_again(hub: Hub) {
    let Some(empty) = crate::harness::Database::empty(hub.database.kind).await else { return };
    let database = DomainDatabase::connect(&empty.url).await.expect("connects");
    let applied = async || database.migrations().await.expect("lists").iter().filter(|(_, applied)| *applied).count();
    let all = u32::try_from(database.migrations().await.expect("lists").len()).expect("few");
    for _ in 0..2 {
        assert_eq!(applied().await, 0);
        database.migrate_up().await.expect("goes up");
        database.migrate_up().await.expect("is safe to repeat");
        assert_eq!(applied().await, all as usize);
        database.migrate_down(all).await.expect("goes down");
    }
}

async fn what_was_acknowledged_survives_the_end_of_the_process(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    let version = "query($id: ID!) { child(id: $id) { voice { version wishes } } }";
    let before = hub.caller("malmo-soc").ask_with(version, json!({ "id": child.id })).await;
    let update = "mutation($id: ID!, $v: String!) { updateVoice(childId: $id, expectedVersion: $v,
        set: { wishes: \"Bo kvar i Malmö\" }) { child { voice { wishes } } } }";
    let variables = json!({ "id": child.id, "v": before.data("/child/voice/version") });
    let done = hub.caller("malmo-soc").ask_with(update, variables).await;
    assert_eq!(done.data("/updateVoice/child/voice/wishes"), "Bo kvar i Malmö");
    hub.wait(DAY / 24 / 60);
    // A second hub has only what is in the database.
    let second = another(&hub).await;
    let seen = hub.caller("malmo-soc").ask_with(version, json!({ "id": child.id })).await;
    assert_eq!(seen.data("/child/voice/wishes"), "Bo kvar i Malmö");
    second.close().await;
    assert!(matches!(verify(&hub).await, Verdict::Intact { lanes: 2, .. }));
}

async fn a_caller_that_hangs_up_leaves_no_change_unlogged(hub: Hub) {
    use sea_orm::sea_query::ExprTrait;
    let child = hub.child(Scene::default()).await;
    let see = "query($id: ID!) { child(id: $id) { voice { version } } }";
    let update = "mutation($id: ID!, $v: String!, $w: String!) { updateVoice(childId: $id, expectedVersion: $v,
        set: { wishes: $w }) { child { voice { wishes } } } }";
    for round in 0..40u64 {
        let version = hub.caller("malmo-soc").ask_with(see, json!({ "id": child.id })).await;
        let variables = json!({ "id": child.id, "v": version.data("/child/voice/version"), "w": format!("{round}") });
        let request = hub.caller("malmo-soc").request(json!({ "query": update, "variables": variables }));
        // The connection goes at some instant of the request.
        let patience = Duration::from_micros(round * 250);
        _ = tokio::time::timeout(patience, tower::ServiceExt::oneshot(hub.router.clone(), request)).await;
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut revisions = Query::select();
    revisions.expr(Expr::col(Alias::new("number")).count()).from(Alias::new("revision"));
    let row = hub.outside.query_one(&revisions).await.expect("reads").expect("a row");
    let written: i64 = row.try_get_by_index(0).expect("a count");
    let mut records = Query::select();
    records.column(Alias::new("record")).from(Alias::new("ledger"));
    let records = hub.outside.query_all(&records).await.expect("reads");
    let tells =
        |row: &&sea_orm::QueryResult| row.try_get_by_index::<String>(0).is_ok_and(|text| text.contains("\"changes\""));
    assert_eq!(records.iter().filter(tells).count() as i64, written);
    assert!(written > 0, "some of them got through");
}

async fn the_log_beside_a_child_takes_no_second_connection(hub: Hub) {
    // More requests than the hub has connections to read by: if each held one and waited for another, none would end.
    let child = hub.child(Scene::default()).await;
    let query = "query($id: ID!) { child(id: $id) { identity { givenNames } }
        accessLog(childId: $id, first: 1) { edges { node { at } } } }";
    let asks = (0..48).map(|_| {
        let request = hub.caller("malmo-soc").request(json!({ "query": query, "variables": { "id": child.id } }));
        let router = hub.router.clone();
        tokio::spawn(async move { crate::harness::Answer::of(&router, request).await })
    });
    for ask in asks.collect::<Vec<_>>() {
        let answer = ask.await.expect("ends");
        assert!(answer.data("/child/identity/givenNames").is_string(), "{}", answer.text);
    }
}

async fn a_list_tells_of_each_child_once_and_of_all_that_was_shown(hub: Hub) {
    let children = [hub.child(Scene::default()).await, hub.child(Scene::default()).await];
    let list = "{ children(orderBy: { field: FAMILY_NAME }) { nodes { identity { sex } } } }";
    let answer = hub.caller("malmo-soc").ask(list).await;
    let record = record(&hub, answer.headers["audit-receipt"].to_str().expect("text")).await.expect("the row");
    let shown = record["shown"].as_array().expect("showings");
    for child in &children {
        let tells =
            |showing: &&Value| showing["subjects"].as_array().expect("subjects").contains(&json!(child.subject));
        let telling: Vec<&Value> = shown.iter().filter(tells).collect();
        assert_eq!(telling.len(), 1, "{record}");
        let fields = telling[0]["fields"].to_string();
        // The order confirms the one, the answer shows the other.
        assert!(fields.contains("identity.familyName") && fields.contains("identity.sex"), "{fields}");
    }
}

async fn a_long_log_is_indexed_to_its_end_and_as_often_as_one_likes(hub: Hub) {
    const LOOKS: usize = 300;
    let child = hub.child(Scene::default()).await;
    let see = "query($id: ID!) { child(id: $id) { identity { sex } } }";
    for _ in 0..LOOKS {
        hub.caller("malmo-soc").ask_with(see, json!({ "id": child.id })).await.data("/child");
    }
    let log = "query($id: ID!, $after: String) { accessLog(childId: $id, first: 100, after: $after) {
        edges { node { operation } } pageInfo { hasNextPage endCursor } } }";
    let told = async || {
        let (mut looks, mut after) = (0, Value::Null);
        loop {
            let page = hub.caller("dataskydd").ask_with(log, json!({ "id": child.id, "after": after })).await;
            let rows = page.data("/accessLog/edges").as_array().expect("rows").clone();
            looks += rows.iter().filter(|row| row["node"]["operation"] == "query child").count();
            after = page.data("/accessLog/pageInfo/endCursor").clone();
            if page.data("/accessLog/pageInfo/hasNextPage") == false {
                return looks;
            }
        }
    };
    assert_eq!(told().await, LOOKS);
    hub.sql("UPDATE ledger_indexed SET seq = 0").await;
    assert_eq!(told().await, LOOKS, "what is in the index is not in it twice");
}

async fn sqlite_is_compiled_without_locks_for_all_connections(hub: Hub) {
    if hub.database.kind == Kind::Postgres {
        return;
    }
    let rows = hub.rows("SELECT compile_options FROM pragma_compile_options").await;
    let options: Vec<String> = rows.iter().map(|row| row.try_get_by_index(0).expect("an option")).collect();
    // See .cargo/config.toml.
    assert!(options.iter().any(|option| option == "DEFAULT_MEMSTATUS=0"), "{options:?}");
    assert!(!options.iter().any(|option| option == "ENABLE_MEMORY_MANAGEMENT"), "{options:?}");
}
