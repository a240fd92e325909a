//! The stories, as tables.

use super::Does::{Asks, IsRefused, Passes, Prepares};
use super::{Does, Story, Turn};

/// Every story.
pub const STORIES: [Story; 2] = [
    Story {
        name: "arriving",
        en: "From Malmö to Landskrona, and the child arrives",
        sv: "Från Malmö till Landskrona, och barnet kommer fram",
        turns: &ARRIVING,
    },
    Story {
        name: "failing",
        en: "From Malmö to Landskrona, and nobody confirms that the child has come",
        sv: "Från Malmö till Landskrona, och ingen bekräftar att barnet har kommit",
        turns: &FAILING,
    },
];

const fn turn(does: Does, en: &'static str, sv: &'static str) -> Turn {
    Turn { en, sv, does }
}

const REGISTERED: Turn = turn(
    Asks(
        "migrationsverket",
        r#"mutation { registerChild(input: { leadAgencyId: "{agency:malmo-soc}", responsibleAgencyId: "{agency:malmo-soc}",
  identity: { givenNames: "Samir", familyName: "Exempelsson", birthDate: "2010-03-01", sex: MALE, citizenship: "AF" },
  identifiers: [{ kind: DOSSIER_NUMBER, value: "12-345678" }] }) { child { id } } }"#,
    ),
    "Migrationsverket registers the child; Malmö answers for it.",
    "Migrationsverket registrerar barnet; Malmö svarar för det.",
);

const PLACED: Turn = turn(
    Asks(
        "malmo-soc",
        r#"mutation { startPlacement(childId: "{child}", expectedVersion: "{version:placement}",
  set: { type: HVB, from: "{day:0}", unitName: "HVB Exempelgården", unitAgency: "{agency:hvb-malmo}",
    street: "Exempelgatan 1", postalCode: "211 20", postalTown: "Malmö", dutyPhone: "+46701740601" }) { child { id } } }"#,
    ),
    "Malmö places the child in a home.",
    "Malmö placerar barnet på ett HVB.",
);

const DESCRIBED: Turn = turn(
    Asks(
        "malmo-soc",
        r#"mutation {
  languages: updateIdentity(childId: "{child}", expectedVersion: "{version:identity}",
    set: { languages: ["prs"], interpreterNeeded: true }) { child { id } }
  description: updateDescription(childId: "{child}", expectedVersion: "{version:description}",
    set: { appearance: "170 cm, kort svart hår", marks: "Ärr på vänster hand", clothing: "Röd jacka" }) { child { id } }
  network: updateNetwork(childId: "{child}", expectedVersion: "{version:network}",
    set: { phones: ["+46701740602"], likelyPlaces: ["Malmö central"],
      relatives: [{ name: "Farid", relationship: "kusin", country: "DE" }] }) { child { id } }
  risk: updateRisk(childId: "{child}", expectedVersion: "{version:risk}",
    set: { exploitation: "Skulder till okänd vuxen", indicators: [{ indicator: DEBTS, observedOn: "{day:-3}", source: "boendet" }] }) { child { id } }
  plan: updateSafetyPlan(childId: "{child}", expectedVersion: "{version:safetyPlan}",
    set: { plan: "Ringer kontaktpersonen varje kväll.", agreedOn: "{day:-2}" }) { child { id } }
  board: updateResponsibility(childId: "{child}", expectedVersion: "{version:responsibility}",
    set: { unit: "Ensamkommande barn", dutyPhone: "+46701740603", caseWorkerName: "Ada Ek" }) { child { id } } }"#,
    ),
    "Malmö writes down what a search would need, the risks, and the plan made with the child.",
    "Malmö antecknar det som ett sök skulle behöva, riskerna och trygghetsplanen.",
);

const JOINED: Turn = turn(
    Asks(
        "malmo-soc",
        r#"mutation {
  guardianship: involveAgency(childId: "{child}", agencyId: "{agency:malmo-overformyndare}") { child { id } }
  school: involveAgency(childId: "{child}", agencyId: "{agency:skola}") { child { id } }
  health: involveAgency(childId: "{child}", agencyId: "{agency:region-skane}") { child { id } } }"#,
    ),
    "Malmö lets those in who have to do with the child: chief guardian, school and health care.",
    "Malmö släpper in dem som har med barnet att göra: överförmyndaren, skolan och vården.",
);

const GUARDED: Turn = turn(
    Asks(
        "malmo-overformyndare",
        r#"mutation { updateGuardianship(childId: "{child}", expectedVersion: "{version:guardianship}",
  set: { guardianType: GOD_MAN, guardianName: "Gun Ahl", guardianPhone: "+46701740604", appointedOn: "{day:-5}" }) { child { id } } }"#,
    ),
    "The chief guardian tells who the guardian is.",
    "Överförmyndaren för in den gode mannen.",
);

