//! Mizan, the hub: pricing, payments, reconciliation, refunds and settlement behind one signed API.
//!
//! The rooms, one sentence each:
//! - [`catalogue`]: agencies, services, fee versions, and who approved them;
//! - [`quoting`]: a priced, expiring, explained promise;
//! - [`intents`]: the life of one payment; its [`intents::attempts`] on channels;
//! - [`inbox`]: outside facts about money, stored raw and applied later by the poster;
//! - [`fulfilment`]: what became of a service that was paid, and what that releases;
//! - [`receipts`]: numbered, signed proof for the payer;
//! - [`refunds`]: money given back: asked by one, approved by another, final when the bank shows it;
//! - [`expectations`], [`suspense`], [`breaks`]: what will be seen at the bank, what fits nothing, what does not tie;
//! - [`recon`]: bank statements against the books;
//! - [`books`]: the chart of accounts and one posting rule per business event;
//! - [`reports`]: the day's proof, and what finance reads;
//! - [`events`] and [`webhooks`]: what portals hear;
//! - [`access`]: who may call; [`audit`]: who did what; [`queue`]: work that waits;
//! - [`pay`]: the payer's page and the page that verifies a receipt;
//! - [`console`]: the pages of finance officers;
//! - [`http`]: the contract; [`client`]: its signing client; [`cli`]: the command line; [`demo`]: a whole example deployment;
//! - [`load`]: payments pressed through a hub and timed;
//! - [`example_portal`]: a portal made with the public API alone, as documentation that runs;
//! - [`simulation`]: a seeded life of the hub with everything that goes wrong, and the laws that hold all the same;
//! - [`app`], [`tx`], [`group`], [`channels`], [`config`], [`keys`], [`entropy`], [`ids`], [`fault`], [`crash`]: what all of them
//!   stand on.

pub mod access;
pub mod app;
pub mod audit;
pub mod books;
pub mod breaks;
pub mod catalogue;
pub mod channels;
pub mod cli;
pub mod client;
pub mod config;
pub mod console;
pub mod crash;
pub mod demo;
pub mod entropy;
pub mod events;
#[path = "../docs/example-portal/portal.rs"]
pub mod example_portal;
pub mod expectations;
pub mod fault;
pub mod fulfilment;
pub mod group;
pub mod http;
pub mod ids;
pub mod inbox;
pub mod intents;
#[cfg(test)]
#[path = "../tests/judges/mod.rs"]
mod judges;
pub mod keys;
pub mod load;
pub mod localpg;
pub mod pay;
pub mod queue;
pub mod quoting;
pub mod receipts;
pub mod recon;
pub mod refunds;
pub mod reports;
pub mod simulation;
pub mod start;
pub mod suspense;
pub mod tx;
pub mod webhooks;
