//! Logging in and out.

use std::net::IpAddr;

use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use axum::routing::get;
use axum::{Extension, Router};
use serde::Deserialize;
use serde_json::json;

use super::officer::{COOKIE_SESSION, Officer, cookie, same, set_cookie};
use super::shell::{self, Stop};
use crate::access::login::Refused;
use crate::access::sessions::{self, NewSession};
use crate::access::store::PersonRow;
use crate::access::{self, Role, Scope, Tries, service};
use crate::app::App;
use crate::http::address::Address;
use crate::http::form::Form;
use crate::http::language::Language;
use crate::http::query::Query;
use crate::tx::Actor;

/// Binds the login form to the browser it was given to.
const COOKIE_FORM: &str = "mizan_login";
const FORM_SECONDS: i64 = 3_600;

pub fn router() -> Router<App> {
    Router::new().route("/console/login", get(show).post(open)).layer(Extension(Tries::default()))
}

#[derive(Debug, Deserialize)]
struct Asked {
    lang: Option<String>,
}

fn language(tag: Option<&str>, headers: &HeaderMap) -> Language {
    match tag {
        Some("ar") => Language::Arabic,
        Some("en") => Language::English,
        _ => Language::accepted(headers),
    }
}

async fn show(
    State(app): State<App>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Result<Response, Stop> {
    form(&app, language(asked.lang.as_deref(), &headers), None)
}

/// The login form, with what went wrong before.
fn form(app: &App, language: Language, refusal: Option<Refusal>) -> Result<Response, Stop> {
    let token = hex::encode(app.hub.entropy.bytes::<32>());
    let wrong = refusal.map(|refusal| refusal.text(language));
    let status = refusal.map_or(StatusCode::OK, Refusal::status);
    let html = shell::login(app, language, json!({ "csrf": token, "wrong": wrong }))?;
    let cookie = [(SET_COOKIE, set_cookie(app, COOKIE_FORM, &token, FORM_SECONDS))];
    Ok((status, AppendHeaders(cookie), html).into_response())
}

#[derive(Debug, Clone, Copy)]
enum Refusal {
    Wrong,
    TooOften,
    NoRight,
    Given,
    Stale,
}

impl Refusal {
    fn status(self) -> StatusCode {
        match self {
            Self::Wrong => StatusCode::UNAUTHORIZED,
            Self::TooOften => StatusCode::TOO_MANY_REQUESTS,
            Self::NoRight | Self::Given | Self::Stale => StatusCode::FORBIDDEN,
        }
    }

    fn text(self, language: Language) -> &'static str {
        let (ar, en) = match self {
            Self::Wrong => {
                ("اسم الدخول أو كلمة المرور غير صحيحة.", "The login or the password is not right.")
            }
            Self::TooOften => {
                ("محاولات كثيرة. انتظر دقيقة ثم أعد المحاولة.", "Too many tries. Wait a minute and try again.")
            }
            Self::NoRight => {
                ("لا تشمل صلاحياتك صفحات المالية.", "Your duties do not include the finance pages.")
            }
            Self::Given => (
                "كلمة المرور هذه أعطاك إياها غيرك: استبدلها أولًا بالأمر mizan login.",
                "Somebody else gave you this password: replace it first, with mizan login.",
            ),
            Self::Stale => ("انتهت صلاحية النموذج. أعد المحاولة.", "The form was too old. Try again."),
        };
        if language == Language::Arabic { ar } else { en }
    }
}

#[derive(Deserialize)]
struct Login {
    csrf: String,
    login: String,
    password: String,
    lang: String,
}

async fn open(
    State(app): State<App>,
    Extension(tries): Extension<Tries>,
    Address(from): Address,
    headers: HeaderMap,
    Form(given): Form<Login>,
) -> Result<Response, Stop> {
    let language = language(Some(&given.lang), &headers);
    if !cookie(&headers, COOKIE_FORM).is_some_and(|token| same(token, &given.csrf)) {
        return form(&app, language, Some(Refusal::Stale));
    }
    let login = given.login.trim().to_owned();
    let person = match person(&app, &tries, from, (&login, given.password)).await? {
        Ok(person) => person,
        Err(refusal) => return form(&app, language, Some(refusal)),
    };
    let new = NewSession {
        person: person.id,
        cookie: hex::encode(app.hub.entropy.bytes::<32>()),
        csrf: hex::encode(app.hub.entropy.bytes::<32>()),
        language,
    };
    app.run(&Actor::person(person.id), &new, |tx, new| Box::pin(sessions::open(tx, new))).await?;
    let cookies = [
        (SET_COOKIE, set_cookie(&app, COOKIE_SESSION, &new.cookie, sessions::SECONDS)),
        (SET_COOKIE, set_cookie(&app, COOKIE_FORM, "", 0)),
    ];
    Ok((AppendHeaders(cookies), Redirect::to("/console")).into_response())
}

/// The person of this login and password who may see the finance pages.
async fn person(
    app: &App,
    tries: &Tries,
    from: Option<IpAddr>,
    given: (&str, String),
) -> Result<Result<PersonRow, Refusal>, Stop> {
    let person = match access::login::person(app, tries, from, given).await? {
        Ok(person) => person,
        Err(Refused::Wrong) => return Ok(Err(Refusal::Wrong)),
        Err(Refused::TooOften) => return Ok(Err(Refusal::TooOften)),
    };
    if person.password_given {
        return Ok(Err(Refusal::Given));
    }
    let roles: Vec<Role> = person.roles.iter().filter_map(|role| role.parse().ok()).collect();
    if !service::scopes_of(&roles).contains(&Scope::FinanceRead) {
        return Ok(Err(Refusal::NoRight));
    }
    Ok(Ok(person))
}

#[derive(Debug, Deserialize)]
pub struct Leaving {
    csrf: String,
}

/// POST /console/logout
pub async fn close(
    State(app): State<App>,
    officer: Officer,
    Form(form): Form<Leaving>,
) -> Result<Response, Stop> {
    officer.check(&form.csrf)?;
    let session = &officer.session;
    app.run(&officer.actor(), session, |tx, session| Box::pin(sessions::close(tx, session))).await?;
    let cookie = [(SET_COOKIE, set_cookie(&app, COOKIE_SESSION, "", 0))];
    let to = format!("/console/login?lang={}", session.language.tag());
    Ok((AppendHeaders(cookie), Redirect::to(&to)).into_response())
}

#[derive(Debug, Deserialize)]
pub struct Speaking {
    csrf: String,
    lang: String,
    back: String,
}

/// POST /console/language
pub async fn speak(
    State(app): State<App>,
    officer: Officer,
    Form(form): Form<Speaking>,
) -> Result<Response, Stop> {
    officer.check(&form.csrf)?;
    let to = if form.lang == "en" { Language::English } else { Language::Arabic };
    let wish = (officer.session.clone(), to);
    app.run(&officer.actor(), &wish, |tx, (session, to)| Box::pin(sessions::speak(tx, session, *to))).await?;
    // Back to a page of ours, never to another site.
    let ours = form.back == "/console"
        || ["/console/", "/console?"].iter().any(|start| form.back.starts_with(start));
    let back = if ours && form.back.is_ascii() { form.back.as_str() } else { "/console" };
    Ok(Redirect::to(back).into_response())
}
