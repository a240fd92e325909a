//! One error for the whole hub, and the catalogue of what callers are told.

use crate::catalogue::Invalid;
use crate::ids::WrongId;

macro_rules! codes {
    ($($variant:ident $code:literal $status:literal
        en $en:literal sv $sv:literal do $remedy_en:literal / $remedy_sv:literal;)+) => {
        /// A stable code, as in `extensions.code`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ErrorCode { $(#[doc = $en] $variant,)+ }

        impl ErrorCode {
            /// Every code.
            pub const ALL: &'static [ErrorCode] = &[$(ErrorCode::$variant,)+];

            /// The code that is written so.
            pub fn from_code(code: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.entry().code == code)
            }

            /// The catalogue entry.
            pub const fn entry(self) -> &'static ErrorEntry {
                match self {
                    $(ErrorCode::$variant => &ErrorEntry {
                        code: $code, status: $status, en: $en, sv: $sv, remedy_en: $remedy_en, remedy_sv: $remedy_sv,
                    },)+
                }
            }
        }
    };
}

/// What a code means and what to do about it.
#[derive(Debug)]
pub struct ErrorEntry {
    /// The stable code.
    pub code: &'static str,
    /// The HTTP status when the whole request fails for it.
    pub status: u16,
    /// One sentence in English.
    pub en: &'static str,
    /// The same in Swedish.
    pub sv: &'static str,
    /// What to do, in English.
    pub remedy_en: &'static str,
    /// The same in Swedish.
    pub remedy_sv: &'static str,
}

