//! Reading payment files: pain.001.001.03 and pain.001.001.09, as far as the bank needs them.

use quick_xml::events::{BytesStart, Event};
use quick_xml::name::ResolveResult;
use quick_xml::reader::NsReader;
use serde::{Deserialize, Serialize};

use super::text::{is_name, is_text};

const NAMESPACE: &str = "urn:iso:std:iso:20022:tech:xsd:";
const VERSIONS: [&str; 2] = ["pain.001.001.03", "pain.001.001.09"];
const DEPTH_MAX: usize = 24;
const ELEMENTS_MAX: usize = 400_000;
const ORDERS_MAX: usize = 10_000;

/// A payment file as it was written.
#[derive(Debug)]
pub struct Instruction {
    /// `pain.001.001.09` or `.03`.
    pub version: &'static str,
    pub message: String,
    pub count: String,
    pub sum: Option<String>,
    pub groups: Vec<InstructedGroup>,
}

/// One `PmtInf`: orders from one account.
#[derive(Debug)]
pub struct InstructedGroup {
    pub id: String,
    pub count: Option<String>,
    pub sum: Option<String>,
    pub debtor_account: String,
    pub orders: Vec<InstructedOrder>,
}

/// One `CdtTrfTxInf`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct InstructedOrder {
    pub instruction: Option<String>,
    pub end_to_end: String,
    pub amount: String,
    pub currency: String,
    pub creditor: String,
    pub creditor_account: String,
    pub text: String,
}

/// Why a payment file cannot be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    #[error("the file is not well-formed XML in UTF-8: {0}")]
    NotXml(String),
    #[error("the file is not pain.001.001.09 or pain.001.001.03")]
    NotPain001,
    #[error("{0} is missing, empty or too long")]
    Wrong(&'static str),
    #[error("the file is deeper or longer than the bank takes")]
    TooMuch,
}

impl Instruction {
    pub fn read(xml: &[u8]) -> Result<Self, FileError> {
        let text = std::str::from_utf8(xml).map_err(|error| FileError::NotXml(error.to_string()))?;
        let (version, document) = read_tree(text.trim_start_matches('\u{feff}'))?;
        let initiation = document.child("CstmrCdtTrfInitn").ok_or(FileError::NotPain001)?;
        let header = initiation.child("GrpHdr").ok_or(FileError::Wrong("GrpHdr"))?;
        let groups: Result<Vec<_>, _> = initiation.children("PmtInf").map(read_group).collect();
        let instruction = Self {
            version,
            message: header.needed("MsgId", 35)?,
            count: header.needed("NbOfTxs", 15)?,
            sum: header.optional("CtrlSum", 19)?,
            groups: groups?,
        };
        match instruction.groups.iter().map(|group| group.orders.len()).sum() {
            0 => Err(FileError::Wrong("CdtTrfTxInf")),
            1..=ORDERS_MAX => Ok(instruction),
            _ => Err(FileError::TooMuch),
        }
    }
}

fn read_group(group: &Element) -> Result<InstructedGroup, FileError> {
    let orders: Result<Vec<_>, _> = group.children("CdtTrfTxInf").map(read_order).collect();
    Ok(InstructedGroup {
        id: group.needed("PmtInfId", 35)?,
        count: group.optional("NbOfTxs", 15)?,
        sum: group.optional("CtrlSum", 19)?,
        debtor_account: account(group.child("DbtrAcct")).ok_or(FileError::Wrong("DbtrAcct"))?,
        orders: orders?,
    })
}

fn read_order(order: &Element) -> Result<InstructedOrder, FileError> {
    let ids = order.child("PmtId").ok_or(FileError::Wrong("PmtId"))?;
    let amount =
        order.child("Amt").and_then(|amount| amount.child("InstdAmt")).ok_or(FileError::Wrong("InstdAmt"))?;
    let creditor =
        order.child("Cdtr").and_then(|creditor| creditor.child("Nm")).map_or("", |name| name.text.trim());
    let cut: String = creditor.chars().take(70).collect();
    if !cut.is_empty() && !is_name(&cut) {
        return Err(FileError::Wrong("Cdtr"));
    }
    Ok(InstructedOrder {
        instruction: ids.optional("InstrId", 35)?,
        end_to_end: ids.needed("EndToEndId", 35)?,
        amount: amount.text.trim().to_owned(),
        currency: amount.currency.clone().unwrap_or_default(),
        creditor: cut,
        creditor_account: account(order.child("CdtrAcct")).unwrap_or_default(),
        text: remittance(order.child("RmtInf"))?,
    })
}

