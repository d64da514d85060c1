//! Who looks: the officer behind the cookie of a request.

use axum::extract::FromRequestParts;
use axum::http::header::COOKIE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use subtle::ConstantTimeEq;

use super::shell::Stop;
use crate::access::Scope;
use crate::access::sessions::{self, Session};
use crate::app::App;
use crate::fault::Fault;
use crate::tx::Actor;

/// The session's cookie.
pub const COOKIE_SESSION: &str = "mizan_console";

/// A handler that takes an officer is behind the login.
#[derive(Debug, Clone)]
pub struct Officer {
    pub session: Session,
    /// The page asked for, to come back to.
    pub path: String,
}

impl Officer {
    pub fn actor(&self) -> Actor {
        Actor::person(self.session.person)
    }

    /// The form came from a page of this session.
    pub fn check(&self, csrf: &str) -> Result<(), Stop> {
        if same(csrf, &self.session.csrf) { Ok(()) } else { Err(Stop::Form) }
    }
}

impl FromRequestParts<App> for Officer {
    type Rejection = Stop;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Stop> {
        let cookie = cookie(&parts.headers, COOKIE_SESSION).ok_or(Stop::LoggedOut)?;
        let mut conn = app.pool.acquire().await.map_err(Fault::from)?;
        let found = sessions::store::find(&mut conn, &sessions::id_of(cookie), app.clock.now()).await?;
        let session = found.ok_or(Stop::LoggedOut)?;
        if !session.scopes.contains(&Scope::FinanceRead) {
            return Err(Stop::Forbidden);
        }
        let path = parts.uri.path_and_query().map_or("/console", |path| path.as_str()).to_owned();
        Ok(Self { session, path })
    }
}

/// Compares secrets in the same time whatever they are.
pub fn same(left: &str, right: &str) -> bool {
    left.as_bytes().ct_eq(right.as_bytes()).into()
}

/// The value of a cookie (RFC 6265 section 5.4).
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let pairs = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    pairs
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(key, value)| (key == name).then_some(value))
}

/// A cookie no script reads and no other site sends; `seconds` of zero takes it back.
pub fn set_cookie(app: &App, name: &str, value: &str, seconds: i64) -> HeaderValue {
    let secure = if app.hub.config.public_url.starts_with("https:") { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path=/console; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
    HeaderValue::from_str(&text).expect("names and values are letters and digits")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("a=1; mizan_console=xyz"));
        headers.append(COOKIE, HeaderValue::from_static("b=2"));
        assert_eq!(cookie(&headers, COOKIE_SESSION), Some("xyz"));
        assert_eq!(cookie(&headers, "b"), Some("2"));
        assert_eq!(cookie(&headers, "console"), None);
    }
}
