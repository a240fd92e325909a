//! From a bearer token to a verified caller.
//!
//! jsonwebtoken checks the signature; everything else is checked here, because it checks little by
//! default: `typ`, `crit`, key headers, audience, the times against the hub's own clock, the lifetime, the
//! role. The agency comes from the issuer's configuration, never from a claim.

use crate::config::{IssuerConfig, SANDBOX_ISSUER};
use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use quick_cache::sync::Cache;
use samverka_domain::agency::Agency;
use samverka_domain::clock::Clock;
use samverka_domain::error::ErrorCode;
use samverka_domain::policy::Role;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::Arc;

/// How long a token may be, in bytes.
const LONGEST_TOKEN: usize = 8 * 1024;
/// How far clocks may differ when a token runs out, in seconds. The sandbox's issuer reads the hub's own: its tokens end when they say.
const LEEWAY: i64 = 10;
/// How far ahead a token may be issued, in seconds.
const AHEAD: i64 = 60;
/// How many verified tokens are remembered.
const REMEMBERED: usize = 10_000;

/// Why an issuer's keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The set is not a JWK Set.
    #[error("issuer `{0}`: its keys are not a JWK Set (RFC 7517)")]
    NotJwks(String),
    /// The set has no key.
    #[error("issuer `{0}`: it has no key")]
    NoKey(String),
    /// A key cannot be used.
    #[error("issuer `{issuer}`, key `{kid}`: {reason}")]
    Key { issuer: String, kid: String, reason: &'static str },
    /// Two issuers have one name.
    #[error("issuer `{0}` is configured twice")]
    Twice(String),
    /// The issuer speaks for an agency that is not configured.
    #[error("issuer `{issuer}`: the agency `{agency}` is not configured")]
    Agency { issuer: String, agency: String },
    /// The issuer may give no role.
    #[error("issuer `{0}`: it may give no role")]
    NoRole(String),
}

/// What a token proves.
#[derive(Clone, Debug)]
pub struct Principal {
    /// The agency that the issuer speaks for.
    pub agency: Arc<Agency>,
    /// The one role of the token.
    pub role: Role,
    /// The agency's system.
    pub client: String,
    /// The issuer.
    pub issuer: String,
}

/// The configured issuers and their keys.
pub struct Verifier {
    audience: String,
    issuers: HashMap<String, Issuer>,
    clock: Clock,
    verified: Cache<[u8; 32], Arc<Verified>>,
}

struct Verified {
    principal: Principal,
    /// The last second in which it counts.
    until: i64,
}

struct Issuer {
    agency: Arc<Agency>,
    roles: Vec<Role>,
    clients: Vec<String>,
    longest_life: i64,
    leeway: i64,
    keys: HashMap<String, Key>,
}

struct Key {
    algorithm: Algorithm,
    key: DecodingKey,
}

/// The header of a token, as far as it may be one of ours.
#[derive(Deserialize)]
struct Header {
    alg: String,
    typ: Option<String>,
    kid: Option<String>,
    #[serde(default, deserialize_with = "is_there")]
    crit: bool,
    #[serde(default, deserialize_with = "is_there")]
    jku: bool,
    #[serde(default, deserialize_with = "is_there")]
    jwk: bool,
    #[serde(default, deserialize_with = "is_there")]
    x5u: bool,
    #[serde(default, deserialize_with = "is_there")]
    x5c: bool,
}

/// The claims of a token (RFC 9068, and our `role` and `agency`).
#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: Audience,
    sub: String,
    client_id: String,
    jti: String,
    role: String,
    exp: f64,
    iat: f64,
    nbf: Option<f64>,
    agency: Option<String>,
    #[serde(default, deserialize_with = "is_there")]
    cnf: bool,
}

/// Whether a member is there, whatever its value: a null is.
fn is_there<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|_| true)
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

#[derive(Deserialize)]
struct IssuerClaim {
    iss: String,
}

impl Verifier {
    /// Reads the issuers' keys. `agency` finds an agency by its code in the configuration.
    ///
    /// # Errors
    ///
    /// The first key that is weak, symmetric, not for signatures, without `kid`, or of an algorithm other than
    /// ES256, EdDSA and PS256.
    pub fn new(
        audience: &str,
        issuers: &[IssuerConfig],
        clock: Clock,
        agency: impl Fn(&str) -> Option<Arc<Agency>>,
    ) -> Result<Self, KeyError> {
        let mut known = HashMap::new();
        for config in issuers {
            let issuer = Issuer::new(config, &agency)?;
            if known.insert(config.issuer.clone(), issuer).is_some() {
                return Err(KeyError::Twice(config.issuer.clone()));
            }
        }
        Ok(Verifier { audience: audience.to_owned(), issuers: known, clock, verified: Cache::new(REMEMBERED) })
    }

