//! What a child's story is to show, before it is told.

use super::dice::Dice;
use crate::policy::Protection;
use std::ops::Range;

/// How far a child's story has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stage {
    /// Arrived days ago; not assigned yet.
    Arrival,
    /// Assigned to a municipality; the arrival there is not confirmed.
    Assigned,
    /// Lives in a home of the assigned municipality.
    Placed,
    /// The asylum case is under investigation, or a decision is near.
    AsylumInvestigation,
    /// A decision was served days ago.
    DecisionServed,
    /// The refusal is appealed.
    Appealed,
    /// An age assessment is under way or decided.
    AgeAssessed,
    /// A transfer to another state is pending.
    TransferPending,
    /// Turns 18 within 90 days.
    Near18,
    /// The refusal is final; a return is prepared.
    Return,
    /// Missing now.
    MissingNow,
    /// Found less than 72 hours ago.
    FoundRecently,
    /// Was missing, and found long ago.
    FoundLongAgo,
}

impl Stage {
    /// Every stage.
    pub const ALL: [Stage; 13] = [
        Stage::Arrival,
        Stage::Assigned,
        Stage::Placed,
        Stage::AsylumInvestigation,
        Stage::DecisionServed,
        Stage::Appealed,
        Stage::AgeAssessed,
        Stage::TransferPending,
        Stage::Near18,
        Stage::Return,
        Stage::MissingNow,
        Stage::FoundRecently,
        Stage::FoundLongAgo,
    ];

    /// How many days ago such a child came.
    pub(super) fn days_here(self) -> Range<i64> {
        match self {
            Stage::Arrival => 1..4,
            Stage::Assigned => 9..26,
            Stage::Placed => 42..85,
            Stage::AsylumInvestigation => 80..260,
            Stage::DecisionServed => 200..500,
            Stage::Appealed => 260..600,
            Stage::AgeAssessed => 120..420,
            Stage::TransferPending => 70..220,
            Stage::Near18 => 200..700,
            Stage::Return => 420..900,
            Stage::MissingNow | Stage::FoundRecently => 60..600,
            Stage::FoundLongAgo => 200..700,
        }
    }

    /// Whether the child has left the arrival accommodation.
    pub(super) fn is_settled(self) -> bool {
        self >= Stage::Placed
    }
}

/// Where the child came, and which municipality is assigned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route {
    Malmo,
    Landskrona,
    MalmoToLandskrona,
    LandskronaToMalmo,
}

/// A consent to a partner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Given {
    No,
    Live,
    Expired,
    Withdrawn,
}

/// What a child's story is to show.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    pub(super) stage: Stage,
    pub(super) route: Route,
    pub(super) protection: Protection,
    /// To Rädda Barnen and to Stadsmissionen.
    pub(super) consents: [Given; 2],
    /// The child lives in a home that is an agency of the hub.
    pub(super) hub_home: bool,
    /// The other board has accepted a handover that is not confirmed.
    pub(super) handover: bool,
    /// The child was expected there hours ago, and nobody has confirmed that it has come.
    pub(super) overdue: bool,
    /// Emergency care has opened the record, and nobody has reviewed that yet.
    pub(super) emergency: bool,
    /// The child has this name, given and family.
    pub(super) name: Option<(&'static str, &'static str)>,
    /// Social services after hours have taken the child in, and the board has not yet taken over.
    pub(super) night: bool,
    /// If a decision is served, it is a residence permit.
    pub(super) permit: bool,
    /// Goes to the school that is an agency of the hub.
    pub(super) school: bool,
}

impl Plan {
    /// The plan of the child with this index: written by hand for the first, then by chance.
    pub(super) fn of(index: u64, dice: &mut Dice) -> Plan {
        let by_chance = Plan::by_chance(dice);
        usize::try_from(index).ok().and_then(|index| SCRIPT.get(index)).copied().unwrap_or(by_chance)
    }

    fn by_chance(dice: &mut Dice) -> Plan {
        let stage = dice.weigh(&STAGES, Stage::Placed);
        let route = dice.weigh(&ROUTES, Route::Malmo);
        let in_malmo = matches!(route, Route::Malmo | Route::LandskronaToMalmo);
        Plan {
            stage,
            route,
            protection: dice.weigh(&PROTECTIONS, Protection::None),
            consents: [dice.weigh(&CONSENTS_OF_ONE, Given::No), dice.weigh(&CONSENTS_OF_OTHER, Given::No)],
            hub_home: dice.chance(50),
            handover: matches!(stage, Stage::Placed | Stage::AsylumInvestigation) && dice.chance(10),
            overdue: false,
            emergency: false,
            name: None,
            night: stage == Stage::Arrival
                && matches!(route, Route::Malmo | Route::MalmoToLandskrona)
                && dice.chance(35),
            permit: matches!(stage, Stage::DecisionServed | Stage::Near18) && dice.chance(40),
            school: stage.is_settled() && dice.chance(if in_malmo { 85 } else { 40 }),
        }
    }
}

