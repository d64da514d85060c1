//! The message as a signature sees it, and the text that is signed (RFC 9421 section 2).

use std::borrow::Cow;
use std::fmt::Write as _;

use axum::http::header::HOST;
use axum::http::{HeaderMap, Method, Uri};

use super::error::Refusal;

/// The parts of a request (or, for the standard's own examples, a response) that can be covered.
#[derive(Debug, Clone)]
pub struct Message<'a> {
    pub method: &'a Method,
    /// `https` or `http`: as the client saw it, which behind a proxy only configuration knows.
    pub scheme: &'a str,
    /// Host and, unless it is the scheme's own, port; as sent.
    pub authority: &'a str,
    pub path: &'a str,
    pub query: Option<&'a str>,
    /// Set for responses only.
    pub status: Option<u16>,
    pub headers: &'a HeaderMap,
}

impl<'a> Message<'a> {
    /// A request as a server received it. `uri` is the one of the request line (in a nested router: the
    /// original one), `scheme` what clients of this deployment type. An absent host is an empty authority.
    pub fn received(method: &'a Method, scheme: &'a str, uri: &'a Uri, headers: &'a HeaderMap) -> Self {
        let host = || headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("");
        let authority = uri.authority().map_or_else(host, |authority| authority.as_str());
        Self { method, scheme, authority, path: uri.path(), query: uri.query(), status: None, headers }
    }

    /// A request as a client is about to send it to an absolute `uri`.
    pub fn outgoing(method: &'a Method, uri: &'a Uri, headers: &'a HeaderMap) -> Self {
        Self::received(method, uri.scheme_str().unwrap_or("https"), uri, headers)
    }

    /// `@authority` (section 2.2.3): lower case, without the scheme's own port.
    fn normal_authority(&self) -> String {
        let own_port = if self.scheme.eq_ignore_ascii_case("http") { ":80" } else { ":443" };
        let authority = self.authority.to_ascii_lowercase();
        authority.strip_suffix(own_port).map_or_else(|| authority.clone(), str::to_owned)
    }

    /// `@path` (section 2.2.6): never empty.
    fn normal_path(&self) -> &str {
        if self.path.is_empty() { "/" } else { self.path }
    }

    /// The value of one covered component, `None` when the message has no such part.
    fn component(&self, name: &str) -> Result<Option<Cow<'_, str>>, Refusal> {
        let request = self.status.is_none();
        Ok(match name {
            "@method" if request => Some(Cow::from(self.method.as_str())),
            "@authority" if request => Some(Cow::from(self.normal_authority())),
            "@path" if request => Some(Cow::from(self.normal_path())),
            "@query" if request => Some(Cow::from(format!("?{}", self.query.unwrap_or("")))),
            "@target-uri" if request => {
                let mut uri = format!("{}://{}{}", self.scheme, self.normal_authority(), self.normal_path());
                if let Some(query) = self.query {
                    uri.push('?');
                    uri.push_str(query);
                }
                Some(Cow::from(uri))
            }
            "@status" => self.status.map(|status| Cow::from(status.to_string())),
            derived if derived.starts_with('@') => None,
            field => self.field(field)?.map(Cow::from),
        })
    }

    /// A field's lines, trimmed and joined (section 2.1).
    fn field(&self, name: &str) -> Result<Option<String>, Refusal> {
        let mut joined: Option<String> = None;
        for value in self.headers.get_all(name) {
            let text = value.to_str().map_err(|_| {
                Refusal::Malformed(format!("the covered header {name} holds something other than ASCII"))
            })?;
            let text = text.trim_matches([' ', '\t']);
            joined = Some(joined.map_or_else(|| text.to_owned(), |before| format!("{before}, {text}")));
        }
        Ok(joined)
    }
}

/// The signature base (section 2.5): one line per covered component, then the parameters; no final line feed.
pub(super) fn signature_base(
    covered: &[String],
    parameters: &str,
    message: &Message<'_>,
) -> Result<String, Refusal> {
    let mut base = String::new();
    for name in covered {
        let value = message.component(name)?.ok_or_else(|| {
            Refusal::ComponentsMissing(format!(
                "the signature covers {name}, which the message does not have"
            ))
        })?;
        writeln!(base, "\"{name}\": {value}").expect("a String takes every write");
    }
    write!(base, "\"@signature-params\": {parameters}").expect("a String takes every write");
    Ok(base)
}
