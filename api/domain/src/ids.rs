//! Typed ids: random, prefixed, and of one kind each.

use data_encoding::BASE32_DNSSEC as BASE32;
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

/// An id that is not one of the kind asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an id of the kind `{0}`")]
pub struct WrongId(pub &'static str);

/// The id of a row as callers know it, of a kind that begins with this word.
pub(crate) fn typed(prefix: &str, id: Uuid) -> String {
    format!("{prefix}_{}", BASE32.encode_display(id.as_bytes()))
}

/// The row behind an id of this kind.
pub(crate) fn untyped(prefix: &str, id: &str) -> Option<Uuid> {
    let bytes = id.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('_'));
    let bytes = bytes.and_then(|rest| BASE32.decode(rest.as_bytes()).ok());
    bytes.and_then(|bytes| Uuid::from_slice(&bytes).ok())
}

macro_rules! id {
    ($(#[$meta:meta])* $name:ident, $prefix:literal) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub(crate) Uuid);

        impl $name {
            /// What the id begins with, before the underscore.
            pub const PREFIX: &'static str = $prefix;
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}_{}", $prefix, BASE32.encode_display(self.0.as_bytes()))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = WrongId;

            fn from_str(text: &str) -> Result<Self, WrongId> {
                untyped($prefix, text).map($name).ok_or(WrongId($prefix))
            }
        }
    };
}

id!(
    /// A child, as the agencies know it: they share one id per child.
    ChildId, "child"
);
id!(
    /// An agency.
    AgencyId, "agency"
);
id!(
    /// An entry in the list of a child's identifiers.
    IdentifierId, "identifier"
);
id!(
    /// A placement.
    PlacementId, "placement"
);

id!(
    /// A suggested correction.
    SuggestionId, "suggestion"
);
id!(
    /// A handover.
    HandoverId, "handover"
);
id!(
    /// A missing episode.
    EpisodeId, "episode"
);
id!(
    /// An item of a checklist.
    ItemId, "item"
);
id!(
    /// What was handed in about a child.
    SubmissionId, "submission"
);
id!(
    /// A consent.
    ConsentId, "consent"
);
id!(
    /// A party that is kept from a child's record.
    BlockId, "block"
);
id!(
    /// An emergency access.
    BreakGlassId, "breakglass"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_and_is_of_one_kind_only() {
        let child = ChildId(Uuid::from_u128(7));
        assert_eq!(child.to_string().parse(), Ok(child));
        assert_eq!(child.to_string().parse::<AgencyId>(), Err(WrongId("agency")));
        assert_eq!(typed(ChildId::PREFIX, child.0), child.to_string());
        assert_eq!("child_".parse::<ChildId>(), Err(WrongId("child")));
        assert_eq!("child_ÅÄÖ".parse::<ChildId>(), Err(WrongId("child")));
    }
}