    /// Verifies a token.
    ///
    /// # Errors
    ///
    /// `TOKEN_EXPIRED`, or `TOKEN_REFUSED` for anything else: which check failed is for the log alone.
    pub fn verify(&self, token: &str) -> Result<Principal, ErrorCode> {
        if token.len() > LONGEST_TOKEN {
            return Err(ErrorCode::TokenRefused);
        }
        let hash: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        let now = self.clock.now() / 1_000_000;
        let verified = match self.verified.get(&hash) {
            Some(verified) => verified,
            None => {
                let verified = Arc::new(self.check(token, now).map_err(|reason| reason.code())?);
                self.verified.insert(hash, verified.clone());
                verified
            }
        };
        if now > verified.until { Err(ErrorCode::TokenExpired) } else { Ok(verified.principal.clone()) }
    }

    fn check(&self, token: &str, now: i64) -> Result<Verified, Reason> {
        let mut parts = token.split('.');
        let (Some(header), Some(claims), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Reason::Form);
        };
        let header: Header = json(header)?;
        let named: IssuerClaim = json(claims)?;
        let issuer = self.issuers.get(&named.iss).ok_or(Reason::Issuer)?;
        let key = issuer.key(&header)?;
        let claims = self.signed_claims(token, key, &named.iss)?;
        let until = self.check_claims(issuer, &claims, now)?;
        let role = Role::from_code(&claims.role).filter(|role| issuer.roles.contains(role)).ok_or(Reason::Role)?;
        let principal = Principal { agency: issuer.agency.clone(), role, client: claims.client_id, issuer: claims.iss };
        Ok(Verified { principal, until })
    }

    fn signed_claims(&self, token: &str, key: &Key, issuer: &str) -> Result<Claims, Reason> {
        let mut validation = Validation::new(key.algorithm);
        validation.set_audience(&[&self.audience]);
        validation.set_issuer(&[issuer]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        // The times are checked against the hub's clock, in `check_claims`.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        let decoded = jsonwebtoken::decode::<Claims>(token, &key.key, &validation).map_err(|_| Reason::Signature)?;
        Ok(decoded.claims)
    }

    fn check_claims(&self, issuer: &Issuer, claims: &Claims, now: i64) -> Result<i64, Reason> {
        let ours = match &claims.aud {
            Audience::One(audience) => *audience == self.audience,
            Audience::Several(audiences) => audiences.len() == 1 && audiences.contains(&self.audience),
        };
        let named = [&claims.sub, &claims.client_id, &claims.jti];
        if !ours || claims.cnf || named.iter().any(|claim| claim.is_empty() || claim.len() > 256) {
            return Err(Reason::Claims);
        }
        let agency = &issuer.agency;
        let agrees = |claim: &str| claim == agency.code || claim == agency.id.to_string();
        if claims.agency.as_deref().is_some_and(|claim| !agrees(claim)) {
            return Err(Reason::Agency);
        }
        if !issuer.clients.is_empty() && !issuer.clients.contains(&claims.client_id) {
            return Err(Reason::Claims);
        }
        let (exp, iat) = (seconds(claims.exp)?, seconds(claims.iat)?);
        let not_before = claims.nbf.map(seconds).transpose()?.unwrap_or(iat);
        if exp <= iat || exp - iat > issuer.longest_life || iat > now + AHEAD || not_before > now + AHEAD {
            return Err(Reason::Times);
        }
        let until = exp + issuer.leeway;
        if now > until { Err(Reason::Expired) } else { Ok(until) }
    }
}

/// Which check a token failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reason {
    Form,
    Issuer,
    Key,
    Signature,
    Claims,
    Agency,
    Role,
    Times,
    Expired,
}

impl Reason {
    fn code(self) -> ErrorCode {
        tracing::info!(check = ?self, "a token was refused");
        if self == Reason::Expired { ErrorCode::TokenExpired } else { ErrorCode::TokenRefused }
    }
}

fn json<T: serde::de::DeserializeOwned>(part: &str) -> Result<T, Reason> {
    let bytes = BASE64URL_NOPAD.decode(part.as_bytes()).map_err(|_| Reason::Form)?;
    serde_json::from_slice(&bytes).map_err(|_| Reason::Form)
}

