//! F10, the photo: what is taken and what is kept of it, who sends and who fetches it, and that its address is no right.

use crate::both;
use crate::harness::{Answer, Caller, DAY, HOUR, Hub, Scene, TestChild, field, persona};
use axum::body::Body;
use samverka_domain::catalogue::Section;
use samverka_domain::policy::{Engine, Relation, Situation};
use serde_json::{Value, json};

both! {
    a_photo_that_is_sent_is_fetched_by_those_who_may
    of_a_file_only_the_picture_is_kept
    a_picture_is_kept_upright
    each_role_fetches_and_sends_what_the_policy_gives_it
    an_address_is_its_callers_own_and_no_right
    what_is_wrong_with_a_photo_is_said
    a_photo_is_sent_from_the_version_that_stands
    a_photo_is_gone_when_it_is_replaced_or_emptied
    a_fetch_is_logged_before_the_bytes_leave
    while_the_log_cannot_be_written_no_byte_leaves
    no_list_reads_the_bytes
    the_sandbox_has_photos
    the_readmes_commands_send_and_fetch_a_photo
}

/// A child whom a home takes care of; its photo is yet to come.
async fn child(hub: &Hub) -> TestChild {
    let involved = vec![
        ("migrationsverket", "LEAD"),
        ("malmo-soc", "RESPONSIBLE"),
        ("hvb-malmo", "WHEREABOUTS"),
        ("polisen", "INVOLVED"),
        ("skola", "INVOLVED"),
    ];
    hub.child(Scene { involved, home: Some("hvb-malmo"), ..Scene::default() }).await
}

/// A picture whose pixels differ.
fn picture(width: u32, height: u32) -> image::RgbImage {
    image::RgbImage::from_fn(width, height, |x, y| image::Rgb([(x * 5) as u8, (y * 7) as u8, 90]))
}

fn encoded(picture: &image::RgbImage, format: image::ImageFormat) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).expect("an image");
    bytes.into_inner()
}

fn jpeg(width: u32, height: u32) -> Vec<u8> {
    encoded(&picture(width, height), image::ImageFormat::Jpeg)
}

fn png(width: u32, height: u32) -> Vec<u8> {
    encoded(&picture(width, height), image::ImageFormat::Png)
}

/// A segment of a JPEG, put behind the mark that begins it.
fn with_segment(jpeg: &[u8], marker: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len() + 2).expect("it fits").to_be_bytes();
    [&jpeg[..2], &[0xff, marker], &length, payload, &jpeg[2..]].concat()
}

/// EXIF that says which way is up, and where the picture was taken.
fn exif(orientation: u8) -> Vec<u8> {
    let mut tiff = b"II*\0\x08\0\0\0\x02\0".to_vec();
    tiff.extend([0x12, 0x01, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0]);
    // GPSInfo: an offset, and behind it what a telephone writes there.
    tiff.extend([0x25, 0x88, 4, 0, 1, 0, 0, 0, 38, 0, 0, 0]);
    tiff.extend([0, 0, 0, 0]);
    tiff.extend(b"GPS 55.6050 N 13.0038 E Hemliga gatan 12 Exempeltelefon");
    [b"Exif\0\0", tiff.as_slice()].concat()
}

impl Caller<'_> {
    /// Where the caller sends a photo, and the version it would be sent from.
    async fn place(&self, child: &str) -> (Option<String>, String) {
        let seen = self.sees(child, "description { photoUpload version }").await["description"].clone();
        let upload = seen["photoUpload"].as_str().map(str::to_owned);
        (upload, seen["version"].as_str().expect("a version").to_owned())
    }

    async fn send_photo(&self, hub: &Hub, child: &str, media: &str, bytes: Vec<u8>) -> Answer {
        let (upload, version) = self.place(child).await;
        self.send_to(hub, &upload.expect("it may send"), media, &version, bytes).await
    }

    async fn send_to(&self, hub: &Hub, to: &str, media: &str, version: &str, bytes: Vec<u8>) -> Answer {
        let request = self.begin("PUT", to).header("content-type", media).header("if-match", format!("\"{version}\""));
        let request = request.header("samverka-photo-taken-on", "2026-11-20").body(Body::from(bytes));
        hub.send(request.expect("a request")).await
    }

    async fn told(&self, child: &str) -> Value {
        let photo = "description { photo { url type takenOn size width height } withheld { field rule } }";
        self.sees(child, photo).await["description"].clone()
    }

    async fn url(&self, child: &str) -> String {
        self.told(child).await["photo"]["url"].as_str().expect("a photo").to_owned()
    }

    async fn fetch(&self, hub: &Hub, url: &str) -> Answer {
        hub.send(self.begin("GET", url).body(Body::empty()).expect("a request")).await
    }
}

