//! Code lists: the closed ones, and those that a register or a standard keeps.

use crate::reference;

/// A code list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    Sex,
    Country,
    Language,
    Municipality,
    ProtectionLevel,
    AsylumStage,
    AsylumOutcome,
    AgeAssessmentStage,
    AgeAssessmentResult,
    ReturnPhase,
    ReturnLead,
    PlacementType,
    PlacementBasis,
    GuardianType,
    RiskIndicator,
    ExploitationKind,
    IdentityLevel,
    MissingStatus,
    FollowUpPart,
}

/// A value of a closed list: the code, its Swedish term, its meaning in English.
#[derive(Debug)]
pub struct CodeValue {
    pub code: &'static str,
    pub sv: &'static str,
    pub en: &'static str,
}

macro_rules! value {
    ($code:literal, $sv:literal, $en:literal) => {
        CodeValue { code: $code, sv: $sv, en: $en }
    };
}

impl Code {
    /// Every code list.
    pub const ALL: [Code; 19] = [
        Code::Sex,
        Code::Country,
        Code::Language,
        Code::Municipality,
        Code::ProtectionLevel,
        Code::AsylumStage,
        Code::AsylumOutcome,
        Code::AgeAssessmentStage,
        Code::AgeAssessmentResult,
        Code::ReturnPhase,
        Code::ReturnLead,
        Code::PlacementType,
        Code::PlacementBasis,
        Code::GuardianType,
        Code::RiskIndicator,
        Code::ExploitationKind,
        Code::IdentityLevel,
        Code::MissingStatus,
        Code::FollowUpPart,
    ];

