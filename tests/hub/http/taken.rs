//! What the door takes: one method, one address, one kind of body, and headers that are short and single.

use super::{ME, ask, assert_refused, raw};
use crate::both;
use crate::harness::Hub;
use axum::body::Body;
use axum::http::{HeaderValue, Request};
use samverka_domain::error::ErrorCode;
use serde_json::json;

both! {
    graphql_is_asked_by_post_alone
    a_body_that_is_not_declared_as_json_is_refused
    a_body_that_is_no_single_request_is_refused
    a_body_over_256_kibibytes_is_refused
    there_is_one_address_and_beside_it_nothing
    samverka_headers_are_short_single_and_printable
}

async fn graphql_is_asked_by_post_alone(hub: Hub) {
    let mutation = "mutation { updateVoice(childId: \"child_x\", expectedVersion: \"x\") { child { id } } }";
    for method in ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "SAMVERKA"] {
        for query in [ME, mutation] {
            let body = json!({ "query": query }).to_string();
            let mut request = raw(&hub, method, Some("application/json"), body);
            let query: String = query.bytes().map(|byte| format!("%{byte:02x}")).collect();
            *request.uri_mut() = format!("/graphql?query={query}").parse().expect("an address");
            let answer = hub.send(request).await;
            assert_refused(&answer, 405, ErrorCode::MethodNotAllowed, method);
            assert_eq!(answer.headers["allow"], "POST", "{method}");
        }
    }
    let answer = hub.send(raw(&hub, "HEAD", None, "")).await;
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (405, ""), "HEAD");
    // A method in a header or in the address changes nothing.
    let mut request = ask(&hub, ME, None);
    request.headers_mut().insert("x-http-method-override", HeaderValue::from_static("GET"));
    *request.uri_mut() = "/graphql?query=%7Bnonsense%7D&operationName=x".parse().expect("an address");
    assert_eq!(hub.send(request).await.data("/me/role"), "SOCIAL_SERVICES");
    // Who one is comes first.
    let answer = hub.send(Request::get("/graphql").body(Body::empty()).expect("a request")).await;
    assert_refused(&answer, 401, ErrorCode::Unauthenticated, "GET without a token");
}

async fn a_body_that_is_not_declared_as_json_is_refused(hub: Hub) {
    let body = json!({ "query": ME }).to_string();
    for content_type in [
        None,
        Some(""),
        Some("text/plain"),
        Some("text/plain;charset=utf-8"),
        Some("text/plain; application/json"),
        Some("application/x-www-form-urlencoded"),
        Some("multipart/form-data; boundary=x"),
        Some("application/graphql"),
        Some("application/graphql-response+json"),
        Some("application/json5"),
        Some("application/jsonx"),
        Some("application/vnd.api+json"),
        Some("application/json, text/plain"),
        Some("application/json; charset=iso-8859-1"),
        Some("application/json; charset=utf-16"),
        Some("application/json;CHARSET=\"windows-1252\""),
        Some("application/json; charset="),
        Some("application/json; charset=utf-8; charset=utf-16"),
        Some("text/plain, application/json"),
        Some("*/*"),
        Some("json"),
    ] {
        let answer = hub.send(raw(&hub, "POST", content_type, body.clone())).await;
        assert_refused(&answer, 415, ErrorCode::UnsupportedMediaType, &format!("{content_type:?}"));
    }
    for (name, value, status) in [
        ("content-type", "text/plain", 415),
        ("content-type", "application/json", 415),
        ("content-encoding", "gzip", 415),
        ("content-encoding", "identity, br", 415),
        ("content-encoding", "identity", 200),
    ] {
        let mut request = raw(&hub, "POST", Some("application/json"), body.clone());
        request.headers_mut().append(name, HeaderValue::from_static(value));
        assert_eq!(hub.send(request).await.status, status, "{name}: {value}");
    }
    let parts = [("operations", body.as_str()), ("map", "{\"0\":[\"variables.file\"]}"), ("0", "contents")];
    let part = |(name, text): (&str, &str)| {
        format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n")
    };
    let upload = format!("{}--x--\r\n", parts.map(part).concat());
    let answer = hub.send(raw(&hub, "POST", Some("multipart/form-data; boundary=x"), upload)).await;
    assert_refused(&answer, 415, ErrorCode::UnsupportedMediaType, "an upload");
    for content_type in [
        "application/json",
        "application/json; charset=utf-8",
        "APPLICATION/JSON",
        "application/json ;charset=UTF-8",
        "application/json; charset=\"utf-8\"",
        "application/json; charset=utf8",
        "application/json;",
        "application/json; profile=\"x\"",
    ] {
        let answer = hub.send(raw(&hub, "POST", Some(content_type), body.clone())).await;
        assert_eq!(answer.data("/me/role"), "SOCIAL_SERVICES", "{content_type}");
    }
}