async fn a_photo_that_is_sent_is_fetched_by_those_who_may(hub: Hub) {
    let child = child(&hub).await;
    hub.sql("UPDATE description SET photo = NULL").await;
    let home = hub.caller("hvb-malmo");
    assert_eq!(home.told(&child.id).await["photo"], Value::Null);
    hub.wait(HOUR);
    let before = home.version(&child.id, Section::Description).await;
    let sent = home.send_photo(&hub, &child.id, "image/jpeg", jpeg(60, 40)).await;
    assert_eq!(sent.status, 200, "{}", sent.text);
    let (told, version) = (sent.json["photo"].clone(), sent.json["version"].as_str().expect("a version"));
    assert_ne!(version, before);
    assert_eq!(sent.headers["etag"], format!("\"{version}\""));
    assert_eq!(version, home.version(&child.id, Section::Description).await);
    assert_eq!(told, home.told(&child.id).await["photo"]);
    assert_eq!((&told["type"], &told["takenOn"]), (&json!("image/jpeg"), &json!("2026-11-20")));
    assert_eq!((&told["width"], &told["height"]), (&json!(60), &json!(40)));
    for code in ["hvb-malmo", "malmo-soc", "migrationsverket"] {
        let caller = hub.caller(code);
        let url = caller.url(&child.id).await;
        assert!(!url.contains(&child.id["child_".len()..]), "the address holds no id");
        let got = caller.fetch(&hub, &url).await;
        assert_eq!((got.status.as_u16(), &got.headers["content-type"]), (200, &"image/jpeg".parse().expect("a value")));
        assert_eq!(got.bytes.len(), told["size"].as_u64().expect("a number") as usize, "{code}");
        let shown = image::load_from_memory_with_format(&got.bytes, image::ImageFormat::Jpeg).expect("a picture");
        assert_eq!((shown.width(), shown.height()), (60, 40));
        for (name, value) in [
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("content-disposition", "attachment; filename=\"photo.jpg\""),
            ("content-security-policy", "default-src 'none'; frame-ancestors 'none'; sandbox"),
            ("cross-origin-resource-policy", "same-origin"),
            ("referrer-policy", "no-referrer"),
        ] {
            assert_eq!(got.headers[name], value, "{name}");
        }
        assert!(got.headers.contains_key("x-request-id") && got.headers.contains_key("audit-receipt"));
    }
    // The history tells of it, and holds no bytes.
    let history = home.revisions(&child.id, Section::Description).await;
    assert_eq!(history[0].0, "hvb-malmo");
    assert_eq!(history[0].1["photo"]["takenOn"], "2026-11-20");
    assert_eq!(history[0].1["photo"]["size"], told["size"]);
    assert_eq!(history[0].1["photo"].get("id"), None);
    // Whoever is not shown it is told why, like of any field.
    let school = hub.caller("skola").told(&child.id).await;
    assert_eq!(school["photo"], Value::Null);
    let withheld = school["withheld"].as_array().expect("a list");
    assert!(withheld.iter().any(|entry| entry["field"] == "photo" && entry["rule"] == "default-deny"));
}

