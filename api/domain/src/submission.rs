//! What anyone may hand in about a child: a worry, a sighting, a tip. What becomes of it, and what its giver may be told.

use crate::agency::{Agency, AgencyKind};
use crate::policy::Role;
use crate::reference;
use std::borrow::Borrow;

macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $code:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$doc])* $variant,)+ }

        impl $name {
            /// Every value.
            pub const ALL: &'static [$name] = &[$($name::$variant,)+];

            /// The code, as in GraphQL and in the database.
            pub const fn code(self) -> &'static str {
                match self { $($name::$variant => $code,)+ }
            }

            /// The value with this code.
            pub fn from_code(code: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.code() == code)
            }
        }
    };
}

words! {
    /// What is handed in.
    Kind {
        /// A worry (*orosanmälan*).
        Concern = "CONCERN",
        /// Somebody has seen a child.
        Sighting = "SIGHTING",
        /// Somebody knows something.
        Tip = "TIP",
    }
}

words! {
    /// What became of it, for whoever decides.
    State {
        /// Nobody has decided on it.
        Open = "OPEN",
        /// It was taken into the search for a missing child.
        Sighting = "SIGHTING",
        /// It was taken on as a worry.
        Concern = "CONCERN",
        /// Nothing comes of it.
        Dismissed = "DISMISSED",
    }
}

words! {
    /// What is to become of it.
    Decision {
        /// Take it into the search for a missing child.
        Sighting = "SIGHTING",
        /// Take it on as a worry.
        Concern = "CONCERN",
        /// Nothing comes of it.
        Dismiss = "DISMISS",
    }
}

words! {
    /// What whoever must report by law may be told of a worry (OSL 26 kap. 9 a §): whether there is an inquiry, and no more.
    Feedback {
        /// An inquiry was opened.
        InquiryOpened = "INQUIRY_OPENED",
        /// There was one already.
        InquiryOngoing = "INQUIRY_ONGOING",
        /// No inquiry was opened.
        NoInquiry = "NO_INQUIRY",
    }
}

/// Boards take worries by law (SoL (2025:400) 19 kap. 1 §), day and night.
const BOARDS: &[AgencyKind] = &[AgencyKind::SocialServices, AgencyKind::SocialOnCall];
/// The police are on duty everywhere (polislagen (1984:387) 2 §), and pass on what is a board's to decide (6 §, and
/// förvaltningslagen (2017:900) 6 and 8 §§).
const POLICE: &[AgencyKind] = &[AgencyKind::Police];

/// Who takes what came to a municipality, first to last: the first of them that any agency of the hub is. So whatever is
/// acknowledged is in somebody's inbox. Migrationsverket is none of them: what is handed in is not for whoever decides on
/// asylum.
pub const DESKS: [Desk; 5] = [
    Desk { kinds: BOARDS, within: Within::Municipality },
    Desk { kinds: BOARDS, within: Within::County },
    Desk { kinds: POLICE, within: Within::County },
    Desk { kinds: POLICE, within: Within::Country },
    Desk { kinds: BOARDS, within: Within::Country },
];

/// Agencies that take what came to a municipality.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Desk {
    /// What kinds of agency they are.
    pub kinds: &'static [AgencyKind],
    /// Where they are.
    pub within: Within,
}

/// How far from a municipality.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Within {
    /// In it.
    Municipality,
    /// In its county.
    County,
    /// Anywhere.
    Country,
}

impl Desk {
    /// Whether an agency is of this desk for a municipality (*kommunkod*).
    pub fn is_of(&self, agency: &Agency, municipality: &str) -> bool {
        let is_within = match self.within {
            Within::Municipality => agency.municipality.as_deref() == Some(municipality),
            Within::County => {
                let county = reference::municipality(municipality).map(|place| place.county);
                county.is_some() && agency.county_code() == county
            }
            Within::Country => true,
        };
        self.kinds.contains(&agency.kind) && is_within
    }
}

/// Whose a municipality (*kommunkod*) is; nobody's where there is neither a board nor the police search unit.
pub fn desk_of(agencies: &[impl Borrow<Agency>], municipality: &str) -> Option<Desk> {
    let has_any = |desk: &Desk| agencies.iter().any(|agency| desk.is_of(agency.borrow(), municipality));
    DESKS.into_iter().find(has_any)
}

impl Decision {
    /// The state that it leads to.
    pub const fn state(self) -> State {
        match self {
            Decision::Sighting => State::Sighting,
            Decision::Concern => State::Concern,
            Decision::Dismiss => State::Dismissed,
        }
    }
}

impl Feedback {
    /// Whether the law lets whoever handed it in be told: only of a worry, and only those who must report. An organisation
    /// gives of its own will.
    pub const fn is_lawful(kind: Kind, giver: Role) -> bool {
        matches!(kind, Kind::Concern) && !matches!(giver, Role::Partner)
    }
}

impl Kind {
    /// How many an agency hands in within a day. Sightings have room for a search in which everyone calls: none of them is to
    /// be turned away in earnest.
    pub const fn most_a_day(self) -> u64 {
        match self {
            Kind::Concern | Kind::Tip => 500,
            Kind::Sighting => 20_000,
        }
    }

    /// Whether it may tell where a missing child is.
    pub const fn helps_a_search(self) -> bool {
        matches!(self, Kind::Sighting | Kind::Tip)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agency(kind: AgencyKind, municipality: Option<&str>, county: Option<&str>) -> Agency {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Agency {
            id: crate::ids::AgencyId(uuid::Uuid::nil()),
            code: String::new(),
            kind,
            name: String::new(),
            organisation_number: None,
            municipality: owned(municipality),
            county: owned(county),
        }
    }

    #[test]
    fn every_municipality_has_a_desk_where_there_is_a_board_or_the_police() {
        let board = agency(AgencyKind::SocialServices, Some("1280"), Some("12"));
        let (national, of_county) =
            (agency(AgencyKind::Police, None, None), agency(AgencyKind::Police, None, Some("25")));
        let other = agency(AgencyKind::Migration, None, None);
        let within =
            |agencies: &[&Agency], code| desk_of(agencies, code).map(|desk| (desk.kinds == POLICE, desk.within));
        let all = [&board, &national, &of_county, &other];
        assert_eq!(within(&all, "1280"), Some((false, Within::Municipality)));
        assert_eq!(within(&all, "1282"), Some((false, Within::County)));
        assert_eq!(within(&all, "2584"), Some((true, Within::County)));
        assert_eq!(within(&all, "0180"), Some((true, Within::Country)));
        assert_eq!(within(&[&board, &other], "0180"), Some((false, Within::Country)));
        for place in reference::municipalities() {
            assert!(desk_of(&all, place.code).is_some() && desk_of(&[&board], place.code).is_some(), "{}", place.code);
            assert_eq!(desk_of(&[&other], place.code), None);
        }
    }

    #[test]
    fn feedback_is_for_worries_of_those_who_must_report() {
        assert!(Feedback::is_lawful(Kind::Concern, Role::School));
        assert!(!Feedback::is_lawful(Kind::Concern, Role::Partner));
        for kind in [Kind::Sighting, Kind::Tip] {
            assert!(Role::ALL.iter().all(|role| !Feedback::is_lawful(kind, *role)), "{kind:?}");
        }
    }
}
