//! The kinds of handover. What sets one apart is one value of [`Terms`] and nothing else.

use crate::agency::AgencyKind;
use crate::calendar::comes_of_age;
use crate::policy::Role;
use crate::routine::Moment;
use chrono::{Days, NaiveDate};
use std::collections::BTreeMap;
use std::fmt::{self, Write};

/// An hour, in microseconds.
pub const HOUR: i64 = 3_600_000_000;

/// What is handed over, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// The child moves to the municipality that it was assigned to (*anvisning*).
    Assignment,
    /// The child moves to another home (*omplacering*).
    Replacement,
    /// The case moves to another board (*överflyttning av ärende*).
    CaseTransfer,
    /// The supervision of the guardian moves to another chief guardian (*byte av överförmyndare*).
    GuardianChange,
    /// Who has come of age moves to the reception of adults (*vuxenmottagande*).
    AdultReception,
    /// Migrationsverket takes the case over for a return (*återvändande*).
    Return,
}

/// What a handover moves. Of each only one is open for a child at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Moves {
    /// The lead of the child's case.
    Lead,
    /// The chief guardian that is involved.
    Guardian,
    /// The home that the child stays with.
    Whereabouts,
}

/// What comes of a step, in the ties between agencies and the child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The receiver leads.
    Lead,
    /// The receiver is legally responsible.
    Responsible,
    /// Nobody is legally responsible any more: the child has come of age.
    ResponsibleEnds,
    /// The receiver is involved in the sender's place.
    Guardian,
    /// The child stays with the receiver.
    Whereabouts,
}

/// Which of those whom the policy permits to propose has it to give away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// The lead.
    Lead,
    /// The board that is legally responsible, and the lead where none is. The lead gives it to the responsible board, too.
    Responsible,
    /// Each of them.
    Any,
}

/// What must be told when a handover is proposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// The name and the telephone of somebody at the sender who knows.
    Contact,
    /// The number and the day of the decision that it rests on.
    Decision,
}

/// How long after the expected arrival silence goes further, in microseconds. Both agencies are told at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alarms {
    /// The county board's coordinator is told, without the child's identity.
    pub county: i64,
    /// A missing episode is proposed.
    pub episode: i64,
}

/// When silence goes further, where it is not as the terms say.
#[derive(Clone, Debug, Default)]
pub struct AlarmTimes(pub BTreeMap<Kind, Alarms>);

impl AlarmTimes {
    /// Those of a kind.
    pub fn of(&self, kind: Kind) -> Alarms {
        self.0.get(&kind).copied().unwrap_or(kind.terms().alarms)
    }
}

/// The terms of a kind of handover.
#[derive(Debug)]
pub struct Terms {
    /// What it is called, in English and in Swedish.
    pub name: (&'static str, &'static str),
    /// The roles that propose it, and act for the sender; the policy says who of them may.
    pub proposers: &'static [Role],
    /// The roles that act for the sender, too, where that is not who proposes.
    pub leavers: &'static [Role],
    /// Which of the proposers has it to give.
    pub holder: Holder,
    /// The kinds of agency that receive.
    pub receivers: &'static [AgencyKind],
    /// What it moves.
    pub moves: Moves,
    /// What moves when the receiver accepts.
    pub on_acceptance: &'static [Effect],
    /// What moves when the receiver confirms the arrival.
    pub on_arrival: &'static [Effect],
    /// The senders that stay involved when the lead has left them.
    pub stay: &'static [AgencyKind],
    /// What must be told with the proposal.
    pub required: &'static [Detail],
    /// Whether the child travels: then its departure can be recorded.
    pub travels: bool,
    /// Whether it is for those who come of age: see [`is_of_age`].
    pub adults: bool,
    /// The moment of the county's routine that its checklist is copied from; none where it has no checklist.
    pub moment: Option<Moment>,
    /// Items of that checklist, by key, that must be done or left out before the departure.
    pub mandatory: &'static [&'static str],
    /// How much later than it was a child that has left can be expected anew, and how far ahead one that is overdue and of which
    /// nobody has told where it is, in microseconds.
    pub anew_within: i64,
    /// When silence goes further, unless the configuration says otherwise.
    pub alarms: Alarms,
}

/// How long before the 18th birthday a move to the reception of adults can be proposed, in days: the time in which that birthday
/// counts as a risk (DOMAIN 2d), and in which everyone concerned prepares for it.
pub const COMING_OF_AGE: u64 = 90;