/// An IBAN or another account number; at most 34 characters either way.
fn account(account: Option<&Element>) -> Option<String> {
    let id = account?.child("Id")?;
    let number = id.child("IBAN").or_else(|| id.child("Othr")?.child("Id"))?;
    let number = number.text.trim();
    (!number.is_empty() && is_text(number, 34)).then(|| number.to_owned())
}

/// Free text and creditor reference, one after the other.
fn remittance(remittance: Option<&Element>) -> Result<String, FileError> {
    let Some(remittance) = remittance else { return Ok(String::new()) };
    let free = remittance.children("Ustrd").map(|text| text.text.trim());
    let reference = |strd: &'_ Element| Some(strd.child("CdtrRefInf")?.child("Ref")?.text.trim().to_owned());
    let structured: Vec<String> = remittance.children("Strd").filter_map(reference).collect();
    let all: Vec<&str> = free.chain(structured.iter().map(String::as_str)).collect();
    let text = all.join(" ");
    if is_text(&text, 1000) { Ok(text) } else { Err(FileError::Wrong("RmtInf")) }
}

/// An element with what is needed of it.
#[derive(Debug, Default)]
struct Element {
    name: String,
    text: String,
    currency: Option<String>,
    children: Vec<Element>,
}

impl Element {
    fn children<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.children.iter().filter(move |child| child.name == name)
    }

    fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    fn needed(&self, name: &'static str, most: usize) -> Result<String, FileError> {
        self.optional(name, most)?.ok_or(FileError::Wrong(name))
    }

    fn optional(&self, name: &'static str, most: usize) -> Result<Option<String>, FileError> {
        let Some(child) = self.child(name) else { return Ok(None) };
        let text = child.text.trim();
        let fits = !text.is_empty() && is_text(text, most);
        if fits { Ok(Some(text.to_owned())) } else { Err(FileError::Wrong(name)) }
    }
}

/// The `Document` of a payment file, and its version by the namespace.
fn read_tree(xml: &str) -> Result<(&'static str, Element), FileError> {
    let mut reader = NsReader::from_str(xml);
    let (mut version, mut elements) = (None, 0);
    let mut open: Vec<Element> = Vec::new();
    loop {
        let (namespace, event) =
            reader.read_resolved_event().map_err(|error| FileError::NotXml(error.to_string()))?;
        let mut closed = None;
        match event {
            Event::Start(start) | Event::Empty(start)
                if open.is_empty() && start.local_name().as_ref() != "Document" =>
            {
                return Err(FileError::NotPain001);
            }
            Event::Start(start) => {
                version = version.or(known_version(&namespace));
                open.push(element(&start)?);
            }
            Event::Empty(start) => closed = Some(element(&start)?),
            Event::End(_) => closed = open.pop(),
            Event::Text(text) => write(&mut open, &text.xml10_content()),
            Event::CData(text) => write(&mut open, &text.xml10_content()),
            Event::GeneralRef(reference) => {
                let resolved =
                    reference.resolve_char_ref().map_err(|error| FileError::NotXml(error.to_string()))?;
                let resolved = resolved.or_else(|| predefined(&reference));
                let letter = resolved.ok_or_else(|| FileError::NotXml("an entity of its own".into()))?;
                write(&mut open, letter.encode_utf8(&mut [0; 4]));
            }
            Event::DocType(_) => return Err(FileError::NotXml("a document type".into())),
            Event::Eof => return Err(FileError::NotPain001),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
        elements += 1;
        if open.len() > DEPTH_MAX || elements > 2 * ELEMENTS_MAX {
            return Err(FileError::TooMuch);
        }
        match (closed, open.last_mut()) {
            (Some(closed), Some(parent)) => parent.children.push(closed),
            (Some(document), None) => return Ok((version.ok_or(FileError::NotPain001)?, document)),
            (None, _) => {}
        }
    }
}

fn known_version(namespace: &ResolveResult<'_>) -> Option<&'static str> {
    let ResolveResult::Bound(namespace) = namespace else { return None };
    let name = namespace.as_ref().strip_prefix(NAMESPACE)?;
    VERSIONS.into_iter().find(|version| *version == name)
}

fn element(start: &BytesStart<'_>) -> Result<Element, FileError> {
    let mut currency = None;
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| FileError::NotXml(error.to_string()))?;
        if attribute.key.local_name().as_ref() == "Ccy" {
            currency = Some(attribute.value.trim().to_owned()).filter(|code| code.len() == 3);
        }
    }
    Ok(Element { name: start.local_name().as_ref().to_owned(), currency, ..Element::default() })
}

fn write(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}

fn predefined(name: &str) -> Option<char> {
    [("amp", '&'), ("lt", '<'), ("gt", '>'), ("quot", '"'), ("apos", '\'')]
        .into_iter()
        .find(|(known, _)| *known == name)
        .map(|(_, c)| c)
}
