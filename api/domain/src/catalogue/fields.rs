//! The table itself. It may be long: it is a table.

use super::IdentifierKind::{CoordinationNumber, DossierNumber, LmaCard, PersonalNumber};
use super::Source::{self, Column, Earlier, Flag, Identifiers, Involvement, Kept, Rows};
use super::codes::Code;
use super::kind::{
    CHECKLIST_ITEM, CLOSURE, CONCERN, CONSENT, EARLIER_EPISODE, EARLIER_PLACEMENT, FOLLOW_UP, HANDOVER, IDENTIFIER,
    Kind, RELATIVE, RISK_INDICATOR, SIGHTING,
};
use super::{Field, Group, List, Section, Section as S};

const fn field(
    section: Section,
    (name, column): (&'static str, &'static str),
    number: &'static str,
    group: &'static str,
    kind: Kind,
    source: Source,
    (sv, en): (&'static str, &'static str),
) -> Field {
    Field { section, name, column, number, kind, group, source, sv, en }
}

const NAME: Kind = Kind::Text(100);
const LINE: Kind = Kind::Text(200);
const PROSE: Kind = Kind::Text(4000);

/// How many guarded fields there are.
pub const FIELD_COUNT: usize = FIELDS.len();

/// Every guarded field, by section.
#[rustfmt::skip]
pub static FIELDS: [Field; 131] = [
    // Identity: owner Migrationsverket; languages: the responsible board.
    field(S::Identity, ("givenNames", "given_names"), "F02", "identity", NAME, Column, ("förnamn", "Given names.")),
    field(S::Identity, ("familyName", "family_name"), "F03", "identity", NAME, Column, ("efternamn", "Family name.")),
    field(S::Identity, ("aliases", "aliases"), "F04", "aliases", Kind::Texts(20, 100), Column, ("alias, stavningar", "Other names and spellings the child is known by.")),
    field(S::Identity, ("birthDate", "birth_date"), "F05", "identity", Kind::Date, Column, ("registrerat födelsedatum", "Birth date as registered.")),
    field(S::Identity, ("birthDateClaimed", "birth_date_claimed"), "F06", "aliases", Kind::Date, Column, ("uppgivet födelsedatum", "Birth date as the child states it.")),
    field(S::Identity, ("sex", "sex"), "F07", "identity", Kind::Code(Code::Sex), Column, ("kön", "Sex as registered.")),
    field(S::Identity, ("citizenship", "citizenship"), "F08", "citizenship", Kind::Code(Code::Country), Column, ("medborgarskap", "Citizenship, ISO 3166-1 alpha-2.")),
    field(S::Identity, ("stateless", "stateless"), "F08", "citizenship", Kind::Bool, Column, ("statslös", "Whether the child is stateless.")),
    field(S::Identity, ("languages", "languages"), "F09", "languages", Kind::Codes(10, Code::Language), Column, ("språk", "Languages the child speaks, best first, ISO 639-3.")),
    field(S::Identity, ("interpreterNeeded", "interpreter_needed"), "F09", "languages", Kind::Bool, Column, ("behov av tolk", "Whether an interpreter is needed.")),

    // Identifiers: a dated list.
    field(S::Identifiers, ("personalNumbers", "personal_number"), "F11", "personalNumbers", Kind::Entries(0, &IDENTIFIER), Identifiers(PersonalNumber), ("personnummer", "Personal identity numbers, `YYYYMMDDNNNC`.")),
    field(S::Identifiers, ("coordinationNumbers", "coordination_number"), "F12", "personalNumbers", Kind::Entries(0, &IDENTIFIER), Identifiers(CoordinationNumber), ("samordningsnummer", "Coordination numbers, `YYYYMMDDNNNC` with the day raised by 60, and their identity level.")),
    field(S::Identifiers, ("dossierNumbers", "dossier_number"), "F13", "dossier", Kind::Entries(0, &IDENTIFIER), Identifiers(DossierNumber), ("dossiernummer", "Case file numbers of Migrationsverket, `NN-NNNNNN`.")),
    field(S::Identifiers, ("dossierNumberKnown", "dossier_number_known"), "F13", "dossierFlag", Kind::Bool, Flag(&["dossierNumbers"]), ("dossiernummer finns", "Whether a case file number is on record.")),
    field(S::Identifiers, ("lmaCards", "lma_card"), "F14", "lmaCard", Kind::Entries(0, &IDENTIFIER), Identifiers(LmaCard), ("LMA-kort", "LMA cards, `NN-NNNNNN/n`, with their validity.")),

    // Protection: owner the responsible board.
    field(S::Protection, ("protected", "protected"), "F15", "protectionFlag", Kind::Bool, Flag(&["level"]), ("skyddade personuppgifter", "The warning: personal data of this child are protected.")),
    field(S::Protection, ("level", "level"), "F15", "protection", Kind::Code(Code::ProtectionLevel), Column, ("skyddsnivå", "The level of protection.")),
    field(S::Protection, ("decidedBy", "decided_by"), "F15", "protection", LINE, Column, ("beslutad av", "Who decided on the protection.")),
    field(S::Protection, ("decidedOn", "decided_on"), "F15", "protection", Kind::Date, Column, ("beslutsdatum", "When the protection was decided.")),
    field(S::Protection, ("validUntil", "valid_until"), "F15", "protection", Kind::Date, Column, ("gäller till", "Until when the protection is decided.")),

    // Asylum: owner Migrationsverket. F16 (grounds) is never stored.
    field(S::Asylum, ("applicationDate", "application_date"), "F17", "asylumProcess", Kind::Date, Column, ("ansökningsdatum", "When asylum was applied for.")),
    field(S::Asylum, ("stage", "stage"), "F18", "asylumProcess", Kind::Code(Code::AsylumStage), Column, ("skede i asylärendet", "How far the asylum case has come.")),
    field(S::Asylum, ("outcome", "outcome"), "F19", "asylumProcess", Kind::Code(Code::AsylumOutcome), Column, ("utgång", "The outcome of the decision.")),
    field(S::Asylum, ("servedOn", "served_on"), "F19", "asylumProcess", Kind::Date, Column, ("delgivningsdatum", "When the decision was, or will be, served.")),
    field(S::Asylum, ("appealed", "appealed"), "F19", "asylumProcess", Kind::Bool, Column, ("överklagat", "Whether the decision was appealed.")),
    field(S::Asylum, ("finalOn", "final_on"), "F19", "asylumProcess", Kind::Date, Column, ("laga kraft", "When the decision became final.")),
    field(S::Asylum, ("decisionNearOrServed", "decision_near_or_served"), "F19", "asylumFlag", Kind::Bool, Flag(&["outcome", "servedOn"]), ("beslut nära eller delgivet", "Whether a decision is near or has been served: no contents.")),
    field(S::Asylum, ("transferPending", "transfer_pending"), "F20", "transferAndAge", Kind::Bool, Column, ("överföring pågår", "Whether a transfer to another state is pending.")),
    field(S::Asylum, ("transferState", "transfer_state"), "F20", "transferAndAge", Kind::Code(Code::Country), Column, ("överföringsland", "The state of transfer, ISO 3166-1 alpha-2.")),
    field(S::Asylum, ("transferOn", "transfer_on"), "F20", "transferAndAge", Kind::Date, Column, ("överföringsdatum", "The planned date of transfer.")),
    field(S::Asylum, ("ageAssessmentStage", "age_assessment_stage"), "F21", "transferAndAge", Kind::Code(Code::AgeAssessmentStage), Column, ("åldersbedömning, skede", "How far an age assessment has come.")),
    field(S::Asylum, ("ageAssessmentResult", "age_assessment_result"), "F21", "transferAndAge", Kind::Code(Code::AgeAssessmentResult), Column, ("åldersbedömning, resultat", "The result of the age assessment.")),
    field(S::Asylum, ("transferOrAgeAssessmentOpen", "transfer_or_age_assessment_open"), "F21", "transferFlag", Kind::Bool, Flag(&["transferPending", "ageAssessmentStage"]), ("överföring eller åldersbedömning pågår", "Whether a transfer or an age assessment is on record: no contents.")),
    field(S::Asylum, ("counselName", "counsel_name"), "F22", "counsel", NAME, Column, ("offentligt biträde", "Name of the public counsel.")),
    field(S::Asylum, ("counselPhone", "counsel_phone"), "F22", "counsel", Kind::Phone, Column, ("biträdets telefon", "Telephone of the public counsel.")),
    field(S::Asylum, ("counselEmail", "counsel_email"), "F22", "counsel", Kind::Email, Column, ("biträdets e-post", "E-mail of the public counsel.")),
    field(S::Asylum, ("returnPhase", "return_phase"), "F23", "return", Kind::Code(Code::ReturnPhase), Column, ("skede i återvändandet", "How far a return has come.")),
    field(S::Asylum, ("returnLead", "return_lead"), "F23", "return", Kind::Code(Code::ReturnLead), Column, ("ansvarig för återvändandet", "Which agency leads the return.")),
    field(S::Asylum, ("returnPlannedOn", "return_planned_on"), "F23", "return", Kind::Date, Column, ("planerat återvändande", "The planned date of return.")),

    // Responsibility: F24–F25 Migrationsverket; F26–F27 the responsible board.
    field(S::Responsibility, ("arrivalMunicipality", "arrival_municipality"), "F24", "assignment", Kind::Code(Code::Municipality), Column, ("ankomstkommun", "The municipality where the child first came into contact with an agency, four-digit code.")),
    field(S::Responsibility, ("assignedMunicipality", "assigned_municipality"), "F25", "assignment", Kind::Code(Code::Municipality), Column, ("anvisningskommun", "The assigned municipality, four-digit code.")),
    field(S::Responsibility, ("assignmentDecision", "assignment_decision"), "F25", "assignment", Kind::Text(50), Column, ("anvisningsbeslut", "Number of the assignment decision.")),
    field(S::Responsibility, ("assignedOn", "assigned_on"), "F25", "assignment", Kind::Date, Column, ("anvisningsdatum", "Date of the assignment decision.")),
    field(S::Responsibility, ("leadAgency", "lead_agency"), "F26", "board", Kind::Agency, Involvement, ("ledande aktör", "The agency that holds the child's case now.")),
    field(S::Responsibility, ("responsibleAgency", "responsible_agency"), "F26", "board", Kind::Agency, Involvement, ("ansvarig nämnd", "The agency that is legally responsible.")),
    field(S::Responsibility, ("unit", "unit"), "F26", "board", LINE, Column, ("enhet", "The unit at the responsible board.")),
    field(S::Responsibility, ("dutyPhone", "duty_phone"), "F26", "board", Kind::Phone, Column, ("jourtelefon", "Telephone of the board, day and night.")),
    field(S::Responsibility, ("caseWorkerName", "case_worker_name"), "F27", "board", NAME, Column, ("handläggare", "Name of the case worker.")),
    field(S::Responsibility, ("caseWorkerPhone", "case_worker_phone"), "F27", "board", Kind::Phone, Column, ("handläggarens telefon", "Telephone of the case worker.")),
    field(S::Responsibility, ("caseWorkerEmail", "case_worker_email"), "F27", "board", Kind::Email, Column, ("handläggarens e-post", "E-mail of the case worker.")),

    // Placement: a dated list; the fields are of the placement that is current.
    field(S::Placement, ("type", "type"), "F29", "placementType", Kind::Code(Code::PlacementType), Column, ("placeringsform", "Kind of placement.")),
    field(S::Placement, ("from", "valid_from"), "F29", "placementType", Kind::Date, Column, ("placerad från", "First day of the placement.")),
    field(S::Placement, ("unitName", "unit_name"), "F30", "placementUnit", LINE, Column, ("boende", "Name of the home.")),
    field(S::Placement, ("unitAgency", "unit_agency_id"), "F30", "placementUnit", Kind::Agency, Column, ("boendet i Samverka", "The home as an agency of the hub, where it is one.")),
    field(S::Placement, ("operatorNumber", "operator_number"), "F30", "placementUnit", Kind::OrganisationNumber, Column, ("utförarens organisationsnummer", "Organisation number of the operator.")),
    field(S::Placement, ("street", "street"), "F31", "placementAddress", LINE, Column, ("gatuadress", "Street address of stay.")),
    field(S::Placement, ("postalCode", "postal_code"), "F31", "placementAddress", Kind::PostalCode, Column, ("postnummer", "Postal code of stay, five digits.")),
    field(S::Placement, ("postalTown", "postal_town"), "F31", "placementAddress", NAME, Column, ("postort", "Postal town of stay.")),
    field(S::Placement, ("dutyPhone", "duty_phone"), "F32", "placementAddress", Kind::Phone, Column, ("boendets jourtelefon", "Telephone of the home, day and night.")),
    field(S::Placement, ("legalBasis", "legal_basis"), "F33", "placementBasis", Kind::Code(Code::PlacementBasis), Column, ("lagrum för placeringen", "The act the placement rests on.")),
    field(S::Placement, ("legalBasisDecided", "legal_basis_decided"), "F33", "placementBasisFlag", Kind::Bool, Flag(&["legalBasis"]), ("lagrum beslutat", "Whether the legal basis is decided: not which.")),
    field(S::Placement, ("earlier", "earlier"), "F34", "placementUnit", Kind::Entries(0, &EARLIER_PLACEMENT), Earlier, ("tidigare placeringar", "Earlier placements, latest first.")),

    // Guardianship: owner överförmyndaren.
    field(S::Guardianship, ("guardianName", "guardian_name"), "F35", "guardian", NAME, Column, ("god man, namn", "Name of the guardian.")),
    field(S::Guardianship, ("guardianPhone", "guardian_phone"), "F35", "guardian", Kind::Phone, Column, ("god man, telefon", "Telephone of the guardian.")),
    field(S::Guardianship, ("guardianEmail", "guardian_email"), "F35", "guardian", Kind::Email, Column, ("god man, e-post", "E-mail of the guardian.")),
    field(S::Guardianship, ("appointmentDecision", "appointment_decision"), "F36", "guardian", Kind::Text(50), Column, ("förordnande, beslut", "Number of the appointment decision.")),
    field(S::Guardianship, ("appointedOn", "appointed_on"), "F36", "guardian", Kind::Date, Column, ("förordnandedatum", "Date of the appointment decision.")),
    field(S::Guardianship, ("chiefGuardian", "chief_guardian"), "F36", "guardian", Kind::Code(Code::Municipality), Column, ("överförmyndare", "Municipality of the chief guardian, four-digit code.")),
    field(S::Guardianship, ("guardianType", "guardian_type"), "F37", "guardian", Kind::Code(Code::GuardianType), Column, ("typ av ställföreträdare", "Kind of guardian.")),
    field(S::Guardianship, ("from", "valid_from"), "F37", "guardian", Kind::Date, Column, ("förordnad från", "First day of the appointment.")),
    field(S::Guardianship, ("to", "valid_to"), "F37", "guardian", Kind::Date, Column, ("förordnad till", "Last day of the appointment.")),

    // Health: F38 the region; F39–F40 the region and the responsible board. F41 is never stored.
    field(S::Health, ("assessmentOfferedOn", "assessment_offered_on"), "F38", "healthAssessment", Kind::Date, Column, ("hälsoundersökning erbjuden", "When a health assessment was offered.")),
    field(S::Health, ("assessmentDoneOn", "assessment_done_on"), "F38", "healthAssessment", Kind::Date, Column, ("hälsoundersökning gjord", "When the health assessment was done.")),
    field(S::Health, ("assessmentDone", "assessment_done"), "F38", "healthAssessmentFlag", Kind::Bool, Flag(&["assessmentDoneOn"]), ("hälsoundersökt", "Whether the health assessment is done.")),
    field(S::Health, ("criticalNeeds", "critical_needs"), "F39", "healthCritical", PROSE, Column, ("livsviktig medicin eller sjukdom", "Medication or illness that is critical in a search.")),
    field(S::Health, ("selfHarmAlert", "self_harm_alert"), "F40", "healthCritical", Kind::Bool, Column, ("varning för självskada", "Alert for suicide or self-harm.")),
    field(S::Health, ("selfHarmNote", "self_harm_note"), "F40", "healthCritical", PROSE, Column, ("om varningen", "What those near the child must know of the alert.")),

    // Schooling: owner the school.
    field(S::Schooling, ("schoolName", "school_name"), "F42", "school", LINE, Column, ("skola", "Name of the school.")),
    field(S::Schooling, ("contactName", "contact_name"), "F42", "school", NAME, Column, ("kontaktperson", "Contact at the school.")),
    field(S::Schooling, ("contactPhone", "contact_phone"), "F42", "school", Kind::Phone, Column, ("skolans telefon", "Telephone of the contact.")),
    field(S::Schooling, ("absentSince", "absent_since"), "F43", "absence", Kind::Date, Column, ("ogiltig frånvaro sedan", "First day of the unexcused absence.")),

    // Network: the responsible board and the home.
    field(S::Network, ("phones", "phones"), "F44", "childContact", Kind::Phones(10), Column, ("barnets telefonnummer", "The child's telephones.")),
    field(S::Network, ("accounts", "accounts"), "F44", "childContact", Kind::Texts(20, 100), Column, ("barnets konton", "The child's accounts in social media.")),
    field(S::Network, ("relatives", "relatives"), "F46", "network", Kind::Entries(30, &RELATIVE), Column, ("nätverk, anhöriga", "Relatives and others near the child.")),
    field(S::Network, ("likelyPlaces", "likely_places"), "F47", "network", Kind::Texts(30, 200), Column, ("troliga platser", "Places where the child may be.")),

    // The child's voice: the responsible board and överförmyndaren.
    field(S::Voice, ("wishes", "wishes"), "F45", "voice", PROSE, Column, ("barnets egna ord och önskemål", "The child's own words and wishes.")),
    field(S::Voice, ("recordedOn", "recorded_on"), "F45", "voice", Kind::Date, Column, ("nedtecknat", "When the child said so.")),

    // Description: the responsible board and the home; F10 Migrationsverket and the home.
    field(S::Description, ("appearance", "appearance"), "F48", "description", PROSE, Column, ("utseende", "What the child looks like.")),
    field(S::Description, ("marks", "marks"), "F48", "description", PROSE, Column, ("kännetecken", "Marks to know the child by.")),
    field(S::Description, ("clothing", "clothing"), "F48", "description", PROSE, Column, ("klädsel", "Usual clothes.")),
    field(S::Description, ("photo", "photo"), "F10", "photo", Kind::Photo, Source::Photo, ("fotografi", "A photo of the child, with the day it was taken.")),

    // Risk: F49 the responsible board; F50 the board and the police.
    field(S::Risk, ("indicators", "indicators"), "F49", "riskIndicators", Kind::Entries(50, &RISK_INDICATOR), Column, ("riskindikatorer", "Risk indicators with date and source; never scored.")),
    field(S::Risk, ("exploitation", "exploitation"), "F50", "exploitation", PROSE, Column, ("misstanke om utnyttjande, heder eller människohandel", "Suspicion of exploitation, honour violence or trafficking.")),
    field(S::Risk, ("exploitationKind", "exploitation_kind"), "F50", "exploitation", Kind::Code(Code::ExploitationKind), Column, ("slag av misstanke", "Kind of the suspicion.")),
    field(S::Risk, ("exploitationSuspected", "exploitation_suspected"), "F50", "exploitationFlag", Kind::Bool, Flag(&["exploitation", "exploitationKind"]), ("misstanke finns", "Whether a suspicion is on record.")),

    // Safety plan: owner the responsible board.
    field(S::SafetyPlan, ("plan", "plan"), "F51", "safetyPlan", PROSE, Column, ("trygghetsplan", "The plan, as agreed with the child.")),
    field(S::SafetyPlan, ("agreedOn", "agreed_on"), "F51", "safetyPlan", Kind::Date, Column, ("överenskommen", "When the plan was agreed.")),
    field(S::SafetyPlan, ("reviewOn", "review_on"), "F51", "safetyPlan", Kind::Date, Column, ("följs upp", "When the plan is to be reviewed.")),
    field(S::SafetyPlan, ("planExists", "plan_exists"), "F51", "safetyPlanFlag", Kind::Bool, Flag(&["plan"]), ("trygghetsplan finns", "Whether there is a safety plan.")),

    // Concerns: handed in by anyone, decided on by the responsible board.
    field(S::Concerns, ("list", "list"), "F52", "concerns", Kind::Entries(0, &CONCERN), Rows(List::Concerns), ("orosanmälningar", "The worries that were handed in, latest first: your own, or all of them if you are the responsible board.")),

    // Handovers: the parties.
    field(S::Handovers, ("list", "list"), "F28", "handovers", Kind::Entries(0, &HANDOVER), Rows(List::Handovers), ("överlämningar", "The handovers, latest first: all, or those that you are a party of.")),
    field(S::Handovers, ("open", "open"), "F28", "handoverFlag", Kind::Bool, Flag(&["list"]), ("överlämning pågår", "Whether a handover is under way: no contents.")),

    // Missing: the episode that is open, or else the latest. The responsible board, the home and the police.
    field(S::Missing, ("episodeId", "id"), "F53", "missing", Kind::Id("episode"), Kept, ("försvinnande", "The id of the episode.")),
    field(S::Missing, ("status", "state"), "F53", "missing", Kind::Code(Code::MissingStatus), Kept, ("läge", "How far the episode has come.")),
    field(S::Missing, ("since", "opened_at"), "F53", "missing", Kind::Instant, Kept, ("försvunnen sedan", "Since when the child is, or was, missing.")),
    field(S::Missing, ("lastSeenAt", "last_seen_at"), "F53", "missing", Kind::Instant, Kept, ("senast sedd", "When the child was last seen.")),
    field(S::Missing, ("lastSeenPlace", "last_seen_place"), "F53", "missing", LINE, Kept, ("senast sedd var", "Where the child was last seen.")),
    field(S::Missing, ("clothing", "clothing"), "F53", "missing", LINE, Kept, ("klädsel då", "What the child wore when it was last seen.")),
    field(S::Missing, ("circumstances", "circumstances"), "F53", "missing", PROSE, Kept, ("omständigheter", "How the child disappeared: clothes, company, mood.")),
    field(S::Missing, ("closedAt", "closed_at"), "F53", "missing", Kind::Instant, Kept, ("avslutat", "When the episode was closed.")),
    field(S::Missing, ("closedReason", "closed_reason"), "F53", "missing", PROSE, Kept, ("skäl för avslut", "Why the episode was closed.")),
    field(S::Missing, ("isMissing", "is_missing"), "F53", "missingFlag", Kind::Bool, Flag(&["since", "foundAt", "closedAt"]), ("är försvunnen", "Whether the child is missing now: no contents.")),
    field(S::Missing, ("checklist", "checklist"), "F54", "missing", Kind::Entries(0, &CHECKLIST_ITEM), Rows(List::Checklist), ("checklista", "What the routine asks for, and who did it when.")),
    field(S::Missing, ("policeNumber", "police_number"), "F55", "policeReport", Kind::Text(50), Kept, ("polisens diarienummer", "Number of the report with the police.")),
    field(S::Missing, ("policeReference", "police_reference"), "F55", "policeReport", Kind::Text(50), Kept, ("polisens referens", "Another reference of the police, as they give it.")),
    field(S::Missing, ("policeContact", "police_contact"), "F55", "policeReport", LINE, Kept, ("kontakt hos polisen", "Whom to call at the police.")),
    field(S::Missing, ("wantedEntry", "wanted_entry"), "F56", "wanted", Kind::Bool, Kept, ("efterlysning", "Whether the child is entered as missing in national registers or SIS.")),
    field(S::Missing, ("wanted", "wanted"), "F56", "wantedFlag", Kind::Bool, Flag(&["wantedEntry"]), ("efterlysning finns", "Whether there is such an entry: it is to be deleted the day the child is found.")),
    field(S::Missing, ("policeAssessment", "police_assessment"), "F57", "policeAssessment", PROSE, Kept, ("polisens riskbedömning", "How the police assess the risk.")),
    field(S::Missing, ("policeMeasures", "police_measures"), "F57", "policeAssessment", PROSE, Kept, ("polisens åtgärder", "What the police do.")),
    field(S::Missing, ("sightings", "sightings"), "F58", "sightings", Kind::Entries(0, &SIGHTING), Rows(List::Sightings), ("iakttagelser och tips", "Sightings and tips, latest first.")),
    field(S::Missing, ("locatedAt", "located_at"), "F59", "found", Kind::Instant, Kept, ("lokaliserad", "When somebody came to know where the child is.")),
    field(S::Missing, ("foundAt", "found_at"), "F59", "found", Kind::Instant, Kept, ("återfunnen", "When the child was found.")),
    field(S::Missing, ("foundPlace", "found_place"), "F59", "found", LINE, Kept, ("återfunnen var", "Where the child was found.")),
    field(S::Missing, ("foundCondition", "found_condition"), "F59", "found", PROSE, Kept, ("skick", "How the child was when it was found.")),
    field(S::Missing, ("found", "found"), "F59", "foundFlag", Kind::Bool, Flag(&["foundAt"]), ("är återfunnen", "Whether the child was found: no contents.")),
    field(S::Missing, ("followUp", "follow_up"), "F60", "followUp", Kind::Entries(0, &FOLLOW_UP), Rows(List::FollowUp), ("uppföljning", "What was done after the child was found, latest first: all, or your own part.")),
    field(S::Missing, ("followUpDone", "follow_up_done"), "F60", "followUpFlag", Kind::Bool, Flag(&["followUp"]), ("uppföljning gjord", "Whether every part of the follow-up is done: no contents.")),
    field(S::Missing, ("closures", "closures"), "F61", "closures", Kind::Entries(0, &CLOSURE), Rows(List::Closures), ("myndigheternas egna avslut", "Which agencies closed their own matter while the child was missing, latest first.")),
    field(S::Missing, ("earlier", "earlier"), "F53", "missing", Kind::Entries(0, &EARLIER_EPISODE), Earlier, ("tidigare försvinnanden", "Earlier episodes, latest first.")),

    // Consents: the responsible board and överförmyndaren.
    field(S::Consents, ("list", "list"), "F62", "consents", Kind::Entries(0, &CONSENT), Rows(List::Consents), ("samtycken", "The consents, latest first: all, or those to you.")),
];

