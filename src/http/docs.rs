//! Pages for developers: the API's document as a readable page, and the list of error codes. Both are served from
//! the binary; nothing is loaded from elsewhere, and the content policy holds the browser to that.

use axum::Router;
use axum::http::HeaderName;
use axum::http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{Html, IntoResponse};
use axum::routing::get;
use bytes::Bytes;
use utoipa::openapi::OpenApi;

/// redoc.standalone.js of npm's redoc 2.5.4, `gzip -9n`; static/README.md says how to check it.
const REDOC: &[u8] = include_bytes!("static/redoc.standalone.js.gz");

const ERRORS: &str = include_str!("../../docs/errors.md");

/// Redoc styles elements in place and searches in a worker made from a blob.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; connect-src 'self'; \
    img-src 'self' data:; worker-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The image that Redoc would fetch from its maker's server is not asked for and not missed.
const PAGE: &str = r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Mizan API</title>
<style>body { margin: 0 } img[src^="https://cdn.redoc.ly"] { display: none }</style>
</head>
<body>
<redoc spec-url="/v1/openapi.json" hide-download-button="false" expand-responses="200,201" sort-props-alphabetically="false"
  theme='{"typography": {"fontFamily": "system-ui, sans-serif", "headings": {"fontFamily": "system-ui, sans-serif"}}}'></redoc>
<script src="/v1/docs/redoc.js"></script>
<noscript>The document itself is at <a href="/v1/openapi.json">/v1/openapi.json</a>.</noscript>
</body>
</html>
"#;

/// `/v1/openapi.json`, `/v1/docs` and `/v1/errors`, open to everyone.
pub fn routes<S: Clone + Send + Sync + 'static>(document: &OpenApi) -> Router<S> {
    let document = Bytes::from(text(document));
    let json = [(CONTENT_TYPE, "application/json")];
    let guarded = |page: Html<String>| ([(CONTENT_SECURITY_POLICY, POLICY)], page).into_response();
    let script: [(HeaderName, &str); 3] = [
        (CONTENT_TYPE, "text/javascript; charset=utf-8"),
        (CONTENT_ENCODING, "gzip"),
        (CACHE_CONTROL, "public, max-age=86400"),
    ];
    Router::new()
        .route("/v1/openapi.json", get(move || async move { (json, document) }))
        .route("/v1/docs", get(move || async move { guarded(Html(PAGE.to_owned())) }))
        .route("/v1/docs/redoc.js", get(move || async move { (script, REDOC) }))
        .route("/v1/errors", get(move || async move { guarded(Html(errors_page())) }))
}

/// The document as it is served and as docs/openapi.json keeps it.
fn text(document: &OpenApi) -> String {
    document.to_pretty_json().map_or_else(|_| "{}\n".to_owned(), |text| text + "\n")
}

