//! Builds a report from the elements of the file, as they open and close.

use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, BytesStart};

use super::{
    Block, DEPTH_MAX, ENTRIES_MAX, Order, ReadError, Reason, Standing, StatusReport, TEXT_BYTES_MAX,
};

/// The elements that matter here.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tag {
    AdditionalInformation,
    Code,
    GroupHeader,
    GroupStatus,
    MessageId,
    Order,
    OrderStatus,
    OriginalBlock,
    OriginalBlockId,
    OriginalEndToEndId,
    OriginalGroup,
    OriginalGroupOfOrder,
    OriginalInstructionId,
    OriginalMessageId,
    OriginalUetr,
    BlockStatus,
    Reason,
    Report,
    StatusReason,
    Other,
}

impl Tag {
    fn of(local_name: &str) -> Self {
        match local_name {
            "AddtlInf" => Self::AdditionalInformation,
            "Cd" | "Prtry" => Self::Code,
            "GrpHdr" => Self::GroupHeader,
            "GrpSts" => Self::GroupStatus,
            "MsgId" => Self::MessageId,
            "TxInfAndSts" => Self::Order,
            "TxSts" => Self::OrderStatus,
            "OrgnlPmtInfAndSts" => Self::OriginalBlock,
            "OrgnlPmtInfId" => Self::OriginalBlockId,
            "OrgnlEndToEndId" => Self::OriginalEndToEndId,
            "OrgnlGrpInfAndSts" => Self::OriginalGroup,
            "OrgnlGrpInf" => Self::OriginalGroupOfOrder,
            "OrgnlInstrId" => Self::OriginalInstructionId,
            "OrgnlMsgId" => Self::OriginalMessageId,
            "OrgnlUETR" => Self::OriginalUetr,
            "PmtInfSts" => Self::BlockStatus,
            "Rsn" => Self::Reason,
            "CstmrPmtStsRpt" | "FIToFIPmtStsRpt" => Self::Report,
            "StsRsnInf" => Self::StatusReason,
            _ => Self::Other,
        }
    }
}

#[derive(Default)]
pub(super) struct Builder {
    report: StatusReport,
    seen: bool,
    entries: usize,
    /// The open elements, outermost first.
    path: Vec<Tag>,
    text: String,
}

impl Builder {
    pub(super) fn start(&mut self, start: &BytesStart<'_>) -> Result<(), ReadError> {
        if self.path.len() >= DEPTH_MAX {
            return Err(ReadError::TooLarge);
        }
        let name = start.local_name();
        let tag = Tag::of(name.as_ref());
        match (tag, self.inside().last()) {
            (Tag::Report, None) if self.seen => return Err(ReadError::Several),
            (Tag::Report, None) => self.seen = true,
            (Tag::OriginalBlock, Some(Tag::Report)) => self.push_block()?,
            (Tag::Order, Some(Tag::Report)) => {
                // Orders without a block (pacs.002) share one without a name.
                if self.report.blocks.last().is_none_or(|block| block.original_id.is_some()) {
                    self.push_block()?;
                }
                self.push_order()?;
            }
            (Tag::Order, Some(Tag::OriginalBlock)) => self.push_order()?,
            (Tag::StatusReason, Some(Tag::OriginalGroup | Tag::OriginalBlock | Tag::Order)) => {
                self.count()?;
                if let Some(standing) = self.standing() {
                    standing.reasons.push(Reason::default());
                }
            }
            (Tag::Other, None) if name.as_ref() == "Document" => self.report.message = message_name(start),
            _ => {}
        }
        self.path.push(tag);
        self.text.clear();
        Ok(())
    }

    pub(super) fn text(&mut self, text: &str) {
        let room = TEXT_BYTES_MAX.saturating_sub(self.text.len());
        self.text.push_str(text.get(..text.floor_char_boundary(room)).unwrap_or_default());
    }

    pub(super) fn reference(&mut self, reference: &BytesRef<'_>) -> Result<(), ReadError> {
        match reference.resolve_char_ref().map_err(|error| ReadError::Xml(error.to_string()))? {
            Some(c) => self.text(c.encode_utf8(&mut [0; 4])),
            None => self.text(resolve_predefined_entity(reference).ok_or(ReadError::Entity)?),
        }
        Ok(())
    }

