//! What a token is signed with: a key of its issuer, in an algorithm of the key, and nothing in it altered or said twice.

use super::{Forge, Secret, Signer, assert_refused, encode, front, issuer, message, rsa_sign};
use crate::both;
use crate::harness::Hub;
use aws_lc_rs::hmac;
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use data_encoding::{BASE64, BASE64URL_NOPAD};
use samverka::config::SANDBOX_ISSUER;
use samverka_domain::policy::Role;
use serde_json::{Value, json};

both! {
    a_token_never_chooses_its_algorithm
    a_token_never_chooses_its_key
    an_altered_token_is_refused
    a_token_that_says_a_thing_twice_is_refused
    an_issuer_speaks_with_its_own_key_and_for_its_own_agency
    the_three_algorithms_work_and_their_relatives_do_not
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
