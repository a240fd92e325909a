//! The database of the benchmark: made-up children in a database of production, and whom the requests are about.

use super::Fault;
use super::limit::{Cell, Pools};
use super::workloads::{Kind, public_id};
use samverka::sandbox::SEED;
use samverka_domain::clock::Clock;
use samverka_domain::hub::{Database, Environment};
use samverka_domain::world;
use serde_json::Value;
use tokio::sync::Mutex;
use uuid::Uuid;

/// The agency that asks: a municipal caseworker's.
pub const CASEWORKER: &str = "malmo-soc";

/// A restricted partner organisation.
pub const PARTNER: &str = "radda-barnen";
/// The agency that is left with 100 children.
pub const FEW: &str = "socialjour";

/// Leaves [`FEW`] with 100 children among all.
///
/// # Errors
///
/// Whatever the database refuses.
pub async fn thin_out(pools: &Pools) -> Result<(), Fault> {
    let own = format!("agency_id = (SELECT id FROM agency WHERE code = '{FEW}')");
    let few = format!("SELECT child_id FROM roster WHERE {own} AND open_relation <> '' ORDER BY child_id LIMIT 100");
    pools.run(format!("DELETE FROM roster WHERE {own} AND child_id NOT IN ({few})")).await
}

/// How many children the requests are about.
const SUBJECTS: usize = 200;

/// A child that requests are about.
pub struct Subject {
    pub uuid: Uuid,
    /// The id in the API.
    pub id: String,
    /// The dossier number.
    pub number: String,
    /// What the bare SQL last wrote: its version.
    pub stamps: Mutex<Value>,
    /// The version that the hub last gave.
    pub version: Mutex<String>,
}

/// Makes sure that a database has so many children. Returns how many there are.
///
/// # Errors
///
/// Whatever the hub refuses.
pub async fn fill(url: &str, children: u64) -> Result<u64, Fault> {
    let database = Database::connect(url).await?;
    database.migrate_up().await?;
    database.claim(Environment::Production).await?;
    database.put_agencies(&world::agencies()).await?;
    let there = database.children().await?;
    let made = children.min(MADE_UP);
    let start = std::time::Instant::now();
    if there < made {
        eprintln!("making {} children in {url}", made - there);
        database.seed(SEED, there..made, &Clock::system(), &mut |_| ()).await?;
    }
    let there = database.children().await?;
    database.close().await;
    if there < children {
        eprintln!("copying {} children in {url}", children - there);
        copy(url, there, children).await?;
    }
    eprintln!("filled in {:.0} s", start.elapsed().as_secs_f64());
    Ok(children)
}

/// So many children are made up one by one. Where more are wanted, these are copied within the database, under new ids: only
/// what lists read, which is what is measured there; no stamps, revisions, earlier placements and ended involvements.
const MADE_UP: u64 = 100_000;
const COPIED: [&str; 8] =
    ["child", "involvement", "protection", "missing_episode", "identity", "responsibility", "placement", "roster"];

