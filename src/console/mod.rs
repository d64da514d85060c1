//! The console: what finance officers see, in Arabic and English, rendered here, without script.
//!
//! ```text
//! login ─► day ─► account ─► entry ─► notice ─► the bytes that came
//!           ├──► what a channel owes, item by item ─► payment
//!           ├──► breaks ─► payment
//!           ├──► refunds ─► refund ─► approve or refuse, by another than who asked
//!           │                     └─► what its agency paid in: named by one, taken by another
//!           └──► payments, by any number a person holds
//! ```
//! A page decides nothing: it shows what the book and the stores say, and every number on it leads to what it is made
//! of. Who may see it holds the scope `finance:read`; a form carries the session's own token. A decision on a refund is
//! the service's: the page tells who may take it, and why not.

mod detail;
mod login;
mod officer;
mod pages;
mod shell;
mod words;

use axum::Router;
use axum::routing::{get, post};

use crate::app::App;
pub use shell::refused;

pub fn router() -> Router<App> {
    Router::new()
        .route("/console", get(pages::day::show))
        .route("/console/accounts/{currency}/{*code}", get(pages::account::show))
        .route("/console/entries/{id}", get(pages::entry::show))
        .route("/console/notices/{n}", get(pages::notice::show))
        .route("/console/channels/{channel}/{currency}", get(pages::owed::show))
        .route("/console/breaks", get(pages::breaks::show))
        .route("/console/payments", get(pages::payments::show))
        .route("/console/payments/{id}", get(pages::payment::show))
        .route("/console/refunds", get(pages::refunds::show))
        .route("/console/refunds/{id}", get(pages::refund::show))
        .route("/console/refunds/{id}/approve", post(pages::refund::approve))
        .route("/console/refunds/{id}/refuse", post(pages::refund::refuse))
        .route("/console/refunds/{id}/pay-ins", post(pages::pay_in::propose))
        .route("/console/refunds/{id}/pay-ins/{pay_in}/approve", post(pages::pay_in::approve))
        .route("/console/refunds/{id}/pay-ins/{pay_in}/refuse", post(pages::pay_in::refuse))
        .route("/console/logout", post(login::close))
        .route("/console/language", post(login::speak))
        .route("/console/style.css", get(shell::style))
        .merge(login::router())
}
