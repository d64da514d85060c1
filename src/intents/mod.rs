//! The life of one payment.
//!
//! ```text
//! requires_payment ─attempt─► processing ─full money─► paid
//!       │  ▲                     │ └─last attempt ended without it─► back, or partially_paid
//!       │  └─────────────────────┘
//!       ├─part─► partially_paid ─attempt─► processing
//!       │              └─rest─► paid
//!       ├─time─► expired      (also partially_paid)
//!       ├─cancel─► canceled   (also partially_paid)
//!       └─nothing to pay─► paid
//! ```
//! Law: for each intent, what was collected for it is its paid amount, and each money key is posted once. A payment that
//! its channel takes back is a break for a person: the service may be delivered, and the intent stays paid. Money that comes
//! too late, twice, in another currency or beyond what is due goes to suspense with a break; so do the parts held for
//! a payment that expires or is canceled.

pub mod api;
pub mod attempts;
mod body;
pub mod carrying;
mod fulfilled;
pub mod jobs;
mod model;
pub mod search;
mod serials;
pub mod service;
pub mod shares;
pub mod store;
pub mod view;

pub use fulfilled::{Fulfilment, Outcome};
pub use model::{
    Arrival, Attempt, AttemptEvent, AttemptState, Illegal, Intent, IntentError, IntentEvent, IntentState,
    Misfit, NewIntent, Payer, PayerKind,
};
pub use serials::Serials;

/// The job that releases what is held until some days after the payment; its subject is `<intent>:<days>`.
pub const RELEASE_BY_TIME: &str = "fulfilment.release";
