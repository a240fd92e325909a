//! Children whose record is sealed (*fingerade personuppgifter*): nobody may know of them.

/// The state of a child that is sealed.
pub(crate) const SEALED: &str = "SEALED";