codes! {
    Unauthenticated "UNAUTHENTICATED" 401
        en "the request carries no valid access token" sv "anropet saknar en giltig åtkomsttoken"
        do "send `Authorization: Bearer <token>` with a token from your agency's issuer" / "skicka `Authorization: Bearer <token>` med en token från er myndighets utfärdare";
    TokenExpired "TOKEN_EXPIRED" 401
        en "the access token has expired" sv "åtkomsttoken har gått ut"
        do "fetch a new token and send the request again" / "hämta en ny token och skicka anropet igen";
    TokenRefused "TOKEN_REFUSED" 401
        en "the access token is not accepted here" sv "åtkomsttoken godtas inte här"
        do "check issuer, audience, signature, role and lifetime against the hub's configuration" / "kontrollera utfärdare, mottagare, signatur, roll och livslängd mot hubbens inställningar";
    PurposeRequired "PURPOSE_REQUIRED" 400
        en "the header Samverka-Purpose is required to touch a child's record" sv "huvudet Samverka-Purpose krävs för att röra ett barns uppgifter"
        do "state one purpose of those that `me { purposes }` lists" / "ange ett ändamål av dem som `me { purposes }` räknar upp";
    PurposeUnknown "PURPOSE_UNKNOWN" 400
        en "the header Samverka-Purpose holds no known purpose" sv "huvudet Samverka-Purpose anger inget känt ändamål"
        do "state one purpose of those that `me { purposes }` lists" / "ange ett ändamål av dem som `me { purposes }` räknar upp";
    PurposeNotAllowed "PURPOSE_NOT_ALLOWED" 403
        en "your role may not state this purpose" sv "er roll får inte ange detta ändamål"
        do "state one purpose of those that `me { purposes }` lists" / "ange ett ändamål av dem som `me { purposes }` räknar upp";
    HeaderInvalid "HEADER_INVALID" 400
        en "a Samverka header is too long, sent twice, or not printable ASCII" sv "ett Samverka-huvud är för långt, skickat två gånger eller inte utskrivbar ASCII"
        do "send each header once, with at most 128 printable ASCII characters" / "skicka varje huvud en gång, med högst 128 utskrivbara ASCII-tecken";
    IdempotencyKeyInvalid "IDEMPOTENCY_KEY_INVALID" 400
        en "the header Idempotency-Key is sent twice, or is not a key" sv "huvudet Idempotency-Key är skickat två gånger eller är ingen nyckel"
        do "send it once, with 1 to 255 visible ASCII characters, in quotes or without; a UUID will do" / "skicka det en gång, med 1 till 255 synliga ASCII-tecken, inom citattecken eller utan; ett UUID går bra";
    IdempotencyKeyReused "IDEMPOTENCY_KEY_REUSED" 422
        en "this Idempotency-Key stands for another request of yours; nothing was done" sv "denna Idempotency-Key står för ett annat anrop från er; inget gjordes"
        do "repeat a request with the same key, document, variables, role and purpose; take a new key for a new one" / "upprepa ett anrop med samma nyckel, dokument, variabler, roll och ändamål; ta en ny nyckel för ett nytt";
    NotFound "NOT_FOUND" 200
        en "no such child is known to your agency" sv "inget sådant barn är känt för er myndighet"
        do "check the id or number; if the child is new to you, ask the agency that leads the case" / "kontrollera id eller nummer; är barnet nytt för er, fråga den myndighet som leder ärendet";
    Ambiguous "AMBIGUOUS" 200
        en "several children that you may find have this number" sv "flera barn som ni får hitta har detta nummer"
        do "find the child by another number or by its id, and tell the agency that leads the case of the double" / "hitta barnet på ett annat nummer eller på sitt id, och säg till den myndighet som leder ärendet om dubbletten";
    NoSuchEntry "NO_SUCH_ENTRY" 200
        en "the child's record has no such entry now" sv "barnets uppgifter har ingen sådan post nu"
        do "read the section again: use an id from its list, or start a placement where there is none" / "läs avsnittet igen: använd ett id ur dess lista, eller påbörja en placering om ingen finns";
    Forbidden "FORBIDDEN" 200
        en "your role may not do this to this field in this situation" sv "er roll får inte göra detta med fältet i den här situationen"
        do "leave the field out, suggest it with `suggestCorrection`, or ask its owner; `fieldRules` shows the rules" / "utelämna fältet, föreslå det med `suggestCorrection` eller fråga dess ägare; `fieldRules` visar reglerna";
    OperationForbidden "OPERATION_FORBIDDEN" 200
        en "your role may not do this for this purpose" sv "er roll får inte göra detta för detta ändamål"
        do "use a token of a role that may, or state another purpose" / "använd en token för en roll som får, eller ange ett annat ändamål";
    Conflict "CONFLICT" 200
        en "the section has changed since you read it; nothing was written" sv "avsnittet har ändrats sedan ni läste det; inget skrevs"
        do "read the section again, apply your change to it, and send its new version" / "läs avsnittet igen, gör om ändringen och skicka den nya versionen";
    InvalidId "INVALID_ID" 200
        en "this is not an id of the kind asked for" sv "detta är inte ett id av rätt slag"
        do "pass an id of the kind that `extensions.expected` names, as the hub gave it" / "skicka ett id av det slag som `extensions.expected` anger, som hubben gav det";
    InvalidIdentifier "INVALID_IDENTIFIER" 200
        en "the number does not have the form of its kind" sv "numret har inte rätt form för sitt slag"
        do "write it in the form that `extensions.expected` names" / "skriv det i den form som `extensions.expected` anger";
    CheckDigit "CHECK_DIGIT" 200
        en "the number's check digit is wrong" sv "numrets kontrollsiffra är fel"
        do "compare the number with its source; a digit is mistyped" / "jämför numret med källan; någon siffra är felskriven";
    UnknownCode "UNKNOWN_CODE" 200
        en "the code is not in its list" sv "koden finns inte i sin kodlista"
        do "use a code of the list that `extensions.expected` names" / "använd en kod ur den lista som `extensions.expected` anger";
    InvalidDate "INVALID_DATE" 200
        en "this is not a day between 1900 and 2199" sv "detta är inte en dag mellan 1900 och 2199"
        do "write the day as YYYY-MM-DD" / "skriv dagen som ÅÅÅÅ-MM-DD";
    DateOrder "DATE_ORDER" 200
        en "the day does not fit the days around it" sv "dagen stämmer inte med dagarna runt den"
        do "choose a day as `extensions.expected` names" / "välj en dag som `extensions.expected` anger";
    Required "REQUIRED" 200
        en "a value is required here" sv "här krävs ett värde"
        do "set it, and do not clear it" / "ange det, och töm det inte";
    EmptyList "EMPTY_LIST" 200
        en "an empty list is not a value" sv "en tom lista är inget värde"
        do "to empty a field, name it in `clear`" / "för att tömma ett fält, nämn det i `clear`";
    TooLong "TOO_LONG" 200
        en "the value is longer than the field takes" sv "värdet är längre än fältet rymmer"
        do "shorten it to at most `extensions.limit` characters or items" / "korta det till högst `extensions.limit` tecken eller poster";
    InvalidText "INVALID_TEXT" 200
        en "the text is empty or holds control characters" sv "texten är tom eller innehåller styrtecken"
        do "send readable text; to empty a field, name it in `clear`" / "skicka läsbar text; för att tömma ett fält, nämn det i `clear`";
    InvalidFormat "INVALID_FORMAT" 200
        en "the value does not have the format of its field" sv "värdet har inte fältets format"
        do "write it as `extensions.expected` names" / "skriv det som `extensions.expected` anger";
    InvalidInput "INVALID_INPUT" 200
        en "the value is not of the field's type" sv "värdet är inte av fältets typ"
        do "compare the input with the schema" / "jämför indata med schemat";
    NothingToDo "NOTHING_TO_DO" 200
        en "the mutation sets and clears nothing" sv "anropet varken sätter eller tömmer något"
        do "name at least one field in `set` or `clear`; a null changes nothing" / "nämn minst ett fält i `set` eller `clear`; null ändrar inget";
    SetAndCleared "SET_AND_CLEARED" 200
        en "a field is both set and cleared" sv "ett fält både sätts och töms"
        do "name the field in `set` or in `clear`, not in both" / "nämn fältet i `set` eller i `clear`, inte i båda";
    InvalidCursor "INVALID_CURSOR" 200
        en "the cursor is not one the hub gave to you for this list" sv "markören är inte en som hubben gav er för denna lista"
        do "pass the cursor of the page before (`pageInfo.endCursor`; of `changes`: `cursor`), unchanged, with the same other arguments, or leave `after` out" / "skicka föregående sidas markör (`pageInfo.endCursor`; av `changes`: `cursor`) oförändrad, med samma övriga argument, eller utelämna `after`";
    PageSize "PAGE_SIZE" 200
        en "`first` must be from 1 to 100" sv "`first` ska vara från 1 till 100"
        do "ask for at most 100 and fetch the next page with `after`" / "be om högst 100 och hämta nästa sida med `after`";
    FilterTooLarge "FILTER_TOO_LARGE" 200
        en "the filter compares too much or is nested too deeply" sv "filtret jämför för mycket eller är för djupt nästlat"
        do "use at most `extensions.limit` comparisons or levels, and ask several times if need be" / "använd högst `extensions.limit` jämförelser eller nivåer, och fråga flera gånger vid behov";
    UnknownAgency "UNKNOWN_AGENCY" 200
        en "no agency of the hub has this id" sv "ingen myndighet i hubben har detta id"
        do "take the id from `agencies`" / "ta id:t från `agencies`";
    AgencyKind "AGENCY_KIND" 200
        en "an agency of this kind cannot be that to a child" sv "en aktör av det här slaget kan inte vara det för ett barn"
        do "choose an agency of a kind that `extensions.expected` names, from `agencies`" / "välj en aktör av ett slag som `extensions.expected` anger, ur `agencies`";
    NotOfAge "NOT_OF_AGE" 200
        en "the child does not come of age soon, or not by the arrival, or its birth date is not on record" sv "barnet blir inte myndigt snart, eller inte till ankomsten, eller saknar födelsedatum i uppgifterna"
        do "propose it within 90 days of the 18th birthday, with an arrival on that day or later; until then a board answers for the child" / "föreslå det tidigast 90 dagar före 18-årsdagen, med ankomst den dagen eller senare; till dess svarar en nämnd för barnet";
    UseUpdate "USE_UPDATE" 200
        en "your role may write this field itself" sv "er roll får själv skriva detta fält"
        do "change it with the section's update; suggest what others write" / "ändra det med avsnittets ändringsanrop; föreslå det som andra skriver";
    SuggestionDecided "SUGGESTION_DECIDED" 200
        en "the suggestion, or this field of it, has been decided on" sv "förslaget, eller detta fält i det, är redan avgjort"
        do "read the suggestion again; only fields that are OPEN can be accepted or declined" / "läs förslaget igen; bara fält som är OPEN kan godtas eller avslås";
    TooManySuggestions "TOO_MANY_SUGGESTIONS" 200
        en "your agency has made as many suggestions about this child as it may in a day" sv "er aktör har lämnat så många förslag om detta barn som går på ett dygn"
        do "gather what belongs together in one suggestion, or wait a day" / "samla det som hör ihop i ett förslag, eller vänta ett dygn";
    ReviewPending "REVIEW_PENDING" 200
        en "an emergency access of your agency was not reviewed in time" sv "en nödåtkomst av er aktör har inte granskats i tid"
        do "call 112 or the board's duty phone now, and ask your data protection officer to review it: `breakGlassReviews`" / "ring 112 eller nämndens jourtelefon nu, och be ert dataskyddsombud granska den: `breakGlassReviews`";
    TooManyToday "TOO_MANY_TODAY" 200
        en "your agency has done this as often as it may in a day" sv "er aktör har gjort detta så ofta som går på ett dygn"
        do "wait a day; what cannot wait goes by telephone: 112 where life is in danger, else 114 14 (police) or the board's duty phone" / "vänta ett dygn; det som inte kan vänta tas per telefon: 112 vid fara för liv, annars 114 14 (polis) eller nämndens jourtelefon";
    PhotoType "PHOTO_TYPE" 415
        en "the photo must be image/jpeg or image/png" sv "fotografiet ska vara image/jpeg eller image/png"
        do "send the photo as it is with `Content-Type: image/jpeg` or `image/png`" / "skicka fotografiet som det är med `Content-Type: image/jpeg` eller `image/png`";
    PhotoInvalid "PHOTO_INVALID" 422
        en "the body is not a whole image of its Content-Type" sv "kroppen är inte en hel bild av sin Content-Type"
        do "open the file in an image viewer, save it as JPEG or PNG, and send that" / "öppna filen i ett bildprogram, spara den som JPEG eller PNG och skicka den";
    PhotoTooLarge "PHOTO_TOO_LARGE" 413
        en "the photo is larger than the hub takes" sv "fotografiet är större än hubben tar emot"
        do "scale it down to at most 2,000,000 bytes and 4,096 pixels a side; a JPEG is smaller than a PNG" / "förminska det till högst 2 000 000 byte och 4 096 bildpunkter per sida; en JPEG är mindre än en PNG";
    ParseFailed "GRAPHQL_PARSE_FAILED" 400
        en "the document is not GraphQL" sv "dokumentet är inte GraphQL"
        do "correct the syntax at `locations`" / "rätta syntaxen vid `locations`";
    ValidationFailed "GRAPHQL_VALIDATION_FAILED" 400
        en "the document does not fit the schema" sv "dokumentet passar inte schemat"
        do "compare it with schema.graphql" / "jämför det med schema.graphql";
    BadRequest "BAD_REQUEST" 400
        en "the body is not a GraphQL request in JSON" sv "kroppen är inte ett GraphQL-anrop i JSON"
        do "send one JSON object with `query`, and if need be `variables` and `operationName`" / "skicka ett JSON-objekt med `query` och vid behov `variables` och `operationName`";
    BodyTooSlow "BODY_TOO_SLOW" 408
        en "the body did not come in time" sv "kroppen kom inte i tid"
        do "send the request again, at once and whole" / "skicka anropet igen, genast och helt";
    BodyTooLarge "BODY_TOO_LARGE" 413
        en "the body is larger than the hub takes" sv "kroppen är större än hubben tar emot"
        do "send at most 256 KiB" / "skicka högst 256 KiB";
    UnsupportedMediaType "UNSUPPORTED_MEDIA_TYPE" 415
        en "the body must be application/json, in UTF-8 and not compressed" sv "kroppen ska vara application/json, i UTF-8 och inte komprimerad"
        do "send `Content-Type: application/json`, no other charset, and no `Content-Encoding`" / "skicka `Content-Type: application/json`, ingen annan teckenkodning och inget `Content-Encoding`";
    NotAcceptable "NOT_ACCEPTABLE" 406
        en "the header Accept admits no media type that the hub answers in" sv "huvudet Accept medger ingen mediatyp som hubben svarar med"
        do "send `Accept: application/graphql-response+json, application/json;q=0.9`, or leave it out" / "skicka `Accept: application/graphql-response+json, application/json;q=0.9`, eller utelämna det";
    MethodNotAllowed "METHOD_NOT_ALLOWED" 405
        en "this address does not take this method" sv "denna adress tar inte emot denna metod"
        do "use a method that the header Allow names: POST for GraphQL, GET and PUT for a photo" / "använd en metod som huvudet Allow anger: POST för GraphQL, GET och PUT för ett fotografi";
    NoSuchPath "NO_SUCH_PATH" 404
        en "there is nothing at this address" sv "det finns inget på denna adress"
        do "send GraphQL to /graphql" / "skicka GraphQL till /graphql";
    QueryRefused "QUERY_REFUSED" 400
        en "the document is nested too deeply, spreads fragments too often, or asks for too much at once" sv "dokumentet är för djupt nästlat, sprider fragment för ofta eller frågar efter för mycket på en gång"
        do "ask for less in one request, until `extensions.found` is at most `extensions.limit`" / "fråga efter mindre i ett anrop, tills `extensions.found` är högst `extensions.limit`";
    TooManyRequests "TOO_MANY_REQUESTS" 429
        en "your agency has too many requests under way" sv "er myndighet har för många anrop på gång"
        do "wait for answers before you ask more, or ask for less at a time" / "vänta på svar innan ni frågar mer, eller fråga efter mindre åt gången";
    AuditUnavailable "AUDIT_UNAVAILABLE" 503
        en "the access log cannot be written, so nothing is shown" sv "åtkomstloggen kan inte skrivas, därför visas inget"
        do "send the request again in a moment, a mutation with the same `Idempotency-Key`; without one a change may have been made, so read before you repeat it" / "skicka anropet igen om en stund, en mutation med samma `Idempotency-Key`; utan en sådan kan en ändring ha gjorts, så läs innan ni upprepar den";
    DecisionStale "DECISION_STALE" 503
        en "who may see what changed while it was answered, so nothing is shown" sv "vem som får se vad ändrades medan svaret togs fram, därför visas inget"
        do "send the request again, a mutation with the same `Idempotency-Key`; without one a change may have been made, so read before you repeat it" / "skicka anropet igen, en mutation med samma `Idempotency-Key`; utan en sådan kan en ändring ha gjorts, så läs innan ni upprepar den";
    Unavailable "UNAVAILABLE" 503
        en "the hub cannot reach its database" sv "hubben når inte sin databas"
        do "send the request again in a moment" / "skicka anropet igen om en stund";
    Internal "INTERNAL" 500
        en "the hub failed to answer" sv "hubben kunde inte svara"
        do "report it with the request id in the header X-Request-Id" / "anmäl det med anropets id i huvudet X-Request-Id";
}

