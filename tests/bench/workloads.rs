//! What is asked, of the hub as GraphQL and of the database as bare SQL: the same fields of the same rows.

use super::Fault;
use data_encoding::BASE32_DNSSEC;
use serde_json::{Value, json};
use uuid::Uuid;

/// A workload of the benchmark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Workload {
    /// One child by id: 30 fields, the responsible agency, the placements.
    W1,
    /// The caller's children by risk date, page 2: 100 rows of 15 fields.
    W2,
    /// One child by the number that Migrationsverket knows it by: 15 fields.
    W3,
    /// Three fields are updated; the version is sent back and checked.
    W4,
    /// 63 % W1, 13.5 % W2, 13.5 % W3, 10 % W4.
    W5,
    /// The first 100 children of the caller, in no order: 15 fields.
    List,
}

impl Workload {
    pub const ALL: [Workload; 5] = [Workload::W1, Workload::W2, Workload::W3, Workload::W4, Workload::W5];

    pub fn name(self) -> &'static str {
        match self {
            Workload::W1 => "W1",
            Workload::W2 => "W2",
            Workload::W3 => "W3",
            Workload::W4 => "W4",
            Workload::W5 => "W5",
            Workload::List => "list",
        }
    }

    pub fn by_name(name: &str) -> Option<Workload> {
        Workload::ALL.into_iter().find(|workload| workload.name().eq_ignore_ascii_case(name))
    }

    /// What request number `n` of the workload asks.
    pub fn at(self, n: u64) -> Workload {
        if self != Workload::W5 {
            return self;
        }
        // A fixed shuffle of 0..1000, so that the kinds come mixed and every run has the same.
        match n.wrapping_mul(387) % 1_000 {
            0..630 => Workload::W1,
            630..765 => Workload::W2,
            765..900 => Workload::W3,
            _ => Workload::W4,
        }
    }
}

/// How a column is decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Text,
    Date,
    Bool,
    Json,
    /// An id, with the word before it in the API.
    Id(&'static str),
}

/// A field of an answer: where it stands below the child, its column, and what that holds.
pub type Column = (&'static str, &'static str, Kind);

/// The id and 15 fields: what a list or a look-up shows.
pub const SHORT: [Column; 16] = [
    ("/id", "c.id", Kind::Id("child")),
    ("/identity/givenNames", "i.given_names", Kind::Text),
    ("/identity/familyName", "i.family_name", Kind::Text),
    ("/identity/birthDate", "i.birth_date", Kind::Date),
    ("/identity/sex", "i.sex", Kind::Text),
    ("/identity/citizenship", "i.citizenship", Kind::Text),
    ("/identity/languages", "i.languages", Kind::Json),
    ("/identity/interpreterNeeded", "i.interpreter_needed", Kind::Bool),
    ("/responsibility/responsibleAgency/name", "a.name", Kind::Text),
    ("/responsibility/unit", "r.unit", Kind::Text),
    ("/responsibility/dutyPhone", "r.duty_phone", Kind::Text),
    ("/responsibility/caseWorkerName", "r.case_worker_name", Kind::Text),
    ("/placement/type", "p.type", Kind::Text),
    ("/placement/unitName", "p.unit_name", Kind::Text),
    ("/placement/postalTown", "p.postal_town", Kind::Text),
    ("/placement/dutyPhone", "p.duty_phone", Kind::Text),
];

