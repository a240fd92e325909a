//! The front door: which tokens open it, which keys a token may be signed with, and which configurations a hub
//! starts with. The tokens here are forged with the sandbox's own key, so that each differs from a good one in
//! exactly one thing.

mod signatures;
mod start;
mod tokens;

use crate::harness::{Answer, Hub, START, persona};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair,
};
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use data_encoding::{BASE64, BASE64URL_NOPAD};
use samverka::config::{IssuerConfig, Jwks, SANDBOX_ISSUER};
use samverka::sandbox::AUDIENCE;
use samverka::serve;
use samverka_domain::error::ErrorCode;
use samverka_domain::hub::Database as DomainDatabase;
use samverka_domain::policy::Engine;
use sea_orm::ConnectionTrait;
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};
use serde_json::{Map, Value, json};

const NOW: i64 = START / 1_000_000;

/// Sends one question with these `Authorization` headers.
fn request(authorization: &[String]) -> Request<Body> {
    let mut request = Request::post("/graphql").header("content-type", "application/json");
    for value in authorization {
        request = request.header("authorization", value);
    }
    request.body(Body::from(r#"{"query":"{ me { role agency { code } } }"}"#)).expect("a request")
}

fn bearing(token: &str) -> Request<Body> {
    request(&[format!("Bearer {token}")])
}

/// The whole body of a refusal: nothing but what the code tells.
fn refusal(code: ErrorCode) -> Value {
    let entry = code.entry();
    json!({ "errors": [{ "message": entry.en, "extensions": {
        "code": entry.code, "sv": entry.sv, "remedy": entry.remedy_en, "remedySv": entry.remedy_sv } }] })
}

fn assert_refused_as(answer: &Answer, code: ErrorCode, why: &str) {
    assert_eq!(answer.json, refusal(code), "{why}");
    assert_eq!(answer.status, 401, "{why}");
    assert_eq!(answer.headers["www-authenticate"], "Bearer error=\"invalid_token\"", "{why}");
}

/// Refused, and not told why: every refused token gets the same answer.
fn assert_refused(answer: &Answer, why: &str) {
    assert_refused_as(answer, ErrorCode::TokenRefused, why);
}

/// A JSON object, changed member by member.
#[derive(Clone)]
struct Object(Map<String, Value>);

impl Object {
    fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.0.remove(name).expect("it was there");
        self
    }
}

impl std::fmt::Display for Object {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", Value::Object(self.0.clone()))
    }
}

fn object(value: Value) -> Object {
    match value {
        Value::Object(map) => Object(map),
        other => panic!("not an object: {other}"),
    }
}

/// An issuer whose key is in the wrong hands.
struct Forge {
    router: Router,
    persona: &'static str,
    signer: Signer,
    issuers: &'static str,
}

impl Forge {
    /// The issuer of Malmö in the sandbox, with the key that the sandbox keeps.
    async fn of_sandbox(hub: &Hub) -> Forge {
        let mut query = Query::select();
        query
            .column(Alias::new("value"))
            .from(Alias::new("setting"))
            .and_where(Expr::col(Alias::new("key")).eq("sandbox-key"));
        let row = hub.outside.query_one(&query).await.expect("reads").expect("the sandbox has a key");
        let key: String = row.try_get_by_index(0).expect("a text");
        let key = Ed25519KeyPair::from_pkcs8(&BASE64.decode(key.as_bytes()).expect("base64")).expect("a key");
        let signer = Signer { kid: "sandbox".to_owned(), secret: Secret::Ed25519(key) };
        Forge { router: hub.router.clone(), persona: "malmo-soc", signer, issuers: SANDBOX_ISSUER }
    }

    /// An issuer of Malmö's own, as production has them, whose tokens may live as long as those of the sandbox.
    async fn of_agency(hub: &Hub) -> Forge {
        let signer = Signer::ed25519();
        let config = IssuerConfig { longest_life_seconds: 12 * 3600, ..issuer("malmo-soc", &[&signer]) };
        let router = front(hub, &[config]).await;
        Forge { router, persona: "malmo-soc", signer, issuers: "https://idp.example/" }
    }

    fn header(&self) -> Object {
        object(json!({ "alg": self.signer.alg(), "typ": "at+jwt", "kid": self.signer.kid }))
    }

    /// Claims that are good for ten minutes from the start.
    fn claims(&self) -> Object {
        object(json!({
            "iss": format!("{}{}", self.issuers, self.persona),
            "aud": AUDIENCE,
            "sub": "malmo-system",
            "client_id": "malmo-system",
            "agency": self.persona,
            "role": persona(self.persona).role.code(),
            "iat": NOW,
            "exp": NOW + 600,
            "jti": "b5b2f3a8",
        }))
    }

