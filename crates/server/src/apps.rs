//! The web apps, as files in the binary: the console for a desk (`/console`), and pages for a phone, of members (`/m`), of advisors
//! (`/a`) and of tills (`/pos`).
//!
//! What lies in `assets/` bears a hash in its name and is kept by browsers for good; everything else is asked for again. An address
//! that is no file and has no ending is the app's own business: it gets the app's page. Texts go out as gzip, or as brotli where the
//! build left a file beside (`NAME.br`).

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::body::Bytes;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

use crate::language::Language;
use crate::page::has_already;
use crate::problem::Problem;

/// (where, files: name and bytes) of each app.
type Built = &'static [(&'static str, &'static [(&'static str, &'static [u8])])];

static BUILT: Built = include!(concat!(env!("OUT_DIR"), "/apps.rs"));

/// Stands in a page where a word belongs that is drawn for each answer: styles that scripts put in bear it, and no others count.
const NONCE: &str = "__CSP_NONCE__";

/// What a script may do that runs as a worker.
const WORKER_POLICY: &str = "default-src 'none'; connect-src 'self'; frame-ancestors 'none'";

/// A file of an app.
struct File {
    bytes: &'static [u8],
    brotli: Option<&'static [u8]>,
    /// As gzip, once somebody asked for it.
    gzip: OnceLock<Bytes>,
    kind: &'static str,
    /// Whether packing it is worth it.
    packs: bool,
    tag: HeaderValue,
    cache: &'static str,
}

/// An app.
struct App {
    at: &'static str,
    files: BTreeMap<&'static str, File>,
}

/// What a browser takes a file for, by its ending; and whether it is text.
fn kind(name: &str) -> (&'static str, bool) {
    match name.rsplit('.').next().unwrap_or_default() {
        "html" => ("text/html; charset=utf-8", true),
        "js" | "mjs" => ("text/javascript; charset=utf-8", true),
        "css" => ("text/css; charset=utf-8", true),
        "json" | "map" => ("application/json", true),
        "webmanifest" => ("application/manifest+json", true),
        "svg" => ("image/svg+xml", true),
        "txt" => ("text/plain; charset=utf-8", true),
        "png" => ("image/png", false),
        "jpg" | "jpeg" => ("image/jpeg", false),
        "webp" => ("image/webp", false),
        "ico" => ("image/x-icon", false),
        "woff2" => ("font/woff2", false),
        "wasm" => ("application/wasm", true),
        _ => ("application/octet-stream", false),
    }
}

impl File {
    fn new(name: &str, bytes: &'static [u8], brotli: Option<&'static [u8]>) -> Self {
        let (kind, packs) = kind(name);
        let hash = URL_SAFE_NO_PAD.encode(Sha256::digest(bytes));
        let tag = HeaderValue::try_from(format!("\"{}\"", hash.get(..22).unwrap_or_default()));
        let cache =
            if name.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
        let tag = tag.unwrap_or(HeaderValue::from_static("\"\""));
        Self { bytes, brotli, gzip: OnceLock::new(), kind, packs, tag, cache }
    }

    /// The file as it is sent to whom accepts what: the name of its packing, and its bytes.
    fn packed(&self, asked: &HeaderMap) -> (Option<&'static str>, Bytes) {
        let plain = || (None, Bytes::from_static(self.bytes));
        if !self.packs {
            return plain();
        }
        if let Some(brotli) = self.brotli.filter(|_| accepts(asked, "br")) {
            return (Some("br"), Bytes::from_static(brotli));
        }
        if !accepts(asked, "gzip") {
            return plain();
        }
        let gzip = self.gzip.get_or_init(|| gzip(self.bytes));
        if gzip.is_empty() || gzip.len() >= self.bytes.len() { plain() } else { (Some("gzip"), gzip.clone()) }
    }
}

fn gzip(bytes: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    // Into memory this does not fail; if it did, the file would go out as it is.
    match encoder.write_all(bytes).and_then(|()| encoder.finish()) {
        Ok(packed) => packed.into(),
        Err(_) => Bytes::new(),
    }
}

/// Whether a packing is accepted (RFC 9110 §12.5.3; what is said not at all is not).
fn accepts(asked: &HeaderMap, packing: &str) -> bool {
    let said = asked.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    said.flat_map(|said| said.split(',')).any(|one| {
        let mut parts = one.split(';').map(str::trim);
        let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(packing));
        let none = parts.any(|part| part.strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0f32)));
        named && !none
    })
}

