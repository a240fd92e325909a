//! The developer playground: the page that an integrator opens first, embedded in the binary as it was built from
//! `api/playground/` into `dist/`. Nothing here is made while it is served, and nothing asks another host.
//!
//! Its files are compressed once, at the first request, and carry a strong tag for each form they are sent in.

mod negotiate;

use axum::body::Body;
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    IF_NONE_MATCH, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::Response;
use data_encoding::HEXLOWER;
use negotiate::{Coding, best, names_tag};
use rust_embed::Embed;
use std::borrow::Cow;
use std::collections::HashMap;
use std::io::Write;
use std::sync::LazyLock;

/// Where the page is.
pub const PATH: &str = "/playground";
/// The file that the page begins with.
const INDEX: &str = "index.html";
/// The folder whose files carry a hash of what is in them in their names.
const HASHED: &str = "assets/";

/// Scripts, styles and connections of the page's own origin, and nothing written into the document as markup.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
                      require-trusted-types-for 'script'; trusted-types 'none'";

/// The headers of every file of the page.
const GUARDS: [(HeaderName, &str); 4] = [
    (CONTENT_SECURITY_POLICY, POLICY),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

/// The built page. `debug-embed` makes a debug build hold it, too: else it would read the folder at run time.
#[derive(Embed)]
#[folder = "playground/dist"]
struct Dist;

/// A file of the page in every form it is sent in.
struct File {
    media: &'static str,
    cache: &'static str,
    plain: Form,
    compressed: Vec<Form>,
}

/// A file in one coding.
struct Form {
    coding: Coding,
    bytes: Cow<'static, [u8]>,
    tag: HeaderValue,
}

static FILES: LazyLock<HashMap<String, File>> = LazyLock::new(|| {
    let file = |name: Cow<'static, str>| Some((name.to_string(), File::read(&name)?));
    Dist::iter().filter_map(file).collect()
});

/// The names of all files of the page.
pub fn names() -> Vec<&'static str> {
    let mut names: Vec<&str> = FILES.keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

/// What is answered to a request for a file of the page; none where there is no such file. A name is compared as it came: what is
/// not the name of a file finds nothing, however it is written.
pub fn answer(name: &str, method: &Method, headers: &HeaderMap) -> Option<Response> {
    let name = if name.is_empty() { INDEX } else { name };
    let file = FILES.get(name)?;
    let form = file.form(headers);
    let mut response = Response::new(Body::empty());
    if is_known(headers, &form.tag) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    } else {
        file.describe(form, response.headers_mut());
        if *method != Method::HEAD {
            *response.body_mut() = Body::from(form.bytes.clone());
        }
    }
    let headers = response.headers_mut();
    headers.insert(ETAG, form.tag.clone());
    headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(file.cache));
    for (name, value) in GUARDS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    Some(response)
}

/// Whether the caller has this form already.
fn is_known(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    let tag = tag.to_str().unwrap_or_default();
    headers.get_all(IF_NONE_MATCH).iter().any(|known| known.to_str().is_ok_and(|known| names_tag(known, tag)))
}

impl File {
    fn read(name: &str) -> Option<File> {
        let embedded = Dist::get(name)?;
        let hash = HEXLOWER.encode(embedded.metadata.sha256_hash().get(..16)?);
        let (media, shrinks) = media(name);
        let mut compressed = Vec::new();
        if shrinks {
            let smaller = |bytes: &Vec<u8>| bytes.len() < embedded.data.len();
            let made = [(Coding::Brotli, brotli(&embedded.data)), (Coding::Gzip, gzip(&embedded.data))];
            for (coding, bytes) in made {
                compressed.extend(bytes.filter(smaller).and_then(|bytes| Form::new(coding, Cow::Owned(bytes), &hash)));
            }
        }
        let plain = Form::new(Coding::Identity, embedded.data, &hash)?;
        // A name with a hash in it never stands for anything else.
        let cache = if name.starts_with(HASHED) { "public, max-age=31536000, immutable" } else { "no-cache" };
        Some(File { media, cache, plain, compressed })
    }

    /// The form that fits what the caller accepts.
    fn form(&self, headers: &HeaderMap) -> &Form {
        let accepted = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
        let accepted = accepted.collect::<Vec<_>>().join(",");
        let coding = best(&accepted, self.compressed.iter().map(|form| form.coding));
        self.compressed.iter().find(|form| form.coding == coding).unwrap_or(&self.plain)
    }

    fn describe(&self, form: &Form, headers: &mut HeaderMap) {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.media));
        headers.insert(CONTENT_LENGTH, HeaderValue::from(form.bytes.len()));
        if let Some(token) = form.coding.token() {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(token));
        }
    }
}

impl Form {
    fn new(coding: Coding, bytes: Cow<'static, [u8]>, hash: &str) -> Option<Form> {
        let tag = format!("\"{hash}-{}\"", coding.token().unwrap_or("0"));
        Some(Form { coding, bytes, tag: HeaderValue::try_from(tag).ok()? })
    }
}

/// The media type of a file, and whether compressing it is of use.
fn media(name: &str) -> (&'static str, bool) {
    match name.rsplit('.').next().unwrap_or_default() {
        "html" => ("text/html; charset=utf-8", true),
        "js" => ("text/javascript; charset=utf-8", true),
        "css" => ("text/css; charset=utf-8", true),
        "svg" => ("image/svg+xml", true),
        "md" => ("text/markdown; charset=utf-8", true),
        "json" => ("application/json", true),
        "txt" => ("text/plain; charset=utf-8", true),
        "png" => ("image/png", false),
        "woff2" => ("font/woff2", false),
        _ => ("application/octet-stream", false),
    }
}

/// Quality 5 takes a twentieth of the time of 11, and a tenth more bytes.
fn brotli(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut writer = brotli::CompressorWriter::new(Vec::new(), 64 * 1024, 5, 22);
    writer.write_all(bytes).ok()?;
    Some(writer.into_inner())
}

fn gzip(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    writer.write_all(bytes).ok()?;
    writer.finish().ok()
}
