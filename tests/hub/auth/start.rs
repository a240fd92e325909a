//! With which keys, issuers, configurations and databases a hub starts.

use super::{Forge, Signer, assert_refused, bearing, issuer, object};
use crate::both;
use crate::harness::{Answer, Database, Hub, START};
use axum::Router;
use data_encoding::{BASE32_DNSSEC, BASE64URL_NOPAD};
use samverka::auth::Verifier;
use samverka::config::{Config, ConfigError, IssuerConfig};
use samverka::sandbox::{AUDIENCE, Issuer};
use samverka::serve;
use samverka_domain::agency::{Agency, AgencyKind};
use samverka_domain::clock::Clock;
use samverka_domain::hub::Database as DomainDatabase;
use samverka_domain::policy::Engine;
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};
use sea_orm::{ConnectionTrait, DatabaseConnection};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

both! {
    a_database_belongs_to_one_environment_for_good
    a_hub_with_pending_migrations_does_not_start
    a_production_hub_takes_no_token_of_the_sandbox
}

fn verifier(keys: Vec<Value>) -> Result<Verifier, String> {
    let mut config = issuer("malmo-soc", &[]);
    config.jwks.keys = keys;
    let clock = Clock::from_fn(|| START);
    Verifier::new(AUDIENCE, &[config], clock, agency).map_err(|error| error.to_string())
}

fn agency(code: &str) -> Option<Arc<Agency>> {
    let id = format!("agency_{}", BASE32_DNSSEC.encode(&[7; 16])).parse().expect("an id");
    let agency = Agency {
        id,
        code: code.to_owned(),
        kind: AgencyKind::SocialServices,
        name: "Malmö stad".to_owned(),
        organisation_number: None,
        municipality: None,
        county: None,
    };
    (code == "malmo-soc").then(|| Arc::new(agency))
}

#[test]
fn a_hub_starts_only_with_keys_that_are_public_strong_and_for_signatures() {
    let (elliptic, edwards, rsa) = (Signer::es256().jwk(), Signer::ed25519().jwk(), Signer::rsa().jwk());
    assert!(verifier(vec![elliptic.clone(), edwards.clone(), rsa.clone()]).is_ok());
    let with = |jwk: &Value, name: &str, value: Value| Value::Object(object(jwk.clone()).with(name, value).0);
    let without = |jwk: &Value, name: &str| Value::Object(object(jwk.clone()).without(name).0);
    let short = BASE64URL_NOPAD.encode(&[0xc3; 128]);
    let padded = BASE64URL_NOPAD.encode(&[&[0; 128][..], &[0xc3; 128]].concat());
    let oct = json!({ "kty": "oct", "kid": "1", "alg": "HS256", "k": BASE64URL_NOPAD.encode(&[7; 64]) });
    let point = elliptic["x"].clone();
    let cases = [
        (oct.clone(), "private or symmetric"),
        (json!({ "kty": "oct", "kid": "1", "k": "" }), "private or symmetric"),
        (json!({ "kty": "oct", "kid": "1" }), ""),
        (with(&rsa, "n", json!(short)), "2048"),
        (with(&rsa, "n", json!(padded)), "2048"),
        (with(&rsa, "n", json!("")), ""),
        (with(&rsa, "n", json!("***")), ""),
        (with(&elliptic, "d", json!("AAAA")), "private"),
        (with(&edwards, "d", json!("AAAA")), "private"),
        (with(&rsa, "d", json!("AAAA")), "private"),
        (with(&rsa, "p", json!("AAAA")), "private"),
        (with(&rsa, "q", json!("AAAA")), "private"),
        (without(&elliptic, "kid"), "no `kid`"),
        (with(&elliptic, "kid", json!("")), "no `kid`"),
        (with(&elliptic, "kid", json!(5)), ""),
        (with(&elliptic, "use", json!("enc")), "`use`"),
        (with(&elliptic, "use", json!("anything")), "`use`"),
        (with(&elliptic, "key_ops", json!(["verify"])), "key_ops"),
        (with(&elliptic, "key_ops", json!(["sign", "verify"])), "key_ops"),
        (with(&elliptic, "key_ops", json!(["encrypt"])), "key_ops"),
        (with(&elliptic, "alg", json!("ES384")), "alg"),
        (with(&elliptic, "alg", json!("HS256")), "alg"),
        (with(&edwards, "alg", json!("ES256")), "alg"),
        (with(&rsa, "alg", json!("RS256")), "alg"),
        (with(&rsa, "alg", json!("RSA-OAEP")), "alg"),
        (with(&elliptic, "crv", json!("P-384")), "P-256"),
        (with(&elliptic, "crv", json!("P-521")), "P-256"),
        (with(&elliptic, "crv", json!("secp256k1")), ""),
        (with(&elliptic, "crv", json!("Ed25519")), "P-256"),
        (with(&edwards, "crv", json!("P-256")), "P-256"),
        (with(&edwards, "crv", json!("X25519")), ""),
        (with(&edwards, "crv", json!("Ed448")), ""),
        (without(&elliptic, "crv"), ""),
        (without(&elliptic, "x"), ""),
        (without(&elliptic, "y"), ""),
        (without(&edwards, "x"), ""),
        (without(&rsa, "e"), ""),
        (without(&elliptic, "kty"), ""),
        (with(&elliptic, "kty", json!("RSA")), ""),
        (with(&elliptic, "x", json!(5)), ""),
        (json!("a key"), ""),
        (json!(null), ""),
        (json!([point]), ""),
    ];
    for (jwk, reason) in cases {
        let refused = verifier(vec![jwk.clone()]).err().unwrap_or_else(|| panic!("taken: {jwk}"));
        assert!(refused.contains("https://idp.example/malmo-soc") && refused.contains(reason), "{jwk}: {refused}");
        // One bad key spoils the set: it is not skipped.
        assert!(verifier(vec![Signer::ed25519().jwk(), jwk]).is_err());
    }
    assert!(verifier(vec![]).err().is_some_and(|reason| reason.contains("no key")));
    let same = verifier(vec![with(&edwards, "kid", json!("1")), with(&elliptic, "kid", json!("1"))]);
    assert!(same.err().is_some_and(|reason| reason.contains("two keys")));
    assert!(verifier(vec![elliptic.clone(), elliptic]).err().is_some_and(|reason| reason.contains("two keys")));
}

