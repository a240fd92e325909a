//! The agencies, boards, homes and organisations that the hub serves.

use crate::catalogue::Invalid;
use crate::ids::AgencyId;
use crate::policy::Role;
use crate::{identifier, reference};

/// What kind of agency it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AgencyKind {
    Migration,
    /// The police that search for missing children.
    Police,
    /// The police that enforce returns: an agency apart, which takes no part in a search.
    BorderPolice,
    SocialServices,
    SocialOnCall,
    Guardianship,
    Region,
    School,
    CareHome,
    Partner,
    CountyBoard,
    DataProtection,
    Operator,
}

impl AgencyKind {
    /// Every kind.
    pub const ALL: [AgencyKind; 13] = [
        AgencyKind::Migration,
        AgencyKind::Police,
        AgencyKind::BorderPolice,
        AgencyKind::SocialServices,
        AgencyKind::SocialOnCall,
        AgencyKind::Guardianship,
        AgencyKind::Region,
        AgencyKind::School,
        AgencyKind::CareHome,
        AgencyKind::Partner,
        AgencyKind::CountyBoard,
        AgencyKind::DataProtection,
        AgencyKind::Operator,
    ];

    /// The kinds that can be a suspected party, and be kept from the record of a child: who has the child with it, or speaks for
    /// it, or reads by consent. All others search for the child, decide on it, care for it in an emergency, or watch over those
    /// who do: to keep one of them out would silence an alarm. Nobody who leads a case decides on that.
    pub const SUSPECTABLE: [AgencyKind; 4] = [
        // Where the child lives.
        AgencyKind::CareHome,
        // The guardian is no user of the hub: what is known of the child reaches them through their authority.
        AgencyKind::Guardianship,
        // Where the child is in the daytime: a private school may belong to the same owner as a home.
        AgencyKind::School,
        // A private organisation, which reads what it was let in to.
        AgencyKind::Partner,
    ];

    /// The code, as in GraphQL and in the configuration.
    pub const fn code(self) -> &'static str {
        match self {
            AgencyKind::Migration => "MIGRATION",
            AgencyKind::Police => "POLICE",
            AgencyKind::BorderPolice => "BORDER_POLICE",
            AgencyKind::SocialServices => "SOCIAL_SERVICES",
            AgencyKind::SocialOnCall => "SOCIAL_ON_CALL",
            AgencyKind::Guardianship => "GUARDIANSHIP",
            AgencyKind::Region => "REGION",
            AgencyKind::School => "SCHOOL",
            AgencyKind::CareHome => "CARE_HOME",
            AgencyKind::Partner => "PARTNER",
            AgencyKind::CountyBoard => "COUNTY_BOARD",
            AgencyKind::DataProtection => "DATA_PROTECTION",
            AgencyKind::Operator => "OPERATOR",
        }
    }

    /// The roles that the systems of such an agency may have.
    pub const fn roles(self) -> &'static [Role] {
        match self {
            AgencyKind::Migration => &[Role::Migration],
            AgencyKind::Police => &[Role::PoliceMissing],
            AgencyKind::BorderPolice => &[Role::PoliceBorder],
            AgencyKind::SocialServices => &[Role::SocialServices],
            AgencyKind::SocialOnCall => &[Role::SocialOnCall],
            AgencyKind::Guardianship => &[Role::Guardianship],
            AgencyKind::Region => &[Role::Health],
            AgencyKind::School => &[Role::School],
            AgencyKind::CareHome => &[Role::CareHome],
            AgencyKind::Partner => &[Role::Partner],
            AgencyKind::CountyBoard => &[Role::CountyBoard],
            AgencyKind::DataProtection => &[Role::DataProtection],
            AgencyKind::Operator => &[Role::SystemAdmin],
        }
    }

    /// The kind with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

/// An agency of the hub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agency {
    pub id: AgencyId,
    /// Its name in the configuration.
    pub code: String,
    pub kind: AgencyKind,
    pub name: String,
    /// `NNNNNN-NNNN`.
    pub organisation_number: Option<String>,
    /// Four digits (*kommunkod*).
    pub municipality: Option<String>,
    /// Two digits (*länskod*).
    pub county: Option<String>,
}

impl Agency {
    /// The county it is in (*länskod*), two digits: its own, or that of its municipality.
    pub fn county_code(&self) -> Option<&str> {
        self.county.as_deref().or_else(|| self.municipality.as_deref()?.get(..2))
    }
}

/// An agency as the configuration gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAgency {
    pub code: String,
    pub kind: AgencyKind,
    pub name: String,
    pub organisation_number: Option<String>,
    pub municipality: Option<String>,
    pub county: Option<String>,
}

impl NewAgency {
    /// Checks the numbers and codes, and brings the organisation number into its normal form.
    ///
    /// # Errors
    ///
    /// What is wrong with the first that is.
    pub fn checked(mut self) -> Result<Self, Invalid> {
        if let Some(number) = &self.organisation_number {
            self.organisation_number = Some(identifier::organisation_number(number)?);
        }
        if let Some(code) = &self.municipality {
            let municipality = reference::municipality(code).ok_or(Invalid::Code("MunicipalityCode"))?;
            self.county.get_or_insert_with(|| municipality.county.to_owned());
        }
        if let Some(code) = &self.county {
            reference::county(code).ok_or(Invalid::Code("CountyCode"))?;
        }
        Ok(self)
    }
}