    pub(super) fn end(&mut self) {
        let text = std::mem::take(&mut self.text);
        let text = text.trim();
        if !text.is_empty() {
            self.leaf(text);
        }
        self.path.pop();
    }

    /// Puts the text of the innermost open element where it belongs.
    fn leaf(&mut self, text: &str) {
        use Tag::{
            AdditionalInformation, BlockStatus, Code, GroupHeader, GroupStatus, MessageId, Order as OrderTag,
            OrderStatus, OriginalBlock, OriginalBlockId, OriginalEndToEndId, OriginalGroup,
            OriginalGroupOfOrder, OriginalInstructionId, OriginalMessageId, OriginalUetr, StatusReason,
        };
        let text = text.to_owned();
        let report = &mut self.report;
        let inside = inside(&self.path);
        match inside {
            [_, GroupHeader, MessageId] => report.message_id = Some(text),
            [_, OriginalGroup, OriginalMessageId]
            | [.., OrderTag, OriginalGroupOfOrder, OriginalMessageId] => {
                report.original_message_id = Some(text);
            }
            [_, OriginalGroup, GroupStatus] => report.group.status = Some(text),
            [_, OriginalBlock, tag @ (OriginalBlockId | BlockStatus)] => {
                let Some(block) = report.blocks.last_mut() else { return };
                let field =
                    if *tag == OriginalBlockId { &mut block.original_id } else { &mut block.standing.status };
                *field = Some(text);
            }
            [.., OrderTag, tag] => {
                let Some(order) = report.blocks.last_mut().and_then(|block| block.orders.last_mut()) else {
                    return;
                };
                match tag {
                    OriginalInstructionId => order.instruction_id = Some(text),
                    OriginalEndToEndId => order.end_to_end_id = Some(text),
                    OriginalUetr => order.uetr = Some(text),
                    OrderStatus => order.standing.status = Some(text),
                    _ => {}
                }
            }
            [.., StatusReason, Tag::Reason, Code] => {
                if let Some(reason) = self.reason() {
                    reason.code = Some(text);
                }
            }
            [.., StatusReason, AdditionalInformation] => {
                if let Some(reason) = self.reason() {
                    let space = if reason.text.is_empty() { "" } else { " " };
                    reason.text.push_str(space);
                    reason.text.push_str(&text);
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
        if self.entries > ENTRIES_MAX { Err(ReadError::TooLarge) } else { Ok(()) }
    }

    /// The open elements from the report's own element on.
    fn inside(&self) -> &[Tag] {
        inside(&self.path)
    }

    /// The level the open elements are at; None outside the three.
    fn standing(&mut self) -> Option<&mut Standing> {
        let inside = inside(&self.path);
        if inside.contains(&Tag::Order) {
            let order = self.report.blocks.last_mut()?.orders.last_mut()?;
            return Some(&mut order.standing);
        }
        match inside.get(1)? {
            Tag::OriginalGroup => Some(&mut self.report.group),
            Tag::OriginalBlock => self.report.blocks.last_mut().map(|block| &mut block.standing),
            _ => None,
        }
    }

    fn reason(&mut self) -> Option<&mut Reason> {
        self.standing()?.reasons.last_mut()
    }

    pub(super) fn finish(self) -> Result<StatusReport, ReadError> {
        if !self.path.is_empty() {
            return Err(ReadError::Truncated);
        }
        if self.seen { Ok(self.report) } else { Err(ReadError::AnotherMessage) }
    }
}

fn inside(path: &[Tag]) -> &[Tag] {
    let start = path.iter().position(|tag| *tag == Tag::Report).unwrap_or(path.len());
    path.get(start..).unwrap_or_default()
}

/// `pain.002.001.10` out of the namespace declared on `Document`, however the attribute is spelled.
fn message_name(start: &BytesStart<'_>) -> Option<String> {
    let attributes = start.attributes_raw();
    let from = attributes.find("pain.002.").or_else(|| attributes.find("pacs.002."))?;
    let name = attributes.get(from..)?.split(['"', '\'']).next()?;
    (name.len() == "pain.002.001.10".len()).then(|| name.to_owned())
}