async fn copy(url: &str, mut there: u64, children: u64) -> Result<(), Fault> {
    let pools = Pools::open(url).await?;
    let (uuid, kind, stamps) = if url.starts_with("postgres") {
        ("gen_random_uuid()", "uuid", "'{}'::jsonb")
    } else {
        ("randomblob(16)", "uuid_blob", "'{}'")
    };
    pools.run("CREATE TABLE IF NOT EXISTS bench_original AS SELECT id FROM child".to_owned()).await?;
    let mut statements = Vec::new();
    for table in COPIED {
        let columns = pools.columns(table).await?;
        let value = |column: &String| match (table, column.as_str()) {
            ("child", "id") | (_, "child_id") => "m.copied".to_owned(),
            (_, "id" | "subject") => uuid.to_owned(),
            (_, "stamps") => stamps.to_owned(),
            (_, column) => format!("t.\"{column}\""),
        };
        let values: Vec<String> = columns.iter().map(value).collect();
        let names: Vec<String> = columns.iter().map(|column| format!("\"{column}\"")).collect();
        let key = if table == "child" { "id" } else { "child_id" };
        let only = match table {
            "involvement" => " WHERE t.closed_at IS NULL",
            "placement" => " WHERE t.valid_to IS NULL",
            _ => "",
        };
        statements.push(format!(
            "INSERT INTO {table} ({}) SELECT {} FROM bench_map m JOIN {table} t ON t.{key} = m.original{only}",
            names.join(", "),
            values.join(", ")
        ));
    }
    while there < children {
        let some = (children - there).min(MADE_UP);
        pools
            .run(format!("DROP TABLE IF EXISTS bench_map; CREATE TABLE bench_map (original {kind}, copied {kind})"))
            .await?;
        pools.run(format!("INSERT INTO bench_map SELECT id, {uuid} FROM bench_original LIMIT {some}")).await?;
        for statement in &statements {
            pools.run(statement.clone()).await?;
        }
        there += some;
    }
    pools.run("DROP TABLE bench_map; ANALYZE".to_owned()).await?;
    pools.close().await;
    Ok(())
}

fn text(row: &[Cell], index: usize) -> String {
    match row.get(index).map(Cell::to_json) {
        Some(Value::String(text)) => text,
        _ => String::new(),
    }
}

fn uuid(row: &[Cell], index: usize) -> Uuid {
    match row.get(index) {
        Some(Cell::Id(_, Some(id))) => *id,
        _ => Uuid::nil(),
    }
}

/// The id of an agency.
///
/// # Errors
///
/// If it is not there.
pub async fn agency(pools: &Pools, code: &str) -> Result<Uuid, Fault> {
    let sql = "SELECT id, code FROM agency WHERE id <> $1".to_owned();
    let columns = [("", "", Kind::Id("")), ("", "", Kind::Text)];
    let rows = pools.ask(sql, Uuid::nil(), &columns).await?;
    let found = rows.iter().find(|row| text(row, 1) == code).map(|row| uuid(row, 0));
    found.ok_or_else(|| format!("the agency {code} is missing").into())
}

/// Children that the agency is responsible for, with all the sections that the requests show.
///
/// # Errors
///
/// If there are too few.
pub async fn subjects(pools: &Pools, agency: Uuid) -> Result<Vec<Subject>, Fault> {
    let sql = "SELECT c.id, n.value FROM involvement o JOIN child c ON c.id = o.child_id \
        JOIN identifier n ON n.child_id = c.id AND n.kind = 'DOSSIER_NUMBER' JOIN description d ON d.child_id = c.id \
        JOIN placement p ON p.child_id = c.id AND p.valid_to IS NULL JOIN identity i ON i.child_id = c.id \
        LEFT JOIN protection x ON x.child_id = c.id \
        WHERE o.agency_id = $1 AND o.closed_at IS NULL AND o.kind = 'RESPONSIBLE' AND d.clothing IS NOT NULL \
        AND coalesce(x.level, 'NONE') = 'NONE' AND NOT EXISTS (SELECT 1 FROM missing_episode e WHERE e.child_id = c.id) \
        ORDER BY c.id LIMIT 2000";
    let columns = [("", "", Kind::Id("child")), ("", "", Kind::Text)];
    let rows = pools.ask(sql.to_owned(), agency, &columns).await?;
    let step = (rows.len() / SUBJECTS).max(1);
    let subject = |row: &Vec<Cell>| Subject {
        uuid: uuid(row, 0),
        id: public_id("child", uuid(row, 0)),
        number: text(row, 1),
        stamps: Mutex::default(),
        version: Mutex::default(),
    };
    let subjects: Vec<Subject> = rows.iter().step_by(step).take(SUBJECTS).map(subject).collect();
    if subjects.len() < 32 { Err("too few children fit the workloads".into()) } else { Ok(subjects) }
}
