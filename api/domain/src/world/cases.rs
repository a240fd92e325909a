//! The children whom an integrator is pointed to: each shows one thing, and keeps its id.

use super::{MadeUpChild, child};
use crate::ids::AgencyId;
use crate::text::Text;

/// A made-up child that shows something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Case {
    /// A name that stays.
    pub key: &'static str,
    /// Which child of the world it is.
    pub index: u64,
    /// Who the child is.
    pub about: Text,
    /// What to look for, and with whose eyes.
    pub shows: Text,
}

impl Case {
    /// The child, as [`child`] makes it.
    pub fn child(&self, seed: u64, now: i64, agency_id: &dyn Fn(&str) -> AgencyId) -> MadeUpChild {
        child(seed, self.index, now, agency_id)
    }
}

const fn case(key: &'static str, index: u64, about: Text, shows: Text) -> Case {
    Case { key, index, about, shows }
}

/// Every case, the everyday first.
pub const CASES: [Case; 12] = [
    case(
        "everyday",
        17,
        Text::new("Bor på HVB i Landskrona, går i skolan.", "Lives in a care home in Landskrona, goes to school."),
        Text::new(
            "Vardagen: fråga som alla roller i tur och ordning och se vad var och en får.",
            "The everyday: ask as every role in turn, and see what each one gets.",
        ),
    ),
    case(
        "protected-identity",
        13,
        Text::new(
            "Har sekretessmarkering i folkbokföringen.",
            "Is marked as protected in the population register (sekretessmarkering).",
        ),
        Text::new(
            "Adress och vistelse visas för färre än annars, och varje regel säger varför.",
            "Address and whereabouts are shown to fewer than else, and each rule says why.",
        ),
    ),
    case(
        "secret-address",
        15,
        Text::new(
            "Har skyddad folkbokföring: ingen adress och ingen skola finns antecknad.",
            "Has protected registration: no address and no school is on record.",
        ),
        Text::new(
            "Att något inte finns och att det inte visas ser lika ut; det går inte att sluta sig till var barnet är.",
            "What is not there and what is not shown look alike; where the child is cannot be inferred.",
        ),
    ),
    case(
        "handover-under-way",
        3,
        Text::new(
            "Malmö lämnar över ärendet till Landskrona, som har tagit emot; barnet väntas om två dagar.",
            "Malmö hands the case over to Landskrona, which has accepted; the child is expected in two days.",
        ),
        Text::new(
            "Landskrona läser redan, men Malmö leder tills Landskrona bekräftar att barnet är framme.",
            "Landskrona reads already, but Malmö leads until Landskrona confirms that the child is there.",
        ),
    ),
    case(
        "overdue-handover",
        20,
        Text::new(
            "Skulle ha varit framme i Landskrona för fem timmar sedan, och ingen har bekräftat det.",
            "Was expected in Landskrona five hours ago, and nobody has confirmed it.",
        ),
        Text::new(
            "Tystnad är ett larm: båda nämnderna och länets samordnare får veta det i sitt flöde (changes, overdueHandovers).",
            "Silence is an alarm: both boards and the county's coordinator are told in their feed (changes, overdueHandovers).",
        ),
    ),
    case(
        "missing",
        10,
        Text::new(
            "Är försvunnen sedan några dagar och eftersökt.",
            "Has been missing for some days, and is searched for.",
        ),
        Text::new(
            "Ett öppet försvinnande öppnar det som behövs i sökandet för polisen, och bara det.",
            "An open missing episode opens what the search needs to the police, and only that.",
        ),
    ),
    case(
        "found-recently",
        11,
        Text::new("Är återfunnen för mindre än 72 timmar sedan.", "Was found less than 72 hours ago."),
        Text::new(
            "Det som öppnades för sökandet stängs av sig självt när 72 timmar har gått.",
            "What was opened for the search closes by itself when 72 hours have passed.",
        ),
    ),
    case(
        "consented",
        2,
        Text::new(
            "Har med sin gode man samtyckt till att Rädda Barnen läser en del.",
            "Has consented, with its guardian, to Rädda Barnen reading some of it.",
        ),
        Text::new(
            "Rädda Barnen ser bara samtyckets fält, under ett eget id; utan samtycke finns barnet inte för dem.",
            "Rädda Barnen sees the fields of the consent alone, under an id of its own; without it the child does not exist to them.",
        ),
    ),
    case(
        "near-18",
        8,
        Text::new("Fyller 18 inom 90 dagar.", "Turns 18 within 90 days."),
        Text::new(
            "Risken syns som en indikator för den som får se risker, och som en tom lista för andra.",
            "The risk shows as an indicator to whoever may see risks, and as an empty list to others.",
        ),
    ),
    case(
        "return",
        9,
        Text::new("Har ett avslag som vunnit laga kraft.", "Has a refusal that is final."),
        Text::new(
            "Gränspolisen ser det som verkställigheten kräver, och inget av omsorgen.",
            "The border police see what enforcement needs, and nothing of the care.",
        ),
    ),
    case(
        "emergency-access",
        21,
        Text::new(
            "Kom nyss; akutsjukvården nödöppnade uppgifterna, och ingen har granskat det än.",
            "Has just arrived; emergency care opened the record, and nobody has reviewed that yet.",
        ),
        Text::new(
            "Varje nödöppning granskas i efterhand: dataskyddsombudet ser den i breakGlassReviews.",
            "Every emergency access is reviewed afterwards: the data protection officer finds it in breakGlassReviews.",
        ),
    ),
    case(
        "markup-in-name",
        22,
        Text::new("Har ett namn som ser ut som märkkod.", "Has a name that looks like markup."),
        Text::new(
            "Visa namnet som text, i varje vy: det som står i en uppgift får aldrig köras.",
            "Show the name as text, in every view: what stands in a record must never be run.",
        ),
    ),
];