/// 30 fields: the card of one child. The last six are those of a placement, current or earlier.
pub const LONG: [Column; 37] = [
    ("/id", "c.id", Kind::Id("child")),
    ("/identity/givenNames", "i.given_names", Kind::Text),
    ("/identity/familyName", "i.family_name", Kind::Text),
    ("/identity/birthDate", "i.birth_date", Kind::Date),
    ("/identity/sex", "i.sex", Kind::Text),
    ("/identity/citizenship", "i.citizenship", Kind::Text),
    ("/identity/languages", "i.languages", Kind::Json),
    ("/identity/interpreterNeeded", "i.interpreter_needed", Kind::Bool),
    ("/responsibility/responsibleAgency/id", "a.id", Kind::Id("agency")),
    ("/responsibility/responsibleAgency/name", "a.name", Kind::Text),
    ("/responsibility/unit", "r.unit", Kind::Text),
    ("/responsibility/dutyPhone", "r.duty_phone", Kind::Text),
    ("/responsibility/caseWorkerName", "r.case_worker_name", Kind::Text),
    ("/responsibility/caseWorkerPhone", "r.case_worker_phone", Kind::Text),
    ("/responsibility/caseWorkerEmail", "r.case_worker_email", Kind::Text),
    ("/guardianship/guardianName", "g.guardian_name", Kind::Text),
    ("/guardianship/guardianPhone", "g.guardian_phone", Kind::Text),
    ("/guardianship/guardianEmail", "g.guardian_email", Kind::Text),
    ("/guardianship/appointedOn", "g.appointed_on", Kind::Date),
    ("/health/criticalNeeds", "h.critical_needs", Kind::Text),
    ("/health/selfHarmAlert", "h.self_harm_alert", Kind::Bool),
    ("/health/assessmentDone", "coalesce(h.assessment_done, false)", Kind::Bool),
    ("/schooling/schoolName", "s.school_name", Kind::Text),
    ("/schooling/absentSince", "s.absent_since", Kind::Date),
    ("/safetyPlan/planExists", "coalesce(f.plan_exists, false)", Kind::Bool),
    ("/safetyPlan/reviewOn", "f.review_on", Kind::Date),
    ("/placement/unitName", "p.unit_name", Kind::Text),
    ("/placement/street", "p.street", Kind::Text),
    ("/placement/postalCode", "p.postal_code", Kind::Text),
    ("/placement/postalTown", "p.postal_town", Kind::Text),
    ("/placement/dutyPhone", "p.duty_phone", Kind::Text),
    ("/id", "p.id", Kind::Id("placement")),
    ("/type", "p.type", Kind::Text),
    ("/from", "p.valid_from", Kind::Date),
    ("/to", "p.valid_to", Kind::Date),
    ("/unitName", "p.unit_name", Kind::Text),
    ("/postalTown", "p.postal_town", Kind::Text),
];

/// Where the columns of an earlier placement begin in [`LONG`].
pub const EARLIER: usize = 31;

const SHORT_FIELDS: &str = "id identity { givenNames familyName birthDate sex citizenship languages interpreterNeeded } \
    responsibility { responsibleAgency { name } unit dutyPhone caseWorkerName } \
    placement { type unitName postalTown dutyPhone }";

const LONG_FIELDS: &str = "id identity { givenNames familyName birthDate sex citizenship languages interpreterNeeded } \
    responsibility { responsibleAgency { id name } unit dutyPhone caseWorkerName caseWorkerPhone caseWorkerEmail } \
    guardianship { guardianName guardianPhone guardianEmail appointedOn } \
    health { criticalNeeds selfHarmAlert assessmentDone } schooling { schoolName absentSince } \
    safetyPlan { planExists reviewOn } \
    placement { unitName street postalCode postalTown dutyPhone earlier { id type from to unitName postalTown } }";

/// The row rule, written by hand: the agency has an open involvement with the child.
const MAY: &str =
    "EXISTS (SELECT 1 FROM involvement m WHERE m.child_id = c.id AND m.agency_id = $1 AND m.closed_at IS NULL)";

const RESPONSIBLE: &str = "LEFT JOIN involvement v ON v.child_id = c.id AND v.kind = 'RESPONSIBLE' AND v.closed_at IS NULL \
    LEFT JOIN agency a ON a.id = v.agency_id";

const SHORT_JOINS: &str = "LEFT JOIN identity i ON i.child_id = c.id LEFT JOIN responsibility r ON r.child_id = c.id \
    LEFT JOIN placement p ON p.child_id = c.id AND p.valid_to IS NULL";

/// The statements of the bare SQL. `$1` is the agency everywhere.
pub struct Statements {
    pub w1: String,
    pub w2: String,
    pub w3: String,
    pub w4: &'static str,
    pub audit: &'static str,
}