#[test]
fn a_hub_starts_only_with_issuers_that_speak_for_someone() {
    let key = Signer::ed25519();
    let start = |issuers: &[IssuerConfig]| {
        Verifier::new(AUDIENCE, issuers, Clock::from_fn(|| START), agency).err().map(|error| error.to_string())
    };
    let good = issuer("malmo-soc", &[&key]);
    assert_eq!(start(std::slice::from_ref(&good)), None);
    let twice = start(&[good.clone(), good.clone()]);
    assert!(twice.is_some_and(|reason| reason.contains("twice")));
    let nobody = IssuerConfig { agency: "skola".to_owned(), ..good.clone() };
    assert!(start(&[nobody]).is_some_and(|reason| reason.contains("`skola` is not configured")));
    let silent = IssuerConfig { roles: Vec::new(), ..good };
    assert!(start(&[silent]).is_some_and(|reason| reason.contains("no role")));
}

const CONFIG: &str = r#"
listen = "127.0.0.1:0"
database = "sqlite:hub.db"
audience = "urn:samverka:prov"

[[agency]]
code = "malmo-soc"
kind = "SOCIAL_SERVICES"
name = "Malmö stad"
organisation_number = "212000-1124"
municipality = "1280"

[[issuer]]
issuer = "https://idp.example/malmo-soc"
agency = "malmo-soc"
roles = ["SOCIAL_SERVICES"]
jwks_file = "keys.json"
"#;

/// Reads a configuration that lies beside `keys.json`.
fn load(text: &str, keys: &str) -> Result<Config, ConfigError> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let folder: PathBuf = std::env::temp_dir().join(format!(
        "samverka-config-{}-{}",
        std::process::id(),
        COUNT.fetch_add(1, Ordering::SeqCst)
    ));
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("samverka.toml"), text).expect("a file");
    std::fs::write(folder.join("keys.json"), keys).expect("a file");
    let config = Config::load(&folder.join("samverka.toml"));
    std::fs::remove_dir_all(&folder).expect("the folder goes");
    config
}

