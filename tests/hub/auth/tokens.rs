//! What a token says: when it is good, for whom, and for what.

use super::{Forge, NOW, assert_refused, assert_refused_as, refusal, request};
use crate::both;
use crate::harness::{Answer, HOUR, Hub};
use axum::body::Body;
use axum::http::{HeaderValue, Request};
use samverka::config::SANDBOX_ISSUER;
use samverka::sandbox::AUDIENCE;
use samverka_domain::error::ErrorCode;
use serde_json::json;

both! {
    without_exactly_one_bearer_token_nobody_is_let_in
    the_schema_is_not_shown_without_a_token
    a_token_is_taken_in_its_time_and_not_outside_it
    a_token_that_was_good_is_refused_once_it_has_run_out
    a_token_carries_every_claim_in_its_right_type
    a_token_is_for_this_hub_and_for_no_other
    a_token_carries_one_role_which_its_issuer_may_give
    a_token_says_that_it_is_an_access_token
    a_token_that_is_bound_to_a_key_is_no_bearer_token
    an_endless_token_is_refused
}

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
    let forge = Forge::of_agency(&hub).await;
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
    let forge = Forge::of_agency(&hub).await;
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
    // The sandbox's issuer reads the hub's clock.
    let sandbox = Forge::of_sandbox(&hub).await;
    let own = hub.token("malmo-soc");
    assert_eq!(sandbox.knock(&own).await.data("/me/role"), "SOCIAL_SERVICES");
    hub.wait(12 * HOUR - 1_000_000);
    assert_eq!(sandbox.knock(&own).await.data("/me/role"), "SOCIAL_SERVICES");
    hub.wait(1_000_000);
    assert_refused_as(&sandbox.knock(&own).await, ErrorCode::TokenExpired, "it has run out");
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

async fn a_token_that_is_bound_to_a_key_is_no_bearer_token(hub: Hub) {
    let forge = Forge::of_sandbox(&hub).await;
    for cnf in [json!({ "jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" }), json!({}), json!(null), json!("jkt")] {
        let claims = forge.claims().with("cnf", cnf.clone());
        assert_refused(&forge.knock(&forge.token(&forge.header(), &claims)).await, &cnf.to_string());
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