async fn of_a_file_only_the_picture_is_kept(hub: Hub) {
    let child = child(&hub).await;
    let home = hub.caller("hvb-malmo");
    let secret = b"Hemliga gatan 12";
    let holds = |bytes: &[u8]| bytes.windows(secret.len()).any(|window| window == secret);
    let mut loaded = with_segment(&jpeg(32, 32), 0xe1, &exif(1));
    loaded = with_segment(&loaded, 0xe1, b"http://ns.adobe.com/xap/1.0/\0<x>Hemliga gatan 12</x>");
    loaded = with_segment(&loaded, 0xed, b"Photoshop 3.0\0Hemliga gatan 12");
    loaded = with_segment(&loaded, 0xfe, b"Hemliga gatan 12");
    loaded.extend(b"PK\x03\x04 Hemliga gatan 12");
    // A chunk of text before the end of a PNG, and another file behind it.
    let mut text = png(32, 32);
    let end = text.len() - 12;
    let chunk = [b"tEXt".as_slice(), b"Comment\0Hemliga gatan 12"].concat();
    let length = u32::try_from(chunk.len() - 4).expect("it fits").to_be_bytes();
    let chunk = [length.as_slice(), &chunk, &crc32(&chunk).to_be_bytes()].concat();
    text.splice(end..end, chunk);
    text.extend(b"<script>Hemliga gatan 12</script>");
    for (media, bytes) in [("image/jpeg", loaded), ("image/png", text)] {
        assert!(holds(&bytes));
        let sent = home.send_photo(&hub, &child.id, media, bytes).await;
        assert_eq!(sent.status, 200, "{media}: {}", sent.text);
        let got = home.fetch(&hub, sent.json["photo"]["url"].as_str().expect("a URL")).await;
        assert_eq!(got.status, 200);
        assert!(!holds(&got.bytes), "{media}");
        assert!(
            !got.bytes
                .windows(4)
                .any(|window| [b"Exif", b"eXIf", b"tEXt", b"http"].contains(&window.try_into().expect("four")))
        );
        let kept = image::load_from_memory(&got.bytes).expect("a picture").into_rgb8();
        if media == "image/png" {
            assert_eq!(kept, picture(32, 32), "the picture is as it was");
        }
    }
    assert_eq!(hub.columns_holding("Hemliga").await, Vec::<String>::new());
}

/// The check sum of a PNG's chunk.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 })
    })
}

async fn a_picture_is_kept_upright(hub: Hub) {
    let child = child(&hub).await;
    let home = hub.caller("hvb-malmo");
    let turned = with_segment(&jpeg(60, 40), 0xe1, &exif(6));
    let sent = home.send_photo(&hub, &child.id, "image/jpeg", turned).await;
    assert_eq!(
        (&sent.json["photo"]["width"], &sent.json["photo"]["height"]),
        (&json!(40), &json!(60)),
        "{}",
        sent.text
    );
}

fn situation(code: &str, relation: Relation) -> Situation {
    Situation { relation, ..Situation::stranger(persona(code).role, persona(code).purpose) }
}

async fn each_role_fetches_and_sends_what_the_policy_gives_it(hub: Hub) {
    let personas = [
        "migrationsverket",
        "polisen",
        "granspolisen",
        "malmo-soc",
        "socialjour",
        "malmo-overformyndare",
        "region-skane",
        "skola",
        "hvb-malmo",
    ];
    let photo = field("description.photo");
    for (kind, ended, relation) in [
        ("LEAD", None, Relation::Responsible),
        ("INVOLVED", None, Relation::Involved),
        ("RESPONSIBLE", Some(DAY), Relation::Former),
    ] {
        for missing in [false, true] {
            for code in personas {
                let mut scene = Scene { missing, involved: vec![("landskrona-soc", "LEAD")], ..Scene::default() };
                match ended {
                    Some(ago) => scene.ended.push((code, kind, ago)),
                    None if kind == "LEAD" => scene.involved = vec![(code, kind)],
                    None => scene.involved.push((code, kind)),
                }
                let child = hub.child(scene).await;
                let decisions = Engine::embedded().decide(Situation { missing, ..situation(code, relation) });
                let about = format!("{code} {relation} missing={missing}");
                let caller = hub.caller(code);
                let (upload, version) = caller.place(&child.id).await;
                assert_eq!(upload.is_some(), decisions.writable.contains(photo), "{about}");
                if let Some(upload) = upload {
                    let sent = caller.send_to(&hub, &upload, "image/png", &version, png(8, 8)).await;
                    assert_eq!(sent.status, 200, "{about}: {}", sent.text);
                    let got = caller.fetch(&hub, &caller.url(&child.id).await).await;
                    assert_eq!(got.status, 200, "{about}: who writes it reads it");
                }
                assert_eq!(
                    caller.told(&child.id).await["photo"].is_object(),
                    decisions.shown.contains(photo),
                    "{about}"
                );
            }
        }
    }
}