#[test]
fn a_configuration_is_read_whole_or_not_at_all() {
    let keys = json!({ "keys": [Signer::es256().jwk()] }).to_string();
    let good = load(CONFIG, &keys).expect("it is read");
    assert_eq!((good.issuer[0].jwks.keys.len(), good.issuer[0].longest_life_seconds), (1, 600));
    assert_eq!(good.agencies().expect("they are right")[0].county.as_deref(), Some("12"));
    let issuer = "issuer = \"https://idp.example/malmo-soc\"";
    for (line, instead, reason) in [
        ("listen =", "lissen =", "lissen"),
        ("code = ", "kod = ", "kod"),
        ("jwks_file =", "jwks_url =", "jwks_url"),
        ("roles =", "role =", "role"),
        (issuer, "issuer = \"https://sandbox.samverka.invalid/malmo-soc\"", "sandbox"),
        (issuer, "issuer = \"https://sandbox.samverka.invalid/\"", "sandbox"),
        (issuer, "longest_life_seconds = 0\nissuer = \"x\"", "1 to 3600"),
        (issuer, "longest_life_seconds = -1\nissuer = \"x\"", "1 to 3600"),
        (issuer, "longest_life_seconds = 3601\nissuer = \"x\"", "1 to 3600"),
        (issuer, "longest_life_seconds = \"600\"\nissuer = \"x\"", "longest_life_seconds"),
        (issuer, "", "issuer"),
        ("\"SOCIAL_SERVICES\"]", "\"SOCIAL_SERVICES\", \"KING\"]", "issuer.0.roles"),
        ("keys.json", "other.json", "other.json"),
        ("keys.json", "samverka.toml", "samverka.toml"),
        ("audience = \"urn:samverka:prov\"", "", "audience"),
        ("database = \"sqlite:hub.db\"", "", "database"),
        ("127.0.0.1:0", "localhost", "listen"),
        ("[[agency]]", "[agency]", "agency"),
        ("listen =", "metrics_listen = \"9464\"\nlisten =", "metrics_listen"),
        ("listen =", "otlp_endpoint = \"https://127.0.0.1:4318\"\nlisten =", "otlp_endpoint"),
        ("listen =", "otlp_endpoint = \"http://127.0.0.1:4318/v1/traces\"\nlisten =", "otlp_endpoint"),
        ("listen =", "otlp_endpoint = \"http://who:ever@127.0.0.1:4318\"\nlisten =", "otlp_endpoint"),
        ("listen =", "otlp_endpoint = \"127.0.0.1:4318\"\nlisten =", "otlp_endpoint"),
    ] {
        assert!(CONFIG.contains(line), "{line}");
        let refused = load(&CONFIG.replacen(line, instead, 1), &keys).expect_err(instead).to_string();
        assert!(refused.contains(reason), "{instead}: {refused}");
    }
    // What cannot be read is not quoted: it may hold a password.
    for database in ["\"postgres://hub:Kanarieord@db/hub", "[\"Kanarieord\"]", "{ url = \"Kanarieord\" }", "Kanarieord"]
    {
        let text = CONFIG.replacen("\"sqlite:hub.db\"", database, 1);
        let refused = load(&text, &keys).expect_err(database).to_string();
        assert!(!refused.contains("Kanarieord"), "{refused}");
        assert!(refused.contains("line 3") || refused.contains("database"), "{refused}");
    }
    for not_keys in ["", "[]", "{}", "{\"keys\": {}}", "{\"keys\": null}", "<xml>"] {
        let refused = load(CONFIG, not_keys).expect_err(not_keys).to_string();
        assert!(refused.contains("JWK Set"), "{not_keys}: {refused}");
    }
    for (line, instead, reason) in [
        ("212000-1124", "212000-1125", "malmo-soc"),
        ("212000-1124", "212000", "malmo-soc"),
        ("212000-1124", "", "malmo-soc"),
        ("municipality = \"1280\"", "municipality = \"9999\"", "MunicipalityCode"),
        ("municipality = \"1280\"", "municipality = \"128\"", "MunicipalityCode"),
        ("municipality = \"1280\"", "county = \"99\"", "CountyCode"),
        ("kind = \"SOCIAL_SERVICES\"", "kind = \"SOCIAL\"", "SOCIAL_ON_CALL"),
        ("roles = [\"SOCIAL_SERVICES\"]", "roles = [\"SOCIAL_SERVICES\", \"MIGRATION\"]", "MIGRATION does not belong"),
        ("kind = \"SOCIAL_SERVICES\"", "kind = \"MIGRATION\"", "SOCIAL_SERVICES does not belong"),
        ("agency = \"malmo-soc\"", "agency = \"skola\"", "`skola` is not configured"),
    ] {
        let config = load(&CONFIG.replacen(line, instead, 1), &keys).expect("it is read");
        let refused = config.agencies().expect_err(instead).to_string();
        assert!(refused.contains(reason), "{instead}: {refused}");
    }
}

#[tokio::test]
async fn a_database_that_is_not_there_is_not_told_with_its_password() {
    for url in ["postgres://hub:Kanarieord@127.0.0.1:1/hub", "mysql://hub:Kanarieord@db/hub", "Kanarieord", ""] {
        let refused = start(&production(url, vec![])).await.expect_err("nothing is there");
        assert!(!refused.contains("Kanarieord") && refused.len() > 20, "{url}: {refused}");
    }
}

fn production(database: &str, issuers: Vec<IssuerConfig>) -> Config {
    let mut config = load(CONFIG, &json!({ "keys": [Signer::es256().jwk()] }).to_string()).expect("it is read");
    config.database = database.to_owned();
    config.issuer.extend(issuers);
    config
}

async fn start(config: &Config) -> Result<Router, String> {
    let clock = Clock::from_fn(|| START);
    let started = serve::production(config, Engine::embedded(), clock).await;
    started.map(|(_, service)| service.router()).map_err(|error| error.to_string())
}

