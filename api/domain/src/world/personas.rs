//! Who asks in the sandbox.

use crate::agency::{AgencyKind, NewAgency};
use crate::policy::{Purpose, Role};
use crate::text::Text;

/// An agency of the made-up world, in one role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Persona {
    /// The agency's name in the configuration.
    pub code: &'static str,
    pub role: Role,
    pub kind: AgencyKind,
    pub name: &'static str,
    /// What it is called where there is little room.
    pub short: &'static str,
    /// `NNNNNN-NNNN`; of public bodies and Rädda Barnen only.
    pub organisation_number: Option<&'static str>,
    /// Four digits (*kommunkod*).
    pub municipality: Option<&'static str>,
    /// Two digits (*länskod*).
    pub county: Option<&'static str>,
    /// The purpose it states unless it says otherwise.
    pub purpose: Purpose,
    /// What this persona shows.
    pub about: Text,
}

const MALMO: (Option<&str>, Option<&str>, Option<&str>) = (Some("212000-1124"), Some("1280"), Some("12"));
const LANDSKRONA: (Option<&str>, Option<&str>, Option<&str>) = (Some("212000-1140"), Some("1282"), Some("12"));

const fn made(
    code: &'static str,
    (kind, role, purpose): (AgencyKind, Role, Purpose),
    (name, short): (&'static str, &'static str),
    (organisation_number, municipality, county): (Option<&'static str>, Option<&'static str>, Option<&'static str>),
    sv: &'static str,
    en: &'static str,
) -> Persona {
    Persona {
        code,
        role,
        kind,
        name,
        short,
        organisation_number,
        municipality,
        county,
        purpose,
        about: Text { sv, en },
    }
}

/// Every persona: one agency and one role each.
pub const PERSONAS: [Persona; 15] = [
    made(
        "migrationsverket",
        (AgencyKind::Migration, Role::Migration, Purpose::Asylum),
        ("Migrationsverket", "Migrationsverket"),
        (Some("202100-2163"), None, None),
        "Registrerar barnet och äger identitet och asylärende; läser inget om hälsa, risker eller nätverk.",
        "Registers the child and owns identity and the asylum case; reads nothing of health, risk or network.",
    ),
    made(
        "polisen",
        (AgencyKind::Police, Role::PoliceMissing, Purpose::Search),
        ("Polisen, försvunna personer", "Polisen"),
        (Some("202100-0076"), None, None),
        "Söker efter försvunna barn: ser signalement, nätverk och platser medan barnet är försvunnet och 72 timmar efteråt.",
        "Searches for missing children: sees description, network and places while the child is missing and 72 hours after.",
    ),
    made(
        "granspolisen",
        (AgencyKind::BorderPolice, Role::PoliceBorder, Purpose::Return),
        ("Polisen, gränspolisen", "Gränspolisen"),
        (Some("202100-0076"), None, None),
        "Verkställer återvändanden: en egen polisroll, skild från sökandet och utestängd från all omsorg.",
        "Enforces returns: a police role of its own, kept apart from the search, and closed out of all care.",
    ),
    made(
        "malmo-soc",
        (AgencyKind::SocialServices, Role::SocialServices, Purpose::Protect),
        ("Malmö stad, socialtjänsten", "Malmö"),
        MALMO,
        "En socialnämnd: leder ärendet för de flesta barn här, och läser och skriver det som omsorgen kräver.",
        "A social services board: leads for most children here, and reads and writes what its care needs.",
    ),
    made(
        "landskrona-soc",
        (AgencyKind::SocialServices, Role::SocialServices, Purpose::Protect),
        ("Landskrona stad, socialtjänsten", "Landskrona"),
        LANDSKRONA,
        "Den andra nämnden i en överlämning: tar emot barn från Malmö och lämnar över några.",
        "The other board of a handover: receives children from Malmö, and hands some over.",
    ),
    made(
        "socialjour",
        (AgencyKind::SocialOnCall, Role::SocialOnCall, Purpose::Protect),
        ("Malmö stad, socialjouren", "Socialjouren"),
        MALMO,
        "Socialtjänsten efter kontorstid: ansvarar den första natten och är inblandad medan ett barn är försvunnet.",
        "Social services after hours: responsible in the first night, involved while a child is missing.",
    ),
    made(
        "malmo-overformyndare",
        (AgencyKind::Guardianship, Role::Guardianship, Purpose::Protect),
        ("Malmö stad, överförmyndaren", "Överförmyndaren"),
        MALMO,
        "Förordnar den gode mannen: läser brett för dennes räkning och skriver ställföreträdare och barnets egna ord.",
        "Appoints the guardian: reads widely for the guardian's sake, writes guardianship and the child's own words.",
    ),
    made(
        "region-skane",
        (AgencyKind::Region, Role::Health, Purpose::Health),
        ("Region Skåne, barn- och ungdomshälsan", "Region Skåne"),
        (Some("232100-0255"), None, Some("12")),
        "Vården: skriver de få hälsouppgifter som andra måste känna till, och ser en flagga där resten är hemligt.",
        "Health care: writes the few health facts others must know, and sees flags where the rest is secret.",
    ),
    made(
        "skola",
        (AgencyKind::School, Role::School, Purpose::School),
        ("Exempelskolan i Malmö", "Skolan"),
        (None, Some("1280"), Some("12")),
        "En skola: känner sina elever och antecknar frånvaro; den får lämna oro som den inte kan läsa tillbaka.",
        "A school: knows its pupils and notes absence; it may hand in worries that it cannot read back.",
    ),
    made(
        "hvb-malmo",
        (AgencyKind::CareHome, Role::CareHome, Purpose::Protect),
        ("HVB Exempelgården i Malmö", "HVB Malmö"),
        (None, Some("1280"), Some("12")),
        "Ett boende: känner barnen som bor där och håller adress, kontakter och signalement aktuella.",
        "A care home: knows the children who stay there, keeps address, contacts and description current.",
    ),
    made(
        "hvb-landskrona",
        (AgencyKind::CareHome, Role::CareHome, Purpose::Protect),
        ("HVB Provhamnen i Landskrona", "HVB Landskrona"),
        (None, Some("1282"), Some("12")),
        "Ett boende i den andra kommunen: ser ett barn när barnet bor där, och inte förr.",
        "A care home in the other municipality: sees a child once the child stays there, and not before.",
    ),
    made(
        "radda-barnen",
        (AgencyKind::Partner, Role::Partner, Purpose::Protect),
        ("Rädda Barnen", "Rädda Barnen"),
        (Some("802002-8638"), None, None),
        "En partnerorganisation: läser bara det som ett gällande samtycke nämner, under id:n som inget säger andra.",
        "A partner organisation: reads only what a live consent names, under ids that mean nothing to others.",
    ),
    made(
        "stadsmissionen",
        (AgencyKind::Partner, Role::Partner, Purpose::Protect),
        ("Stadsmissionen", "Stadsmissionen"),
        (None, None, None),
        "En annan partner: samma barn har andra samtycken här, ett annat id och andra fält.",
        "Another partner: the same child has other consents here, another id, and other fields.",
    ),
    made(
        "lansstyrelsen-skane",
        (AgencyKind::CountyBoard, Role::CountyBoard, Purpose::Stat),
        ("Länsstyrelsen Skåne", "Länsstyrelsen"),
        (None, None, Some("12")),
        "Länsstyrelsen: bara statistik och försenade överlämningar; inget barn finns för den.",
        "The county board: statistics and overdue handovers only; no child exists for it.",
    ),
    made(
        "dataskydd",
        (AgencyKind::DataProtection, Role::DataProtection, Purpose::Audit),
        ("Dataskyddsombudet", "Dataskyddsombudet"),
        (None, None, None),
        "Dataskyddsombudet: läser åtkomstloggen, och inget barn.",
        "The data protection officer: reads the access log, and no child.",
    ),
];

/// The persona with this code.
pub fn persona(code: &str) -> Option<&'static Persona> {
    static ALL: [Persona; 15] = PERSONAS;
    ALL.iter().find(|persona| persona.code == code)
}

/// The agencies of the made-up world, as a configuration would give them.
pub fn agencies() -> Vec<NewAgency> {
    let owned = |text: Option<&str>| text.map(str::to_owned);
    let agency = |persona: Persona| NewAgency {
        code: persona.code.to_owned(),
        kind: persona.kind,
        name: persona.name.to_owned(),
        organisation_number: owned(persona.organisation_number),
        municipality: owned(persona.municipality),
        county: owned(persona.county),
    };
    PERSONAS.into_iter().map(agency).collect()
}