    fn token(&self, header: &Object, claims: &Object) -> String {
        self.signed(&header.to_string(), &claims.to_string())
    }

    fn signed(&self, header: &str, claims: &str) -> String {
        self.signer.signed(header, claims)
    }

    async fn knock(&self, token: &str) -> Answer {
        Answer::of(&self.router, bearing(token)).await
    }
}

/// A key pair and what it is called.
struct Signer {
    kid: String,
    secret: Secret,
}

enum Secret {
    Ed25519(Ed25519KeyPair),
    Es256(EcdsaKeyPair),
    Rsa(RsaKeyPair),
}

impl Signer {
    fn new(secret: Secret) -> Signer {
        let signer = Signer { kid: String::new(), secret };
        Signer { kid: signer.alg().to_owned(), ..signer }
    }

    fn ed25519() -> Signer {
        Signer::new(Secret::Ed25519(Ed25519KeyPair::generate().expect("a key")))
    }

    fn es256() -> Signer {
        Signer::new(Secret::Es256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key")))
    }

    fn rsa() -> Signer {
        Signer::new(Secret::Rsa(rsa::KeyPair::generate(KeySize::Rsa2048).expect("a key")))
    }

    fn alg(&self) -> &'static str {
        match &self.secret {
            Secret::Ed25519(_) => "EdDSA",
            Secret::Es256(_) => "ES256",
            Secret::Rsa(_) => "PS256",
        }
    }

    /// The public key.
    fn jwk(&self) -> Value {
        let encode = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
        let mut jwk = match &self.secret {
            Secret::Ed25519(key) => json!({ "kty": "OKP", "crv": "Ed25519", "x": encode(key.public_key().as_ref()) }),
            Secret::Es256(key) => {
                // The point, uncompressed: 4, x, y.
                let point = key.public_key().as_ref();
                json!({ "kty": "EC", "crv": "P-256", "x": encode(&point[1..33]), "y": encode(&point[33..]) })
            }
            Secret::Rsa(key) => {
                // RSAPublicKey in DER: a header of nine bytes, the modulus, and the exponent in the last three.
                let der = key.public_key().as_ref();
                json!({ "kty": "RSA", "n": encode(&der[9..265]), "e": encode(&der[der.len() - 3..]) })
            }
        };
        jwk["kid"] = json!(self.kid);
        jwk["use"] = json!("sig");
        jwk
    }

    fn signed(&self, header: &str, claims: &str) -> String {
        let message = message(header, claims);
        let signature = match &self.secret {
            Secret::Ed25519(key) => key.sign(message.as_bytes()).as_ref().to_vec(),
            Secret::Es256(key) => key.sign(&SystemRandom::new(), message.as_bytes()).expect("signs").as_ref().to_vec(),
            Secret::Rsa(key) => rsa_sign(key, &RSA_PSS_SHA256, message.as_bytes()),
        };
        format!("{message}.{}", BASE64URL_NOPAD.encode(&signature))
    }
}

fn rsa_sign(key: &RsaKeyPair, encoding: &'static dyn RsaEncoding, message: &[u8]) -> Vec<u8> {
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(encoding, &SystemRandom::new(), message, &mut signature).expect("signs");
    signature
}

fn encode(text: &str) -> String {
    BASE64URL_NOPAD.encode(text.as_bytes())
}

fn message(header: &str, claims: &str) -> String {
    format!("{}.{}", encode(header), encode(claims))
}

/// The configuration of an issuer with these keys.
fn issuer(code: &str, keys: &[&Signer]) -> IssuerConfig {
    IssuerConfig {
        issuer: format!("https://idp.example/{code}"),
        agency: code.to_owned(),
        roles: vec![persona(code).role],
        clients: Vec::new(),
        longest_life_seconds: 600,
        jwks: Jwks { keys: keys.iter().map(|signer| signer.jwk()).collect() },
        jwks_file: None,
    }
}

/// A second door to the same hub, with issuers that each have a key of their own.
async fn front(hub: &Hub, issuers: &[IssuerConfig]) -> Router {
    let database = DomainDatabase::connect(&hub.database.url).await.expect("connects");
    let started = serve::service(database, Engine::embedded(), hub.domain.clock(), ("front", AUDIENCE, issuers)).await;
    let (_, service) = started.expect("the hub starts");
    service.router()
}