async fn as_sandbox(url: &str) -> Result<(), String> {
    let clock = Clock::from_fn(|| START);
    let started = serve::sandbox(url, Engine::embedded(), clock, &mut |_| {}).await;
    started.map(|_| ()).map_err(|error| error.to_string())
}

async fn settings(outside: &DatabaseConnection) -> Vec<String> {
    let mut query = Query::select();
    query.column(Alias::new("key")).from(Alias::new("setting"));
    let rows = outside.query_all(&query).await.expect("reads");
    rows.iter().map(|row| row.try_get_by_index(0).expect("a key")).collect()
}

async fn count(outside: &DatabaseConnection, table: &'static str) -> i64 {
    let mut query = Query::select();
    query.expr(Expr::col(Alias::new("id")).count()).from(Alias::new(table));
    outside.query_one(&query).await.expect("reads").expect("a row").try_get_by_index(0).expect("a count")
}

async fn a_database_belongs_to_one_environment_for_good(hub: Hub) {
    let agencies = count(&hub.outside, "agency").await;
    let refused = start(&production(&hub.database.url, vec![])).await.expect_err("it is a sandbox");
    assert!(refused.contains("this is a sandbox database"), "{refused}");
    assert_eq!(count(&hub.outside, "agency").await, agencies, "nothing is written");
    let Some(database) = Database::empty(hub.database.kind).await else { return };
    let opened = DomainDatabase::connect(&database.url).await.expect("connects");
    opened.migrate_up().await.expect("migrates");
    opened.close().await;
    let config = production(&database.url, vec![]);
    drop(start(&config).await.expect("it is new"));
    let outside = sea_orm::Database::connect(database.url.as_str()).await.expect("connects");
    let refused = as_sandbox(&database.url).await.expect_err("it is of production");
    assert!(refused.contains("this is a production database"), "{refused}");
    let kept = settings(&outside).await;
    assert!(!kept.iter().any(|key| key.contains("sandbox") || key == "seeded"), "{kept:?}");
    assert_eq!((count(&outside, "child").await, count(&outside, "agency").await), (0, 1));
    // No token can be made from it, and it opens again as what it is.
    let opened = DomainDatabase::connect(&database.url).await.expect("connects");
    assert!(Issuer::of(&opened).await.is_err());
    opened.close().await;
    drop(start(&config).await.expect("it is of production"));
}

async fn a_hub_with_pending_migrations_does_not_start(hub: Hub) {
    let Some(database) = Database::empty(hub.database.kind).await else { return };
    let config = production(&database.url, vec![]);
    for steps in [0, 1, 2] {
        let opened = DomainDatabase::connect(&database.url).await.expect("connects");
        if steps > 0 {
            opened.migrate_up().await.expect("migrates");
            opened.migrate_down(steps).await.expect("goes back");
        }
        let refused = start(&config).await.expect_err("a migration is pending");
        assert!(refused.contains("pending") && refused.contains("samverka migrate up"), "{steps} back: {refused}");
        let migrations = opened.migrations().await.expect("reads");
        let pending = migrations.iter().filter(|(_, applied)| !applied).count();
        let expected = if steps == 0 { migrations.len() } else { steps as usize };
        assert_eq!(pending, expected, "the hub migrates nothing by itself");
        opened.close().await;
    }
    let opened = DomainDatabase::connect(&database.url).await.expect("connects");
    opened.migrate_up().await.expect("migrates");
    opened.close().await;
    drop(start(&config).await.expect("nothing is pending"));
}

async fn a_production_hub_takes_no_token_of_the_sandbox(hub: Hub) {
    let Some(database) = Database::empty(hub.database.kind).await else { return };
    let opened = DomainDatabase::connect(&database.url).await.expect("connects");
    opened.migrate_up().await.expect("migrates");
    opened.close().await;
    let mut signer = Signer::es256();
    signer.kid = "sandbox".to_owned();
    let mut config = production(&database.url, vec![]);
    config.issuer = vec![issuer("malmo-soc", &[&signer])];
    AUDIENCE.clone_into(&mut config.audience);
    let router = start(&config).await.expect("it starts");
    assert_refused(&Answer::of(&router, bearing(&hub.token("malmo-soc"))).await, "a token of the sandbox");
    let own = Forge { router, persona: "malmo-soc", signer, issuers: "https://idp.example/" };
    let answer = own.knock(&own.token(&own.header(), &own.claims())).await;
    assert_eq!(answer.data("/me/agency/code"), "malmo-soc");
    // An issuer whose agency nobody knows, and one that is there twice.
    for issuers in [vec![issuer("skola", &[&own.signer])], vec![config.issuer[0].clone(), config.issuer[0].clone()]] {
        config.issuer = issuers;
        let refused = start(&config).await.expect_err("the issuers are wrong");
        assert!(refused.contains("issuer `https://idp.example/"), "{refused}");
    }
}
