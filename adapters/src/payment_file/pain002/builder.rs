//! Builds a report from the elements of the file, as they open and close.

use std::io::Read;

use super::{Block, CODE_CHARS_MAX, ENTRIES_MAX, LIMITS, Order, ReadError, Reason, Standing, StatusReport};
use crate::statement::source::Utf8;
use crate::statement::xml::{Step, Walker};

/// The report's own element in pain.002 and in pacs.002.
const REPORTS: [&str; 2] = ["CstmrPmtStsRpt", "FIToFIPmtStsRpt"];

/// The elements that are looked at.
const KNOWN: [&str; 19] = [
    "AddtlInf",
    "Cd",
    "GrpHdr",
    "GrpSts",
    "MsgId",
    "OrgnlEndToEndId",
    "OrgnlGrpInf",
    "OrgnlGrpInfAndSts",
    "OrgnlInstrId",
    "OrgnlMsgId",
    "OrgnlPmtInfAndSts",
    "OrgnlPmtInfId",
    "OrgnlUETR",
    "PmtInfSts",
    "Prtry",
    "Rsn",
    "StsRsnInf",
    "TxInfAndSts",
    "TxSts",
];

pub(super) fn build(input: impl Read) -> Result<StatusReport, ReadError> {
    let mut walker = Walker::new(Utf8::new(input), LIMITS, known);
    let mut builder = Builder::default();
    loop {
        match walker.step()? {
            Step::Open => builder.open(inside(walker.path()))?,
            Step::Close => {
                if let Some(leaf) = walker.leaf().filter(|leaf| !leaf.text.is_empty()) {
                    builder.leaf(inside(walker.path()), leaf.text);
                }
            }
            Step::End if builder.seen => break,
            Step::End => return Err(ReadError::AnotherMessage),
        }
    }
    Ok(StatusReport { message: walker.message_name().map(str::to_owned), ..builder.report })
}

fn known(name: &str) -> &'static str {
    REPORTS.iter().chain(&KNOWN).find(|known| **known == name).copied().unwrap_or("*")
}

/// The path from the report's own element on.
fn inside<'a>(path: &'a [&'static str]) -> &'a [&'static str] {
    let start = path.iter().position(|name| REPORTS.contains(name)).unwrap_or(path.len());
    path.get(start..).unwrap_or_default()
}

#[derive(Default)]
struct Builder {
    report: StatusReport,
    seen: bool,
    entries: usize,
}

impl Builder {
    fn open(&mut self, inside: &[&str]) -> Result<(), ReadError> {
        match inside {
            [_] if self.seen => return Err(ReadError::Several),
            [name] => {
                self.seen = true;
                self.report.is_interbank = *name == REPORTS[1];
            }
            [_, "OrgnlPmtInfAndSts"] => self.push_block()?,
            [_, "TxInfAndSts"] => {
                // Orders without a block (pacs.002) share one without a name.
                if self.report.blocks.last().is_none_or(|block| block.original_id.is_some()) {
                    self.push_block()?;
                }
                self.push_order()?;
            }
            [_, "OrgnlPmtInfAndSts", "TxInfAndSts"] => self.push_order()?,
            [.., "StsRsnInf"] => {
                if let Some(standing) = self.standing(inside) {
                    standing.reasons.push(Reason::default());
                }
                self.count()?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Puts the text of an element where it belongs.
    fn leaf(&mut self, inside: &[&str], text: &str) {
        let value = || Some(text.to_owned());
        let report = &mut self.report;
        match inside {
            [_, "GrpHdr", "MsgId"] => report.message_id = value(),
            [_, "OrgnlGrpInfAndSts", "OrgnlMsgId"] | [.., "TxInfAndSts", "OrgnlGrpInf", "OrgnlMsgId"] => {
                report.original_message_id = value();
            }
            [.., "StsRsnInf", "Rsn", "Cd" | "Prtry"] => {
                if let Some(reason) = self.reason(inside) {
                    reason.code = Some(text.chars().take(CODE_CHARS_MAX).collect());
                }
            }
            [.., "StsRsnInf", "AddtlInf"] => {
                if let Some(reason) = self.reason(inside) {
                    let space = if reason.text.is_empty() { "" } else { " " };
                    reason.text.push_str(space);
                    reason.text.push_str(text);
                }
            }
            [_, "OrgnlPmtInfAndSts", "OrgnlPmtInfId"] => {
                if let Some(block) = report.blocks.last_mut() {
                    block.original_id = value();
                }
            }
            [.., "GrpSts" | "PmtInfSts" | "TxSts"] => {
                if let Some(standing) = self.standing(inside) {
                    standing.status = value();
                }
            }
            [.., "TxInfAndSts", name] => {
                let order = report.blocks.last_mut().and_then(|block| block.orders.last_mut());
                match (order, *name) {
                    (Some(order), "OrgnlInstrId") => order.instruction_id = value(),
                    (Some(order), "OrgnlEndToEndId") => order.end_to_end_id = value(),
                    (Some(order), "OrgnlUETR") => order.uetr = value(),
                    _ => {}
                }
            }
            _ => {}
        }
    }

    fn push_block(&mut self) -> Result<(), ReadError> {
        self.report.blocks.push(Block::default());
        self.count()
    }

    fn push_order(&mut self) -> Result<(), ReadError> {
        if let Some(block) = self.report.blocks.last_mut() {
            block.orders.push(Order::default());
        }
        self.count()
    }

    fn count(&mut self) -> Result<(), ReadError> {
        self.entries += 1;
        if self.entries > ENTRIES_MAX { Err(ReadError::TooMany) } else { Ok(()) }
    }

    /// The level to which an element belongs that stands directly in it, or in its reasons.
    fn standing(&mut self, inside: &[&str]) -> Option<&mut Standing> {
        let level = inside.iter().rposition(|name| *name == "StsRsnInf").unwrap_or(inside.len() - 1);
        match inside.get(..level)? {
            [_, "OrgnlGrpInfAndSts"] => Some(&mut self.report.group),
            [_, "OrgnlPmtInfAndSts"] => self.report.blocks.last_mut().map(|block| &mut block.standing),
            [_, "TxInfAndSts"] | [_, "OrgnlPmtInfAndSts", "TxInfAndSts"] => {
                let order = self.report.blocks.last_mut()?.orders.last_mut()?;
                Some(&mut order.standing)
            }
            _ => None,
        }
    }

    fn reason(&mut self, inside: &[&str]) -> Option<&mut Reason> {
        self.standing(inside)?.reasons.last_mut()
    }
}