    /// The name of the GraphQL enum or scalar.
    pub const fn type_name(self) -> &'static str {
        match self {
            Code::Sex => "Sex",
            Code::Country => "CountryCode",
            Code::Language => "LanguageCode",
            Code::Municipality => "MunicipalityCode",
            Code::ProtectionLevel => "ProtectionLevel",
            Code::AsylumStage => "AsylumStage",
            Code::AsylumOutcome => "AsylumOutcome",
            Code::AgeAssessmentStage => "AgeAssessmentStage",
            Code::AgeAssessmentResult => "AgeAssessmentResult",
            Code::ReturnPhase => "ReturnPhase",
            Code::ReturnLead => "ReturnLead",
            Code::PlacementType => "PlacementType",
            Code::PlacementBasis => "PlacementBasis",
            Code::GuardianType => "GuardianType",
            Code::RiskIndicator => "RiskIndicatorCode",
            Code::ExploitationKind => "ExploitationKind",
            Code::IdentityLevel => "IdentityLevel",
            Code::MissingStatus => "MissingStatus",
            Code::FollowUpPart => "FollowUpPart",
        }
    }

    /// What the list is, in English with the Swedish term.
    pub const fn description(self) -> &'static str {
        match self {
            Code::Sex => "Sex as registered (*kön*).",
            Code::Country => "A country, ISO 3166-1 alpha-2, in upper case (*land*): `AF`, `SE`.",
            Code::Language => "A language, ISO 639-3, in lower case (*språk*): `prs`, `swe`.",
            Code::Municipality => "A Swedish municipality, four digits with leading zero (*kommunkod*): `1280`.",
            Code::ProtectionLevel => "Level of protected personal data (*skyddade personuppgifter*).",
            Code::AsylumStage => "How far the asylum case has come (*skede i asylärendet*).",
            Code::AsylumOutcome => "The outcome of an asylum decision (*utgång*).",
            Code::AgeAssessmentStage => "How far an age assessment has come (*åldersbedömning*).",
            Code::AgeAssessmentResult => "The result of an age assessment (*åldersbedömning*).",
            Code::ReturnPhase => "How far a return has come (*återvändande*).",
            Code::ReturnLead => "Which agency leads a return (*ansvarig för återvändandet*).",
            Code::PlacementType => "Kind of placement (*placeringsform*).",
            Code::PlacementBasis => "The act a placement rests on (*lagrum*).",
            Code::GuardianType => "Kind of guardian (*ställföreträdare*).",
            Code::RiskIndicator => "An observed risk indicator (*riskindikator*). Never scored into a decision.",
            Code::ExploitationKind => "Kind of a suspicion (*slag av misstanke*).",
            Code::IdentityLevel => "How well an identity is established (*identitetsnivå*; lag 2022:1697, 2 kap.).",
            Code::MissingStatus => "How far a missing episode has come (*läge i ett försvinnande*).",
            Code::FollowUpPart => "A part of what follows when a missing child was found (*uppföljning*).",
        }
    }

    /// The values of a closed list; `None` where a register or a standard keeps the list.
    pub const fn values(self) -> Option<&'static [CodeValue]> {
        Some(match self {
            Code::Country | Code::Language | Code::Municipality => return None,
            Code::Sex => &[value!("FEMALE", "kvinna", "Female."), value!("MALE", "man", "Male.")],
            Code::ProtectionLevel => &[
                value!("NONE", "inget skydd", "No protection."),
                value!("MARKED", "sekretessmarkering", "Marked by Skatteverket; every disclosure must be assessed."),
                value!(
                    "REGISTERED",
                    "skyddad folkbokföring",
                    "Protected registration: the address is never stored or shown."
                ),
                value!(
                    "LOCAL",
                    "lokalt adresskydd",
                    "Protected by decision of the board or Migrationsverket; as MARKED."
                ),
            ],
            Code::AsylumStage => &[
                value!("NOT_APPLIED", "inte sökt", "No application yet."),
                value!("APPLIED", "ansökt", "Applied."),
                value!("INVESTIGATION", "utredning", "Under investigation."),
                value!("DECISION_PENDING", "beslut väntas", "A decision is expected."),
                value!("DECIDED", "beslutat", "Decided."),
                value!("APPEALED", "överklagat", "Appealed."),
                value!("FINAL", "laga kraft", "Final."),
                value!("WITHDRAWN", "återtaget", "Withdrawn."),
            ],
            Code::AsylumOutcome => &[
                value!("PERMIT", "uppehållstillstånd", "A residence permit."),
                value!("REFUSAL", "avslag", "Refused."),
                value!("TRANSFER", "överföring", "Transfer to another state."),
                value!("DISMISSED", "avvisad ansökan", "Dismissed without examination."),
            ],
            Code::AgeAssessmentStage => &[
                value!("NONE", "ingen", "No age assessment."),
                value!("CONSIDERED", "övervägs", "Under consideration."),
                value!("OFFERED", "erbjuden", "A medical assessment is offered."),
                value!("TEMPORARY_DECISION", "tillfälligt beslut", "Temporary decision, in effect at once."),
                value!("FINAL_DECISION", "slutligt beslut", "Final decision."),
            ],
            Code::AgeAssessmentResult => &[
                value!("CHILD", "barn", "Assessed as a child."),
                value!("ADULT", "vuxen", "Assessed as an adult."),
                value!("INCONCLUSIVE", "oklart", "No clear result."),
            ],
            Code::ReturnPhase => &[
                value!("NONE", "inget", "No return."),
                value!("TALKS", "återvändandesamtal", "Talks on returning."),
                value!("PLANNED", "planerat", "A return is planned."),
                value!("WITH_POLICE", "överlämnat till polisen", "Handed to the police for enforcement."),
                value!("CARRIED_OUT", "verkställt", "Carried out."),
            ],
            Code::ReturnLead => &[
                value!("MIGRATION", "Migrationsverket", "Migrationsverket leads."),
                value!("POLICE", "Polismyndigheten", "The police leads."),
            ],
            Code::PlacementType => &[
                value!("HVB", "hem för vård eller boende", "Care home."),
                value!("STODBOENDE", "stödboende", "Supported flat, from 16 years."),
                value!("FAMILJEHEM", "familjehem", "Foster home."),
                value!("JOURHEM", "jourhem", "Emergency foster home."),
                value!("NATVERKSHEM", "nätverkshem", "Home of a relative or another near to the child."),
                value!("SIS_UNGDOMSHEM", "särskilt ungdomshem", "Secure home of Statens institutionsstyrelse."),
                value!("ANKOMSTBOENDE", "ankomstboende", "Arrival accommodation."),
                value!("OTHER", "annat", "Another kind."),
            ],
            Code::PlacementBasis => &[
                value!("SOL", "socialtjänstlagen", "Voluntary, SoL (2025:400)."),
                value!("LVU_2", "LVU 2 §", "Care order because of the home, LVU section 2."),
                value!("LVU_3", "LVU 3 §", "Care order because of own conduct, LVU section 3."),
                value!("LVU_6", "LVU 6 §", "Immediate care, LVU section 6."),
                value!("LMA", "LMA", "Reception of asylum seekers, LMA (1994:137)."),
            ],
            Code::GuardianType => &[
                value!("GOD_MAN", "god man", "Guardian for an unaccompanied child (lag 2005:429)."),
                value!("SFV", "särskilt förordnad vårdnadshavare", "Specially appointed custodian."),
                value!("PARENT", "vårdnadshavare", "A parent who has come since."),
            ],
            Code::RiskIndicator => &[
                value!("REFUSAL_EXPECTED_OR_SERVED", "avslag väntas eller delgivet", "Refusal expected or served."),
                value!("TRANSFER_DECISION", "överföringsbeslut", "Decision on transfer."),
                value!("AGE_REASSESSED", "ålder omprövad", "Age reassessed."),
                value!("EIGHTEEN_WITHIN_90_DAYS", "18 år inom 90 dagar", "18th birthday within 90 days."),
                value!("MOVE_PENDING", "omplacering eller anvisning väntas", "Re-placement or assignment pending."),
                value!("GUARDIAN_MISSING_OR_CHANGED", "god man saknas eller byts", "Guardian missing or changed."),
                value!(
                    "LOW_RECOGNITION_COUNTRY",
                    "land med låg bifallsandel",
                    "Country of origin with low recognition."
                ),
                value!("EARLIER_DISAPPEARANCE", "tidigare försvinnande", "Earlier disappearance."),
                value!("UNEXCUSED_ABSENCE", "ogiltig frånvaro", "Unexcused absence."),
                value!("ISOLATION", "isolering, inget nätverk", "Isolation, no network."),
                value!("DEBTS", "skulder", "Debts."),
                value!("UNKNOWN_ADULT", "okänd vuxen", "An unknown adult picks up, calls or pays."),
                value!(
                    "UNEXPLAINED_MEANS",
                    "oförklarade tillgångar",
                    "Several phones, new expensive things, or no money at all."
                ),
                value!(
                    "SIGNS_OF_HARM",
                    "tecken på våld eller utnyttjande",
                    "Signs of violence, sexual exploitation, drugs or street crime."
                ),
                value!("RISK_ENVIRONMENT", "påträffad i riskmiljö", "Found in a risk environment."),
                value!("COACHED_STORY", "inlärd berättelse", "A coached story."),
                value!("HONOUR_THREAT", "hot eller hedersvåld", "Threat or honour violence."),
                value!("SELF_HARM_TALK", "tal om självskada", "Talk of self-harm or suicide."),
                value!("RELATIVES_IN_EU", "släkt i annat EU-land", "Relatives elsewhere in the EU."),
                value!("CONFLICT_WITH_HOME", "misstro eller konflikt med boendet", "Distrust of the home, conflict."),
                value!("TRAFFICKED_ON_ROUTE", "utsatt under resan", "Trafficked on the route."),
            ],
            Code::ExploitationKind => &[
                value!("TRAFFICKING", "människohandel", "Trafficking."),
                value!("SEXUAL", "sexuell exploatering", "Sexual exploitation."),
                value!("LABOUR", "arbetskraftsexploatering", "Labour exploitation."),
                value!("CRIME", "utnyttjas för brott", "Used for crime."),
                value!("HONOUR", "hedersrelaterat våld", "Honour-related violence."),
                value!("OTHER", "annat", "Another kind."),
            ],
            Code::IdentityLevel => &[
                value!("PROVEN", "styrkt", "Proven."),
                value!("PROBABLE", "sannolik", "Probable."),
                value!("UNCERTAIN", "osäker", "Uncertain; for special purposes only."),
            ],
            Code::MissingStatus => &[
                value!("SUSPECTED", "befaras försvunnen", "Feared missing, not yet reported to the police."),
                value!("REPORTED", "polisanmäld", "Reported to the police."),
                value!("SEARCHING", "eftersöks", "Searched for."),
                value!("LOCATED", "lokaliserad", "Somebody knows where the child is."),
                value!("SAFE", "i trygghet", "The child is safe; the follow-up is not done."),
                value!("CLOSED", "avslutat", "Closed."),
            ],
            Code::FollowUpPart => &[
                value!("RETURN_TALK", "återkomstsamtal", "The talk with the child on its return."),
                value!("HEALTH_CHECK", "hälsokontroll", "The health check."),
                value!("EXPLOITATION_SCREENING", "screening för exploatering", "The screening for exploitation."),
                value!("PLACEMENT_REVIEW", "omprövad placering", "The review of the placement."),
            ],
        })
    }

    /// Whether the list holds this code, exactly as written.
    pub fn contains(self, code: &str) -> bool {
        match (self, self.values()) {
            (_, Some(values)) => values.iter().any(|value| value.code == code),
            (Code::Country, None) => code.len() == 2 && rust_iso3166::from_alpha2(code).is_some(),
            (Code::Language, None) => isolang::Language::from_639_3(code).is_some(),
            (_, None) => reference::municipality(code).is_some(),
        }
    }
}
