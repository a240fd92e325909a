//! What is open to every caller, and to whoever watches over the hub.

use super::{assert_hardened, get};
use crate::both;
use crate::harness::{Hub, Kind, Scene};
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Request};
use samverka_domain::error::ErrorCode;
use sea_orm::{ConnectionTrait, SqliteTransactionMode, TransactionOptions, TransactionTrait};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

both! {
    every_error_code_is_in_the_catalogue
    introspection_works_with_a_token
    the_hub_is_live_and_ready
    while_the_access_log_cannot_be_written_the_hub_is_not_ready
}

async fn every_error_code_is_in_the_catalogue(hub: Hub) {
    let query = "{ errorCatalog { code status en sv remedy remedySv } }";
    let answer = hub.caller("skola").without_purpose().ask(query).await;
    let catalogue = answer.data("/errorCatalog").as_array().expect("a list").clone();
    assert_eq!(catalogue.len(), ErrorCode::ALL.len());
    for code in ErrorCode::ALL {
        let entry = code.entry();
        let expected = json!({ "code": entry.code, "status": entry.status, "en": entry.en, "sv": entry.sv,
            "remedy": entry.remedy_en, "remedySv": entry.remedy_sv });
        assert!(catalogue.contains(&expected), "{}", entry.code);
        for text in [entry.en, entry.sv, entry.remedy_en, entry.remedy_sv] {
            assert!(text.len() > 10, "{}", entry.code);
        }
    }
}

/// What GraphiQL, Apollo and the code generators ask first.
const INTROSPECTION: &str = "query IntrospectionQuery { __schema { description
    queryType { name kind } mutationType { name kind } subscriptionType { name kind }
    types { ...FullType } directives { name description isRepeatable locations args(includeDeprecated: true) { ...InputValue } } } }
    fragment FullType on __Type { kind name description specifiedByURL isOneOf
        fields(includeDeprecated: true) { name description args(includeDeprecated: true) { ...InputValue }
            type { ...TypeRef } isDeprecated deprecationReason }
        inputFields(includeDeprecated: true) { ...InputValue } interfaces { ...TypeRef }
        enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason }
        possibleTypes { ...TypeRef } }
    fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue isDeprecated deprecationReason }
    fragment TypeRef on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name
        ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } } } }";

async fn introspection_works_with_a_token(hub: Hub) {
    for persona in ["malmo-soc", "radda-barnen", "lansstyrelsen-skane"] {
        let answer = hub.caller(persona).without_purpose().ask(INTROSPECTION).await;
        let types = answer.data("/__schema/types").as_array().expect("types").clone();
        for name in ["Query", "Mutation", "Child", "Identity", "ChildConnection", "Withheld", "PageInfo"] {
            assert!(types.iter().any(|ty| ty["name"] == name && ty["kind"] == "OBJECT"), "{name}");
        }
        assert_eq!(answer.data("/__schema/subscriptionType"), &Value::Null);
    }
}

async fn the_hub_is_live_and_ready(hub: Hub) {
    for (path, status) in [("/health/live", "live"), ("/health/ready", "ready")] {
        let answer = get(&hub, path, HeaderMap::new()).await;
        assert_eq!((answer.status.as_u16(), answer.json.clone()), (200, json!({ "status": status })), "{path}");
        assert_hardened(&answer, path);
        // They tell nothing more to those who send a token, and take no orders.
        let token = HeaderValue::from_str(&format!("Bearer {}", hub.token("dataskydd"))).expect("a header");
        let with = get(&hub, path, HeaderMap::from_iter([(axum::http::header::AUTHORIZATION, token)])).await;
        assert_eq!((with.status, with.text), (answer.status, answer.text));
        let post = hub.send(Request::post(path).body(Body::empty()).expect("a request")).await;
        assert_eq!(post.status, 405, "{path}");
    }
}

async fn while_the_access_log_cannot_be_written_the_hub_is_not_ready(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    let shows = "query($id: ID!) { child(id: $id) { identity { givenNames } } }";
    let before = hub.caller("malmo-soc").ask_with(shows, json!({ "id": child.id })).await;
    assert!(before.data("/child/identity/givenNames").is_string());
    let check = async || {
        let answer = get(&hub, "/health/ready", HeaderMap::new()).await;
        assert_eq!(answer.status, 503, "{}", answer.text);
        assert_eq!(answer.json["status"], "unavailable");
        assert_eq!(get(&hub, "/health/live", HeaderMap::new()).await.status, 200, "the process lives");
        let refused = hub.caller("malmo-soc").ask_with(shows, json!({ "id": child.id })).await;
        assert_eq!(refused.status, 503, "{}", refused.text);
        assert_eq!(refused.headers["retry-after"], "5");
        assert!(matches!(refused.codes()[..], ["AUDIT_UNAVAILABLE" | "UNAVAILABLE"]), "{}", refused.text);
        assert!(refused.json.get("data").is_none(), "{}", refused.text);
        for canary in child.canaries.values() {
            assert!(!refused.text.contains(canary.as_str()), "nothing is shown: {}", refused.text);
        }
    };
    match hub.database.kind {
        Kind::Sqlite => {
            let immediate = TransactionOptions {
                sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
                ..TransactionOptions::default()
            };
            let held = hub.outside.begin_with_options(immediate).await.expect("takes the lock");
            check().await;
            held.rollback().await.expect("gives the lock back");
        }
        Kind::Postgres => {
            // A lock would not keep a transaction from beginning, so every connection is cut and none is taken.
            let (server, name) = hub.database.url.rsplit_once('/').expect("a database");
            let admin = sea_orm::Database::connect(format!("{server}/postgres")).await.expect("connects");
            let run = async |sql: String| admin.execute_unprepared(&sql).await.expect("runs");
            run(format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false")).await;
            run(format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")).await;
            check().await;
            run(format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true")).await;
            admin.close().await.expect("closes");
        }
    }
    // Once it can be written again the hub answers, and is ready.
    let begun = Instant::now();
    loop {
        let answer = hub.caller("malmo-soc").ask_with(shows, json!({ "id": child.id })).await;
        let ready = get(&hub, "/health/ready", HeaderMap::new()).await;
        if answer.status == 200 && answer.json["errors"].is_null() && ready.status == 200 {
            assert_eq!(answer.text, before.text);
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "{} {}", answer.text, ready.text);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