impl Statements {
    pub fn new() -> Self {
        let columns = |columns: &[Column]| columns.iter().map(|column| column.1).collect::<Vec<_>>().join(", ");
        Statements {
            w1: format!(
                "SELECT {} FROM child c LEFT JOIN identity i ON i.child_id = c.id \
                 LEFT JOIN responsibility r ON r.child_id = c.id {RESPONSIBLE} \
                 LEFT JOIN guardianship g ON g.child_id = c.id LEFT JOIN health h ON h.child_id = c.id \
                 LEFT JOIN schooling s ON s.child_id = c.id LEFT JOIN safety_plan f ON f.child_id = c.id \
                 LEFT JOIN placement p ON p.child_id = c.id WHERE c.id = $2 AND {MAY} \
                 ORDER BY (p.valid_to IS NULL) DESC, p.valid_from DESC, p.valid_to DESC",
                columns(&LONG)
            ),
            w2: format!(
                "SELECT {}, o.risk_date FROM roster o JOIN child c ON c.id = o.child_id {SHORT_JOINS} {RESPONSIBLE} \
                 WHERE o.agency_id = $1 AND o.open_relation = 'RESPONSIBLE' AND (o.risk_date, o.child_id) < ($2, $3) \
                 ORDER BY o.risk_date DESC, o.child_id DESC LIMIT 100",
                columns(&SHORT)
            ),
            w3: format!(
                "SELECT {} FROM identifier n JOIN child c ON c.id = n.child_id {SHORT_JOINS} {RESPONSIBLE} \
                 WHERE n.kind = 'DOSSIER_NUMBER' AND n.value = $2 AND {MAY}",
                columns(&SHORT)
            ),
            w4: "UPDATE description AS c SET appearance = $3, marks = $4, clothing = $5, stamps = $6 \
                 WHERE c.child_id = $2 AND c.stamps = $7 AND EXISTS (SELECT 1 FROM involvement m \
                 WHERE m.child_id = c.child_id AND m.agency_id = $1 AND m.closed_at IS NULL) \
                 RETURNING child_id, stamps",
            audit: "INSERT INTO bench_audit (id, at, record, hash) VALUES ($1, $2, $3, $4)",
        }
    }
}

/// The body of a request to the hub.
pub fn body(workload: Workload, about: &About<'_>) -> Value {
    match workload {
        Workload::W1 | Workload::W5 => json!({
            "query": format!("query Card($id: ID!) {{ child(id: $id) {{ {LONG_FIELDS} }} }}"),
            "variables": { "id": about.id },
        }),
        Workload::W2 => json!({
            "query": format!(
                "query Page($after: String) {{ children(orderBy: {{ field: RISK_DATE, direction: DESC }}, first: 100, \
                 after: $after) {{ nodes {{ {SHORT_FIELDS} }} pageInfo {{ endCursor hasNextPage }} }} }}"
            ),
            "variables": { "after": about.cursor },
        }),
        Workload::List => json!({
            "query": format!("{{ children(first: 100) {{ nodes {{ {SHORT_FIELDS} }} }} }}"),
        }),
        Workload::W3 => json!({
            "query": format!(
                "query Find($value: String!) {{ childByIdentifier(kind: DOSSIER_NUMBER, value: $value) \
                 {{ {SHORT_FIELDS} }} }}"
            ),
            "variables": { "value": about.number },
        }),
        Workload::W4 => json!({
            "query": "mutation Describe($id: ID!, $version: String!, $set: DescriptionPatch!) { \
                updateDescription(childId: $id, expectedVersion: $version, set: $set) { child { id description { version } } } }",
            "variables": {
                "id": about.id,
                "version": about.version,
                "set": { "appearance": about.text(0), "marks": about.text(1), "clothing": about.text(2) },
            },
        }),
    }
}

/// What one request is about.
pub struct About<'a> {
    pub id: &'a str,
    pub number: &'a str,
    pub cursor: Option<&'a str>,
    pub version: &'a str,
    pub n: u64,
}

impl About<'_> {
    fn text(&self, which: usize) -> String {
        text(which, self.n)
    }
}

/// What update number `n` writes into the first, second and third field.
pub fn text(which: usize, n: u64) -> String {
    let words = ["Smal, kort brunt hår", "Ärr över vänster ögonbryn", "Svart jacka, grå luva"];
    format!("{}, ändring {n}", words.get(which).copied().unwrap_or_default())
}

/// The id that the API gives for a row.
pub fn public_id(prefix: &str, id: Uuid) -> String {
    format!("{prefix}_{}", BASE32_DNSSEC.encode(id.as_bytes()))
}

/// Compares what the hub said of a child with the columns of the bare SQL.
///
/// # Errors
///
/// The first field that differs, by its path.
pub fn compare(child: &Value, columns: &[Column], row: &[Value]) -> Result<(), Fault> {
    for ((path, _, _), value) in columns.iter().zip(row) {
        let said = child.pointer(path).unwrap_or(&Value::Null);
        if said != value {
            return Err(format!("{path} differs between the hub ({said}) and the bare SQL ({value})").into());
        }
    }
    Ok(())
}