const CONSENTED: Turn = turn(
    Asks(
        "malmo-overformyndare",
        r#"mutation { grantConsent(childId: "{child}", consent: { partnerId: "{agency:radda-barnen}",
  groups: ["identity", "languages", "guardian", "description", "missingFlag"], purpose: PROTECT, givenBy: CHILD_AND_GUARDIAN,
  giver: "Samir och Gun Ahl", until: "{day:60}" }) { consent { id } } }"#,
    ),
    "The child and its guardian let Rädda Barnen read a little.",
    "Barnet och den gode mannen låter Rädda Barnen läsa något.",
);

const OFFERED: Turn = turn(
    Asks(
        "malmo-soc",
        r#"mutation { transferCase(childId: "{child}", toAgencyId: "{agency:landskrona-soc}", expectedAt: "{at:360}",
  details: { contactName: "Ada Ek", contactPhone: "+46701740603", escort: "Personal från HVB", ticket: "Öresundståg 17.08" })
  { handover { id state } } }"#,
    ),
    "Malmö offers the case to Landskrona, where the child is expected in six hours.",
    "Malmö erbjuder Landskrona ärendet; barnet väntas dit om sex timmar.",
);

const ACCEPTED: Turn = turn(
    Asks(
        "landskrona-soc",
        r#"mutation { acceptHandover(handoverId: "{handover}") { handover { id state } child { id } } }"#,
    ),
    "Landskrona accepts: it is legally responsible from now, and reads the record.",
    "Landskrona tar emot: från och med nu är det ansvarigt och läser uppgifterna.",
);

const PREPARED: Turn = turn(
    Prepares("landskrona-soc"),
    "What must be done before the child leaves is ticked off.",
    "Det som ska vara gjort före avresan bockas av.",
);

const DEPARTED: Turn = turn(
    Asks("malmo-soc", r#"mutation { recordDeparture(handoverId: "{handover}") { handover { id state } } }"#),
    "The child leaves Malmö. Malmö still leads.",
    "Barnet reser från Malmö. Malmö leder fortfarande ärendet.",
);

const ARRIVED: Turn = turn(
    Asks(
        "landskrona-soc",
        r#"mutation { confirmArrival(handoverId: "{handover}") { handover { id state receipt { section } } child { id } } }"#,
    ),
    "Landskrona confirms that the child is there: only now the lead moves, with a receipt of what was handed over.",
    "Landskrona bekräftar att barnet är där: först nu flyttar ledningen, med kvitto på det som lämnades över.",
);

static ARRIVING: [Turn; 14] = [
    REGISTERED,
    PLACED,
    DESCRIBED,
    JOINED,
    GUARDED,
    CONSENTED,
    OFFERED,
    ACCEPTED,
    PREPARED,
    DEPARTED,
    turn(Passes(120), "Two hours on the way.", "Två timmar på väg."),
    ARRIVED,
    turn(
        Asks(
            "landskrona-soc",
            r#"mutation { startPlacement(childId: "{child}", expectedVersion: "{version:placement}",
  set: { type: HVB, from: "{day:0}", unitName: "HVB Provhamnen", unitAgency: "{agency:hvb-landskrona}",
    street: "Hamngatan 2", postalCode: "261 31", postalTown: "Landskrona" }) { child { id } } }"#,
        ),
        "Landskrona places the child; the home in Malmö learns nothing of the new address.",
        "Landskrona placerar barnet; boendet i Malmö får inte veta den nya adressen.",
    ),
    turn(
        Passes(91 * 24 * 60),
        "Ninety-one days pass: Malmö has no part in it any more.",
        "Nittioen dagar går: Malmö har inte längre del i det.",
    ),
];

