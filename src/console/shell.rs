//! Rendering: the templates in one language, the headers of every page, and the page that says no.
//!
//! Every value inside Arabic text is isolated by `bdi`; an undefined value is a fault, not a gap.

use std::sync::OnceLock;

use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderName, StatusCode};
use axum::response::{Html, IntoResponse, Redirect, Response};
use jiff::Timestamp;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, context};
use mizan_ledger::BookError;
use serde::Serialize;

use super::officer::Officer;
use super::words;
use crate::app::App;
use crate::fault::Fault;
use crate::http::language::Language;
use crate::http::problem::Problem;

const TEMPLATES: [(&str, &str); 14] = [
    ("account.html", include_str!("templates/account.html")),
    ("breaks.html", include_str!("templates/breaks.html")),
    ("day.html", include_str!("templates/day.html")),
    ("entry.html", include_str!("templates/entry.html")),
    ("layout.html", include_str!("templates/layout.html")),
    ("login.html", include_str!("templates/login.html")),
    ("notice.html", include_str!("templates/notice.html")),
    ("owed.html", include_str!("templates/owed.html")),
    ("parts.html", include_str!("templates/parts.html")),
    ("payment.html", include_str!("templates/payment.html")),
    ("payments.html", include_str!("templates/payments.html")),
    ("refund.html", include_str!("templates/refund.html")),
    ("refunds.html", include_str!("templates/refunds.html")),
    ("stop.html", include_str!("templates/stop.html")),
];

const STYLE: &str = include_str!("templates/style.css");

fn environment(language: Language) -> &'static Environment<'static> {
    static ARABIC: OnceLock<Environment<'static>> = OnceLock::new();
    static ENGLISH: OnceLock<Environment<'static>> = OnceLock::new();
    let arabic = language == Language::Arabic;
    let cell = if arabic { &ARABIC } else { &ENGLISH };
    cell.get_or_init(|| {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| AutoEscape::Html);
        environment.add_global("ar", arabic);
        environment.add_global("lang", language.tag());
        environment.add_function("t", move |ar: String, en: String| if arabic { ar } else { en });
        environment.add_filter("word", move |slug: String| words::say(&slug, language));
        environment.add_filter("at", |text: String, zone: String| local(&text, &zone));
        for (name, text) in TEMPLATES {
            environment.add_template(name, text).expect("the templates parse; a test renders each");
        }
        environment
    })
}

/// An instant on the wall clock of the deployment.
pub(super) fn local(text: &str, zone: &str) -> String {
    let read = text.parse::<Timestamp>().and_then(|at| at.in_tz(zone));
    read.map_or_else(|_| text.to_owned(), |at| at.strftime("%Y-%m-%d %H:%M:%S").to_string())
}

fn render(name: &str, language: Language, values: Value) -> Result<String, Fault> {
    let template = environment(language).get_template(name);
    let page = template.and_then(|template| template.render(values));
    page.map_err(|error| Fault::Other(format!("{name}: {error:#}")))
}

/// A page for an officer; `values` is what the template shows as `v`.
pub fn page(app: &App, officer: &Officer, name: &str, values: impl Serialize) -> Result<Response, Stop> {
    let session = &officer.session;
    let config = &app.hub.config;
    let values = context! {
        live => config.mode.is_live(),
        zone => config.zone.name(),
        today => app.clock.now().day_in(&config.zone).to_string(),
        name_ar => &session.name_ar,
        name_en => &session.name_en,
        csrf => &session.csrf,
        path => &officer.path,
        here => here(name),
        v => Value::from(Serde(values)),
    };
    Ok((guarded(), Html(render(name, session.language, values)?)).into_response())
}

/// Which of the bar's links a page belongs to.
fn here(template: &str) -> &'static str {
    match template {
        "payments.html" | "payment.html" => "payments",
        "breaks.html" => "breaks",
        "refunds.html" | "refund.html" => "refunds",
        _ => "day",
    }
}

/// The login page.
pub fn login(app: &App, language: Language, values: impl Serialize) -> Result<Response, Stop> {
    let live = app.hub.config.mode.is_live();
    let values = context! { live, v => Value::from(Serde(values)) };
    Ok((guarded(), Html(render("login.html", language, values)?)).into_response())
}

/// No script, nothing from elsewhere, no frame, no copy in a cache.
fn guarded() -> [(HeaderName, &'static str); 4] {
    let policy =
        "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
    [
        (CONTENT_SECURITY_POLICY, policy),
        (CACHE_CONTROL, "no-store"),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ]
}

/// GET /console/style.css
pub async fn style() -> Response {
    let headers = [
        (CONTENT_TYPE, "text/css; charset=utf-8"),
        (CACHE_CONTROL, "max-age=3600"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, STYLE).into_response()
}

/// Why there is no page.
#[derive(Debug)]
pub enum Stop {
    /// No session: to the login.
    LoggedOut,
    /// The person's duties do not include the page.
    Forbidden,
    /// The form is not from a page of this session.
    Form,
    NotFound,
    /// A date of the address cannot be read: nothing is shown for it, least of all another day.
    Day,
    Fault(Fault),
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<BookError> for Stop {
    fn from(error: BookError) -> Self {
        Self::Fault(error.into())
    }
}

impl IntoResponse for Stop {
    fn into_response(self) -> Response {
        let (status, ar, en) = match self {
            Self::LoggedOut => return Redirect::to("/console/login").into_response(),
            Self::Forbidden => {
                (StatusCode::FORBIDDEN, "لا تشمل صلاحياتك هذه الصفحة.", "Your duties do not include this page.")
            }
            Self::Form => (
                StatusCode::FORBIDDEN,
                "لم يأت النموذج من جلستك هذه. لم يُغيَّر شيء.",
                "The form did not come from this session of yours. Nothing was changed.",
            ),
            Self::Day => (
                StatusCode::BAD_REQUEST,
                "ليس هذا تاريخًا. يُكتب التاريخ هكذا: 2026-11-22.",
                "This is no date. A date is written as 2026-11-22.",
            ),
            Self::NotFound => (StatusCode::NOT_FOUND, "لا توجد صفحة كهذه.", "There is no such page."),
            Self::Fault(fault) => {
                tracing::error!(%fault, "fault");
                (
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "حدث خلل عندنا. سُجِّل وسيُعالج.",
                    "Something failed on our side. It was logged.",
                )
            }
        };
        stop(status, ar, en)
    }
}

/// The page that says no, in both languages.
fn stop(status: StatusCode, ar: &str, en: &str) -> Response {
    let html = render("stop.html", Language::Arabic, context! { said_ar => ar, said_en => en });
    (status, guarded(), Html(html.unwrap_or_else(|_| en.to_owned()))).into_response()
}

/// What was refused before a page of ours was asked.
pub fn refused(problem: &Problem) -> Response {
    let said = |language| problem.code.title(language);
    stop(problem.status(), said(Language::Arabic), said(Language::English))
}