/// docs/errors.md as HTML: the only Markdown it uses is headings, paragraphs, lists, tables, one code block and
/// code spans. Each row has its code as anchor, which is what a problem's `type` points at.
fn errors_page() -> String {
    let mut html = String::from(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>Mizan: error codes</title>\n\
         <style>body { font: 1rem/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem }\n\
         table { border-collapse: collapse } td, th { border-bottom: 1px solid #ccc; padding: .4rem .8rem; text-align: start; vertical-align: top }\n\
         pre { background: #f4f4f4; overflow: auto; padding: 1rem } :target { background: #fff3c4 }</style>\n</head>\n<body>\n",
    );
    let (mut in_table, mut in_code) = (false, false);
    for line in ERRORS.lines() {
        let is_row = line.starts_with('|');
        if in_table != is_row && !in_code {
            html.push_str(if is_row { "<table>\n" } else { "</table>\n" });
            in_table = is_row;
        }
        if line.starts_with("```") {
            html.push_str(if in_code { "</pre>\n" } else { "<pre dir=\"ltr\">" });
            in_code = !in_code;
        } else if in_code {
            html.push_str(&escape(line));
            html.push('\n');
        } else if is_row {
            html.push_str(&row(line));
        } else if let Some(heading) = line.strip_prefix("## ") {
            html.push_str(&format!("<h2>{}</h2>\n", escape(heading)));
        } else if let Some(heading) = line.strip_prefix("# ") {
            html.push_str(&format!("<h1>{}</h1>\n", escape(heading)));
        } else if !line.is_empty() {
            html.push_str(&format!("<p>{}</p>\n", spans(line.trim_start_matches("- "))));
        }
    }
    html.push_str(if in_table { "</table>\n</body>\n</html>\n" } else { "</body>\n</html>\n" });
    html
}

fn row(line: &str) -> String {
    let cells: Vec<&str> = line.trim_matches(['|', ' ']).split(" | ").collect();
    if cells.first().is_some_and(|cell| cell.starts_with("---")) {
        return String::new();
    }
    let code = cells.first().and_then(|cell| cell.strip_prefix('`')).and_then(|cell| cell.strip_suffix('`'));
    let (open, tag) = match code {
        // Codes have six columns; those of fields, fewer and with names of their own, stand below them.
        Some(code) if cells.len() == 6 => (format!("<tr id=\"{}\">", escape(code)), "td"),
        Some(code) => (format!("<tr id=\"field-{}\">", escape(code)), "td"),
        None => ("<tr>".to_owned(), "th"),
    };
    let cells = cells.iter().map(|cell| format!("<{tag} dir=\"auto\">{}</{tag}>", spans(cell)));
    format!("{open}{}</tr>\n", cells.collect::<String>())
}

/// Text with `code` spans.
fn spans(text: &str) -> String {
    let pieces = text.split('`').enumerate().map(|(index, piece)| {
        if index % 2 == 1 { format!("<code dir=\"ltr\">{}</code>", escape(piece)) } else { escape(piece) }
    });
    pieces.collect()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::http::Request;
    use sha2::{Digest as _, Sha256};
    use tower::ServiceExt as _;

    use super::*;
    use crate::http::problem::{Code, FieldCode};
    use crate::http::router::document;

    /// Writes docs/openapi.json anew instead of comparing it.
    const WRITE: &str = "MIZAN_WRITE_OPENAPI";

    #[test]
    fn the_committed_document_is_the_one_that_is_served() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/openapi.json");
        let fresh = text(&document());
        if std::env::var_os(WRITE).is_some() {
            std::fs::write(&path, &fresh).expect("docs/openapi.json is written");
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(committed == fresh, "docs/openapi.json is stale: run this test with {WRITE}=1 and commit it");
    }

    async fn fetch(path: &str) -> (axum::http::response::Parts, Vec<u8>) {
        let request = Request::builder().uri(path).body(Body::empty()).expect("a request");
        let (parts, body) = routes::<()>(&document()).oneshot(request).await.expect("an answer").into_parts();
        (parts, to_bytes(body, 1_000_000).await.expect("a body").to_vec())
    }

    #[tokio::test]
    async fn the_script_is_the_one_that_was_checked() {
        let (parts, body) = fetch("/v1/docs/redoc.js").await;
        assert_eq!(parts.headers[CONTENT_ENCODING], "gzip");
        let hash = hex::encode(Sha256::digest(&body));
        assert_eq!(hash, "3116e001880678a88aa94fe39e117b2d73254665b62169de01c89dfca86c09be");
        assert!(include_str!("static/README.md").contains(&hash));
    }

    #[tokio::test]
    async fn the_pages_load_from_this_hub_alone() {
        for path in ["/v1/docs", "/v1/errors"] {
            let (parts, body) = fetch(path).await;
            let policy = parts.headers[CONTENT_SECURITY_POLICY].to_str().expect("ASCII");
            assert!(policy.starts_with("default-src 'none'") && !policy.contains("http"), "{policy}");
            let body = String::from_utf8(body).expect("UTF-8");
            for attribute in ["src=\"", "href=\"", "url=\""] {
                for target in body.split(attribute).skip(1) {
                    assert!(target.starts_with('/'), "{path} loads {}", &target[..40]);
                }
            }
        }
    }

    #[tokio::test]
    async fn every_code_has_its_place_on_the_page_of_errors() {
        let (_, body) = fetch("/v1/errors").await;
        let body = String::from_utf8(body).expect("UTF-8");
        let codes = Code::ALL.iter().map(|code| code.slug().to_owned());
        let fields = FieldCode::ALL.iter().map(|code| format!("field-{}", code.slug()));
        for anchor in codes.chain(fields) {
            assert_eq!(body.matches(&format!("<tr id=\"{anchor}\">")).count(), 1, "{anchor}");
        }
        assert_eq!(body.matches("<table>").count(), 2);
        assert_eq!(body.matches("</table>").count(), 2);
        assert!(body.contains("<pre dir=\"ltr\">{\n  &quot;type&quot;"));
    }
}