/// Whether who was born on a day can be handed over as an adult: it comes of age within 90 days of today, and by the day of its
/// arrival at the latest. Until then a board answers for it.
pub fn is_of_age(born: NaiveDate, today: NaiveDate, arrival: NaiveDate) -> bool {
    let soon = today.checked_add_days(Days::new(COMING_OF_AGE));
    comes_of_age(born).is_some_and(|grown| grown <= arrival && soon.is_some_and(|soon| grown <= soon))
}

const ALARMS: Alarms = Alarms { county: 4 * HOUR, episode: 12 * HOUR };

static ASSIGNMENT: Terms = Terms {
    name: ("assignment", "anvisning"),
    proposers: &[Role::Migration, Role::SocialServices, Role::SocialOnCall],
    leavers: &[],
    holder: Holder::Lead,
    receivers: &[AgencyKind::SocialServices],
    moves: Moves::Lead,
    on_acceptance: &[],
    on_arrival: &[Effect::Lead],
    stay: &[AgencyKind::Migration],
    required: &[Detail::Decision, Detail::Contact],
    travels: true,
    adults: false,
    moment: Some(Moment::Prevent),
    mandatory: &["risk-assessment", "safety-plan", "photo-and-description", "hand-over-in-full"],
    anew_within: 24 * HOUR,
    alarms: ALARMS,
};

static REPLACEMENT: Terms = Terms {
    name: ("re-placement", "omplacering"),
    proposers: &[Role::SocialServices, Role::SocialOnCall],
    leavers: &[Role::CareHome],
    holder: Holder::Any,
    receivers: &[AgencyKind::CareHome],
    moves: Moves::Whereabouts,
    on_arrival: &[Effect::Whereabouts],
    stay: &[],
    required: &[Detail::Contact],
    ..ASSIGNMENT
};

static CASE_TRANSFER: Terms = Terms {
    name: ("case transfer", "överflyttning av ärende"),
    proposers: &[Role::SocialServices],
    holder: Holder::Responsible,
    on_acceptance: &[Effect::Responsible],
    required: &[Detail::Contact],
    ..ASSIGNMENT
};

static GUARDIAN_CHANGE: Terms = Terms {
    name: ("change of chief guardian", "byte av överförmyndare"),
    proposers: &[Role::Guardianship],
    holder: Holder::Any,
    receivers: &[AgencyKind::Guardianship],
    moves: Moves::Guardian,
    on_arrival: &[Effect::Guardian],
    stay: &[],
    required: &[],
    travels: false,
    moment: None,
    mandatory: &[],
    ..ASSIGNMENT
};

static ADULT_RECEPTION: Terms = Terms {
    name: ("move to the reception of adults", "övergång till vuxenmottagande"),
    proposers: &[Role::SocialServices],
    receivers: &[AgencyKind::Migration],
    on_arrival: &[Effect::Lead, Effect::ResponsibleEnds],
    adults: true,
    stay: &[],
    required: &[Detail::Contact],
    ..ASSIGNMENT
};

static RETURN: Terms = Terms {
    name: ("return", "återvändande"),
    proposers: &[Role::SocialServices, Role::SocialOnCall],
    receivers: &[AgencyKind::Migration],
    stay: &[],
    required: &[Detail::Contact],
    ..ASSIGNMENT
};

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 6] = [
        Kind::Assignment,
        Kind::Replacement,
        Kind::CaseTransfer,
        Kind::GuardianChange,
        Kind::AdultReception,
        Kind::Return,
    ];

    /// Its terms.
    pub fn terms(self) -> &'static Terms {
        match self {
            Kind::Assignment => &ASSIGNMENT,
            Kind::Replacement => &REPLACEMENT,
            Kind::CaseTransfer => &CASE_TRANSFER,
            Kind::GuardianChange => &GUARDIAN_CHANGE,
            Kind::AdultReception => &ADULT_RECEPTION,
            Kind::Return => &RETURN,
        }
    }

    /// The code, as in GraphQL, the configuration and the database.
    pub const fn code(self) -> &'static str {
        match self {
            Kind::Assignment => "ASSIGNMENT",
            Kind::Replacement => "REPLACEMENT",
            Kind::CaseTransfer => "CASE_TRANSFER",
            Kind::GuardianChange => "GUARDIAN_CHANGE",
            Kind::AdultReception => "ADULT_RECEPTION",
            Kind::Return => "RETURN",
        }
    }

    /// The kind with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