/// One input that was refused: where, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The path of the input: argument, then the way into it.
    pub input: Vec<String>,
    /// What is wrong.
    pub code: ErrorCode,
    /// The form, list or format that is asked for.
    pub expected: Option<String>,
    /// The most that is taken.
    pub limit: Option<usize>,
    /// The rule that forbids it.
    pub rule: Option<String>,
    /// Whom to ask about it, in English and in Swedish.
    pub ask: Option<(&'static str, &'static str)>,
    /// The state that what is asked about is in, and the steps that are possible from there: mutations, by name.
    pub state: Option<(&'static str, Vec<&'static str>)>,
}

/// What is said of a step that is not possible where something stands: a sentence, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepWords {
    /// In English.
    pub en: String,
    /// In Swedish.
    pub sv: String,
    /// What to do, in English.
    pub remedy_en: &'static str,
    /// The same in Swedish.
    pub remedy_sv: &'static str,
}

impl Refusal {
    /// A refusal of the input at a path.
    pub fn at<S: Into<String>>(code: ErrorCode, input: impl IntoIterator<Item = S>) -> Self {
        let input = input.into_iter().map(Into::into).collect();
        Refusal { input, code, expected: None, limit: None, rule: None, ask: None, state: None }
    }

    /// The same, with what is asked for.
    #[must_use]
    pub fn expecting(self, expected: impl Into<String>) -> Self {
        Refusal { expected: Some(expected.into()), ..self }
    }

