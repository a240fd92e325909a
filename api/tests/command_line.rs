//! The commands, as a newcomer types them.
#![expect(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

static COUNT: AtomicU32 = AtomicU32::new(0);

/// A working folder of its own.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let count = COUNT.fetch_add(1, Ordering::SeqCst);
        let path = std::env::temp_dir().join(format!("samverka-cli-{}-{count}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder");
        Folder(path)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_samverka"));
        command.args(args).current_dir(&self.0).env_remove("DATABASE_URL").env_remove("RUST_LOG");
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().expect("it runs")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A hub that is stopped at the end.
struct Running(Child);

impl Running {
    /// Asks it to stop, and waits until it has.
    fn stop(mut self) -> bool {
        let asked = Command::new("kill").arg("-TERM").arg(self.0.id().to_string()).status();
        assert!(asked.expect("kill runs").success());
        self.0.wait().expect("it ends").success()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn shell(line: &str) -> Value {
    let output = Command::new("sh").args(["-c", line]).output().expect("sh runs");
    let answer = text(&output.stdout);
    serde_json::from_str(&answer).unwrap_or_else(|_| panic!("{line}\n{answer}\n{}", text(&output.stderr)))
}

#[test]
fn a_new_sandbox_prints_a_curl_for_each_persona_and_each_works() {
    let folder = Folder::new();
    let mut command = folder.command(&["serve", "--listen", "127.0.0.1:0"]);
    let mut hub = Running(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it starts"));
    let lines = BufReader::new(hub.0.stdout.take().expect("stdout")).lines();
    let mut curls = Vec::new();
    for line in lines.map_while(Result::ok) {
        if line.starts_with("curl ") {
            curls.push(line);
        } else if line.contains("samverka token --persona") {
            break;
        }
    }
    assert_eq!(curls.len(), 15);
    let mut knowing = 0;
    for curl in &curls {
        let answer = shell(curl);
        assert!(answer["errors"].is_null(), "{answer}");
        assert!(answer["data"]["me"]["role"].is_string(), "{answer}");
        knowing += usize::from(answer["data"]["children"]["nodes"][0]["id"].is_string());
    }
    let address = curls[0].split_whitespace().find_map(|word| word.strip_suffix("/graphql")).expect("an address");
    let metrics = Command::new("curl").args(["-s", &format!("{address}/metrics")]).output().expect("curl runs");
    assert!(text(&metrics.stdout).contains("\nsamverka_requests_total{operation=\"query\",status=\"2xx\"} 15\n"));
    assert_eq!(knowing, 13, "all but the county board and the data protection officer know of children");
    let token = folder.run(&["token", "--persona", "skola"]);
    let token = text(&token.stdout);
    assert_eq!((token.lines().count(), token.trim().split('.').count()), (1, 3), "a token and nothing else");
    let wrong = folder.run(&["token", "--persona", "nobody"]);
    assert!(!wrong.status.success() && text(&wrong.stderr).contains("malmo-soc"));
    assert!(hub.stop(), "it stops when it is asked");
    let verified = folder.run(&["ledger", "verify"]);
    assert!(text(&verified.stdout).starts_with("intact: 16 rows in 1 lanes"), "{}", text(&verified.stdout));
    let seeded = folder.run(&["seed", "--children", "260"]);
    assert!(seeded.status.success(), "{}", text(&seeded.stderr));
}

#[test]
fn the_readmes_configuration_starts_a_production_hub() {
    let folder = Folder::new();
    let readme = include_str!("../../README.md");
    let toml = readme.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("an example");
    let (jwks, key) = issuer();
    std::fs::write(folder.0.join("samverka.toml"), toml).expect("writes");
    std::fs::write(folder.0.join("malmo.jwks.json"), jwks.to_string()).expect("writes");
    let serve = ["serve", "--config", "samverka.toml", "--listen", "127.0.0.1:0"];
    let database = "sqlite:production.db";
    let unready = folder.command(&serve).env("DATABASE_URL", database).output().expect("it runs");
    assert!(!unready.status.success() && text(&unready.stderr).contains("migrate up"), "{}", text(&unready.stderr));
    let migrated = folder.command(&["migrate", "up"]).env("DATABASE_URL", database).output().expect("it runs");
    assert!(migrated.status.success(), "{}", text(&migrated.stderr));
    let mut command = folder.command(&serve);
    let (collector, sent) = collector();
    command.env("SAMVERKA_METRICS_LISTEN", "127.0.0.1:0").env("SAMVERKA_OTLP_ENDPOINT", collector);
    command.env("DATABASE_URL", database).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut hub = Running(command.spawn().expect("it starts"));
    let mut log = BufReader::new(hub.0.stderr.take().expect("stderr")).lines().map_while(Result::ok);
    let mut address = |what: &str| {
        let line = log.find(|line| line.contains(what)).expect("it says so");
        let line: Value = serde_json::from_str(&line).expect("the log is JSON, as the example asks");
        line["fields"]["address"].as_str().expect("an address").to_owned()
    };
    let (metrics, address) = (address("\"showing metrics\""), address("\"serving\""));
    std::thread::spawn(move || log.for_each(drop));
    let ask = |token: &str| {
        shell(&format!(
            "curl -s http://{address}/graphql -H 'Authorization: Bearer {token}' -H 'Content-Type: application/json' \
             -d '{{\"query\":\"{{ me {{ role agency {{ code organisationNumber county }} }} }}\"}}'"
        ))
    };
    let me = ask(&token(&key, "https://idp.malmo.example.se"));
    let agency = json!({ "code": "malmo-soc", "organisationNumber": "212000-1124", "county": "12" });
    assert_eq!(me["data"]["me"], json!({ "role": "SOCIAL_SERVICES", "agency": agency }));
    // No issuer of the sandbox is known to production, whatever key it has.
    let refused = ask(&token(&key, "https://sandbox.samverka.invalid/malmo-soc"));
    assert_eq!(refused["errors"][0]["extensions"]["code"], "TOKEN_REFUSED");
    let show = |address: &str| Command::new("curl").args(["-s", &format!("http://{address}/metrics")]).output();
    assert!(
        text(&show(&metrics).expect("curl runs").stdout).contains("samverka_refusals_total{code=\"TOKEN_REFUSED\"} 1")
    );
    assert!(text(&show(&address).expect("curl runs").stdout).contains("NO_SUCH_PATH"));
    assert!(hub.stop(), "it stops when it is asked");
    let sent = sent.recv_timeout(std::time::Duration::from_secs(10)).expect("spans are sent at the end");
    assert!(sent.starts_with("POST /v1/traces HTTP/1.1") && sent.contains("application/x-protobuf"), "{sent}");
    // The sandbox opens no database of production.
    let strange = folder.command(&["serve", "--listen", "127.0.0.1:0"]).env("DATABASE_URL", database).output();
    let strange = strange.expect("it runs");
    assert!(!strange.status.success() && text(&strange.stderr).contains("production"), "{}", text(&strange.stderr));
}

/// A collector of spans: its address, and the head of the first request that it is sent.
fn collector() -> (String, std::sync::mpsc::Receiver<String>) {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("listens");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let (send, sent) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let (mut socket, _) = listener.accept().expect("somebody comes");
        let mut head = [0; 4_096];
        let read = socket.read(&mut head).expect("it asks");
        _ = socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        send.send(text(&head[..read])).expect("the test waits");
        _ = socket.read_to_end(&mut Vec::new());
    });
    (address, sent)
}

/// A key of an issuer: its JWK Set, and the key to sign with.
fn issuer() -> (Value, EncodingKey) {
    use aws_lc_rs::signature::KeyPair;
    let random = aws_lc_rs::rand::SystemRandom::new();
    let algorithm = &aws_lc_rs::signature::ECDSA_P256_SHA256_FIXED_SIGNING;
    let pkcs8 = aws_lc_rs::signature::EcdsaKeyPair::generate_pkcs8(algorithm, &random).expect("a key");
    let pair = aws_lc_rs::signature::EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref()).expect("a key");
    let point = pair.public_key().as_ref();
    let base64 = |bytes: &[u8]| data_encoding::BASE64URL_NOPAD.encode(bytes);
    let jwk = json!({ "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": "k1",
        "x": base64(&point[1..33]), "y": base64(&point[33..65]) });
    (json!({ "keys": [jwk] }), EncodingKey::from_ec_der(pkcs8.as_ref()))
}

fn token(key: &EncodingKey, issuer: &str) -> String {
    let now = samverka_domain::clock::Clock::system().now() / 1_000_000;
    let mut header = Header::new(Algorithm::ES256);
    header.typ = Some("at+jwt".to_owned());
    header.kid = Some("k1".to_owned());
    let claims = json!({ "iss": issuer, "aud": "https://samverka.example.se", "sub": "lifecare", "client_id": "lifecare",
        "role": "SOCIAL_SERVICES", "iat": now, "exp": now + 300, "jti": "1" });
    jsonwebtoken::encode(&header, &claims, key).expect("a token")
}

#[test]
fn the_policy_explains_itself() {
    let folder = Folder::new();
    let checked = folder.run(&["policy", "check"]);
    assert!(text(&checked.stdout).starts_with("sound: "), "{}", text(&checked.stderr));
    let explain = |role: &str, field: &str| {
        let output = folder.run(&["policy", "explain", "--role", role, "--relation", "INVOLVED", "--field", field]);
        format!("{}{}", text(&output.stdout), text(&output.stderr))
    };
    let school = explain("SCHOOL", "placement.street");
    assert!(school.contains("F31") && school.contains("SCHOOL   withheld  [default-deny]"), "{school}");
    let home = explain("CARE_HOME", "placement.street");
    assert!(home.contains("shown, may write") && home.contains("care-home-read-placement-address"), "{home}");
    assert!(explain("SCHOOL", "placement.stret").contains("there is no field `placement.stret`"));
    assert!(explain("SKOLA", "placement.street").contains("SCHOOL"), "a wrong role is told the right ones");
    // Other policies, which a misspelt field makes unsound.
    std::fs::write(folder.0.join("own.cedar"), "permit (principal, action, resource);").expect("writes");
    let path = folder.0.display().to_string();
    let refused = folder.run(&["policy", "check", "--policy", &path]);
    assert!(
        !refused.status.success() && text(&refused.stderr).contains("lacks the annotation"),
        "{}",
        text(&refused.stderr)
    );
    let missing = Path::new(&path).join("nowhere").display().to_string();
    assert!(!folder.run(&["policy", "check", "--policy", &missing]).status.success());
}

#[test]
fn the_county_routines_of_a_folder_are_checked_with_its_policies() {
    let folder = Folder::new();
    let product = Path::new(env!("CARGO_MANIFEST_DIR")).join("domain/policy");
    let own = folder.0.join("own");
    std::fs::create_dir_all(own.join("routines")).expect("a folder");
    std::fs::copy(product.join("acts.cedar"), own.join("acts.cedar")).expect("copies");
    let routine = std::fs::read_to_string(product.join("routines/00.toml")).expect("reads");
    let check = |routine: &str| {
        std::fs::write(own.join("routines/00.toml"), routine).expect("writes");
        folder.run(&["policy", "check", "--policy", "own"])
    };
    let sound = check(&routine);
    assert!(text(&sound.stdout).contains("routines 00/1 ("), "{}", text(&sound.stderr));
    assert!(!text(&sound.stdout).contains("12/1"), "a folder's routines stand in for all");
    let broken = check(&routine.replacen("moment = \"FOUND\"", "moment = \"LATER\"", 1));
    assert!(!broken.status.success() && text(&broken.stderr).contains("does not parse"), "{}", text(&broken.stderr));
}

#[test]
fn a_change_of_policy_tells_what_it_opens_and_closes() {
    let folder = Folder::new();
    let product = Path::new(env!("CARGO_MANIFEST_DIR")).join("domain/policy");
    let product = product.to_str().expect("a path");
    // What is compared, proved and read is what the product was built from.
    let same = folder.run(&["policy", "diff", "embedded", product]);
    assert!(text(&same.stdout).contains("nothing opens and nothing closes"), "{}", text(&same.stdout));
    let files = std::fs::read_dir(product).expect("the policies").map(|file| file.expect("a file").path());
    for file in files.filter(|file| file.is_file()) {
        let policies = std::fs::read_to_string(&file).expect("reads");
        let policies = policies.replace(r#" && context.consents.contains(Consent::"voice")"#, "");
        std::fs::write(folder.0.join(file.file_name().expect("a name")), policies).expect("writes");
    }
    let changed = folder.run(&["policy", "diff", "embedded", "."]);
    let told = "RULES\n  ~ partner-read-voice\n\nOPENS\n  PARTNER\n    read voice\n      when CONSENTED, not consent to voice\n";
    assert!(text(&changed.stdout).starts_with(told), "{}{}", text(&changed.stdout), text(&changed.stderr));
    let nowhere = folder.run(&["policy", "diff", "embedded", "nowhere"]);
    assert!(!nowhere.status.success() && text(&nowhere.stderr).contains("nowhere"), "{}", text(&nowhere.stderr));
}