async fn an_address_is_its_callers_own_and_no_right(hub: Hub) {
    let child = child(&hub).await;
    let (home, board) = (hub.caller("hvb-malmo"), hub.caller("malmo-soc"));
    home.send_photo(&hub, &child.id, "image/png", png(8, 8)).await;
    let (upload, version) = home.place(&child.id).await;
    let (own, upload) = (home.url(&child.id).await, upload.expect("it may send"));
    let never = "/photo/0123456789abcdefghijklmnopqrstuv".to_owned();
    let refusal = board.fetch(&hub, &never).await;
    assert_eq!((refusal.status.as_u16(), refusal.codes()), (404, vec!["NOT_FOUND"]));
    for (code, url) in [
        ("malmo-soc", &own),
        ("migrationsverket", &own),
        ("skola", &own),
        ("landskrona-soc", &own),
        ("lansstyrelsen-skane", &own),
        ("hvb-malmo", &upload),
        ("hvb-malmo", &format!("{own}0")),
        ("hvb-malmo", &own[..own.len() - 1].to_owned()),
        ("hvb-malmo", &"/photo/%C3%A5".to_owned()),
        ("hvb-malmo", &format!("/photo/{}", "a".repeat(4_000))),
    ] {
        let got = hub.caller(code).fetch(&hub, url).await;
        assert_eq!((got.status, &got.text), (refusal.status, &refusal.text), "{code} {url}");
    }
    for (code, to) in
        [("malmo-soc", &upload), ("migrationsverket", &upload), ("hvb-malmo", &own), ("hvb-malmo", &never)]
    {
        let sent = hub.caller(code).send_to(&hub, to, "image/png", &version, png(8, 8)).await;
        assert_eq!((sent.status, &sent.text), (refusal.status, &refusal.text), "{code} {to}");
    }
    // Nor by another agency of the same role, whatever its own rights to the child are.
    for (code, kind) in [("landskrona-soc", "RECEIVING"), ("hvb-landskrona", "INVOLVED")] {
        hub.involve(child.uuid, code, kind, None).await;
        let other = hub.caller(code);
        assert_eq!(other.fetch(&hub, &other.url(&child.id).await).await.status, 200, "{code}: by its own address");
    }
    let of_board = board.url(&child.id).await;
    assert_eq!(hub.caller("landskrona-soc").fetch(&hub, &of_board).await.text, refusal.text);
    let other = hub.caller("hvb-landskrona");
    let version_of_other = other.version(&child.id, Section::Description).await;
    let sent = other.send_to(&hub, &upload, "image/png", &version_of_other, png(8, 8)).await;
    assert_eq!((sent.status, &sent.text), (refusal.status, &refusal.text));
    // The rights are those of now: the police sees it while the child is missing, and not after.
    hub.sql("DELETE FROM missing_episode").await;
    let columns = vec![("id", hub.uuid().into()), ("child_id", child.uuid.into()), ("opened_at", hub.now().into())];
    hub.insert("missing_episode", columns).await;
    let police = hub.caller("polisen");
    let url = police.url(&child.id).await;
    assert_eq!(police.fetch(&hub, &url).await.status, 200);
    hub.sql("DELETE FROM missing_episode").await;
    let withheld = police.fetch(&hub, &url).await;
    assert_eq!((withheld.status.as_u16(), withheld.codes()), (403, vec!["FORBIDDEN"]));
    assert_eq!(
        (&withheld.error()["rule"], &withheld.error()["ask"]),
        (&json!("default-deny"), &json!("Migrationsverket"))
    );
    // Whether it is still there or not.
    hub.sql("DELETE FROM photo").await;
    assert_eq!(police.fetch(&hub, &url).await.text, withheld.text);
    hub.sql("UPDATE involvement SET closed_at = 1 WHERE kind IN ('INVOLVED', 'WHEREABOUTS')").await;
    assert_eq!(police.fetch(&hub, &url).await.text, refusal.text, "nothing is known of the child any more");
    // A home that the child has left neither sends nor fetches.
    assert_eq!(home.fetch(&hub, &own).await.text, refusal.text);
    assert_eq!(home.send_to(&hub, &upload, "image/png", &version, png(8, 8)).await.text, refusal.text);
    let ended = hub.now() - DAY;
    hub.sql(&format!("UPDATE involvement SET closed_at = {ended} WHERE kind IN ('INVOLVED', 'WHEREABOUTS')")).await;
    assert_eq!(home.fetch(&hub, &own).await.codes(), ["FORBIDDEN"]);
    let sent = home.send_to(&hub, &upload, "image/png", &version, png(8, 8)).await;
    assert_eq!((sent.status.as_u16(), sent.refusals()), (403, vec![("FORBIDDEN".to_owned(), "body".to_owned())]));
    for (request, status, code) in [
        (board.clone().without_purpose().begin("GET", &own), 400, "PURPOSE_REQUIRED"),
        (board.clone().purpose("AUDIT").begin("GET", &own), 403, "PURPOSE_NOT_ALLOWED"),
        (board.begin("POST", &own), 405, "METHOD_NOT_ALLOWED"),
        (board.begin("DELETE", &own), 405, "METHOD_NOT_ALLOWED"),
        (axum::http::Request::get(&own), 401, "UNAUTHENTICATED"),
    ] {
        let got = hub.send(request.body(Body::empty()).expect("a request")).await;
        assert_eq!((got.status.as_u16(), got.codes()), (status, vec![code]), "{}", got.text);
        assert_eq!(got.headers.contains_key("allow"), status == 405);
    }
}