impl App {
    fn new(at: &'static str, built: &[(&'static str, &'static [u8])]) -> Self {
        let all: BTreeMap<&str, &'static [u8]> = built.iter().copied().collect();
        let packed = |name: &str| name.ends_with(".br") || name.ends_with(".gz");
        let files = built.iter().filter(|(name, _)| !packed(name)).map(|(name, bytes)| {
            let brotli = all.get(format!("{name}.br").as_str()).copied();
            (*name, File::new(name, bytes, brotli))
        });
        Self { at, files: files.collect() }
    }

    /// What is answered at an address below the app's.
    fn response(&self, path: &str, asked: &HeaderMap) -> Response {
        let Some(page) = self.files.get("index.html") else { return self.unbuilt(asked) };
        let last = path.rsplit('/').next().unwrap_or_default();
        match self.files.get(path) {
            Some(_) if path == "index.html" => self.page(page, asked),
            Some(file) => sent(file, asked),
            None if last.contains('.') || path.starts_with("assets/") => {
                Problem::of("not_found").response(Language::accepted(asked))
            }
            None => self.page(page, asked),
        }
    }

    /// The app's page. It may load its own files and speak to its own server, and nobody may put it into a frame.
    fn page(&self, page: &File, asked: &HeaderMap) -> Response {
        let text = std::str::from_utf8(page.bytes).unwrap_or_default();
        let mut response;
        let styles;
        if text.contains(NONCE) {
            let mut bytes = [0; 16];
            if !crate::sign_in::fill(&mut bytes) {
                return Problem::of("reading_failed").response(Language::accepted(asked));
            }
            let nonce = URL_SAFE_NO_PAD.encode(bytes);
            let body = text.replace(NONCE, &nonce);
            response = ([(header::CONTENT_TYPE, page.kind), (header::CACHE_CONTROL, "no-store")], body)
                .into_response();
            styles = format!("style-src 'self' 'nonce-{nonce}'; style-src-attr 'unsafe-inline'");
        } else {
            response = sent(page, asked);
            // Components that bring their styles in scripts put them in as elements.
            styles = "style-src 'self' 'unsafe-inline'".to_owned();
        }
        let policy = format!(
            "default-src 'none'; script-src 'self'; {styles}; img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; \
             worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
        );
        if let Ok(policy) = HeaderValue::try_from(policy) {
            response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
        }
        response
    }

    /// What is said where the app was not built.
    fn unbuilt(&self, asked: &HeaderMap) -> Response {
        let (title, text, then) = match Language::accepted(asked) {
            Language::Zh => (
                "网页尚未构建",
                "这个程序编译时没有找到网页文件。请先构建网页，再重新编译：",
                "API 不受影响，说明见",
            ),
            Language::En => (
                "The web app was not built",
                "When this program was compiled, the files of its web apps were not there. Build them, then the program again:",
                "The API is not affected; its reference is at",
            ),
        };
        let tag = Language::accepted(asked).tag();
        let body = format!(
            "<!doctype html><html lang=\"{tag}\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
             <title>{title} · {at}</title><h1>{title}</h1><p>{text}</p>\
             <pre>cd web\nnpm ci\nnpm run build\ncd ..\ncargo build --release</pre><p>{then} <a href=\"/docs\">/docs</a></p></html>\n",
            at = self.at,
        );
        let kind = [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CACHE_CONTROL, "no-store")];
        (StatusCode::SERVICE_UNAVAILABLE, kind, body).into_response()
    }
}

fn sent(file: &File, asked: &HeaderMap) -> Response {
    let (packing, bytes) = file.packed(asked);
    let mut response = if has_already(asked, &file.tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, file.kind)], bytes).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(header::ETAG, file.tag.clone());
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(file.cache));
    if file.kind.starts_with("text/javascript") {
        // A worker lives by the policy of its own file: it may ask its own server, and load nothing.
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(WORKER_POLICY));
    }
    if file.packs {
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    }
    if let Some(packing) = packing.filter(|_| response.status() == StatusCode::OK) {
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static(packing));
    }
    response
}

