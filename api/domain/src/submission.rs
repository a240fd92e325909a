//! What anyone may hand in about a child: a worry, a sighting, a tip. What becomes of it, and what its giver may be told.

use crate::policy::Role;

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

    #[test]
    fn feedback_is_for_worries_of_those_who_must_report() {
        assert!(Feedback::is_lawful(Kind::Concern, Role::School));
        assert!(!Feedback::is_lawful(Kind::Concern, Role::Partner));
        for kind in [Kind::Sighting, Kind::Tip] {
            assert!(Role::ALL.iter().all(|role| !Feedback::is_lawful(kind, *role)), "{kind:?}");
        }
    }
}