    /// The refusal of a step that is not possible in this state: the state, and the steps that are.
    pub fn in_state<S: Into<String>>(
        input: impl IntoIterator<Item = S>,
        state: &'static str,
        next: impl IntoIterator<Item = &'static str>,
    ) -> Self {
        Refusal { state: Some((state, next.into_iter().collect())), ..Refusal::at(ErrorCode::Conflict, input) }
    }

    /// What is said of a step that is not possible in a state, or is not the caller's for this child; none of any other refusal,
    /// of which its code tells all.
    pub fn words(&self) -> Option<StepWords> {
        if self.code == ErrorCode::Forbidden && self.input.is_empty() {
            return Some(StepWords {
                en: "your role may not do this for this child in this situation".to_owned(),
                sv: "er roll får inte göra detta för barnet i den här situationen".to_owned(),
                remedy_en: "leave it to the agency whose step it is, or ask the agency that leads the case; `extensions.rule` names the rule",
                remedy_sv: "låt den aktör vars steg det är göra det, eller fråga den som leder ärendet; `extensions.rule` anger regeln",
            });
        }
        let (state, next) = self.state.as_ref()?;
        let steps = next.iter().map(|step| format!("`{step}`")).collect::<Vec<_>>().join(", ");
        let (en, sv) = match self.code {
            ErrorCode::Forbidden => ("this step is another party's", "steget är en annan parts"),
            _ if self.expected.is_some() => (
                "this step waits for what `extensions.expected` names",
                "steget väntar på det som `extensions.expected` anger",
            ),
            _ => ("this step is not possible", "steget är inte möjligt"),
        };
        let (en, sv) = (format!("{en} in the state `{state}`"), format!("{sv} i läget `{state}`"));
        Some(if next.is_empty() {
            StepWords {
                en: format!("{en}, and you have none to take here; nothing was written"),
                sv: format!("{sv}, och ni har inget steg att ta här; inget skrevs"),
                remedy_en: "read it again before you go on: it may be finished, or another party's turn",
                remedy_sv: "läs om innan ni går vidare: det kan vara avslutat, eller en annan parts tur",
            }
        } else {
            StepWords {
                en: format!("{en}; you can go on with {steps}; nothing was written"),
                sv: format!("{sv}; ni kan gå vidare med {steps}; inget skrevs"),
                remedy_en: "take a step that `extensions.next` names, or read the state again",
                remedy_sv: "ta ett steg som `extensions.next` anger, eller läs läget igen",
            }
        })
    }

