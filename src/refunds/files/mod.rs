//! Payment files: the transfers that were approved for one account, handed to its bank together.
//!
//! ```text
//! written ─► sending ─► sent ─ status report ─► settled
//!  │ ▲        ▲ │ └──► unknown ─ status report ─► settled
//!  │ │        └─│─ again ─┘
//!  │ └ not sent ┤
//!  │            └────► rejected
//!  └─► withdrawn (an order of it must not leave any more)
//! ```
//! A file is written once, kept byte for byte with its hash, and carried out once: what failed or came back goes into
//! another file, as another instruction. A file of which nothing was heard goes again to a bank only that refuses what
//! it took before. The bank's report may reject an order; that it was paid, only the statement says.

pub mod api;
mod folder;
pub mod jobs;
pub mod service;
mod store;
pub mod write;

use mizan_ledger::{Instant, Money};
use serde::{Serialize, Serializer};

use crate::ids::PaymentFileId;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PaymentFileState)]
pub enum FileState {
    Written,
    /// Committed before the first byte leaves.
    Sending,
    Sent,
    Rejected,
    /// Sent, and nobody knows whether it was taken.
    Unknown,
    /// The bank has said of every order that it is done or rejected.
    Settled,
    /// Never sent: what may leave of it goes with another.
    Withdrawn,
}

impl FileState {
    const ALL: [Self; 7] = [
        Self::Written,
        Self::Sending,
        Self::Sent,
        Self::Rejected,
        Self::Unknown,
        Self::Settled,
        Self::Withdrawn,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Written => "written",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Rejected => "rejected",
            Self::Unknown => "unknown",
            Self::Settled => "settled",
            Self::Withdrawn => "withdrawn",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// One file, without its bytes.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = PaymentFile)]
pub struct File {
    pub id: PaymentFileId,
    /// `MsgId` and `PmtInfId`.
    pub msg_id: String,
    /// The name of our account in the books.
    pub account: String,
    pub orders: i32,
    /// `CtrlSum`.
    pub total: Money,
    #[serde(serialize_with = "as_hex")]
    #[schema(value_type = String)]
    pub sha256: Vec<u8>,
    pub state: FileState,
    /// The bank's own reference, or the name in its folder.
    pub bank_file: Option<String>,
    pub created_at: Instant,
    pub sent_at: Option<Instant>,
}

impl File {
    /// Its name in a folder.
    pub fn name(&self) -> String {
        format!("{}.xml", self.msg_id)
    }
}

fn as_hex<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&hex::encode(bytes))
}