const STAGES: [(i64, Stage); 13] = [
    (5, Stage::Arrival),
    (6, Stage::Assigned),
    (20, Stage::Placed),
    (22, Stage::AsylumInvestigation),
    (8, Stage::DecisionServed),
    (7, Stage::Appealed),
    (5, Stage::AgeAssessed),
    (4, Stage::TransferPending),
    (8, Stage::Near18),
    (4, Stage::Return),
    (3, Stage::MissingNow),
    (2, Stage::FoundRecently),
    (6, Stage::FoundLongAgo),
];

const ROUTES: [(i64, Route); 4] =
    [(50, Route::Malmo), (12, Route::Landskrona), (26, Route::MalmoToLandskrona), (12, Route::LandskronaToMalmo)];

const PROTECTIONS: [(i64, Protection); 4] =
    [(92, Protection::None), (3, Protection::Marked), (3, Protection::Local), (2, Protection::Registered)];

const CONSENTS_OF_ONE: [(i64, Given); 4] =
    [(76, Given::No), (16, Given::Live), (5, Given::Expired), (3, Given::Withdrawn)];

const CONSENTS_OF_OTHER: [(i64, Given); 4] =
    [(84, Given::No), (10, Given::Live), (4, Given::Expired), (2, Given::Withdrawn)];

/// How many children are planned by hand.
pub const SCRIPTED: u64 = SCRIPT.len() as u64;

const BASE: Plan = Plan {
    stage: Stage::Placed,
    route: Route::Malmo,
    protection: Protection::None,
    consents: [Given::No, Given::No],
    hub_home: true,
    handover: false,
    overdue: false,
    emergency: false,
    name: None,
    night: false,
    permit: false,
    school: true,
};

/// The first children: together they show everything.
const SCRIPT: [Plan; 23] = [
    Plan { stage: Stage::Arrival, school: false, ..BASE },
    Plan { stage: Stage::Assigned, route: Route::MalmoToLandskrona, school: false, ..BASE },
    Plan { consents: [Given::Live, Given::No], ..BASE },
    Plan { stage: Stage::AsylumInvestigation, handover: true, ..BASE },
    Plan { stage: Stage::DecisionServed, consents: [Given::No, Given::Live], ..BASE },
    Plan { stage: Stage::Appealed, route: Route::Landskrona, school: false, ..BASE },
    Plan { stage: Stage::AgeAssessed, hub_home: false, ..BASE },
    Plan { stage: Stage::TransferPending, route: Route::MalmoToLandskrona, ..BASE },
    Plan { stage: Stage::Near18, consents: [Given::Live, Given::No], ..BASE },
    Plan { stage: Stage::Return, hub_home: false, ..BASE },
    Plan { stage: Stage::MissingNow, consents: [Given::Live, Given::No], ..BASE },
    Plan { stage: Stage::FoundRecently, route: Route::Landskrona, consents: [Given::No, Given::Live], ..BASE },
    Plan { stage: Stage::FoundLongAgo, hub_home: false, ..BASE },
    Plan { route: Route::MalmoToLandskrona, protection: Protection::Marked, school: false, ..BASE },
    Plan { stage: Stage::AsylumInvestigation, protection: Protection::Local, hub_home: false, ..BASE },
    Plan { protection: Protection::Registered, ..BASE },
    Plan { stage: Stage::MissingNow, route: Route::MalmoToLandskrona, protection: Protection::Marked, ..BASE },
    Plan { route: Route::MalmoToLandskrona, consents: [Given::Expired, Given::Live], ..BASE },
    Plan {
        stage: Stage::AsylumInvestigation,
        route: Route::Landskrona,
        handover: true,
        consents: [Given::Withdrawn, Given::No],
        ..BASE
    },
    Plan {
        stage: Stage::DecisionServed,
        route: Route::LandskronaToMalmo,
        permit: true,
        consents: [Given::Live, Given::Live],
        ..BASE
    },
    Plan { handover: true, overdue: true, ..BASE },
    Plan { stage: Stage::Arrival, emergency: true, school: false, ..BASE },
    // A name may be anything that can be typed, and whoever shows it must show it as it is.
    Plan { name: Some(("Ali <img src=x onerror=alert(1)>", "\"]}</script>")), ..BASE },
];
