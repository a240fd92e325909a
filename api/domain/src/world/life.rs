//! When and where what happened: the facts that every agency then writes its part of.

use super::dice::Dice;
use super::person::Person;
use super::plan::{Plan, Route, Stage};
use super::{DAY, HOUR};
use uuid::Uuid;

/// A municipality of the made-up world.
pub(super) struct Town {
    pub(super) name: &'static str,
    pub(super) municipality: &'static str,
    /// The board, and the home that is an agency of the hub.
    pub(super) board: &'static str,
    pub(super) home: &'static str,
    /// Where that home is, and its telephone.
    pub(super) home_street: &'static str,
    pub(super) home_phone: &'static str,
    /// The board's telephone, day and night.
    pub(super) duty_phone: &'static str,
    /// Of the board's mail.
    pub(super) domain: &'static str,
    pub(super) organisation_number: &'static str,
    pub(super) postal_codes: &'static [&'static str],
}

pub(super) static MALMO: Town = Town {
    name: "Malmö",
    municipality: "1280",
    board: "malmo-soc",
    home: "hvb-malmo",
    home_street: "Exempelgatan 12",
    home_phone: "+46406280412",
    duty_phone: "+46406280401",
    domain: "malmo-soc",
    organisation_number: "212000-1124",
    postal_codes: &["21199", "21299", "21499"],
};

pub(super) static LANDSKRONA: Town = Town {
    name: "Landskrona",
    municipality: "1282",
    board: "landskrona-soc",
    home: "hvb-landskrona",
    home_street: "Provhamnen 7",
    home_phone: "+46406280482",
    duty_phone: "+46406280402",
    domain: "landskrona-soc",
    organisation_number: "212000-1140",
    postal_codes: &["26199", "26299"],
};

/// A placement.
pub(super) struct Stay {
    pub(super) id: Uuid,
    pub(super) kind: &'static str,
    pub(super) town: &'static Town,
    /// The home is an agency of the hub.
    pub(super) in_hub: bool,
    pub(super) from: i64,
    /// None while it is current.
    pub(super) to: Option<i64>,
}

impl Stay {
    /// The agency the child stays with.
    pub(super) fn agency(&self) -> Option<&'static str> {
        self.in_hub.then_some(self.town.home)
    }
}

/// A time when the child was missing.
#[derive(Clone, Copy)]
pub(super) struct Missing {
    pub(super) id: Uuid,
    pub(super) opened: i64,
    pub(super) found: Option<i64>,
    pub(super) closed: Option<i64>,
}

/// How far the asylum case has come, and when.
#[derive(Default)]
pub(super) struct Case {
    pub(super) applied: Option<i64>,
    pub(super) investigated: Option<i64>,
    /// The day on which a decision is going to be served.
    pub(super) announced: Option<i64>,
    pub(super) served: Option<i64>,
    pub(super) outcome: Option<&'static str>,
    pub(super) appealed: Option<i64>,
    pub(super) is_final: Option<i64>,
}

/// The instants of a child's story, in microseconds since 1970.
pub(super) struct Life {
    pub(super) arrived: i64,
    pub(super) registered: i64,
    /// A board takes the lead from Migrationsverket.
    pub(super) board_leads: Option<i64>,
    pub(super) assigned: Option<i64>,
    /// The child came to the assigned municipality, if it is another one.
    pub(super) moved: Option<i64>,
    /// Another board accepted to take over, which has not happened yet.
    pub(super) handover: Option<i64>,
    /// Where the child came, and which town is assigned.
    pub(super) towns: (&'static Town, &'static Town),
    /// In order.
    pub(super) stays: Vec<Stay>,
    /// In order.
    pub(super) missing: Vec<Missing>,
    pub(super) case: Case,
}