async fn what_is_wrong_with_a_photo_is_said(hub: Hub) {
    let child = child(&hub).await;
    let home = hub.caller("hvb-malmo");
    let (upload, version) = home.place(&child.id).await;
    let upload = upload.expect("it may send");
    let whole = png(40, 40);
    let huge = vec![0; 2_000_001];
    for (media, bytes, status, code) in [
        ("image/gif", whole.clone(), 415, "PHOTO_TYPE"),
        ("image/svg+xml", b"<svg/>".to_vec(), 415, "PHOTO_TYPE"),
        ("text/html", whole.clone(), 415, "PHOTO_TYPE"),
        ("image/jpeg", whole.clone(), 422, "PHOTO_INVALID"),
        ("image/png", jpeg(8, 8), 422, "PHOTO_INVALID"),
        ("image/png", whole[..whole.len() / 2].to_vec(), 422, "PHOTO_INVALID"),
        ("image/png", b"<html><script>".to_vec(), 422, "PHOTO_INVALID"),
        ("image/png", Vec::new(), 422, "PHOTO_INVALID"),
        ("image/png", huge, 413, "PHOTO_TOO_LARGE"),
        ("image/png", png(4_097, 2), 413, "PHOTO_TOO_LARGE"),
        ("image/png", bomb(), 413, "PHOTO_TOO_LARGE"),
    ] {
        let sent = home.send_to(&hub, &upload, media, &version, bytes).await;
        assert_eq!((sent.status.as_u16(), sent.codes()), (status, vec![code]), "{media}: {}", sent.text);
        assert!(sent.error()["remedy"].is_string() && sent.error()["remedySv"].is_string());
    }
    // What is declared is not what is sent.
    for (size, declared) in [(3_000_000, "10"), (100, "2000001")] {
        let request = home.begin("PUT", &upload).header("content-type", "image/png").header("if-match", &version);
        let request = request.header("samverka-photo-taken-on", "2026-11-20").header("content-length", declared);
        let sent = hub.send(request.body(Body::from(vec![0; size])).expect("a request")).await;
        assert_eq!((sent.status.as_u16(), sent.codes()), (413, vec!["PHOTO_TOO_LARGE"]), "{size} {declared}");
    }
    for (taken_on, matched, expected) in [
        (None, Some(version.as_str()), vec![("REQUIRED", "samverka-photo-taken-on")]),
        (Some("2026-02-30"), Some(&version), vec![("INVALID_DATE", "samverka-photo-taken-on")]),
        (Some("2026-11-22"), Some(&version), vec![("DATE_ORDER", "samverka-photo-taken-on")]),
        (Some("2026-11-21"), None, vec![("REQUIRED", "if-match")]),
        (None, None, vec![("REQUIRED", "if-match"), ("REQUIRED", "samverka-photo-taken-on")]),
    ] {
        let mut request = home.begin("PUT", &upload).header("content-type", "image/png");
        if let Some(day) = taken_on {
            request = request.header("samverka-photo-taken-on", day);
        }
        if let Some(version) = matched {
            request = request.header("if-match", version);
        }
        let sent = hub.send(request.body(Body::from(whole.clone())).expect("a request")).await;
        sent.assert_refused(&expected, "headers");
        assert_eq!(sent.status, 400);
    }
    assert_eq!(hub.count("photo", "1 = 1").await + hub.count("revision", "1 = 1").await, 0);
    let sent = home.send_to(&hub, &upload, "Image/PNG; q=1", &version, whole).await;
    assert_eq!(sent.status, 200, "{}", sent.text);
}

