//! What a request states beside its document: who asks, why, for which case, for whom.

use crate::auth::{Principal, Verifier};
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use samverka_domain::caller::Caller;
use samverka_domain::error::ErrorCode;
use samverka_domain::policy::Purpose;

/// How long the key of a mutation may be.
const LONGEST_KEY: usize = 255;
/// How long a Samverka header may be.
const LONGEST: usize = 128;

/// The caller of a request, from its token and its headers.
pub(super) fn caller(headers: &HeaderMap, verifier: &Verifier) -> Result<Caller, ErrorCode> {
    let Principal { agency, role, client, issuer } = verifier.verify(bearer(headers)?)?;
    let purpose = stated(headers, "samverka-purpose")?;
    let purpose = purpose.map(|code| Purpose::from_code(&code).ok_or(ErrorCode::PurposeUnknown)).transpose()?;
    let case = stated(headers, "samverka-case")?;
    let user = stated(headers, "samverka-user")?;
    Ok(Caller { agency, role, client, issuer, user, case, purpose })
}

/// The key under which a mutation may be repeated: a string (RFC 9651, section 3.3.3), as draft-ietf-httpapi-idempotency-key-header
/// asks for, or the same without its quotes. A comma outside of quotes is what becomes of two headers.
pub(super) fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, ErrorCode> {
    let mut values = headers.get_all("idempotency-key").iter();
    let Some(value) = values.next() else { return Ok(None) };
    let text = value.to_str().map_err(|_| ErrorCode::IdempotencyKeyInvalid)?;
    let key = match text.strip_prefix('"') {
        Some(rest) => rest.strip_suffix('"').and_then(unescaped),
        None => Some(text.to_owned()).filter(|key| !key.contains(['"', '\\', ',', ';'])),
    };
    let fits = |key: &String| (1..=LONGEST_KEY).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic());
    let key = key.filter(|key| fits(key) && values.next().is_none());
    key.map(Some).ok_or(ErrorCode::IdempotencyKeyInvalid)
}

/// What stands between the quotes of a string; nothing where a quote or a backslash stands alone.
fn unescaped(text: &str) -> Option<String> {
    let mut key = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            '"' => return None,
            '\\' => key.push(rest.next().filter(|c| matches!(c, '"' | '\\'))?),
            c => key.push(c),
        }
    }
    Some(key)
}

fn bearer(headers: &HeaderMap) -> Result<&str, ErrorCode> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return Err(ErrorCode::Unauthenticated) };
    let value = value.to_str().map_err(|_| ErrorCode::Unauthenticated)?;
    let (scheme, token) = value.split_once(' ').ok_or(ErrorCode::Unauthenticated)?;
    if scheme.eq_ignore_ascii_case("bearer") {
        Ok(token.trim_start_matches(' '))
    } else {
        Err(ErrorCode::Unauthenticated)
    }
}

fn stated(headers: &HeaderMap, name: &str) -> Result<Option<String>, ErrorCode> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let text = value.to_str().map_err(|_| ErrorCode::HeaderInvalid)?.trim();
    let fits = values.next().is_none() && text.len() <= LONGEST && text.bytes().all(|b| (0x20..0x7f).contains(&b));
    match (fits, text.is_empty()) {
        (false, _) => Err(ErrorCode::HeaderInvalid),
        (true, true) => Ok(None),
        (true, false) => Ok(Some(text.to_owned())),
    }
}
