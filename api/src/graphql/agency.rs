//! Agencies: open to every caller.

use async_graphql::{Enum, SimpleObject};
use samverka_domain::agency::{Agency, AgencyKind};
use samverka_domain::reference;
use serde_json::{Value as Json, json};

/// What kind of agency it is (*typ av aktör*).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(name = "AgencyKind", remote = "AgencyKind")]
pub(super) enum Kind {
    /// Migrationsverket.
    Migration,
    /// Polismyndigheten, the police that search for missing children.
    Police,
    /// Polismyndigheten, the police that enforce returns (*gränspolisen*): an agency apart.
    BorderPolice,
    /// A social services board (*socialnämnd*).
    SocialServices,
    /// Social services after hours (*socialjour*).
    SocialOnCall,
    /// A chief guardian (*överförmyndare*).
    Guardianship,
    /// A region, for its health care.
    Region,
    /// A school (*skolhuvudman*).
    School,
    /// A care home (*HVB*, *stödboende*).
    CareHome,
    /// A partner organisation, such as Rädda Barnen.
    Partner,
    /// A county board (*länsstyrelse*).
    CountyBoard,
    /// A data protection officer (*dataskyddsombud*).
    DataProtection,
    /// Whoever runs the hub.
    Operator,
}

/// An agency, board, home or organisation that the hub serves (*aktör*).
#[derive(Clone, Debug, SimpleObject)]
#[graphql(name = "Agency")]
pub(super) struct AgencyObject {
    /// The id of the agency in the hub: `agency_…`.
    id: async_graphql::ID,
    /// The name of the agency in the hub's configuration (*kod*).
    code: String,
    /// What kind of agency it is (*typ*).
    kind: Kind,
    /// The name (*namn*).
    name: String,
    /// The organisation number (*organisationsnummer*), `NNNNNN-NNNN`; boards of one municipality share it.
    organisation_number: Option<String>,
    /// The municipality (*kommunkod*), four digits.
    municipality: Option<String>,
    /// The name of the municipality (*kommun*).
    municipality_name: Option<String>,
    /// The county (*länskod*), two digits.
    county: Option<String>,
    /// The name of the county (*län*).
    county_name: Option<String>,
}

impl From<&Agency> for AgencyObject {
    fn from(agency: &Agency) -> Self {
        let Agency { id, code, kind, name, organisation_number, municipality, county } = agency;
        let municipality_name = municipality.as_deref().and_then(reference::municipality).map(|m| m.name.to_owned());
        let county_name = county.as_deref().and_then(reference::county).map(|c| c.name.to_owned());
        AgencyObject {
            id: id.to_string().into(),
            code: code.clone(),
            kind: (*kind).into(),
            name: name.clone(),
            organisation_number: organisation_number.clone(),
            municipality: municipality.clone(),
            municipality_name,
            county: county.clone(),
            county_name,
        }
    }
}

/// An agency inside a guarded object, with the names of [`AgencyObject`]'s fields.
pub(super) fn to_json(agency: &Agency) -> Json {
    let AgencyObject {
        id,
        code,
        kind,
        name,
        organisation_number,
        municipality,
        municipality_name,
        county,
        county_name,
    } = AgencyObject::from(agency);
    json!({
        "id": id.to_string(),
        "code": code,
        "kind": AgencyKind::from(kind).code(),
        "name": name,
        "organisationNumber": organisation_number,
        "municipality": municipality,
        "municipalityName": municipality_name,
        "county": county,
        "countyName": county_name,
    })
}