/// A small file that says it is a picture of two thousand million pixels.
fn bomb() -> Vec<u8> {
    let mut bytes = png(8, 8);
    bytes[16..24].copy_from_slice(&[0, 0, 0xaf, 0xc8, 0, 0, 0xaf, 0xc8]);
    let crc = crc32(&bytes[12..29]).to_be_bytes();
    bytes[29..33].copy_from_slice(&crc);
    bytes
}

async fn a_photo_is_sent_from_the_version_that_stands(hub: Hub) {
    let child = child(&hub).await;
    let (home, board) = (hub.caller("hvb-malmo"), hub.caller("malmo-soc"));
    let (upload, stale) = home.place(&child.id).await;
    let upload = upload.expect("it may send");
    board.update(&child.id, Section::Description, json!({ "clothing": "Röd jacka" }), &[]).await.data("");
    for version in [&stale, "*", "x"] {
        let sent = home.send_to(&hub, &upload, "image/png", version, png(8, 8)).await;
        assert_eq!(
            (sent.status.as_u16(), sent.refusals()),
            (412, vec![("CONFLICT".to_owned(), "if-match".to_owned())])
        );
    }
    assert_eq!(hub.count("photo", "1 = 1").await, 0, "nothing is kept of what is refused");
    let version = home.version(&child.id, Section::Description).await;
    let put = |version: &str| {
        let request = home.begin("PUT", &upload).header("content-type", "image/png").header("if-match", version);
        let request = request.header("samverka-photo-taken-on", "2026-11-20");
        request.body(Body::from(png(8, 8))).expect("a request")
    };
    let answers = hub.send_together(vec![put(&version), put(&version), put(&version)]).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    assert_eq!(hub.count("photo", "1 = 1").await, 1);
    // A change that the sender does not see is not in its way, and its own makes the versions of others old.
    let old = board.version(&child.id, Section::Description).await;
    home.send_photo(&hub, &child.id, "image/png", png(9, 9)).await;
    let answer = board.update_from(&child.id, Section::Description, &old, json!({ "marks": "Ärr" }), &[]).await;
    answer.assert_refused(&[("CONFLICT", "expectedVersion")], "the board is shown the photo");
}

