//! Lists whose entries are rows of tables of their own, written by the steps of a protocol.

use super::kind::{CHECKLIST_ITEM, CLOSURE, CONCERN, CONSENT, Entry, FOLLOW_UP, HANDOVER, SIGHTING};

/// A list of rows of one table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum List {
    /// F28.
    Handovers,
    /// F52.
    Concerns,
    /// F54.
    Checklist,
    /// F58.
    Sightings,
    /// F60.
    FollowUp,
    /// F61.
    Closures,
    /// F62.
    Consents,
}

/// How the entries of a list are kept.
#[derive(Debug)]
pub struct Rows {
    /// The table; its rows name the child in `child_id`.
    pub table: &'static str,
    /// The rows of the table that belong to the list: what a column holds.
    pub only: Option<(&'static str, &'static str)>,
    /// The shape of an entry.
    pub entry: &'static Entry,
    /// The columns behind the parts of the entry, in their order.
    pub columns: &'static [&'static str],
    /// The columns by which the entries are in order, `-` before those that go down. None of them is ever empty.
    pub order: &'static [&'static str],
    /// The parts that name the agencies whose own entry a row is.
    pub own: &'static [&'static str],
    /// The parts that tell when the row was changed, and of these the part that tells by whom, where one does.
    pub changed: (&'static [&'static str], Option<&'static str>),
    /// Whether the agencies in an entry are named to whoever reads it: otherwise as writers are.
    pub names: bool,
    /// The column that is empty while a row is open, of a list with a flag that tells of open rows.
    pub open: Option<&'static str>,
}

impl List {
    /// Every list.
    pub const ALL: [List; 7] = [
        List::Handovers,
        List::Concerns,
        List::Checklist,
        List::Sightings,
        List::FollowUp,
        List::Closures,
        List::Consents,
    ];

    /// How its entries are kept.
    pub const fn rows(self) -> &'static Rows {
        match self {
            List::Handovers => &HANDOVERS,
            List::Concerns => &CONCERNS,
            List::Checklist => &CHECKLIST,
            List::Sightings => &SIGHTINGS,
            List::FollowUp => &FOLLOW_UPS,
            List::Closures => &CLOSURES,
            List::Consents => &CONSENTS,
        }
    }
}

static HANDOVERS: Rows = Rows {
    table: "handover",
    only: None,
    entry: &HANDOVER,
    columns: &[
        "id",
        "kind",
        "state",
        "from_agency_id",
        "to_agency_id",
        "proposed_at",
        "expected_at",
        "accepted_at",
        "departed_at",
        "arrived_at",
        "overdue_at",
        "ended_at",
        "details",
        "reason",
    ],
    order: &["-proposed_at", "id"],
    own: &["fromAgency", "toAgency"],
    changed: (&["proposedAt", "acceptedAt", "departedAt", "arrivedAt", "overdueAt", "endedAt"], None),
    names: false,
    open: Some("ended_at"),
};

static CONCERNS: Rows = Rows {
    table: "submission",
    only: Some(("kind", "CONCERN")),
    entry: &CONCERN,
    columns: &["id", "at", "agency_id", "text", "state", "feedback", "decided_at"],
    order: &["-at", "id"],
    own: &["by"],
    changed: (&["at", "decidedAt"], None),
    names: false,
    open: None,
};

static CHECKLIST: Rows = Rows {
    table: "checklist_item",
    only: Some(("about", "EPISODE")),
    entry: &CHECKLIST_ITEM,
    columns: &[
        "id",
        "about_id",
        "moment",
        "actor",
        "sv",
        "en",
        "mandatory",
        "due_at",
        "state",
        "agency_id",
        "done_at",
        "done_by",
        "reason",
        "routine",
        "source",
    ],
    order: &["about_id", "position", "id"],
    own: &["assignedTo", "doneBy"],
    changed: (&["doneAt"], Some("doneBy")),
    names: false,
    open: None,
};

static SIGHTINGS: Rows = Rows {
    table: "sighting",
    only: None,
    entry: &SIGHTING,
    columns: &["episode_id", "at", "seen_at", "place", "text", "agency_id"],
    order: &["-at", "id"],
    own: &["by"],
    changed: (&["at"], Some("by")),
    names: false,
    open: None,
};

static FOLLOW_UPS: Rows = Rows {
    table: "follow_up",
    only: None,
    entry: &FOLLOW_UP,
    columns: &["episode_id", "kind", "done_on", "note", "at", "agency_id"],
    order: &["-at", "id"],
    own: &["by"],
    changed: (&["at"], Some("by")),
    names: false,
    open: None,
};

static CLOSURES: Rows = Rows {
    table: "agency_closure",
    only: None,
    entry: &CLOSURE,
    columns: &["episode_id", "at", "agency_id", "reason"],
    order: &["-at", "id"],
    own: &["by"],
    changed: (&["at"], Some("by")),
    names: false,
    open: None,
};

static CONSENTS: Rows = Rows {
    table: "consent",
    only: None,
    entry: &CONSENT,
    columns: &["id", "agency_id", "groups", "given_by", "valid_from", "valid_until", "withdrawn_at"],
    order: &["-valid_from", "id"],
    own: &["receiver"],
    changed: (&["validFrom", "withdrawnAt"], None),
    names: true,
    open: None,
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Kind;

    #[test]
    fn every_part_has_its_column_and_what_is_named_is_a_part() {
        for list in List::ALL {
            let rows = list.rows();
            assert_eq!(rows.entry.fields.len(), rows.columns.len(), "{list:?}");
            let kind = |name: &str| rows.entry.fields.iter().find(|part| part.name == name).map(|part| part.kind);
            assert!(!rows.own.is_empty() && rows.own.iter().all(|part| kind(part) == Some(Kind::Agency)), "{list:?}");
            let (at, by) = rows.changed;
            assert!(at.iter().all(|part| kind(part) == Some(Kind::Instant)), "{list:?}");
            assert!(by.is_none_or(|part| kind(part) == Some(Kind::Agency)), "{list:?}");
        }
    }
}