async fn a_body_that_is_no_single_request_is_refused(hub: Hub) {
    let mut bodies: Vec<Vec<u8>> = [
        "",
        " ",
        "{",
        "}",
        "null",
        "5",
        "true",
        "{ me { role } }",
        "\"{ me { role } }\"",
        "query={me{role}}",
        "[]",
        r#"[{"query":"{ me { role } }"}]"#,
        r#"[{"query":"{ me { role } }"},{"query":"{ me { role } }"}]"#,
        // serde would read this as a request.
        r#"["{ me { role } }",null,null,null]"#,
        r#"  ["{ me { role } }",null,{},{}]"#,
        "{}",
        r#"{"Query":"{ me { role } }"}"#,
        r#"{"documentId":"sha256:1"}"#,
        r#"{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"1"}}}"#,
        r#"{"query":null}"#,
        r#"{"query":5}"#,
        r#"{"query":["{ me { role } }"]}"#,
        r#"{"query":{"me":"role"}}"#,
        r#"{"query":"{ me { role } }","variables":"x"}"#,
        r#"{"query":"{ me { role } }","variables":"{}"}"#,
        r#"{"query":"{ me { role } }","variables":[]}"#,
        r#"{"query":"{ me { role } }","variables":5}"#,
        r#"{"query":"{ me { role } }","variables":false}"#,
        r#"{"query":"{ me { role } }","extensions":"x"}"#,
        r#"{"query":"{ me { role } }","extensions":5}"#,
        r#"{"query":"{ me { role } }","extensions":true}"#,
        r#"{"query":"{ me { role } }","extensions":[{}]}"#,
        r#"{"query":"{ me { role } }","operationName":5}"#,
        r#"{"query":"{ me { role } }","operationName":["x"]}"#,
        r#"{"query":"{ me { role } }","query":"{ me { role } }"}"#,
        r#"{"query":"{ me { role } }"}{"query":"{ me { role } }"}"#,
        r#"{"query":"{ me { role } }"} x"#,
        r#"{"query":"{ me { role } }",}"#,
        r#"{'query':'{ me { role } }'}"#,
        r#"{"query":"{ me { role } }","variables":{"a":NaN}}"#,
        "{\"query\":\"{ me { role } }\n\"}",
        "\u{feff}{\"query\":\"{ me { role } }\"}",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec();
    bodies.push(b"{\"query\":\"{ me { role } } # \xff\"}".to_vec());
    bodies.push("{\"query\":\"{ me { role } }\"}".encode_utf16().flat_map(u16::to_le_bytes).collect());
    let nested = format!(r#"{{"query":"{ME}","variables":{{"a":{}{}}}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    bodies.push(nested.into_bytes());
    for body in bodies {
        let why = String::from_utf8_lossy(&body).chars().take(80).collect::<String>();
        let answer = hub.send(raw(&hub, "POST", Some("application/json"), body)).await;
        assert_refused(&answer, 400, ErrorCode::BadRequest, &why);
    }
    for body in [
        r#"{"query":"{ me { role } }"}"#,
        " \r\n\t{\"query\":\"{ me { role } }\"} \n",
        r#"{"query":"{ me { role } }","variables":null,"operationName":null,"extensions":null}"#,
        r#"{"query":"{ me { role } }","variables":{},"operationName":"","extensions":{"a":[1]}}"#,
        r#"{"query":"query A { me { role } } query B { agencies { id } }","operationName":"A","more":true}"#,
        r#"{"variables":{"unused":1},"query":"{ me { role } }"}"#,
    ] {
        let answer = hub.send(raw(&hub, "POST", Some("application/json"), body)).await;
        assert_eq!(answer.data("/me/role"), "SOCIAL_SERVICES", "{body}");
    }
}

async fn a_body_over_256_kibibytes_is_refused(hub: Hub) {
    let of = |size: usize| {
        let with = |filler: &str| json!({ "query": ME, "extensions": { "filler": filler } }).to_string();
        with(&"x".repeat(size - with("").len()))
    };
    let most = 256 * 1024;
    let answer = hub.send(raw(&hub, "POST", Some("application/json"), of(most))).await;
    assert_eq!(answer.data("/me/role"), "SOCIAL_SERVICES");
    // What is declared is not what is sent.
    for (size, declared) in [
        (most + 1, None),
        (most + 1, Some("262145")),
        (most + 1, Some("10")),
        (most + 1, Some("-1")),
        (most + 1, Some("99999999999999999999999999")),
        (100, Some("262145")),
        (100, Some("18446744073709551615")),
        (80 * most, None),
    ] {
        let mut request = raw(&hub, "POST", Some("application/json"), of(size));
        if let Some(declared) = declared {
            request.headers_mut().insert("content-length", declared.parse().expect("a header"));
        }
        let answer = hub.send(request).await;
        assert_refused(&answer, 413, ErrorCode::BodyTooLarge, &format!("{size} {declared:?}"));
    }
    let mut request = raw(&hub, "POST", Some("application/json"), of(80 * most));
    request.headers_mut().remove("authorization");
    let answer = hub.send(request).await;
    assert_refused(&answer, 401, ErrorCode::Unauthenticated, "a body is not read for nobody");
}

async fn there_is_one_address_and_beside_it_nothing(hub: Hub) {
    for path in [
        "/",
        "/graphql/",
        "/graphql/graphql",
        "/GraphQL",
        "//graphql",
        "/graphql/..%2f..%2fetc/passwd",
        "/graphiql",
        "/playground",
        "/schema.graphql",
        "/api",
        "/health",
        "/health/",
        "/metrics",
        "/debug/pprof",
        "/.env",
        "/.git/config",
        "/favicon.ico",
    ] {
        for token in [true, false] {
            let mut request = ask(&hub, ME, None);
            *request.uri_mut() = path.parse().expect("an address");
            if !token {
                request.headers_mut().remove("authorization");
            }
            assert_refused(&hub.send(request).await, 404, ErrorCode::NoSuchPath, path);
        }
    }
}

async fn samverka_headers_are_short_single_and_printable(hub: Hub) {
    let send = async |headers: &[(&'static str, &[u8])]| {
        let mut request = ask(&hub, ME, None);
        for (name, value) in headers {
            request.headers_mut().append(*name, HeaderValue::from_bytes(value).expect("a header"));
        }
        hub.send(request).await
    };
    for name in ["samverka-purpose", "samverka-case", "samverka-user"] {
        let long = "x".repeat(129);
        let invalid: [&[(&str, &[u8])]; 8] = [
            &[(name, long.as_bytes())],
            &[(name, "blåbär".as_bytes())],
            &[(name, b"\xe5")],
            &[(name, b"a\tb")],
            &[(name, b"PROTECT"), (name, b"PROTECT")],
            &[(name, b"PROTECT"), (name, b"")],
            &[(name, b""), (name, b"PROTECT")],
            &[(name, b"PROTECT"), (name, b"RETURN"), (name, b"PROTECT")],
        ];
        for headers in invalid {
            assert_refused(&send(headers).await, 400, ErrorCode::HeaderInvalid, &format!("{name} {headers:?}"));
        }
        assert_eq!(send(&[(name, b"")]).await.data("/me/role"), "SOCIAL_SERVICES", "empty is absent");
        assert_eq!(send(&[(name, b"  ")]).await.data("/me/role"), "SOCIAL_SERVICES", "empty is absent");
    }
    let longest = "x".repeat(128);
    for name in ["samverka-case", "samverka-user"] {
        assert_eq!(send(&[(name, longest.as_bytes())]).await.data("/me/role"), "SOCIAL_SERVICES");
    }
    for purpose in ["x", "protect", "PROTECT,SEARCH", "PROTECT SEARCH", "null", longest.as_str()] {
        let answer = send(&[("samverka-purpose", purpose.as_bytes())]).await;
        assert_refused(&answer, 400, ErrorCode::PurposeUnknown, purpose);
    }
    assert_eq!(send(&[("samverka-purpose", b" PROTECT ")]).await.data("/me/role"), "SOCIAL_SERVICES");
    let answer = send(&[("samverka-purpose", b"RETURN")]).await;
    assert_refused(&answer, 403, ErrorCode::PurposeNotAllowed, "RETURN");
}