/// Where the apps are.
pub(crate) fn routes() -> Router {
    let mut router = Router::new();
    for (at, built) in BUILT {
        let app = Arc::new(App::new(at, built));
        let home = format!("{at}/");
        let answer = async move |uri: Uri, request: Request| {
            let path = uri.path().strip_prefix(app.at).unwrap_or_default().trim_start_matches('/');
            app.response(path, request.headers())
        };
        // Addresses in the page are of this folder.
        let to = home.clone();
        let enter = async move || {
            let to = HeaderValue::try_from(to).unwrap_or(HeaderValue::from_static("/"));
            (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, to)]).into_response()
        };
        router = router
            .route(at, get(enter))
            .route(&home, get(answer.clone()))
            .route(&format!("{at}/{{*path}}"), get(answer));
    }
    router
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCRIPT: &[u8] =
        b"const words = 'words words words words words words words words words words words words';";

    fn headers(all: &[(&'static str, &str)]) -> HeaderMap {
        all.iter()
            .map(|(name, value)| (name.parse::<header::HeaderName>().unwrap(), value.parse().unwrap()))
            .collect()
    }

    fn header_of(response: &Response, name: &str) -> String {
        response.headers().get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
    }

    fn app(page: &'static [u8]) -> App {
        App::new(
            "/console",
            &[
                ("index.html", page),
                ("assets/a-1234.js", SCRIPT),
                ("assets/b-1234.js", SCRIPT),
                ("assets/b-1234.js.br", b"packed"),
                ("icon.svg", b"<svg/>"),
            ],
        )
    }

    #[test]
    fn files_are_kept_for_good_where_their_name_has_a_hash_and_packed_where_that_is_accepted() {
        let app = app(b"<p>");
        let none = HeaderMap::new();
        let script = app.response("assets/a-1234.js", &headers(&[("accept-encoding", "br, gzip")]));
        assert_eq!(header_of(&script, "cache-control"), "public, max-age=31536000, immutable");
        assert_eq!(header_of(&script, "content-encoding"), "gzip");
        assert_eq!(header_of(&script, "vary"), "accept-encoding");
        assert_eq!(header_of(&script, "content-type"), "text/javascript; charset=utf-8");
        let plain = app.response("assets/a-1234.js", &none);
        assert_eq!((plain.status().as_u16(), header_of(&plain, "content-encoding")), (200, String::new()));
        let brotli = app.response("assets/b-1234.js", &headers(&[("accept-encoding", "gzip, br")]));
        assert_eq!(header_of(&brotli, "content-encoding"), "br");
        let refused = app.response("assets/b-1234.js", &headers(&[("accept-encoding", "br;q=0")]));
        assert_eq!(header_of(&refused, "content-encoding"), "");
        // Nobody gets at what is packed by its own name.
        assert_eq!(app.response("assets/b-1234.js.br", &none).status(), 404);
        let icon = app.response("icon.svg", &none);
        assert_eq!(header_of(&icon, "cache-control"), "no-cache");
        let again = app.response("icon.svg", &headers(&[("if-none-match", &header_of(&icon, "etag"))]));
        assert_eq!(again.status(), 304);
    }

    #[test]
    fn an_address_of_the_app_gets_its_page_and_a_file_that_is_missing_does_not() {
        let app = app(b"<p>");
        for (path, status) in [
            ("", 200),
            ("index.html", 200),
            ("members/42", 200),
            ("assets/gone-1.js", 404),
            ("assets/x", 404),
            ("favicon.ico", 404),
            ("../secrets", 200),
        ] {
            let response = app.response(path, &HeaderMap::new());
            assert_eq!(response.status(), status, "{path}");
            if status == 200 {
                assert_eq!(header_of(&response, "content-type"), "text/html; charset=utf-8", "{path}");
                assert_eq!(header_of(&response, "cache-control"), "no-cache");
                let policy = header_of(&response, "content-security-policy");
                assert!(
                    policy.contains("script-src 'self';") && policy.contains("frame-ancestors 'none'"),
                    "{policy}"
                );
            }
        }
    }

    #[test]
    fn a_page_with_a_place_for_it_gets_a_new_word_each_time() {
        let app = app(b"<meta nonce=__CSP_NONCE__>");
        let policies: Vec<String> = (0..2)
            .map(|_| header_of(&app.response("", &HeaderMap::new()), "content-security-policy"))
            .collect();
        assert!(policies.iter().all(|policy| policy.contains("style-src 'self' 'nonce-")), "{policies:?}");
        assert_ne!(policies[0], policies[1]);
    }

    #[test]
    fn an_app_that_was_not_built_says_how_it_is() {
        let app = App::new("/console", &[]);
        for (said, words) in [("zh-CN", "npm run build"), ("en", "The web app was not built")] {
            let response = app.response("", &headers(&[("accept-language", said)]));
            assert_eq!(response.status(), 503);
            let body =
                futures_util::FutureExt::now_or_never(axum::body::to_bytes(response.into_body(), 10_000));
            assert!(String::from_utf8(body.unwrap().unwrap().into()).unwrap().contains(words));
        }
    }
}
