//! Reads what a bank says about payment orders: pain.002 and pacs.002 of any version.
//!
//! Elements are known by their local names, so versions, prefixes and wrappers do not matter. A status stands
//! on three levels (message, block of orders, order); where a lower level is silent the upper one speaks.

mod builder;

use std::io::Read;

use crate::statement::{Limits, Refused};

/// A report about 100,000 orders has some 100 MB at most; a wrapped one has about 15 levels.
const LIMITS: Limits =
    Limits { file_bytes: 256 << 20, entry_bytes: 64 << 10, token_bytes: 64 << 10, depth: 64, attributes: 32 };
/// Blocks, orders and reasons together: what is kept in memory.
const ENTRIES_MAX: usize = 500_000;
/// A reason of the standard has 4 characters, a bank's own 35 at most; more is not kept.
const CODE_CHARS_MAX: usize = 35;

/// What a bank says about one payment file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StatusReport {
    /// Name and version as in the namespace: `pain.002.001.10`.
    pub message: Option<String>,
    pub message_id: Option<String>,
    /// The `MsgId` of the file this is about; of a message between banks when it is a pacs.002.
    pub original_message_id: Option<String>,
    /// pacs.002: banks speak to each other, so only what is said about a single order is about ours.
    pub is_interbank: bool,
    pub group: Standing,
    pub blocks: Vec<Block>,
}

/// What is said about one block of orders (`OrgnlPmtInfAndSts`), or about orders named without one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Block {
    /// The `PmtInfId` of the block.
    pub original_id: Option<String>,
    pub standing: Standing,
    pub orders: Vec<Order>,
}

/// What is said about one order (`TxInfAndSts`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Order {
    pub instruction_id: Option<String>,
    pub end_to_end_id: Option<String>,
    pub uetr: Option<String>,
    pub standing: Standing,
}

/// A status at one level, verbatim, with its reasons.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Standing {
    /// `RJCT`, `ACSC` ...; None where this level is silent.
    pub status: Option<String>,
    pub reasons: Vec<Reason>,
}

/// Why (`StsRsnInf`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reason {
    /// A code such as `AC04`, or the bank's own.
    pub code: Option<String>,
    /// Explanations, joined.
    pub text: String,
}

/// How far an order has come, by ISO 20022 external status codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// RCVD, ACTC, ACCP, ACFC, ACSP, ACWC, ACWP, PDNG: under way, and a rejection may still come.
    UnderWay,
    /// ACSC, ACCC: the bank says it is done.
    Settled,
    /// RJCT, CANC.
    Rejected,
    /// PART, or a code outside the list: says nothing about a single order.
    Undecided,
}

/// Why a file cannot be read as a status report.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Not whole, well-formed XML within the limits.
    #[error(transparent)]
    Xml(#[from] Refused),
    #[error("the file has more than {ENTRIES_MAX} entries")]
    TooMany,
    #[error("the file is not a payment status report (pain.002, pacs.002)")]
    AnotherMessage,
    #[error("the file holds more than one status report")]
    Several,
}

/// Reads one report.
pub fn read(input: impl Read) -> Result<StatusReport, ReadError> {
    builder::build(input)
}

impl StatusReport {
    /// Whether it says itself that it is about another file than the one with this `MsgId`.
    pub fn is_about_another(&self, message_id: &str) -> bool {
        !self.is_interbank
            && self.original_message_id.as_deref().is_some_and(|original| original != message_id)
    }

    /// What holds for one order of ours, in the block `payment_information` of the file `message_id`: its own entry,
    /// else that of its block, else that of the message. None when the report is silent about it or about another
    /// file, and when it does not say which file it is about: the word of a whole message is then nobody's.
    pub fn of(
        &self,
        (message_id, payment_information): (&str, &str),
        end_to_end_id: &str,
    ) -> Option<(&str, &[Reason])> {
        if self.is_about_another(message_id) {
            return None;
        }
        let is_named = |block: &Block| block.original_id.as_deref() == Some(payment_information);
        let ours = |block: &&Block| block.original_id.is_none() || is_named(block);
        let mut entries = self
            .blocks
            .iter()
            .filter(ours)
            .flat_map(|block| block.orders.iter().map(move |order| (block, order)));
        // Should an order stand there twice, the later entry is the newer.
        let entry = entries.rfind(|(_, order)| order.end_to_end_id.as_deref() == Some(end_to_end_id));
        let levels = match entry {
            Some((block, order)) => [Some(&order.standing), Some(&block.standing), Some(&self.group)],
            None => {
                let block = self.blocks.iter().find(|block| is_named(block));
                let named = block.is_some() || self.original_message_id.as_deref() == Some(message_id);
                let group = (named && !self.is_interbank).then_some(&self.group);
                [None, block.map(|block| &block.standing), group]
            }
        };
        levels
            .into_iter()
            .flatten()
            .find_map(|standing| Some((standing.status.as_deref()?, standing.reasons.as_slice())))
    }
}

impl Progress {
    /// The meaning of a status code.
    pub fn of(status: &str) -> Self {
        match status {
            "RCVD" | "ACTC" | "ACCP" | "ACFC" | "ACSP" | "ACWC" | "ACWP" | "PDNG" => Self::UnderWay,
            "ACSC" | "ACCC" => Self::Settled,
            "RJCT" | "CANC" => Self::Rejected,
            _ => Self::Undecided,
        }
    }
}

#[cfg(test)]
mod tests;