/// A NumericDate (RFC 7519, section 2), fractions cut.
fn seconds(date: f64) -> Result<i64, Reason> {
    let in_range = date.is_finite() && (0.0..1e11).contains(&date);
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
    in_range.then_some(date as i64).ok_or(Reason::Times)
}

impl Issuer {
    fn new(config: &IssuerConfig, agency: impl Fn(&str) -> Option<Arc<Agency>>) -> Result<Self, KeyError> {
        let name = &config.issuer;
        let unknown = || KeyError::Agency { issuer: name.clone(), agency: config.agency.clone() };
        let agency = agency(&config.agency).ok_or_else(unknown)?;
        if config.roles.is_empty() {
            return Err(KeyError::NoRole(name.clone()));
        }
        let mut keys = HashMap::new();
        for jwk in &config.jwks.keys {
            let kid = jwk.get("kid").and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
            let failed = |reason| KeyError::Key { issuer: name.clone(), kid: kid.clone(), reason };
            let key = Key::new(jwk).map_err(failed)?;
            if keys.insert(kid.clone(), key).is_some() {
                return Err(failed("two keys have this `kid`"));
            }
        }
        if keys.is_empty() {
            return Err(KeyError::NoKey(name.clone()));
        }
        // On the second it names it has ended (RFC 7519, section 4.1.4).
        let leeway = if name.starts_with(SANDBOX_ISSUER) { -1 } else { LEEWAY };
        Ok(Issuer {
            agency,
            roles: config.roles.clone(),
            clients: config.clients.clone(),
            longest_life: config.longest_life_seconds,
            leeway,
            keys,
        })
    }

    fn key(&self, header: &Header) -> Result<&Key, Reason> {
        let Header { alg, typ, kid, crit, jku, jwk, x5u, x5c } = header;
        let typ = typ.as_deref().map(str::to_ascii_lowercase);
        let access_token = matches!(typ.as_deref(), Some("at+jwt" | "application/at+jwt"));
        if !access_token || *crit || *jku || *jwk || *x5u || *x5c {
            return Err(Reason::Form);
        }
        let key = kid.as_ref().and_then(|kid| self.keys.get(kid)).ok_or(Reason::Key)?;
        if name_of(key.algorithm) == alg { Ok(key) } else { Err(Reason::Key) }
    }
}

const fn name_of(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::ES256 => "ES256",
        Algorithm::EdDSA => "EdDSA",
        Algorithm::PS256 => "PS256",
        _ => "",
    }
}

/// The smallest RSA modulus, in bytes.
const RSA_FLOOR: usize = 256;

impl Key {
    /// Reads a public signature key of an allowed algorithm; the key says the algorithm, not the token.
    fn new(jwk: &serde_json::Value) -> Result<Self, &'static str> {
        if ["d", "p", "q", "k"].iter().any(|private| jwk.get(private).is_some()) {
            return Err("it holds a private or symmetric key");
        }
        let jwk: Jwk = serde_json::from_value(jwk.clone()).map_err(|_| "it is not a JWK (RFC 7517)")?;
        if jwk.common.key_id.as_deref().unwrap_or_default().is_empty() {
            return Err("it has no `kid`");
        }
        let signs = jwk.common.public_key_use.as_ref().is_none_or(|usage| *usage == PublicKeyUse::Signature);
        if !signs || jwk.common.key_operations.is_some() {
            return Err("`use` must be `sig`, and `key_ops` left out");
        }
        let (algorithm, named) = match &jwk.algorithm {
            AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => {
                (Algorithm::ES256, KeyAlgorithm::ES256)
            }
            AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
                (Algorithm::EdDSA, KeyAlgorithm::EdDSA)
            }
            AlgorithmParameters::RSA(key) => {
                let modulus = BASE64URL_NOPAD.decode(key.n.as_bytes()).map_err(|_| "its modulus is not base64url")?;
                if modulus.iter().skip_while(|byte| **byte == 0).count() < RSA_FLOOR {
                    return Err("an RSA key must have at least 2048 bits");
                }
                (Algorithm::PS256, KeyAlgorithm::PS256)
            }
            _ => return Err("it must be P-256 (ES256), Ed25519 (EdDSA) or RSA (PS256)"),
        };
        if jwk.common.key_algorithm.is_some_and(|alg| alg != named) {
            return Err("its `alg` does not fit the key, or is not ES256, EdDSA or PS256");
        }
        let key = DecodingKey::from_jwk(&jwk).map_err(|_| "it cannot be read")?;
        Ok(Key { algorithm, key })
    }
}
