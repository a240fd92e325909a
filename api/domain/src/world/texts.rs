//! What the agencies write in words. Short, in Swedish, and of nobody.

pub(super) static UNITS: [&str; 3] =
    ["Enheten för ensamkommande barn", "Barn och unga, mottagning", "Barn och unga, utredning"];

pub(super) static STREETS: [&str; 8] = [
    "Exempelgatan",
    "Provvägen",
    "Påhittsgränd",
    "Låtsasvägen",
    "Övningsgatan",
    "Mallgatan",
    "Fantasivägen",
    "Sagogränd",
];

pub(super) static HOMES: [&str; 4] = ["Boendet Exempel", "Stödboendet Provet", "HVB Påhittet", "HVB Sagan"];

pub(super) static CRITICAL_NEEDS: [&str; 6] = [
    "Diabetes typ 1, behöver insulin dagligen.",
    "Astma, har alltid inhalator med sig.",
    "Epilepsi, tar medicin morgon och kväll.",
    "Svår jordnötsallergi, bär adrenalinpenna.",
    "Blodtryckssjuk, får inte hoppa över sin medicin.",
    "Glasögon med stark korrektion, ser dåligt utan.",
];

pub(super) static SELF_HARM_NOTES: [&str; 3] = [
    "Har talat om att inte orka. Lämna inte barnet ensamt efter svåra besked.",
    "Mår sämre på kvällarna. Kontakt med barn- och ungdomspsykiatrin är etablerad.",
    "Vill ha sällskap av kontaktpersonen vid oro. Tätare tillsyn de närmaste veckorna.",
];

pub(super) static PLACES: [&str; 9] = [
    "Centralstationen, vid bussarna",
    "Biblioteket",
    "Fotbollsplanen bakom idrottshallen",
    "Köpcentrumet, plan 2",
    "En kusin i Göteborg",
    "En vän i Stockholm, södra delen",
    "Stranden vid bryggorna",
    "Ungdomsgården",
    "Släkt i Hamburg",
];

pub(super) static RELATIVE_NOTES: [&str; 4] = [
    "Barnet ringer hit när det är oroligt.",
    "Har bett att få bli kontaktad om barnet försvinner.",
    "Talar engelska och tyska.",
    "Barnet vill inte att personen får veta var det bor.",
];

pub(super) static WISHES: [&str; 8] = [
    "Jag vill gå i skolan varje dag och lära mig svenska fort.",
    "Jag vill bo nära min bror.",
    "Jag vill att samma tolk kommer varje gång.",
    "Jag vill spela fotboll i ett riktigt lag.",
    "Jag vill inte flytta en gång till.",
    "Jag vill prata med min mamma en gång i veckan.",
    "Jag vill att min gode man är med när beslutet kommer.",
    "Jag vill ha ett eget rum och kunna låsa dörren.",
];

pub(super) static LOOKS: [&str; 7] = [
    "smal, kort mörkt hår, bruna ögon",
    "kraftig, axellångt svart hår, bruna ögon",
    "smal, lockigt hår, gröna ögon",
    "spenslig, mörkt hår i hästsvans",
    "normal kroppsbyggnad, ljusbrunt hår, blå ögon",
    "bär ofta sjal, bruna ögon",
    "atletisk, snaggat hår, bruna ögon",
];

pub(super) static MARKS: [&str; 6] = [
    "Ärr på vänster handrygg.",
    "Födelsemärke under höger öga.",
    "Glasögon med svarta bågar.",
    "Silverring på höger hand.",
    "Haltar lätt på vänster ben.",
    "Tandställning.",
];

pub(super) static CLOTHING: [&str; 6] = [
    "Svart huvjacka, blå jeans, vita gymnastikskor.",
    "Grön vinterjacka, svarta byxor, ryggsäck.",
    "Röd träningsoverall, keps.",
    "Beige kappa, mörk sjal, vita skor.",
    "Grå tröja, svart väst, mörka byxor.",
    "Blå täckjacka, mössa, svarta kängor.",
];

pub(super) static PLANS: [&str; 4] = [
    "Hör av sig till boendet före kl. 21. Ringer kontaktpersonen vid oro. Personalen ringer två gånger innan larm.",
    "Har alltid telefonen på. Säger till vem som följer med. Samtal före och efter varje besked i asylärendet.",
    "Går till och från skolan med en kamrat. Kodord vid fara är överenskommet med kontaktpersonen.",
    "Följer inte med okända vuxna. Ringer gode mannen om någon begär pengar eller tjänster.",
];

pub(super) static REVIEWED_PLANS: [&str; 3] = [
    "Uppföljd med barnet. Boendet ringer varje eftermiddag, och kontaktpersonen träffar barnet två gånger i veckan.",
    "Uppföljd med barnet och gode mannen. Tryggt nummer finns i telefonen, och barnet vet vart det kan gå på natten.",
    "Uppföljd. Barnet vill fortsätta med kodordet och ha möten på skolan i stället för på boendet.",
];

