//! What people call the words of a situation.

use super::{Purpose, Role};
use crate::text::Text;

impl Role {
    /// What the role is called.
    pub const fn name(self) -> Text {
        match self {
            Role::Migration => Text::new("Asyl och mottagande", "Asylum and reception"),
            Role::PoliceMissing => Text::new("Polisens sökande efter försvunna", "Police search for missing persons"),
            Role::PoliceBorder => Text::new("Gränspolis", "Border police"),
            Role::SocialServices => Text::new("Socialnämnd", "Social services board"),
            Role::SocialOnCall => Text::new("Socialjour", "Social services after hours"),
            Role::Guardianship => Text::new("Överförmyndare", "Chief guardian"),
            Role::Health => Text::new("Hälso- och sjukvård", "Health care"),
            Role::School => Text::new("Skola", "School"),
            Role::CareHome => Text::new("Boende för barn och unga", "Care home"),
            Role::Partner => Text::new("Partnerorganisation", "Partner organisation"),
            Role::CountyBoard => Text::new("Länsstyrelse", "County administrative board"),
            Role::DataProtection => Text::new("Dataskyddsombud", "Data protection officer"),
            Role::SystemAdmin => Text::new("Systemförvaltning", "System administration"),
        }
    }
}

impl Purpose {
    /// What the purpose is called.
    pub const fn name(self) -> Text {
        match self {
            Purpose::Protect => Text::new("Skydd och omsorg", "Protection and care"),
            Purpose::Search => Text::new("Sökande efter ett försvunnet barn", "Search for a missing child"),
            Purpose::Place => Text::new("Anvisning och placering", "Assignment and placement"),
            Purpose::Asylum => Text::new("Asylärende", "Asylum case"),
            Purpose::Return => Text::new("Återvändande", "Return"),
            Purpose::Health => Text::new("Hälso- och sjukvård", "Health care"),
            Purpose::School => Text::new("Skolgång", "Schooling"),
            Purpose::Stat => Text::new("Statistik", "Statistics"),
            Purpose::Audit => Text::new("Tillsyn", "Supervision"),
        }
    }
}