static FAILING: [Turn; 28] = [
    REGISTERED,
    PLACED,
    DESCRIBED,
    JOINED,
    GUARDED,
    CONSENTED,
    OFFERED,
    ACCEPTED,
    PREPARED,
    DEPARTED,
    turn(Passes(300), "Five hours pass.", "Fem timmar går."),
    turn(
        Passes(60),
        "The child should be there, and nobody has confirmed it: both boards are told at once.",
        "Barnet skulle ha varit framme, och ingen har bekräftat det: båda nämnderna får veta det genast.",
    ),
    turn(
        Passes(240),
        "Four hours of silence: the county's coordinator is told, without who the child is.",
        "Fyra timmars tystnad: länets samordnare får veta det, utan vem barnet är.",
    ),
    turn(
        Passes(480),
        "Twelve hours of silence: both boards are told to report the child missing.",
        "Tolv timmars tystnad: båda nämnderna uppmanas att anmäla barnet försvunnet.",
    ),
    turn(
        Asks(
            "landskrona-soc",
            r#"mutation { reportNotArrived(handoverId: "{handover}", reason: "Barnet klev aldrig av tåget.") { handover { id state } } }"#,
        ),
        "Landskrona tells that the child did not come.",
        "Landskrona anmäler att barnet inte kom.",
    ),
    turn(
        Asks(
            "landskrona-soc",
            r#"mutation { reportMissing(childId: "{child}", input: { lastSeenAt: "{at:-1080}", lastSeenPlace: "Malmö central",
  clothing: "Röd jacka", circumstances: "Klev aldrig av tåget.", policeAgencyId: "{agency:polisen}" })
  { episode { id state } minimumReport { text } } }"#,
        ),
        "Landskrona reports the child missing; what those who search need opens, by rule, to those who search.",
        "Landskrona anmäler barnet försvunnet; det som behövs i sökandet öppnas, enligt reglerna, för dem som söker.",
    ),
    turn(
        Asks(
            "landskrona-soc",
            r#"mutation { recordPoliceReport(episodeId: "{episode}", number: "5000-K1276-26", contact: "Yttre befäl") { episode { id state } } }"#,
        ),
        "The police's number is on record.",
        "Polisens diarienummer är fört in.",
    ),
    turn(
        Asks(
            "polisen",
            r#"mutation { updateSearch(episodeId: "{episode}", assessment: "Hög risk", measures: "Eftersökning vid stationer", wantedEntry: true) { episode { id state } } }"#,
        ),
        "The police search.",
        "Polisen söker.",
    ),
    turn(
        Asks(
            "skola",
            r#"mutation { submitSighting(about: { identifier: { kind: DOSSIER_NUMBER, value: "12-345678" }, seenAt: "{at:-60}",
  place: "Lunds central", text: "En elev såg Samir ensam på perrongen." }) { id kind at } }"#,
        ),
        "The school hands in that a pupil has seen the child. It gets a receipt, and reads nothing back.",
        "Skolan lämnar in att en elev har sett barnet. Den får ett kvitto, och läser inget tillbaka.",
    ),
    turn(
        IsRefused(
            "socialjour",
            "NOT_FOUND",
            r#"{ childByIdentifier(kind: DOSSIER_NUMBER, value: "12-345678") { id } }"#,
        ),
        "The on-call service looks the number up and finds nobody it may know of. Whoever leads the search is told that somebody looked.",
        "Jouren slår upp numret och hittar ingen den får känna till. Den som leder sökandet får veta att någon letade.",
    ),
    turn(
        Asks(
            "polisen",
            r#"mutation { markLocated(childId: "{child}", at: "{at:0}", place: "Lund", condition: "Frusen, i övrigt oskadd") { episode { id state } } }"#,
        ),
        "The police find the child in Lund. Located is not safe: nothing closes yet.",
        "Polisen hittar barnet i Lund. Lokaliserat är inte i säkerhet: inget stängs ännu.",
    ),
    turn(
        Passes(120),
        "Two hours, and the child is driven to Landskrona.",
        "Två timmar, och barnet körs till Landskrona.",
    ),
    turn(
        Asks("landskrona-soc", r#"mutation { markSafe(childId: "{child}") { episode { id state } } }"#),
        "The child is safe.",
        "Barnet är i säkerhet.",
    ),
    ARRIVED,
    turn(
        Passes(72 * 60),
        "Seventy-two hours later what had been opened for the search closes, by itself.",
        "Sjuttiotvå timmar senare stängs det som öppnades för sökandet, av sig självt.",
    ),
    turn(
        Asks(
            "landskrona-soc",
            r#"mutation {
  talk: recordFollowUp(episodeId: "{episode}", kind: RETURN_TALK, doneOn: "{day:0}", note: "Samtal hållet.") { episode { id } }
  screening: recordFollowUp(episodeId: "{episode}", kind: EXPLOITATION_SCREENING, doneOn: "{day:0}") { episode { id } }
  review: recordFollowUp(episodeId: "{episode}", kind: PLACEMENT_REVIEW, doneOn: "{day:0}") { episode { id } } }"#,
        ),
        "Landskrona holds the return talk, screens for exploitation and reviews the placement.",
        "Landskrona håller återkomstsamtalet, undersöker utnyttjande och ser över placeringen.",
    ),
    turn(
        Asks(
            "region-skane",
            r#"mutation { recordFollowUp(episodeId: "{episode}", kind: HEALTH_CHECK, doneOn: "{day:0}") { episode { id } } }"#,
        ),
        "Health care has seen the child.",
        "Vården har träffat barnet.",
    ),
    turn(
        Asks("landskrona-soc", r#"mutation { closeEpisode(episodeId: "{episode}") { episode { id state } } }"#),
        "Only now, with the follow-up done, the episode is closed. It stays in the history.",
        "Först nu, när uppföljningen är gjord, avslutas försvinnandet. Det finns kvar i historiken.",
    ),
];