/// Indicators that may be seen at any time, with who sees them.
pub(super) static OTHER_INDICATORS: [(&str, &str); 11] = [
    ("LOW_RECOGNITION_COUNTRY", "socialtjänsten"),
    ("GUARDIAN_MISSING_OR_CHANGED", "överförmyndaren"),
    ("UNEXCUSED_ABSENCE", "skolan"),
    ("ISOLATION", "boendet"),
    ("DEBTS", "boendet"),
    ("UNKNOWN_ADULT", "boendet"),
    ("UNEXPLAINED_MEANS", "boendet"),
    ("RELATIVES_IN_EU", "god man"),
    ("CONFLICT_WITH_HOME", "boendet"),
    ("COACHED_STORY", "socialtjänsten"),
    ("HONOUR_THREAT", "skolan"),
];

pub(super) static INDICATOR_NOTES: [(&str, &str); 5] = [
    ("UNKNOWN_ADULT", "En vuxen i bil har hämtat barnet två gånger. Namnet är okänt."),
    ("UNEXPLAINED_MEANS", "Har två telefoner och säger inte varifrån de kommer."),
    ("CONFLICT_WITH_HOME", "Vill byta boende efter ett bråk om matlagningen."),
    ("RELATIVES_IN_EU", "Talar om att resa till en farbror."),
    ("EARLIER_DISAPPEARANCE", "Kom tillbaka efter egen kontakt med boendet."),
];

pub(super) static EXPLOITATION: [(i64, (&str, &str)); 5] = [
    (
        25,
        ("TRAFFICKING", "Uppgifter om att någon ordnade resan och nu kräver betalt. Regionkoordinatorn är kontaktad."),
    ),
    (25, ("CRIME", "Oro för att äldre ungdomar använder barnet som bud.")),
    (25, ("LABOUR", "Arbetar sena kvällar på ett okänt ställe utan lön.")),
    (15, ("HONOUR", "Släktingar har hotat på telefon. Skyddsbedömning är gjord.")),
    (10, ("SEXUAL", "Oro efter uppgifter från boendet. Polisen och barnahus är kontaktade.")),
];

pub(super) static SEEN_AT: [&str; 5] = [
    "Vid frukosten på boendet",
    "På väg från skolan",
    "Utanför busstationen",
    "På boendets gård",
    "I sitt rum, vid läggdags",
];

pub(super) static CIRCUMSTANCES: [&str; 4] = [
    "Tog ryggsäck och laddare men inga kläder. Var ledsen efter ett samtal dagen före.",
    "Gick med en äldre kamrat som personalen inte känner. Svarar inte i telefon.",
    "Skulle till skolan men kom aldrig dit. Svart jacka, blå jeans, vita skor.",
    "Kom inte tillbaka från träningen. Telefonen är avstängd sedan kvällen.",
];

pub(super) static ASSESSMENTS: [&str; 3] = [
    "Förhöjd risk: ung, utan nätverk på orten.",
    "Hög risk: tecken på att någon styr barnet.",
    "Normal risk: har varit borta förut och hört av sig.",
];

pub(super) static MEASURES: [&str; 3] = [
    "Förhör med vänner, kontroll av stationer, efterlysning utsänd.",
    "Yttre personal underrättad, telefontömning begärd.",
    "Kontakt med polisen på den ort där släkt finns.",
];

pub(super) static CONDITIONS: [&str; 3] =
    ["Trött och hungrig, i övrigt oskadd.", "Kall och rädd, vill inte berätta.", "Oskadd, i sällskap med en släkting."];

pub(super) static SIGHTINGS: [&str; 3] = [
    "Sågs tillsammans med två äldre ungdomar.",
    "Frågade efter vägen till stationen.",
    "Syntes kort, gick när någon ropade.",
];

pub(super) static FOLLOW_UPS: [&str; 3] = [
    "Gjort tillsammans med tolk och god man.",
    "Barnet vill inte säga mer nu; nytt samtal är bokat.",
    "Inget att föra vidare till de andra.",
];

pub(super) static CONCERNS: [&str; 3] = [
    "Eleven somnar på lektionerna och har nya dyra saker.",
    "Eleven hämtas av vuxna som skolan inte känner.",
    "Eleven har talat om att ge sig av.",
];

/// Swedish and English.
pub(super) static CHECKLIST: [(&str, &str); 3] = [
    ("Sök igenom boendet och ring barnet.", "Search the home and call the child."),
    ("Gör polisanmälan och meddela socialjouren.", "Report to the police and tell social services after hours."),
    ("Håll återkomstsamtal med tolk.", "Hold the return talk with an interpreter."),
];
