//! Money given back: asked for by one, approved by another, final only when the bank shows it.
//!
//! ```text
//! requested ─► refused · canceled
//!     ├─► awaiting_funds ─► canceled
//!     │        │
//!     └────────┴─► approved ─► submitted ─bank shows it─► succeeded ─► returned
//!                   │  ▲   └─► unknown ─ asked, or its file again ─► submitted · failed · succeeded
//!                   │  └─ again, by another person ─ failed, returned ─► unclaimed
//!                   └─► canceled (by another than who approved, before the first byte leaves)
//! ```
//! When the channel takes the payment back the payer has his money: what is not approved is not approved any more, what
//! has not left fails, what failed or came back is neither sent again nor given up, but canceled; what left goes its way.
//!
//! What is asked for is reserved under the lock of its payment: never more is given back than was paid. Each
//! instruction to a rail has a reference of its own and is committed as `sending` before the first byte leaves; one
//! found in that state is unknown; a payment file goes again where that does no harm. The money stands in `refunds/payable` while approved, failed or returned, and in
//! `refunds/in_flight` while submitted or unknown. Money goes back the way it came where the channel can, else to an
//! account of the payer's, by payment file (`files`).

pub mod api;
mod attempts;
mod body;
mod components;
mod files;
pub mod jobs;
mod model;
pub mod pay_ins;
pub mod service;
mod state;
mod store;
pub mod view;

pub use components::Part;
pub use model::{NewRefund, Payee, Rail, Refund, RefundError, RefundSource, Wanted, WantedPart};
pub use state::{Illegal, PortalState, RefundEvent, RefundState};