impl Life {
    pub(super) fn new(plan: &Plan, person: &Person, now: i64, dice: &mut Dice) -> Life {
        let days = dice.range(plan.stage.days_here());
        let arrived = now - days * DAY - dice.range(9 * HOUR..15 * HOUR);
        let registered = arrived + dice.range(HOUR..8 * HOUR);
        let towns = towns(plan.route);
        let crosses = plan.route == Route::MalmoToLandskrona || plan.route == Route::LandskronaToMalmo;
        let assigned = match plan.stage {
            Stage::Arrival => None,
            Stage::Assigned => Some(dice.later(now - 5 * DAY, 0..4, now)),
            _ => Some(dice.later(registered, 5..12, now)),
        };
        let moved = assigned.filter(|_| crosses && plan.stage.is_settled()).map(|at| dice.later(at, 4..12, now));
        let board_leads = (plan.stage.is_settled() || crosses && plan.stage == Stage::Assigned)
            .then(|| dice.later(registered, 1..3, now));
        let mut life = Life {
            arrived,
            registered,
            board_leads,
            assigned,
            moved,
            handover: plan.handover.then(|| dice.later(now - 9 * DAY, 0..6, now)),
            towns,
            stays: Vec::new(),
            missing: missing(plan.stage, days, now, dice),
            case: case(plan, registered, days, now, dice),
        };
        life.stays = life.stays(plan, person, now, dice);
        life
    }

    /// The town that is legally responsible at an instant.
    pub(super) fn town_at(&self, at: i64) -> &'static Town {
        if self.assigned.is_some_and(|assigned| assigned <= at) { self.towns.1 } else { self.towns.0 }
    }

    /// The stay at an instant.
    pub(super) fn stay_at(&self, at: i64) -> Option<&Stay> {
        self.stays.iter().rev().find(|stay| stay.from <= at)
    }

    /// The board that the child is to be handed over to, while it is not confirmed.
    pub(super) fn receiver(&self) -> &'static Town {
        if std::ptr::eq(self.towns.1, &MALMO) { &LANDSKRONA } else { &MALMO }
    }

    /// The latest time when the child was missing.
    pub(super) fn last_missing(&self) -> Option<Missing> {
        self.missing.last().copied()
    }

    fn stays(&self, plan: &Plan, person: &Person, now: i64, dice: &mut Dice) -> Vec<Stay> {
        let kind = if dice.chance(75) { "ANKOMSTBOENDE" } else { "JOURHEM" };
        let in_hub = kind == "ANKOMSTBOENDE" && (plan.hub_home || dice.chance(50));
        let first = Stay { id: dice.id(), kind, town: self.towns.0, in_hub, from: self.arrived + HOUR, to: None };
        if !plan.stage.is_settled() {
            let kind = if plan.hub_home { "ANKOMSTBOENDE" } else { kind };
            return vec![Stay { kind, in_hub: in_hub || plan.hub_home, ..first }];
        }
        let mut starts = vec![self.moved.unwrap_or_else(|| dice.later(self.registered, 14..28, now))];
        for _ in 0..2 {
            let next = starts.last().copied().unwrap_or(now) + dice.range(60 * DAY..260 * DAY);
            if next < now - 30 * DAY && dice.chance(45) {
                starts.push(next);
            }
        }
        let mut stays = vec![first];
        let last = starts.len() - 1;
        for (index, from) in starts.into_iter().enumerate() {
            if let Some(before) = stays.last_mut() {
                before.to = Some(from);
            }
            let hub_home = index == last && plan.hub_home;
            let stay = home(self.towns.1, hub_home, person.age_at(from), from, dice);
            // Nobody moves from a home to the same home.
            stays.push(Stay { in_hub: stay.in_hub && (hub_home || !plan.hub_home && index == last), ..stay });
        }
        stays
    }
}

fn towns(route: Route) -> (&'static Town, &'static Town) {
    match route {
        Route::Malmo => (&MALMO, &MALMO),
        Route::Landskrona => (&LANDSKRONA, &LANDSKRONA),
        Route::MalmoToLandskrona => (&MALMO, &LANDSKRONA),
        Route::LandskronaToMalmo => (&LANDSKRONA, &MALMO),
    }
}