async fn a_photo_is_gone_when_it_is_replaced_or_emptied(hub: Hub) {
    let child = child(&hub).await;
    let (home, board) = (hub.caller("hvb-malmo"), hub.caller("malmo-soc"));
    home.send_photo(&hub, &child.id, "image/png", png(8, 8)).await;
    let first = board.url(&child.id).await;
    home.send_photo(&hub, &child.id, "image/jpeg", jpeg(16, 16)).await;
    let second = board.url(&child.id).await;
    assert_ne!(first, second);
    assert_eq!(board.fetch(&hub, &first).await.status, 404);
    assert_eq!(board.fetch(&hub, &second).await.headers["content-type"], "image/jpeg");
    assert_eq!(hub.count("photo", "1 = 1").await, 1);
    let answer = board.update(&child.id, Section::Description, json!({ "marks": "Ärr" }), &["photo"]).await;
    answer.assert_refused(&[("FORBIDDEN", "clear.photo")], "the board writes the description and not the photo");
    home.update(&child.id, Section::Description, json!({ "marks": "Ärr" }), &["photo"]).await.data("");
    assert_eq!(hub.count("photo", "1 = 1").await, 0);
    assert_eq!(board.fetch(&hub, &second).await.status, 404);
    assert_eq!(board.told(&child.id).await["photo"], Value::Null);
    let history = board.revisions(&child.id, Section::Description).await;
    let photos: Vec<&Value> = history.iter().map(|(_, changes)| &changes["photo"]["width"]).collect();
    assert_eq!(photos, [&Value::Null, &json!(16), &json!(8)]);
    // Whoever sees that it is the wrong child says so to those who may take it away.
    home.send_photo(&hub, &child.id, "image/png", png(8, 8)).await;
    let mutation =
        "mutation($id: ID!) { suggestCorrection(childId: $id, correction: { description: { clear: [PHOTO] } }) {
        suggestion { id } } }";
    let made = board.ask_with(mutation, json!({ "id": child.id })).await;
    let id = made.data("/suggestCorrection/suggestion/id").clone();
    let version = home.version(&child.id, Section::Description).await;
    let mutation = "mutation($id: ID!, $v: String!) { acceptSuggestion(suggestionId: $id, expectedVersion: $v) {
        child { description { photo { url } } } } }";
    let done = home.ask_with(mutation, json!({ "id": id, "v": version })).await;
    assert_eq!(done.data("/acceptSuggestion/child/description/photo"), &Value::Null);
    assert_eq!(hub.count("photo", "1 = 1").await, 0);
}

async fn log(hub: &Hub, code: &str, child: &TestChild) -> Value {
    let query = "query($id: ID!) { accessLog(childId: $id, first: 1) { edges { node {
        operation shown withheld changed rules requestId hash } } } }";
    let answer = hub.caller(code).ask_with(query, json!({ "id": child.id })).await;
    answer.data("/accessLog/edges/0/node").clone()
}

async fn a_fetch_is_logged_before_the_bytes_leave(hub: Hub) {
    let child = child(&hub).await;
    let (home, board) = (hub.caller("hvb-malmo"), hub.caller("malmo-soc"));
    home.send_photo(&hub, &child.id, "image/png", png(8, 8)).await;
    let sent = log(&hub, "hvb-malmo", &child).await;
    assert_eq!((&sent["operation"], &sent["changed"]), (&json!("PUT photo"), &json!(["description.photo"])));
    let url = board.url(&child.id).await;
    let got = board.fetch(&hub, &url).await;
    let row = log(&hub, "malmo-soc", &child).await;
    assert_eq!((&row["operation"], &row["shown"]), (&json!("GET photo"), &json!(["description.photo"])));
    assert_eq!(row["rules"], json!(["social-services-read-photo"]));
    let receipt = got.headers["audit-receipt"].to_str().expect("text");
    assert!(receipt.ends_with(row["hash"].as_str().expect("a hash")));
    assert_eq!(got.headers["x-request-id"], row["requestId"].as_str().expect("an id"));
    // One that is withheld is a look, too.
    hub.sql("UPDATE involvement SET closed_at = opened_at WHERE kind = 'RESPONSIBLE'").await;
    hub.involve(child.uuid, "malmo-soc", "INVOLVED", None).await;
    assert_eq!(board.fetch(&hub, &url).await.status, 403);
    let row = log(&hub, "malmo-soc", &child).await;
    assert_eq!((&row["shown"], &row["withheld"]), (&json!([]), &json!(["description.photo"])));
}

