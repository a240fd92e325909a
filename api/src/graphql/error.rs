//! Domain errors → GraphQL errors: a sentence, a code, Swedish, and what to do.

use super::document::{Exceeded, Limit, Refused};
use async_graphql::{Context, ErrorExtensionValues, Name, ServerError, Value};
use samverka_domain::error::{Error, ErrorCode, Refusal, StepWords};

/// How many errors one answer carries at most.
pub const MOST_ERRORS: usize = 20;

/// The value, or nothing and the errors noted at the path of the field: a nullable field that fails
/// must answer null, where the library would leave its key out.
pub(super) fn answer<T>(ctx: &Context<'_>, result: Result<T, Error>) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(error) => {
            log(&error);
            for mut server_error in errors(&error) {
                server_error.locations = vec![ctx.item.pos];
                ctx.add_error(ctx.set_error_path(server_error));
            }
            None
        }
    }
}

/// What went wrong inside is told to the operator, never to the caller.
pub fn log(error: &Error) {
    if matches!(error, Error::Audit(_) | Error::Database(_)) {
        tracing::error!(%error, "the request failed");
    }
}

/// A domain error as GraphQL errors; each refused input is one.
pub fn errors(error: &Error) -> Vec<ServerError> {
    match error {
        Error::Refused(refusals) => refusals.iter().take(MOST_ERRORS).map(refusal).collect(),
        other => vec![of_code(other.code())],
    }
}

fn refusal(refusal: &Refusal) -> ServerError {
    let mut error = refusal.words().map_or_else(|| of_code(refusal.code), |words| of_step(refusal.code, words));
    let Refusal { input, code: _, expected, limit, rule, ask, state } = refusal;
    let extensions = error.extensions.get_or_insert_with(ErrorExtensionValues::default);
    extensions.set("input", Value::List(input.iter().map(|part| Value::from(part.as_str())).collect()));
    if let Some(expected) = expected {
        extensions.set("expected", expected.as_str());
    }
    if let Some(limit) = limit {
        extensions.set("limit", *limit as u64);
    }
    if let Some(rule) = rule {
        extensions.set("rule", rule.as_str());
    }
    if let Some((en, sv)) = ask {
        extensions.set("ask", *en);
        extensions.set("askSv", *sv);
    }
    if let Some((state, next)) = state {
        extensions.set("state", *state);
        extensions.set("next", Value::List(next.iter().map(|step| Value::from(*step)).collect()));
    }
    error
}

/// A step that is not possible: its state and what is possible are in the sentence, too.
fn of_step(code: ErrorCode, words: StepWords) -> ServerError {
    let StepWords { en, sv, remedy_en, remedy_sv } = words;
    let mut error = coded(code, en);
    let extensions = error.extensions.get_or_insert_with(ErrorExtensionValues::default);
    extensions.set("sv", sv);
    extensions.set("remedy", remedy_en);
    extensions.set("remedySv", remedy_sv);
    error
}

/// Why a document is refused, as the code of the request and its error.
pub fn of_refused(refused: &Refused) -> (ErrorCode, ServerError) {
    match refused {
        Refused::Syntax(at) => {
            let error = ServerError { locations: at.iter().copied().collect(), ..of_code(ErrorCode::ParseFailed) };
            (ErrorCode::ParseFailed, error)
        }
        Refused::Exceeded(exceeded) => (ErrorCode::QueryRefused, of_exceeded(*exceeded)),
        Refused::Missing(variable) => {
            let message = format!("the variable `{variable}` is required");
            (ErrorCode::ValidationFailed, coded(ErrorCode::ValidationFailed, message))
        }
        Refused::Clash(at) => {
            let message = "a key stands twice: give one of the fields an alias".to_owned();
            let error = ServerError { locations: vec![*at], ..coded(ErrorCode::ValidationFailed, message) };
            (ErrorCode::ValidationFailed, error)
        }
    }
}

/// Which limit, what it is, and what the document has.
fn of_exceeded(Exceeded { limit, found }: Exceeded) -> ServerError {
    let (most, (en, sv)) = (limit.most(), limit.counted());
    // A larger number would not survive a client's JSON.
    let found = found.min(LARGEST_NUMBER);
    let message = format!("at most {most} {en} are taken, and the request has {found}");
    let mut error = coded(ErrorCode::QueryRefused, message);
    let extensions = error.extensions.get_or_insert_with(ErrorExtensionValues::default);
    extensions.set("sv", format!("högst {most} {sv} tas emot, och anropet har {found}"));
    extensions.set("counted", limit.name());
    extensions.set("limit", most);
    extensions.set("found", found);
    error
}

/// 2^53 − 1.
const LARGEST_NUMBER: u64 = 9_007_199_254_740_991;

/// `extensions.cost`: how many values the answer may hold, as far as document and variables tell, and how many at most.
pub fn cost(requested: u64) -> Value {
    let entry = |name, number: u64| (Name::new(name), Value::from(number));
    let requested = requested.min(LARGEST_NUMBER);
    Value::Object([entry("requested", requested), entry("limit", Limit::Cost.most())].into_iter().collect())
}

/// An error that its code tells all of.
pub fn of_code(code: ErrorCode) -> ServerError {
    coded(code, code.entry().en.to_owned())
}

/// An error of a code with a sentence of its own.
pub fn coded(code: ErrorCode, message: String) -> ServerError {
    let entry = code.entry();
    let mut extensions = ErrorExtensionValues::default();
    extensions.set("code", entry.code);
    extensions.set("sv", entry.sv);
    extensions.set("remedy", entry.remedy_en);
    extensions.set("remedySv", entry.remedy_sv);
    ServerError { extensions: Some(extensions), ..ServerError::new(message, None) }
}
