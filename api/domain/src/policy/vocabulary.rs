//! The words of a situation. Each is an `enum` entity of the Cedar schema, so that a misspelt word
//! in a policy is an error and not a rule that never applies.

use crate::catalogue::GROUPS;

macro_rules! vocabulary {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $code:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$doc])* $variant,)+ }

        impl $name {
            /// Every value, in order.
            pub const ALL: &'static [$name] = &[$($name::$variant,)+];

            /// The code, as in tokens, headers, GraphQL and Cedar.
            pub const fn code(self) -> &'static str {
                match self { $($name::$variant => $code,)+ }
            }

            /// The value with this code.
            pub fn from_code(code: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.code() == code)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.code())
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;

            /// Reads a code; the error lists the codes there are.
            fn from_str(code: &str) -> Result<Self, String> {
                let codes = || Self::ALL.iter().map(|value| value.code()).collect::<Vec<_>>().join(", ");
                Self::from_code(code).ok_or_else(|| format!("one of {}", codes()))
            }
        }
    };
}

vocabulary! {
    /// A caller's role. One token carries one role.
    Role {
        /// Migrationsverket.
        Migration = "MIGRATION",
        /// The police's units for missing persons.
        PoliceMissing = "POLICE_MISSING",
        /// The police's border and enforcement units.
        PoliceBorder = "POLICE_BORDER",
        /// A social services board (*socialnämnd*).
        SocialServices = "SOCIAL_SERVICES",
        /// Social services after hours (*socialjour*).
        SocialOnCall = "SOCIAL_ON_CALL",
        /// The chief guardian (*överförmyndare*).
        Guardianship = "GUARDIANSHIP",
        /// Health care of a region.
        Health = "HEALTH",
        /// A school (*huvudman*).
        School = "SCHOOL",
        /// A care home (*HVB*, *stödboende*).
        CareHome = "CARE_HOME",
        /// A partner organisation such as Rädda Barnen.
        Partner = "PARTNER",
        /// A county board (*länsstyrelse*).
        CountyBoard = "COUNTY_BOARD",
        /// A data protection officer (*dataskyddsombud*).
        DataProtection = "DATA_PROTECTION",
        /// Whoever runs the hub.
        SystemAdmin = "SYSTEM_ADMIN",
    }
}

vocabulary! {
    /// What the caller's agency is to a child: the strongest that applies.
    Relation {
        /// Leads, or is legally responsible.
        Responsible = "RESPONSIBLE",
        /// Has accepted a handover.
        Receiving = "RECEIVING",
        /// Has an open involvement.
        Involved = "INVOLVED",
        /// Led or was responsible until less than 90 days ago.
        Former = "FORMER",
        /// Was involved until less than 90 days ago.
        Ended = "ENDED",
        /// Is named in a live consent.
        Consented = "CONSENTED",
        /// Nothing: the child's existence is hidden.
        None = "NONE",
    }
}

vocabulary! {
    /// Why a request is made (`Samverka-Purpose`).
    Purpose {
        /// Protection and care.
        Protect = "PROTECT",
        /// The search for a missing child.
        Search = "SEARCH",
        /// Placement and assignment.
        Place = "PLACE",
        /// The asylum case.
        Asylum = "ASYLUM",
        /// Return and enforcement.
        Return = "RETURN",
        /// Health care.
        Health = "HEALTH",
        /// Schooling.
        School = "SCHOOL",
        /// Statistics.
        Stat = "STAT",
        /// Supervision.
        Audit = "AUDIT",
    }
}

vocabulary! {
    /// The child's protection level (F15).
    Protection {
        /// No protection.
        None = "NONE",
        /// *Sekretessmarkering*.
        Marked = "MARKED",
        /// *Skyddad folkbokföring*.
        Registered = "REGISTERED",
        /// Local address protection.
        Local = "LOCAL",
    }
}

vocabulary! {
    /// What a caller does with a field.
    Verb {
        /// See it.
        Read = "read",
        /// Set or empty it.
        Write = "write",
        /// Hand it in without reading.
        Submit = "submit",
        /// Find a child by it.
        Search = "search",
    }
}

vocabulary! {
    /// What a caller does about a child, besides reading and writing fields.
    Act {
        /// Decide which municipality a child is assigned to (*anvisning*).
        AssignMunicipality = "assignMunicipality",
        /// Let an agency in that has to do with the child, or end that.
        InvolveAgency = "involveAgency",
        /// Offer a handover of the child to another agency.
        ProposeHandover = "proposeHandover",
        /// Report the child missing.
        ReportMissing = "reportMissing",
        /// Record the police's number of the report, and whom to call.
        RecordPoliceReport = "recordPoliceReport",
        /// Tell how the search goes.
        UpdateSearch = "updateSearch",
        /// Record a sighting or a tip.
        RecordSighting = "recordSighting",
        /// Tell that somebody knows where the child is.
        MarkLocated = "markLocated",
        /// Tell that the child is safe.
        MarkSafe = "markSafe",
        /// Record a part of what follows when a child was found.
        RecordFollowUp = "recordFollowUp",
        /// Close a missing episode.
        CloseEpisode = "closeEpisode",
        /// Record that one's own agency has closed its matter.
        RecordAgencyClosure = "recordAgencyClosure",
        /// Go on with an episode that was closed.
        ReopenEpisode = "reopenEpisode",
        /// Tick, assign or skip the items of a checklist.
        WorkChecklist = "workChecklist",
        /// Record a consent to let a partner read.
        GrantConsent = "grantConsent",
        /// Record that a consent was withdrawn.
        RevokeConsent = "revokeConsent",
        /// Keep a suspected party from the record, or let it in again.
        BlockParty = "blockParty",
        /// Decide what comes of a worry, a sighting or a tip that was handed in.
        DecideSubmission = "decideSubmission",
    }
}

/// The groups that live consents open, as a set: one bit per policy group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Consents(u64);

const _: () = assert!(GROUPS.len() <= 64, "a consent set holds 64 groups");

impl Consents {
    /// No consent.
    pub const NONE: Consents = Consents(0);

    /// Every group that can be consented to.
    pub fn all() -> Self {
        Self::from_groups(GROUPS.iter().map(|group| group.name))
    }

    /// The consentable groups among the named ones; others open nothing.
    pub fn from_groups<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let bit = |name: &str| GROUPS.iter().position(|group| group.consentable && group.name == name);
        Consents(names.filter_map(bit).fold(0, |bits, position| bits | 1 << position))
    }

    /// Both sets together.
    pub const fn and(self, other: Self) -> Self {
        Consents(self.0 | other.0)
    }

    /// Whether no group is in the set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The names of the groups.
    pub fn groups(self) -> impl Iterator<Item = &'static str> {
        let named = move |(position, group): (usize, &'static crate::catalogue::Group)| {
            (self.0 >> position & 1 == 1).then_some(group.name)
        };
        GROUPS.iter().enumerate().filter_map(named)
    }
}