    /// A refusal of a value.
    pub fn of_value(input: Vec<String>, invalid: Invalid) -> Self {
        let (code, expected, limit) = match invalid {
            Invalid::Type | Invalid::UnknownPart => (ErrorCode::InvalidInput, None, None),
            Invalid::TooLong(limit) => (ErrorCode::TooLong, None, Some(limit)),
            Invalid::Text => (ErrorCode::InvalidText, None, None),
            Invalid::EmptyList => (ErrorCode::EmptyList, None, None),
            Invalid::Date => (ErrorCode::InvalidDate, None, None),
            Invalid::Code(list) => (ErrorCode::UnknownCode, Some(list), None),
            Invalid::Format(format) => (ErrorCode::InvalidFormat, Some(format), None),
            Invalid::IdentifierForm(form) => (ErrorCode::InvalidIdentifier, Some(form), None),
            Invalid::CheckDigit => (ErrorCode::CheckDigit, None, None),
            Invalid::Missing(part) => (ErrorCode::Required, Some(part), None),
            Invalid::Id(kind) => (ErrorCode::InvalidId, Some(kind), None),
        };
        Refusal { expected: expected.map(str::to_owned), limit, ..Refusal::at(code, input) }
    }
}

/// What can go wrong in the hub. No variant carries personal data.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The child is unknown, or unknown to the caller: the same answer.
    #[error("not found")]
    NotFound,
    /// The input was refused whole.
    #[error("input refused")]
    Refused(Vec<Refusal>),
    /// Any other refusal that a code tells all of.
    #[error("{0:?}")]
    Code(ErrorCode),
    /// The access log cannot be written.
    #[error("the access log cannot be written: {0}")]
    Audit(String),
    /// The database failed.
    #[error("the database failed: {0}")]
    Database(#[from] DatabaseError),
}

