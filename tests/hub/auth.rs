//! The front door: which tokens open it, which keys a token may be signed with, and which configurations a hub
//! starts with. The tokens here are forged with the sandbox's own key, so that each differs from a good one in
//! exactly one thing.

use crate::both;
use crate::harness::{Answer, Database, HOUR, Hub, START, persona};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256,
    RsaEncoding, RsaKeyPair,
};
use aws_lc_rs::{hmac, rsa};
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Request};
use data_encoding::{BASE32_DNSSEC, BASE64, BASE64URL_NOPAD};
use samverka::auth::Verifier;
use samverka::config::{Config, ConfigError, IssuerConfig, Jwks, SANDBOX_ISSUER};
use samverka::sandbox::{AUDIENCE, Issuer};
use samverka::serve;
use samverka_domain::agency::{Agency, AgencyKind};
use samverka_domain::clock::Clock;
use samverka_domain::error::ErrorCode;
use samverka_domain::hub::Database as DomainDatabase;
use samverka_domain::policy::{Engine, Role};
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};
use sea_orm::{ConnectionTrait, DatabaseConnection};
use serde_json::{Map, Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

both! {
    without_exactly_one_bearer_token_nobody_is_let_in
    the_schema_is_not_shown_without_a_token
    a_token_is_taken_in_its_time_and_not_outside_it
    a_token_that_was_good_is_refused_once_it_has_run_out
    a_token_carries_every_claim_in_its_right_type
    a_token_is_for_this_hub_and_for_no_other
    a_token_carries_one_role_which_its_issuer_may_give
    a_token_says_that_it_is_an_access_token
    a_token_never_chooses_its_algorithm
    a_token_never_chooses_its_key
    a_token_that_is_bound_to_a_key_is_no_bearer_token
    an_altered_token_is_refused
    a_token_that_says_a_thing_twice_is_refused
    an_endless_token_is_refused
    an_issuer_speaks_with_its_own_key_and_for_its_own_agency
    the_three_algorithms_work_and_their_relatives_do_not
    a_database_belongs_to_one_environment_for_good
    a_hub_with_pending_migrations_does_not_start
    a_production_hub_takes_no_token_of_the_sandbox
}

const NOW: i64 = START / 1_000_000;

// ---------------------------------------------------------------------------------------------------------------
// The tokens.

async fn without_exactly_one_bearer_token_nobody_is_let_in(hub: Hub) {
    let good = hub.token("malmo-soc");
    let none: [&[String]; 9] = [
        &[],
        &[String::new()],
        &["Bearer".to_owned()],
        std::slice::from_ref(&good),
        &[format!("Basic {good}")],
        &[format!("DPoP {good}")],
        &[format!("Bearer:{good}")],
        &[format!("Bearer {good}"), format!("Bearer {good}")],
        &[format!("Bearer {good}"), "Basic YTpi".to_owned()],
    ];
    for values in none {
        let answer = Answer::of(&hub.router, request(values)).await;
        assert_eq!(answer.status, 401, "{values:?}");
        assert_eq!(answer.headers["www-authenticate"], "Bearer", "{values:?}");
        assert_eq!(answer.json, refusal(ErrorCode::Unauthenticated), "{values:?}");
    }
    // A token in the address or in the body is no token.
    let elsewhere = Request::post(format!("/graphql?access_token={good}"))
        .header("content-type", "application/json")
        .body(Body::from(json!({ "query": "{ me { role } }", "access_token": good }).to_string()));
    assert_eq!(hub.send(elsewhere.expect("a request")).await.codes(), ["UNAUTHENTICATED"]);
    let mut non_ascii = request(&[]);
    let value = HeaderValue::from_bytes("Bearer blåbär".as_bytes()).expect("a header");
    non_ascii.headers_mut().insert("authorization", value);
    let answer = hub.send(non_ascii).await;
    assert_eq!((answer.status.as_u16(), answer.codes()), (401, vec!["UNAUTHENTICATED"]));
    for scheme in ["Bearer", "bearer", "BEARER", "bEaReR", "Bearer "] {
        let answer = Answer::of(&hub.router, request(&[format!("{scheme} {good}")])).await;
        assert_eq!(answer.data("/me/agency/code"), "malmo-soc", "{scheme}");
    }
}

async fn the_schema_is_not_shown_without_a_token(hub: Hub) {
    let introspection = "{ __schema { types { name description fields { name } } } __typename }";
    let ask = |token: Option<String>, query: &str| {
        let mut request = Request::post("/graphql").header("content-type", "application/json");
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        request.body(Body::from(json!({ "query": query }).to_string())).expect("a request")
    };
    // Suggestions and validation errors would tell of the schema, too.
    for query in [introspection, "{ chil }", "{ child }", "{ __type(name: \"Child\") { name } }", "{"] {
        for token in [None, Some("a.b.c".to_owned()), Some(String::new())] {
            let answer = hub.send(ask(token.clone(), query)).await;
            assert_eq!(answer.status, 401, "{query}");
            let code = if token.is_none() { ErrorCode::Unauthenticated } else { ErrorCode::TokenRefused };
            assert_eq!(answer.json, refusal(code), "{query}");
        }
    }
    let answer = hub.send(ask(Some(hub.token("skola")), introspection)).await;
    assert!(answer.data("/__schema/types").to_string().contains("ChildConnection"));
    // What to do about it is said, in English and in Swedish.
    let error = &hub.send(ask(None, "{ me { role } }")).await.json["errors"][0];
    assert_eq!(error["message"], ErrorCode::Unauthenticated.entry().en);
    for part in ["code", "sv", "remedy", "remedySv"] {
        assert!(error["extensions"][part].as_str().is_some_and(|text| !text.is_empty()), "{part}");
    }
}

async fn a_token_is_taken_in_its_time_and_not_outside_it(hub: Hub) {
    let forge = Forge::of_sandbox(&hub).await;
    let half_day = 12 * 3600;
    // When it was issued, when it runs out, from when it is good, all from now; and whether it is taken.
    let times: [(i64, i64, Option<i64>, Option<ErrorCode>); 20] = [
        (0, 600, None, None),
        (-600, 1, None, None),
        (-600, 0, None, None),
        (-600, -10, None, None),
        (-600, -11, None, Some(ErrorCode::TokenExpired)),
        (-7200, -3600, None, Some(ErrorCode::TokenExpired)),
        (0, half_day, None, None),
        (0, half_day + 1, None, Some(ErrorCode::TokenRefused)),
        (-3600, half_day - 3599, None, Some(ErrorCode::TokenRefused)),
        (0, 10 * 365 * 86_400, None, Some(ErrorCode::TokenRefused)),
        (0, 0, None, Some(ErrorCode::TokenRefused)),
        (10, 5, None, Some(ErrorCode::TokenRefused)),
        (60, 600, None, None),
        (61, 600, None, Some(ErrorCode::TokenRefused)),
        (3600, 7200, None, Some(ErrorCode::TokenRefused)),
        (0, 600, Some(0), None),
        (0, 600, Some(60), None),
        (0, 600, Some(61), Some(ErrorCode::TokenRefused)),
        (0, 6000, Some(3600), Some(ErrorCode::TokenRefused)),
        (-7200, -3600, Some(3600), Some(ErrorCode::TokenRefused)),
    ];
    for (iat, exp, nbf, expected) in times {
        let mut claims = forge.claims().with("iat", NOW + iat).with("exp", NOW + exp);
        if let Some(nbf) = nbf {
            claims = claims.with("nbf", NOW + nbf);
        }
        let answer = forge.knock(&forge.token(&forge.header(), &claims)).await;
        let why = format!("iat {iat} exp {exp} nbf {nbf:?}");
        match expected {
            None => assert_eq!(answer.data("/me/role"), "SOCIAL_SERVICES", "{why}"),
            Some(code) => assert_refused_as(&answer, code, &why),
        }
    }
    // A NumericDate may have a fraction (RFC 7519, section 2) and may be written with an exponent.
    for (claim, literal, taken) in [
        ("exp", format!("{}.5", NOW + 600), true),
        ("exp", "1.795262460E9".to_owned(), true),
        ("iat", format!("{}.999", NOW), true),
        ("nbf", format!("{}.0", NOW - 5), true),
        ("exp", format!("\"{}\"", NOW + 600), false),
        ("iat", format!("\"{NOW}\""), false),
        ("nbf", format!("\"{NOW}\""), false),
        ("exp", "\"2026-11-21T13:00:00Z\"".to_owned(), false),
        ("exp", "null".to_owned(), false),
        ("exp", "true".to_owned(), false),
        ("exp", "[1795263000]".to_owned(), false),
        ("exp", "1e300".to_owned(), false),
        ("exp", "1e400".to_owned(), false),
        ("exp", "99999999999999999999".to_owned(), false),
        ("iat", "-1".to_owned(), false),
        ("iat", "-1e300".to_owned(), false),
        ("exp", "-1".to_owned(), false),
        ("exp", "0x6b017a00".to_owned(), false),
    ] {
        let good = forge.claims().with(claim, "here").to_string();
        let claims = good.replace("\"here\"", &literal);
        let answer = forge.knock(&forge.signed(&forge.header().to_string(), &claims)).await;
        if taken {
            assert_eq!(answer.data("/me/role"), "SOCIAL_SERVICES", "{claim} {literal}");
        } else {
            assert_refused(&answer, &format!("{claim} {literal}"));
        }
    }
}

async fn a_token_that_was_good_is_refused_once_it_has_run_out(hub: Hub) {
    let forge = Forge::of_sandbox(&hub).await;
    let token = forge.token(&forge.header(), &forge.claims());
    for _ in 0..3 {
        assert_eq!(forge.knock(&token).await.data("/me/role"), "SOCIAL_SERVICES");
    }
    hub.wait(610 * 1_000_000);
    assert_eq!(forge.knock(&token).await.data("/me/role"), "SOCIAL_SERVICES", "clocks may differ by ten seconds");
    hub.wait(1_000_000);
    for _ in 0..2 {
        assert_refused_as(&forge.knock(&token).await, ErrorCode::TokenExpired, "it has run out");
    }
    let own = hub.token("malmo-soc");
    assert_eq!(forge.knock(&own).await.data("/me/role"), "SOCIAL_SERVICES");
    hub.wait(12 * HOUR + 11_000_000);
    assert_refused_as(&forge.knock(&own).await, ErrorCode::TokenExpired, "it has run out");
}

async fn a_token_carries_every_claim_in_its_right_type(hub: Hub) {
    let forge = Forge::of_sandbox(&hub).await;
    for claim in ["iss", "aud", "sub", "client_id", "jti", "role", "exp", "iat"] {
        let claims = forge.claims().without(claim);
        assert_refused(&forge.knock(&forge.token(&forge.header(), &claims)).await, &format!("no {claim}"));
        for wrong in [json!(null), json!([]), json!({}), json!(true), json!([forge.claims().0[claim]])] {
            if claim == "aud" && wrong == json!([AUDIENCE]) {
                continue;
            }
            let claims = forge.claims().with(claim, wrong.clone());
            let answer = forge.knock(&forge.token(&forge.header(), &claims)).await;
            assert_refused(&answer, &format!("{claim} is {wrong}"));
        }
    }
    for claim in ["iss", "aud", "sub", "client_id", "jti", "role"] {
        for wrong in [json!(""), json!(5), json!("å".repeat(200))] {
            let claims = forge.claims().with(claim, wrong.clone());
            let answer = forge.knock(&forge.token(&forge.header(), &claims)).await;
            assert_refused(&answer, &format!("{claim} is {wrong}"));
        }
    }
    for claims in ["[]", "\"\"", "null", "5", "", "{", "{}", "[\"https://sandbox.samverka.invalid/malmo-soc\"]"] {
        assert_refused(&forge.knock(&forge.signed(&forge.header().to_string(), claims)).await, claims);
    }
    // What else a token carries is of no interest.
    let claims = forge.claims().with("scope", "hub:read").with("roles", json!(["SYSTEM_ADMIN"])).with("nbf", NOW);
    assert_eq!(forge.knock(&forge.token(&forge.header(), &claims)).await.data("/me/role"), "SOCIAL_SERVICES");
}

async fn a_token_is_for_this_hub_and_for_no_other(hub: Hub) {
    let forge = Forge::of_sandbox(&hub).await;
    let good = forge.claims().with("aud", json!([AUDIENCE]));
    assert_eq!(forge.knock(&forge.token(&forge.header(), &good)).await.data("/me/role"), "SOCIAL_SERVICES");
    for audience in [
        json!("urn:samverka:prod"),
        json!("urn:samverka:sandbox/"),
        json!("URN:SAMVERKA:SANDBOX"),
        json!("urn:samverka:sandbox urn:else"),
        json!([AUDIENCE, "urn:else"]),
        json!(["urn:else", AUDIENCE]),
        json!([AUDIENCE, AUDIENCE]),
        json!([]),
        json!([[AUDIENCE]]),
        json!({ "0": AUDIENCE }),
    ] {
        let claims = forge.claims().with("aud", audience.clone());
        assert_refused(&forge.knock(&forge.token(&forge.header(), &claims)).await, &audience.to_string());
    }
    for issuer in [
        format!("{SANDBOX_ISSUER}nobody"),
        format!("{SANDBOX_ISSUER}malmo-soc/"),
        SANDBOX_ISSUER.to_owned(),
        "malmo-soc".to_owned(),
    ] {
        let claims = forge.claims().with("iss", issuer.as_str());
        assert_refused(&forge.knock(&forge.token(&forge.header(), &claims)).await, &issuer);
    }
}

async fn a_token_carries_one_role_which_its_issuer_may_give(hub: Hub) {
    let forge = Forge::of_sandbox(&hub).await;
    for role in [
        json!("MIGRATION"),
        json!("SOCIAL_ON_CALL"),
        json!("SYSTEM_ADMIN"),
        json!("DATA_PROTECTION"),
        json!("social_services"),
        json!("SOCIAL_SERVICES "),
        json!("SOCIAL_SERVICES,MIGRATION"),
        json!("SOCIAL_SERVICES MIGRATION"),
        json!("ADMIN"),
        json!(["SOCIAL_SERVICES"]),
        json!(["SOCIAL_SERVICES", "MIGRATION"]),
        json!({ "role": "SOCIAL_SERVICES" }),
    ] {
        let claims = forge.claims().with("role", role.clone());
        assert_refused(&forge.knock(&forge.token(&forge.header(), &claims)).await, &role.to_string());
    }
    let plural = forge.claims().without("role").with("roles", json!(["SOCIAL_SERVICES"]));
    assert_refused(&forge.knock(&forge.token(&forge.header(), &plural)).await, "roles");
}

async fn a_token_says_that_it_is_an_access_token(hub: Hub) {
    let forge = Forge::of_sandbox(&hub).await;
    for typ in ["at+jwt", "AT+JWT", "application/at+jwt"] {
        let answer = forge.knock(&forge.token(&forge.header().with("typ", typ), &forge.claims())).await;
        assert_eq!(answer.data("/me/role"), "SOCIAL_SERVICES", "{typ}");
    }
    assert_refused(&forge.knock(&forge.token(&forge.header().without("typ"), &forge.claims())).await, "no typ");
    for typ in [
        json!("JWT"),
        json!("jwt"),
        json!("id+jwt"),
        json!("dpop+jwt"),
        json!("logout+jwt"),
        json!("secevent+jwt"),
        json!("JOSE"),
        json!("at"),
        json!("at+jwt "),
        json!(""),
        json!(null),
        json!(5),
        json!(["at+jwt"]),
    ] {
        let header = forge.header().with("typ", typ.clone());
        assert_refused(&forge.knock(&forge.token(&header, &forge.claims())).await, &typ.to_string());
    }
}

async fn a_token_never_chooses_its_algorithm(hub: Hub) {
    let forge = Forge::of_sandbox(&hub).await;
    for alg in ["none", "None", "NONE", "nOnE", "NoNe", "", " ", "null", "EdDSA ", "eddsa", "EDDSA", "Ed25519", "ES256"]
    {
        let header = forge.header().with("alg", alg);
        assert_refused(&forge.knock(&forge.token(&header, &forge.claims())).await, &format!("{alg}, signed"));
        let unsigned = format!("{}.{}.", encode(&header.to_string()), encode(&forge.claims().to_string()));
        assert_refused(&forge.knock(&unsigned).await, &format!("{alg}, not signed"));
        assert_refused(&forge.knock(unsigned.trim_end_matches('.')).await, &format!("{alg}, two parts"));
    }
    for alg in [json!(null), json!(0), json!(["EdDSA"]), json!({})] {
        let header = forge.header().with("alg", alg.clone());
        assert_refused(&forge.knock(&forge.token(&header, &forge.claims())).await, &alg.to_string());
    }
    let header = forge.header().without("alg");
    assert_refused(&forge.knock(&forge.token(&header, &forge.claims())).await, "no alg");
    // What is public is no secret: the key's bytes, its text, the whole JWK, its SPKI.
    let jwk = forge.signer.jwk();
    let x = jwk["x"].as_str().expect("a key");
    let raw = BASE64URL_NOPAD.decode(x.as_bytes()).expect("a key");
    let spki = [&[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00], raw.as_slice()].concat();
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", BASE64.encode(&spki));
    let secrets = [raw, x.as_bytes().to_vec(), jwk.to_string().into_bytes(), spki, pem.into_bytes(), vec![]];
    for secret in secrets {
        for (alg, hash) in [("HS256", hmac::HMAC_SHA256), ("HS384", hmac::HMAC_SHA384), ("HS512", hmac::HMAC_SHA512)] {
            let message = message(&forge.header().with("alg", alg).to_string(), &forge.claims().to_string());
            let tag = hmac::sign(&hmac::Key::new(hash, &secret), message.as_bytes());
            let token = format!("{message}.{}", BASE64URL_NOPAD.encode(tag.as_ref()));
            assert_refused(&forge.knock(&token).await, alg);
        }
    }
    // A key of the attacker's own, of the algorithm that the header names.
    for mut signer in [Signer::es256(), Signer::rsa(), Signer::ed25519()] {
        signer.kid = forge.signer.kid.clone();
        let header = forge.header().with("alg", signer.alg());
        let token = signer.signed(&header.to_string(), &forge.claims().to_string());
        assert_refused(&forge.knock(&token).await, signer.alg());
    }
}

async fn a_token_never_chooses_its_key(hub: Hub) {
    let forge = Forge::of_sandbox(&hub).await;
    for kid in [
        json!("unknown"),
        json!(""),
        json!("Sandbox"),
        json!("../../../dev/null"),
        json!("sandbox' OR '1'='1"),
        json!("sandbox\u{0}"),
        json!(null),
        json!(0),
        json!(["sandbox"]),
    ] {
        let header = forge.header().with("kid", kid.clone());
        assert_refused(&forge.knock(&forge.token(&header, &forge.claims())).await, &kid.to_string());
    }
    let header = forge.header().without("kid");
    assert_refused(&forge.knock(&forge.token(&header, &forge.claims())).await, "no kid");
    // Even an honest token that brings a key, or something that must be understood, is refused.
    for (name, value) in [
        ("jwk", forge.signer.jwk()),
        ("jwk", json!({})),
        ("jwk", json!(null)),
        ("jku", json!("https://elak.example/keys.json")),
        ("jku", json!(format!("{SANDBOX_ISSUER}malmo-soc"))),
        ("x5u", json!("https://elak.example/key.pem")),
        ("x5c", json!(["MIIB"])),
        ("x5c", json!([])),
        ("crit", json!(["b64"])),
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("crit", json!(null)),
        ("crit", json!("b64")),
    ] {
        let header = forge.header().with(name, value.clone());
        let answer = forge.knock(&forge.token(&header, &forge.claims())).await;
        assert_refused(&answer, &format!("{name}: {value}"));
    }
    let mut own = Signer::ed25519();
    own.kid = forge.signer.kid.clone();
    let header = forge.header().with("jwk", own.jwk());
    assert_refused(&forge.knock(&own.signed(&header.to_string(), &forge.claims().to_string())).await, "its own key");
}

async fn a_token_that_is_bound_to_a_key_is_no_bearer_token(hub: Hub) {
    let forge = Forge::of_sandbox(&hub).await;
    for cnf in [json!({ "jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" }), json!({}), json!(null), json!("jkt")] {
        let claims = forge.claims().with("cnf", cnf.clone());
        assert_refused(&forge.knock(&forge.token(&forge.header(), &claims)).await, &cnf.to_string());
    }
}

async fn an_altered_token_is_refused(hub: Hub) {
    let forge = Forge::of_sandbox(&hub).await;
    let good = forge.token(&forge.header(), &forge.claims());
    assert_eq!(forge.knock(&good).await.data("/me/role"), "SOCIAL_SERVICES");
    let parts: Vec<&str> = good.split('.').collect();
    let (header, claims, signature) = (parts[0], parts[1], parts[2]);
    // Another's claims under a good signature, and the other way round.
    let other = Forge { persona: "migrationsverket", ..Forge::of_sandbox(&hub).await };
    let foreign = other.token(&other.header(), &other.claims());
    let foreign: Vec<&str> = foreign.split('.').collect();
    let mut altered = vec![
        format!("{header}.{}.{signature}", foreign[1]),
        format!("{header}.{claims}.{}", foreign[2]),
        format!("{header}.{claims}"),
        format!("{header}.{claims}."),
        format!("{header}..{signature}"),
        format!(".{claims}.{signature}"),
        "..".to_owned(),
        ".".to_owned(),
        "...".to_owned(),
        "x".to_owned(),
        format!("{good}."),
        format!("{good}.{signature}"),
        format!("{header}.{header}.{claims}.{signature}.{signature}"),
        format!("{header}=.{claims}.{signature}"),
        format!("{header}.{claims}=.{signature}"),
        format!("{header}.{claims}==.{signature}"),
        format!("{header}.{claims}.{signature}="),
        format!("{header}.{claims}.{signature}=="),
        format!("{header}.{claims}.{}", &signature[1..]),
        format!("{header}.{claims}.{}", &signature[..signature.len() - 1]),
        format!("{header}.{claims}.{signature}A"),
        format!("{header}.{claims}.{}", BASE64URL_NOPAD.encode(&[0; 64])),
        format!("{header}.{claims} .{signature}"),
        format!("{header}. {claims}.{signature}"),
        format!("{good} "),
        format!("{good},{good}"),
        format!("{good} {good}"),
        format!("\"{good}\""),
    ];
    let spaced = format!("{} ", forge.claims());
    altered.push(format!("{header}.{}.{signature}", encode(&spaced)));
    let escalated = forge.claims().with("role", "MIGRATION").to_string();
    altered.push(format!("{header}.{}.{signature}", encode(&escalated)));
    // Each character of the signature counts, down to the unused bits of the last.
    for at in [0, 1, 40, signature.len() - 2, signature.len() - 1] {
        for with in ["A", "B", "Q", "w", "-", "_"] {
            let mut changed = signature.to_owned();
            changed.replace_range(at..=at, with);
            if changed != signature {
                altered.push(format!("{header}.{claims}.{changed}"));
            }
        }
    }
    for token in altered {
        assert_refused(&forge.knock(&token).await, &token);
    }
    assert_eq!(forge.knock(&good).await.data("/me/role"), "SOCIAL_SERVICES", "the good one is still good");
}

async fn a_token_that_says_a_thing_twice_is_refused(hub: Hub) {
    let forge = Forge::of_sandbox(&hub).await;
    let (header, claims) = (forge.header().to_string(), forge.claims().to_string());
    let twice = |object: &str, name: &str, value: Value| {
        let first = format!("{{\"{name}\":{value},{}", &object[1..]);
        let last = format!("{},\"{name}\":{value}}}", &object[..object.len() - 1]);
        [first, last]
    };
    for claim in ["iss", "aud", "sub", "client_id", "jti", "role", "exp", "iat", "agency"] {
        for value in [forge.claims().0[claim].clone(), json!("MIGRATION")] {
            for claims in twice(&claims, claim, value) {
                assert_refused(&forge.knock(&forge.signed(&header, &claims)).await, &format!("two {claim}"));
            }
        }
    }
    for name in ["alg", "typ", "kid"] {
        for header in twice(&header, name, forge.header().0[name].clone()) {
            assert_refused(&forge.knock(&forge.signed(&header, &claims)).await, &format!("two {name}"));
        }
    }
}

async fn an_endless_token_is_refused(hub: Hub) {
    let forge = Forge::of_sandbox(&hub).await;
    let long = forge.claims().with("more", "a".repeat(5_000));
    assert_eq!(forge.knock(&forge.token(&forge.header(), &long)).await.data("/me/role"), "SOCIAL_SERVICES");
    for size in [8_000, 100_000, 1_000_000] {
        let claims = forge.claims().with("more", "a".repeat(size));
        assert_refused(&forge.knock(&forge.token(&forge.header(), &claims)).await, "too long");
    }
    assert_refused(&forge.knock(&"a".repeat(100_000)).await, "too long");
    assert_refused(&forge.knock(&".".repeat(8_000)).await, "dots");
    let nested = |object: &str| format!("{{\"more\":{}{},{}", "[".repeat(1_500), "]".repeat(1_500), &object[1..]);
    let header = nested(&forge.header().to_string());
    assert_refused(&forge.knock(&forge.signed(&header, &forge.claims().to_string())).await, "a nested header");
    // Nested claims are signed by the issuer; whatever becomes of them, the process lives.
    forge.knock(&forge.signed(&forge.header().to_string(), &nested(&forge.claims().to_string()))).await;
}

async fn an_issuer_speaks_with_its_own_key_and_for_its_own_agency(hub: Hub) {
    let (mut malmo, mut school) = (Signer::es256(), Signer::es256());
    malmo.kid = "one".to_owned();
    school.kid = "one".to_owned();
    let mut issuers = vec![issuer("malmo-soc", &[&malmo]), issuer("skola", &[&school])];
    issuers[0].roles.push(Role::SocialOnCall);
    issuers[0].clients = vec!["malmo-system".to_owned()];
    let router = front(&hub, &issuers).await;
    let malmo = Forge { router: router.clone(), persona: "malmo-soc", signer: malmo, issuers: "https://idp.example/" };
    let school = Forge { router, persona: "skola", signer: school, issuers: "https://idp.example/" };
    assert_eq!(malmo.knock(&malmo.token(&malmo.header(), &malmo.claims())).await.data("/me/agency/code"), "malmo-soc");
    assert_eq!(school.knock(&school.token(&school.header(), &school.claims())).await.data("/me/agency/code"), "skola");
    // Another issuer's name under one's own key, and one's own name under another's.
    for (named, signs) in [(&malmo, &school), (&school, &malmo)] {
        let token = signs.signer.signed(&named.header().to_string(), &named.claims().to_string());
        assert_refused(&signs.knock(&token).await, "another's name");
        let token = signs.token(&signs.header(), &named.claims().with("iss", signs.claims().0["iss"].clone()));
        let answer = signs.knock(&token).await;
        assert_refused(&answer, "another's role, agency and client under one's own name");
    }
    let id = malmo.knock(&malmo.token(&malmo.header(), &malmo.claims())).await;
    assert_eq!(id.data("/me/role"), "SOCIAL_SERVICES");
    let id = hub.domain.agency_by_code("malmo-soc").expect("an agency").id.to_string();
    for agrees in ["malmo-soc", &id] {
        let claims = malmo.claims().with("agency", agrees);
        let answer = malmo.knock(&malmo.token(&malmo.header(), &claims)).await;
        assert_eq!(answer.data("/me/agency/code"), "malmo-soc", "{agrees}");
    }
    let other = hub.domain.agency_by_code("skola").expect("an agency").id.to_string();
    for differs in [json!("skola"), json!(other), json!(""), json!("MALMO-SOC"), json!(["malmo-soc"]), json!({})] {
        let claims = malmo.claims().with("agency", differs.clone());
        assert_refused(&malmo.knock(&malmo.token(&malmo.header(), &claims)).await, &differs.to_string());
    }
    // Without the claim the agency is the one of the configuration.
    let answer = malmo.knock(&malmo.token(&malmo.header(), &malmo.claims().without("agency"))).await;
    assert_eq!(answer.data("/me/agency/code"), "malmo-soc");
    let on_call = malmo.claims().with("role", "SOCIAL_ON_CALL");
    assert_eq!(malmo.knock(&malmo.token(&malmo.header(), &on_call)).await.data("/me/role"), "SOCIAL_ON_CALL");
    for client in ["another-system", "malmo-system-2", "MALMO-SYSTEM"] {
        let claims = malmo.claims().with("client_id", client);
        assert_refused(&malmo.knock(&malmo.token(&malmo.header(), &claims)).await, client);
    }
}

async fn the_three_algorithms_work_and_their_relatives_do_not(hub: Hub) {
    let signers = [Signer::es256(), Signer::ed25519(), Signer::rsa()];
    let router = front(&hub, &[issuer("malmo-soc", &signers.each_ref())]).await;
    for signer in signers {
        let forge = Forge { router: router.clone(), persona: "malmo-soc", signer, issuers: "https://idp.example/" };
        let answer = forge.knock(&forge.token(&forge.header(), &forge.claims())).await;
        assert_eq!(answer.data("/me/agency/code"), "malmo-soc", "{}", forge.signer.alg());
        for alg in ["ES256", "EdDSA", "PS256", "RS256", "PS384", "PS512", "RS512", "ES384", "ES512", "ES256K"] {
            let header = forge.header().with("alg", alg);
            let answer = forge.knock(&forge.token(&header, &forge.claims())).await;
            if alg == forge.signer.alg() {
                assert_eq!(answer.data("/me/role"), "SOCIAL_SERVICES");
            } else {
                assert_refused(&answer, &format!("{alg} in the header, {} signed", forge.signer.alg()));
            }
        }
        // The right key under the name of another.
        for kid in ["ES256", "EdDSA", "PS256"].into_iter().filter(|kid| *kid != forge.signer.kid) {
            let header = forge.header().with("kid", kid);
            assert_refused(&forge.knock(&forge.token(&header, &forge.claims())).await, kid);
        }
        if let Secret::Rsa(key) = &forge.signer.secret {
            let header = forge.header().with("alg", "RS256").to_string();
            let message = message(&header, &forge.claims().to_string());
            let signature = BASE64URL_NOPAD.encode(&rsa_sign(key, &RSA_PKCS1_SHA256, message.as_bytes()));
            assert_refused(&forge.knock(&format!("{message}.{signature}")).await, "RS256");
            let message = message_of(&forge);
            let signature = BASE64URL_NOPAD.encode(&rsa_sign(key, &RSA_PKCS1_SHA256, message.as_bytes()));
            assert_refused(&forge.knock(&format!("{message}.{signature}")).await, "RS256 that says PS256");
        }
    }
}

fn message_of(forge: &Forge) -> String {
    message(&forge.header().to_string(), &forge.claims().to_string())
}

// ---------------------------------------------------------------------------------------------------------------
// The keys.

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

// ---------------------------------------------------------------------------------------------------------------
// The configuration.

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

// ---------------------------------------------------------------------------------------------------------------
// The forge.

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