impl Moves {
    /// Everything that a handover moves.
    pub const ALL: [Moves; 3] = [Moves::Lead, Moves::Guardian, Moves::Whereabouts];

    /// The code, as in the database.
    pub const fn code(self) -> &'static str {
        match self {
            Moves::Lead => "LEAD",
            Moves::Guardian => "GUARDIAN",
            Moves::Whereabouts => "WHEREABOUTS",
        }
    }
}

impl Effect {
    const fn told(self) -> &'static str {
        match self {
            Effect::Lead => "the lead moves",
            Effect::Responsible => "legal responsibility moves",
            Effect::ResponsibleEnds => "legal responsibility ends",
            Effect::Guardian => "the chief guardian moves",
            Effect::Whereabouts => "the whereabouts move",
        }
    }
}

impl Terms {
    /// Whether a role acts for the sender.
    pub fn sends(&self, role: Role) -> bool {
        self.proposers.contains(&role) || self.leavers.contains(&role)
    }

    /// Whether an item of the checklist, by its key, must be done or left out before the departure.
    pub fn is_mandatory(&self, key: &str) -> bool {
        self.mandatory.contains(&key)
    }

    /// Whether a role acts for the receiver.
    pub fn receives(&self, role: Role) -> bool {
        self.receivers.iter().any(|kind| kind.roles().contains(&role))
    }

    pub(super) fn print(&self, text: &mut String) {
        let effects = |effects: &[Effect]| match effects {
            [] => "nothing moves".to_owned(),
            _ => effects.iter().map(|effect| effect.told()).collect::<Vec<_>>().join(", "),
        };
        let proposers: Vec<&str> = self.proposers.iter().map(|role| role.code()).collect();
        let receivers: Vec<&str> = self.receivers.iter().map(|kind| kind.code()).collect();
        let holder = match self.holder {
            Holder::Lead => " (the lead)",
            Holder::Responsible => {
                " (the responsible board, or the lead where there is none; the lead to the responsible board)"
            }
            Holder::Any => "",
        };
        let required: Vec<&str> = self
            .required
            .iter()
            .map(|detail| match detail {
                Detail::Contact => "contact",
                Detail::Decision => "decision",
            })
            .collect();
        let required = if required.is_empty() { "nothing".to_owned() } else { required.join(", ") };
        _ = writeln!(text, "  proposed by    {}{holder}", proposers.join(", "));
        _ = writeln!(text, "  received by    {}", receivers.join(", "));
        _ = writeln!(text, "  at acceptance  {}", effects(self.on_acceptance));
        _ = writeln!(text, "  at arrival     {}", effects(self.on_arrival));
        _ = writeln!(text, "  one open       for {}", self.moves.code());
        _ = writeln!(text, "  must tell      {required}");
        if self.adults {
            _ = writeln!(text, "  age            18 at the arrival, and within {COMING_OF_AGE} days of the proposal");
        }
        let before = if self.mandatory.is_empty() {
            String::new()
        } else {
            format!("; before the departure: {}", self.mandatory.join(", "))
        };
        _ = writeln!(text, "  checklist      {}{before}", self.moment.map_or("none", Moment::code));
        _ = writeln!(
            text,
            "  silence        county board after {} h, episode after {} h",
            self.alarms.county / HOUR,
            self.alarms.episode / HOUR
        );
        if self.travels {
            _ = writeln!(
                text,
                "  anew           once the child has left or is overdue: with a reason, within {} h",
                self.anew_within / HOUR
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_comes_of_age_soon_and_by_the_arrival_is_an_adult_then() {
        let day = |text: &str| text.parse().expect("a day");
        let today = day("2026-11-21");
        for (born, arrival, expected) in [
            ("2008-11-21", "2026-11-21", true),
            ("2008-11-22", "2026-11-21", false),
            ("2008-11-22", "2026-11-22", true),
            ("2009-02-19", "2027-02-19", true),
            ("2009-02-20", "2027-02-20", false),
            ("2000-01-01", "2026-11-21", true),
            ("2012-01-01", "2026-11-22", false),
        ] {
            assert_eq!(is_of_age(day(born), today, day(arrival)), expected, "{born} {arrival}");
        }
    }
}
