//! The sandbox: a made-up world, an issuer of its own, and a persona for each role.
//!
//! Production has no way here: its configuration takes no issuer of the sandbox, and a database
//! belongs to one environment for good.

use crate::config::{IssuerConfig, Jwks, SANDBOX_ISSUER};
use crate::playground;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use data_encoding::{BASE64, BASE64URL_NOPAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use samverka_domain::clock::{Clock, request_id};
use samverka_domain::error::Error;
use samverka_domain::hub::{Database, Environment};
use samverka_domain::world::{self, PERSONAS, Persona};
use serde_json::{Value, json};
use std::fmt::Write;
use std::net::SocketAddr;

/// The audience of the sandbox.
pub const AUDIENCE: &str = "urn:samverka:sandbox";
/// How many made-up children a new sandbox has.
pub const CHILDREN: u64 = 240;
/// How long a token of the command line lives, in seconds.
const TOKEN_LIFE: i64 = 12 * 3600;
/// How long a token lives that is given over HTTP, in seconds, and the longest that may be asked for.
pub const SHORT_LIFE: i64 = 900;
/// The world that every sandbox shares.
pub const SEED: u64 = 1_736;

const KEY_ID: &str = "sandbox";
const KEY_SETTING: &str = "sandbox-key";
const SEEDED_SETTING: &str = "seeded";

/// Why the sandbox cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The hub refused.
    #[error(transparent)]
    Hub(#[from] Error),
    /// There is no key yet.
    #[error("this database has no sandbox; start one with `samverka serve`")]
    NoSandbox,
    /// The key cannot be used.
    #[error("the sandbox's key cannot be used")]
    Key,
    /// There is no such persona.
    #[error("there is no persona `{0}`; there are {1}")]
    NoPersona(String, String),
}

/// The issuer of the sandbox: one key, an issuer name per persona.
pub struct Issuer {
    key: Ed25519KeyPair,
    pkcs8: Vec<u8>,
}

/// A token, how many seconds it lives, and what it claims.
pub struct Issued {
    pub token: String,
    pub life: i64,
    pub claims: Value,
}

/// Makes a database ready to be a sandbox: schema, agencies, and children the first time. `progress`
/// is told how many children are made.
///
/// # Errors
///
/// If the database is one of production.
pub async fn prepare(
    database: &Database,
    clock: &Clock,
    progress: &mut (dyn FnMut(u64) + Send),
) -> Result<Issuer, SandboxError> {
    let issuer = prepare_empty(database).await?;
    if database.remembered(SEEDED_SETTING).await?.is_none() {
        database.seed(SEED, 0..CHILDREN, clock, progress).await?;
        database.remember(SEEDED_SETTING, || CHILDREN.to_string()).await?;
    }
    Ok(issuer)
}

/// Makes a sandbox without children: schema, agencies, and a key.
///
/// # Errors
///
/// As [`prepare`].
pub async fn prepare_empty(database: &Database) -> Result<Issuer, SandboxError> {
    claim(database).await?;
    database.put_agencies(&world::agencies()).await?;
    let key = database.remember(KEY_SETTING, new_key).await?;
    Issuer::read(&key)
}

/// Migrates a database that is a sandbox or new; touches no other.
async fn claim(database: &Database) -> Result<(), Error> {
    let is_new = database.migrations().await?.iter().all(|(_, applied)| !applied);
    if !is_new {
        database.claim(Environment::Sandbox).await?;
    }
    database.migrate_up().await?;
    database.claim(Environment::Sandbox).await
}

fn new_key() -> String {
    let random = SystemRandom::new();
    Ed25519KeyPair::generate_pkcs8(&random).map(|document| BASE64.encode(document.as_ref())).unwrap_or_default()
}

impl Issuer {
    /// The issuer of a sandbox that was started before.
    ///
    /// # Errors
    ///
    /// [`SandboxError::NoSandbox`] if it was not.
    pub async fn of(database: &Database) -> Result<Self, SandboxError> {
        let key = database.remembered(KEY_SETTING).await.map_err(|_| SandboxError::NoSandbox)?;
        Issuer::read(&key.ok_or(SandboxError::NoSandbox)?)
    }

    fn read(key: &str) -> Result<Self, SandboxError> {
        let pkcs8 = BASE64.decode(key.as_bytes()).map_err(|_| SandboxError::Key)?;
        let key = Ed25519KeyPair::from_pkcs8(&pkcs8).map_err(|_| SandboxError::Key)?;
        Ok(Issuer { key, pkcs8 })
    }

    /// The configuration of the sandbox's issuers, one per persona.
    pub fn configs(&self) -> Vec<IssuerConfig> {
        let public = BASE64URL_NOPAD.encode(self.key.public_key().as_ref());
        let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": KEY_ID, "x": public });
        let config = |persona: &Persona| IssuerConfig {
            issuer: format!("{SANDBOX_ISSUER}{}", persona.code),
            agency: persona.code.to_owned(),
            roles: vec![persona.role],
            clients: Vec::new(),
            longest_life_seconds: TOKEN_LIFE,
            jwks: Jwks { keys: vec![jwk.clone()] },
            jwks_file: None,
        };
        PERSONAS.iter().map(config).collect()
    }

    /// A token of a persona, valid for twelve hours.
    ///
    /// # Errors
    ///
    /// [`SandboxError::NoPersona`], with the names there are.
    pub fn token(&self, persona: &str, clock: &Clock) -> Result<String, SandboxError> {
        self.issue(find(persona)?, TOKEN_LIFE, clock).map(|issued| issued.token)
    }

    /// A token of a persona that lives so many seconds, and what it claims.
    ///
    /// # Errors
    ///
    /// [`SandboxError::Key`].
    pub fn issue(&self, persona: &Persona, life: i64, clock: &Clock) -> Result<Issued, SandboxError> {
        let now = clock.now() / 1_000_000;
        let claims = json!({
            "iss": format!("{SANDBOX_ISSUER}{}", persona.code),
            "aud": AUDIENCE,
            "sub": format!("{}-system", persona.code),
            "client_id": format!("{}-system", persona.code),
            "agency": persona.code,
            "role": persona.role.code(),
            "iat": now,
            "exp": now + life,
            "jti": request_id(),
        });
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some("at+jwt".to_owned());
        header.kid = Some(KEY_ID.to_owned());
        let key = EncodingKey::from_ed_der(&self.pkcs8);
        let token = jsonwebtoken::encode(&header, &claims, &key).map_err(|_| SandboxError::Key)?;
        Ok(Issued { token, life, claims })
    }

    /// What a new sandbox prints: the address, the personas, and for each a `curl` that works.
    ///
    /// # Errors
    ///
    /// [`SandboxError::Key`].
    pub fn welcome(&self, address: SocketAddr, clock: &Clock) -> Result<String, SandboxError> {
        let mut text = format!("Samverka, sandbox: made-up children only. GraphQL at http://{address}/graphql\n");
        _ = writeln!(text, "The playground: http://{address}{}/", playground::PATH);
        for persona in &PERSONAS {
            let token = self.token(persona.code, clock)?;
            _ = write!(
                text,
                "\n# {} ({}): {}\n{}\n",
                persona.code,
                persona.role,
                persona.about.en,
                curl(address, persona, &token)
            );
        }
        _ = write!(text, "\nA token and nothing else: samverka token --persona {}\n", PERSONAS[0].code);
        Ok(text)
    }
}

fn find(code: &str) -> Result<&'static Persona, SandboxError> {
    let codes = || PERSONAS.iter().map(|persona| persona.code).collect::<Vec<_>>().join(", ");
    PERSONAS
        .iter()
        .find(|persona| persona.code == code)
        .ok_or_else(|| SandboxError::NoPersona(code.to_owned(), codes()))
}

/// A question that shows the persona what it sees and what is withheld.
const QUESTION: &str = "{ me { role purposes } children(first: 2) { nodes { id identity { givenNames familyName \
                        withheld { field rule } } placement { type street withheld { field rule } } } } }";

fn curl(address: SocketAddr, persona: &Persona, token: &str) -> String {
    let body = json!({ "query": QUESTION });
    let purpose = persona.purpose.code();
    format!(
        "curl -s http://{address}/graphql -H 'Authorization: Bearer {token}' -H 'Samverka-Purpose: {purpose}' \
         -H 'Content-Type: application/json' -d '{body}'"
    )
}