async fn while_the_log_cannot_be_written_no_byte_leaves(hub: Hub) {
    let child = child(&hub).await;
    let home = hub.caller("hvb-malmo");
    home.send_photo(&hub, &child.id, "image/png", png(8, 8)).await;
    let url = home.url(&child.id).await;
    let held = crate::ledger::block(&hub).await;
    let got = home.fetch(&hub, &url).await;
    assert_eq!((got.status.as_u16(), got.codes()), (503, vec!["AUDIT_UNAVAILABLE"]));
    held.rollback().await.expect("ends");
    tokio::time::sleep(std::time::Duration::from_millis(2_500)).await;
    assert_eq!(home.fetch(&hub, &url).await.status, 200);
}

async fn no_list_reads_the_bytes(hub: Hub) {
    let child = child(&hub).await;
    hub.caller("hvb-malmo").send_photo(&hub, &child.id, "image/png", png(8, 8)).await;
    hub.sql("DROP TABLE photo").await;
    let list =
        hub.caller("malmo-soc").ask("{ children { nodes { description { photo { url size } version } } } }").await;
    assert!(list.data("/children/nodes/0/description/photo/url").is_string());
}

async fn the_sandbox_has_photos(hub: Hub) {
    let database = samverka_domain::hub::Database::connect(&hub.database.url).await.expect("connects");
    database.seed(samverka::sandbox::SEED, 0..8, &hub.domain.clock(), &mut |_| ()).await.expect("seeded");
    let query = "{ children(first: 100) { nodes { description { photo { url type size } } } } }";
    let mut fetched = 0;
    for code in ["migrationsverket", "malmo-soc", "hvb-malmo"] {
        let caller = hub.caller(code);
        let list = caller.ask(query).await;
        for node in list.data("/children/nodes").as_array().expect("a list") {
            let Some(url) = node["description"]["photo"]["url"].as_str() else { continue };
            let got = caller.fetch(&hub, url).await;
            assert_eq!(got.status, 200, "{}", got.text);
            assert_eq!(got.bytes.len() as u64, node["description"]["photo"]["size"].as_u64().expect("a number"));
            image::load_from_memory_with_format(&got.bytes, image::ImageFormat::Png).expect("a picture");
            fetched += 1;
        }
    }
    assert!(fetched > 1, "{fetched}");
}

/// The request that one of the README's commands makes, with these values for its variables.
fn command(start: &str, values: &[(&str, &str)]) -> axum::http::request::Builder {
    let readme = include_str!("../../README.md");
    let line = readme.lines().find(|line| line.starts_with(start)).expect("the README has the command");
    let filled = values.iter().fold(line.to_owned(), |line, (name, value)| line.replace(name, value));
    let mut words = filled.split(" -H ");
    let url = words.next().and_then(|first| first.split('"').nth(1)).expect("an address");
    let path = url.strip_prefix("http://127.0.0.1:8080").expect("the sandbox's address");
    let method = if start.contains(" -T ") { "PUT" } else { "GET" };
    let request = axum::http::Request::builder().method(method).uri(path);
    words.fold(request, |request, header| {
        let (name, value) = header.trim_matches('"').split_once(": ").expect("a header");
        request.header(name, value)
    })
}

async fn the_readmes_commands_send_and_fetch_a_photo(hub: Hub) {
    let child = child(&hub).await;
    let home = hub.caller("hvb-malmo");
    let (upload, version) = home.place(&child.id).await;
    let (upload, token) = (upload.expect("it may send"), hub.token("hvb-malmo"));
    let values = [("$PHOTO_UPLOAD", upload.as_str()), ("$TOKEN", &token), ("$VERSION", &version)];
    let send = command("curl -T ", &values).body(Body::from(jpeg(8, 8))).expect("a request");
    assert_eq!(hub.send(send).await.status, 200);
    let url = home.url(&child.id).await;
    let values = [("$PHOTO_URL", url.as_str()), ("$TOKEN", &token)];
    let got = hub.send(command("curl -o ", &values).body(Body::empty()).expect("a request")).await;
    assert_eq!((got.status.as_u16(), &got.headers["content-type"]), (200, &"image/jpeg".parse().expect("a value")));
}
