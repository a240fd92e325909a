//! What people are told, in both languages.

use serde::Serialize;

/// A sentence or a name, in Swedish and in English.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Text {
    pub sv: &'static str,
    pub en: &'static str,
}

impl Text {
    /// A text in Swedish and in English.
    pub const fn new(sv: &'static str, en: &'static str) -> Self {
        Text { sv, en }
    }
}