const MIGRATION: (&str, &str) = ("Migrationsverket", "Migrationsverket");
const BOARD: (&str, &str) = ("the responsible social services board", "ansvarig socialnämnd");
const GUARDIANS: (&str, &str) = ("the chief guardian (överförmyndaren)", "överförmyndaren");
const REGION: (&str, &str) = ("the region (health care)", "regionen (hälso- och sjukvården)");
const SCHOOL: (&str, &str) = ("the school", "skolan");
const POLICE: (&str, &str) = ("the police (missing persons)", "polisen (försvunna personer)");
const PARTIES: (&str, &str) = ("the parties of the handover", "parterna i överlämningen");

const fn group(name: &'static str, owner: (&'static str, &'static str), basis: &'static str) -> Group {
    Group { name, owner, basis, silent: false, consentable: false, flag_of: None }
}

/// A group of flags: whoever reads the group they tell of reads them, too.
const fn flag(name: &'static str, of: &'static str, owner: (&'static str, &'static str), basis: &'static str) -> Group {
    Group { flag_of: Some(of), ..group(name, owner, basis) }
}

const fn consentable(group: Group) -> Group {
    Group { consentable: true, ..group }
}

const fn silent(group: Group) -> Group {
    Group { silent: true, ..group }
}

/// Every policy group: one row of the access matrix each.
pub static GROUPS: [Group; 55] = [
    consentable(group("identity", MIGRATION, "OSL 37 kap. 1 §; 21 kap. 5 §")),
    group("aliases", MIGRATION, "OSL 37 kap. 1 §; 21 kap. 5 §"),
    group("citizenship", MIGRATION, "OSL 37 kap. 1 §; 21 kap. 5 §"),
    consentable(group("languages", BOARD, "OSL 26 kap. 1 §")),
    group("personalNumbers", MIGRATION, "lag (2018:218) 3 kap. 10 §; OSL 22 kap. 1 §"),
    group("dossier", MIGRATION, "OSL 37 kap. 1 §"),
    flag("dossierFlag", "dossier", MIGRATION, "OSL 37 kap. 1 §"),
    group("lmaCard", MIGRATION, "OSL 37 kap. 1 §"),
    silent(group("protection", BOARD, "OSL 21 kap. 3 §; 22 kap. 1 §; 26 kap. 1 §")),
    silent(flag("protectionFlag", "protection", BOARD, "OSL 21 kap. 3 §; 22 kap. 1 §")),
    group("asylumProcess", MIGRATION, "OSL 37 kap. 1 §"),
    flag("asylumFlag", "asylumProcess", MIGRATION, "OSL 37 kap. 1 §"),
    group("transferAndAge", MIGRATION, "OSL 37 kap. 1 §"),
    flag("transferFlag", "transferAndAge", MIGRATION, "OSL 37 kap. 1 §"),
    consentable(group("counsel", MIGRATION, "OSL 37 kap. 1 §")),
    group("return", MIGRATION, "OSL 37 kap. 1 §; 18 kap. 1 §"),
    group("assignment", MIGRATION, "OSL 37 kap. 1 §; 26 kap. 1 §"),
    consentable(group("board", BOARD, "OSL 26 kap. 1 §")),
    group("placementType", BOARD, "OSL 26 kap. 1 §"),
    group("placementUnit", BOARD, "OSL 26 kap. 1 §"),
    group("placementAddress", BOARD, "OSL 26 kap. 1 §; 21 kap. 3 §"),
    group("placementBasis", BOARD, "OSL 26 kap. 1 §"),
    flag("placementBasisFlag", "placementBasis", BOARD, "OSL 26 kap. 1 §"),
    consentable(group("guardian", GUARDIANS, "OSL 32 kap. 4 §")),
    group("healthAssessment", REGION, "OSL 25 kap. 1 §"),
    flag("healthAssessmentFlag", "healthAssessment", REGION, "OSL 25 kap. 1 §"),
    group("healthCritical", REGION, "OSL 25 kap. 1 §; 26 kap. 1 §"),
    group("school", SCHOOL, "OSL 23 kap. 2 §; 23 kap. 5 §"),
    group("absence", SCHOOL, "OSL 23 kap. 2 §"),
    consentable(group("childContact", BOARD, "OSL 26 kap. 1 §; 21 kap. 3 §")),
    group("network", BOARD, "OSL 26 kap. 1 §"),
    consentable(group("voice", BOARD, "OSL 26 kap. 1 §")),
    consentable(group("description", BOARD, "OSL 26 kap. 1 §")),
    group("photo", MIGRATION, "OSL 37 kap. 1 §; 26 kap. 1 §"),
    group("riskIndicators", BOARD, "OSL 26 kap. 1 §"),
    silent(group("exploitation", BOARD, "OSL 26 kap. 1 §; 18 kap. 1 §; 35 kap. 1 §")),
    silent(flag("exploitationFlag", "exploitation", BOARD, "OSL 26 kap. 1 §; 18 kap. 1 §; 35 kap. 1 §")),
    consentable(group("safetyPlan", BOARD, "OSL 26 kap. 1 §")),
    flag("safetyPlanFlag", "safetyPlan", BOARD, "OSL 26 kap. 1 §"),
    group("concerns", BOARD, "OSL 26 kap. 1 §; 26 kap. 9 a §"),
    group("handovers", PARTIES, "OSL 26 kap. 1 §; 37 kap. 1 §"),
    flag("handoverFlag", "handovers", PARTIES, "OSL 26 kap. 1 §; 37 kap. 1 §"),
    group("missing", BOARD, "OSL 26 kap. 1 §"),
    consentable(flag("missingFlag", "missing", BOARD, "OSL 26 kap. 1 §")),
    group("policeReport", POLICE, "OSL 18 kap. 1 §; 35 kap. 1 §"),
    silent(group("wanted", POLICE, "OSL 18 kap. 1 §; 35 kap. 1 §; lag (2021:1187)")),
    silent(flag("wantedFlag", "wanted", POLICE, "OSL 18 kap. 1 §; 35 kap. 1 §; lag (2021:1187)")),
    silent(group("policeAssessment", POLICE, "OSL 18 kap. 1 §; 35 kap. 1 §")),
    silent(group("sightings", POLICE, "OSL 18 kap. 1 §; 35 kap. 1 §; 26 kap. 1 §")),
    group("found", BOARD, "OSL 26 kap. 1 §"),
    consentable(flag("foundFlag", "found", BOARD, "OSL 26 kap. 1 §")),
    group("followUp", BOARD, "OSL 26 kap. 1 §; 25 kap. 1 §"),
    flag("followUpFlag", "followUp", BOARD, "OSL 26 kap. 1 §; 25 kap. 1 §"),
    group("closures", BOARD, "OSL 26 kap. 1 §; 37 kap. 1 §; 32 kap. 4 §"),
    group("consents", BOARD, "OSL 26 kap. 1 §; 32 kap. 4 §"),
];