/// A failure of the database, without the values of the statement.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct DatabaseError(pub(crate) String);

impl Error {
    /// A refusal of one input.
    pub fn refused<S: Into<String>>(code: ErrorCode, input: impl IntoIterator<Item = S>) -> Self {
        Error::Refused(vec![Refusal::at(code, input)])
    }

    /// A refusal of one input, with what is asked for.
    pub fn refused_for<S: Into<String>>(
        code: ErrorCode,
        input: impl IntoIterator<Item = S>,
        expected: impl Into<String>,
    ) -> Self {
        Error::Refused(vec![Refusal::at(code, input).expecting(expected)])
    }

    /// The code that callers are told.
    pub fn code(&self) -> ErrorCode {
        match self {
            Error::NotFound => ErrorCode::NotFound,
            Error::Refused(refusals) => refusals.first().map_or(ErrorCode::InvalidInput, |refusal| refusal.code),
            Error::Code(code) => *code,
            Error::Audit(_) => ErrorCode::AuditUnavailable,
            Error::Database(_) => ErrorCode::Unavailable,
        }
    }
}

impl From<WrongId> for Error {
    fn from(_: WrongId) -> Self {
        Error::Code(ErrorCode::InvalidId)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn a_step_that_is_not_possible_has_a_sentence_of_its_own() {
        let in_state = |next: &[&'static str]| Refusal::in_state(["handoverId"], "TRAVELLING", next.iter().copied());
        let words = in_state(&["confirmArrival", "reportNotArrived"]).words().expect("words");
        assert_eq!(
            words.en,
            "this step is not possible in the state `TRAVELLING`; you can go on with `confirmArrival`, `reportNotArrived`; nothing was written"
        );
        assert_eq!(
            words.sv,
            "steget är inte möjligt i läget `TRAVELLING`; ni kan gå vidare med `confirmArrival`, `reportNotArrived`; inget skrevs"
        );
        let ended = in_state(&[]).words().expect("words");
        assert!(ended.en.contains("none to take") && ended.sv.contains("inget steg att ta"));
        let held = in_state(&["confirmArrival"]).expecting("done or skipped: safety-plan").words().expect("words");
        assert!(held.en.contains("`extensions.expected`") && held.sv.contains("`extensions.expected`"));
        let step = Refusal::at(ErrorCode::Forbidden, [""; 0]).words().expect("words");
        assert!(step.en.contains("for this child") && step.remedy_sv.contains("leder ärendet"), "{step:?}");
        assert_eq!(
            Refusal::at(ErrorCode::Forbidden, ["set", "street"]).words(),
            None,
            "a field's remedy is its code's"
        );
        let others = Refusal { code: ErrorCode::Forbidden, ..in_state(&[]) }.words().expect("words");
        assert!(
            others.en.starts_with("this step is another party's") && others.sv.starts_with("steget är en annan parts")
        );
        assert_eq!(Refusal::at(ErrorCode::Conflict, ["expectedVersion"]).words(), None, "a section has changed");
    }

    #[test]
    fn every_code_is_told_in_two_languages_with_a_remedy() {
        let mut codes = HashSet::new();
        for code in ErrorCode::ALL {
            let entry = code.entry();
            assert!(codes.insert(entry.code), "{} is there twice", entry.code);
            for text in [entry.en, entry.sv, entry.remedy_en, entry.remedy_sv] {
                assert!(!text.is_empty() && !text.ends_with('.'), "{}", entry.code);
            }
        }
    }
}