fn home(town: &'static Town, hub_home: bool, age: u32, from: i64, dice: &mut Dice) -> Stay {
    let own_flat = if age >= 16 { 25 } else { 0 };
    let kind = match hub_home {
        true => "HVB",
        false => dice.weigh(&[(40, "HVB"), (own_flat, "STODBOENDE"), (25, "FAMILJEHEM"), (12, "NATVERKSHEM")], "HVB"),
    };
    let in_hub = hub_home || kind == "HVB" && dice.chance(40);
    Stay { id: dice.id(), kind, town, in_hub, from, to: None }
}

fn missing(stage: Stage, days: i64, now: i64, dice: &mut Dice) -> Vec<Missing> {
    let mut all = Vec::new();
    let often = if stage >= Stage::MissingNow { 25 } else { 6 };
    if days > 150 && dice.chance(often) {
        // Between a quarter and less than half of the time here, so that it never meets a later one.
        let found = now - days * DAY * dice.range(55..75) / 100;
        let opened = found - dice.range(2 * DAY..12 * DAY);
        all.push(Missing { id: dice.id(), opened, found: Some(found), closed: Some(found + 6 * DAY) });
    }
    match stage {
        Stage::MissingNow => {
            let opened = now - dice.range(20 * HOUR..16 * DAY);
            all.push(Missing { id: dice.id(), opened, found: None, closed: None });
        }
        Stage::FoundRecently => {
            let found = now - dice.range(6 * HOUR..60 * HOUR);
            let opened = found - dice.range(2 * DAY..9 * DAY);
            all.push(Missing { id: dice.id(), opened, found: Some(found), closed: None });
        }
        Stage::FoundLongAgo => {
            let found = now - dice.range(20 * DAY..60 * DAY);
            let opened = found - dice.range(3 * DAY..25 * DAY);
            let closed = found + dice.range(3 * DAY..12 * DAY);
            all.push(Missing { id: dice.id(), opened, found: Some(found), closed: Some(closed) });
        }
        _ => {}
    }
    all
}

/// How many steps the case has come: applied, investigated, announced, served, appealed, final.
fn steps(plan: &Plan, dice: &mut Dice) -> i64 {
    match plan.stage {
        Stage::Arrival => dice.weigh(&[(40, 0), (60, 1)], 1),
        Stage::Assigned => 1,
        Stage::Placed => dice.weigh(&[(50, 1), (50, 2)], 1),
        Stage::AsylumInvestigation => dice.weigh(&[(65, 2), (35, 3)], 2),
        Stage::DecisionServed | Stage::TransferPending => 4,
        Stage::Appealed => 5,
        Stage::AgeAssessed => 2,
        Stage::Near18 if plan.permit => 6,
        Stage::Return => 6,
        Stage::Near18 | Stage::MissingNow | Stage::FoundRecently | Stage::FoundLongAgo => {
            dice.weigh(&[(35, 2), (15, 3), (25, 4), (25, 5)], 2)
        }
    }
}

fn case(plan: &Plan, registered: i64, days: i64, now: i64, dice: &mut Dice) -> Case {
    let steps = steps(plan, dice);
    let mut case = Case {
        applied: (steps >= 1).then(|| dice.later(registered, 0..2, now)),
        investigated: (steps >= 2).then(|| dice.later(registered, days / 5..days / 3 + 1, now)),
        announced: (steps == 3).then(|| now + dice.range(3 * DAY..20 * DAY)),
        ..Case::default()
    };
    if steps < 4 {
        return case;
    }
    let served = match plan.stage {
        Stage::DecisionServed => dice.later(now - 14 * DAY, 0..13, now),
        Stage::TransferPending => dice.later(now - 25 * DAY, 0..10, now),
        _ => now - days * DAY * dice.range(35..50) / 100,
    };
    case.served = Some(served);
    case.outcome = Some(match plan.stage {
        Stage::TransferPending => "TRANSFER",
        _ if plan.permit => "PERMIT",
        _ => "REFUSAL",
    });
    case.appealed = (steps >= 5 && !plan.permit).then(|| dice.later(served, 5..20, now));
    case.is_final = (steps >= 6).then(|| dice.later(served, 21..70, now));
    case
}
