//! Writes payment orders: ISO 20022 pain.001.001.09 and .001.001.03 from one model.
//!
//! The two versions differ in three places here: the namespace, `BICFI` or `BIC`, and the execution day (a
//! choice or a plain date); and only the newer one has room for the UETR.

use std::io::{self, Write};

use mizan_ledger::Money;

use super::model::{
    Account, Agent, Booking, ChargeBearer, Choice, PaymentFile, PaymentOrder, Problem, Profile, Version,
};
use super::text::fit;
use super::xml::Xml;

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    pub orders: usize,
    /// `CtrlSum`: the exact sum of the orders.
    pub control_sum: Money,
    pub bytes: u64,
    /// SHA-256 of the bytes.
    pub sha256: [u8; 32],
}

/// Why nothing, or not everything, was written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// Every problem of the file. Nothing was written.
    #[error("the payment file has {} problem(s), the first: {}", .0.len(), .0.first().map_or_else(String::new, ToString::to_string))]
    Refused(Vec<Problem>),
    /// The sink failed: what is in it is not a payment file.
    #[error("the payment file could not be written: {0}")]
    Io(#[from] io::Error),
}

/// Checks the file and writes it to `sink` as the profile asks, in UTF-8.
pub fn write(file: &PaymentFile, profile: &Profile, sink: impl Write) -> Result<Written, WriteError> {
    let control_sum = file.check(profile).map_err(WriteError::Refused)?;
    let namespace = match profile.version {
        Version::V03 => "urn:iso:std:iso:20022:tech:xsd:pain.001.001.03",
        Version::V09 => "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09",
    };
    let block = Block { file, profile, control_sum };
    let mut xml = Xml::new(sink)?;
    xml.element_with("Document", Some(("xmlns", namespace)), |xml| {
        xml.element("CstmrCdtTrfInitn", |xml| {
            block.group_header(xml)?;
            block.payment_information(xml)
        })
    })?;
    let (bytes, sha256) = xml.finish()?;
    Ok(Written { orders: file.orders.len(), control_sum, bytes, sha256 })
}

/// The one block of orders, with what its parts look up.
struct Block<'a> {
    file: &'a PaymentFile,
    profile: &'a Profile,
    control_sum: Money,
}

impl Block<'_> {
    fn group_header<W: Write>(&self, xml: &mut Xml<W>) -> io::Result<()> {
        xml.element("GrpHdr", |xml| {
            xml.leaf("MsgId", &self.file.msg_id)?;
            let created = self.file.created.timestamp().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
            xml.leaf("CreDtTm", &created)?;
            self.totals(xml)?;
            xml.element("InitgPty", |xml| self.text(xml, "Nm", &self.file.initiating_party))
        })
    }

    fn totals<W: Write>(&self, xml: &mut Xml<W>) -> io::Result<()> {
        xml.leaf("NbOfTxs", &self.file.orders.len().to_string())?;
        xml.leaf("CtrlSum", &self.control_sum.amount())
    }

    fn payment_information<W: Write>(&self, xml: &mut Xml<W>) -> io::Result<()> {
        xml.element("PmtInf", |xml| {
            xml.leaf("PmtInfId", &self.file.msg_id)?;
            xml.leaf("PmtMtd", "TRF")?;
            xml.leaf("BtchBookg", if self.profile.booking == Booking::Batch { "true" } else { "false" })?;
            self.totals(xml)?;
            self.payment_type(xml)?;
            self.execution_day(xml)?;
            xml.element("Dbtr", |xml| self.text(xml, "Nm", &self.file.debtor))?;
            let currency = self.file.currency;
            account(xml, "DbtrAcct", &self.file.debtor_account, Some(currency.code()))?;
            let agent = self.file.debtor_agent.clone();
            // The element is mandatory, its content is not always known; this is the agreed filler.
            self.agent(xml, "DbtrAgt", &agent.unwrap_or_else(|| Agent::Other("NOTPROVIDED".to_owned())))?;
            if let Some(bearer) = self.profile.charge_bearer {
                xml.leaf("ChrgBr", bearer_code(bearer))?;
            }
            self.file.orders.iter().try_for_each(|order| self.order(xml, order))
        })
    }

    fn payment_type<W: Write>(&self, xml: &mut Xml<W>) -> io::Result<()> {
        let Profile { service_level, local_instrument, .. } = self.profile;
        if service_level.is_none() && local_instrument.is_none() {
            return Ok(());
        }
        xml.element("PmtTpInf", |xml| {
            choice(xml, "SvcLvl", service_level.as_ref())?;
            choice(xml, "LclInstrm", local_instrument.as_ref())
        })
    }

    fn execution_day<W: Write>(&self, xml: &mut Xml<W>) -> io::Result<()> {
        let day = self.file.execution_day.to_string();
        match self.profile.version {
            Version::V03 => xml.leaf("ReqdExctnDt", &day),
            Version::V09 => xml.element("ReqdExctnDt", |xml| xml.leaf("Dt", &day)),
        }
    }

    fn order<W: Write>(&self, xml: &mut Xml<W>, order: &PaymentOrder) -> io::Result<()> {
        xml.element("CdtTrfTxInf", |xml| {
            xml.element("PmtId", |xml| {
                xml.leaf("EndToEndId", &order.end_to_end_id)?;
                match order.uetr {
                    Some(uetr) if self.profile.version == Version::V09 => {
                        xml.leaf("UETR", &uetr.hyphenated().to_string())
                    }
                    _ => Ok(()),
                }
            })?;
            xml.element("Amt", |xml| {
                let currency = order.money.currency();
                xml.leaf_with("InstdAmt", Some(("Ccy", currency.code())), &order.money.amount())
            })?;
            if let Some(agent) = &order.creditor_agent {
                self.agent(xml, "CdtrAgt", agent)?;
            }
            xml.element("Cdtr", |xml| self.text(xml, "Nm", &order.creditor))?;
            account(xml, "CdtrAcct", &order.creditor_account, None)?;
            choice(xml, "Purp", order.purpose.as_ref())?;
            self.remittance(xml, order)
        })
    }

    fn remittance<W: Write>(&self, xml: &mut Xml<W>, order: &PaymentOrder) -> io::Result<()> {
        if order.remittance.is_none() && order.creditor_reference.is_none() {
            return Ok(());
        }
        xml.element("RmtInf", |xml| {
            if let Some(text) = &order.remittance {
                self.text(xml, "Ustrd", text)?;
            }
            let Some(reference) = &order.creditor_reference else { return Ok(()) };
            xml.element("Strd", |xml| {
                xml.element("CdtrRefInf", |xml| {
                    xml.element("Tp", |xml| xml.element("CdOrPrtry", |xml| xml.leaf("Cd", "SCOR")))?;
                    xml.leaf("Ref", reference.as_str())
                })
            })
        })
    }

    fn agent<W: Write>(&self, xml: &mut Xml<W>, tag: &'static str, agent: &Agent) -> io::Result<()> {
        xml.element(tag, |xml| {
            xml.element("FinInstnId", |xml| match (agent, self.profile.version) {
                (Agent::Bic(bic), Version::V03) => xml.leaf("BIC", bic),
                (Agent::Bic(bic), Version::V09) => xml.leaf("BICFI", bic),
                (Agent::Other(code), _) => xml.element("Othr", |xml| xml.leaf("Id", code)),
            })
        })
    }

    /// A text for people, as the bank's character set can print it.
    fn text<W: Write>(&self, xml: &mut Xml<W>, tag: &'static str, text: &str) -> io::Result<()> {
        xml.leaf(tag, &fit(text, self.profile.charset, 140))
    }
}

fn account<W: Write>(
    xml: &mut Xml<W>,
    tag: &'static str,
    account: &Account,
    currency: Option<&str>,
) -> io::Result<()> {
    xml.element(tag, |xml| {
        xml.element("Id", |xml| match account {
            Account::Iban(iban) => xml.leaf("IBAN", iban.as_str()),
            Account::Other(number) => xml.element("Othr", |xml| xml.leaf("Id", number)),
        })?;
        currency.map_or(Ok(()), |code| xml.leaf("Ccy", code))
    })
}

fn choice<W: Write>(xml: &mut Xml<W>, tag: &'static str, choice: Option<&Choice>) -> io::Result<()> {
    match choice {
        Some(Choice::Code(code)) => xml.element(tag, |xml| xml.leaf("Cd", code)),
        Some(Choice::Proprietary(code)) => xml.element(tag, |xml| xml.leaf("Prtry", code)),
        None => Ok(()),
    }
}

fn bearer_code(bearer: ChargeBearer) -> &'static str {
    match bearer {
        ChargeBearer::Debt => "DEBT",
        ChargeBearer::Cred => "CRED",
        ChargeBearer::Shar => "SHAR",
        ChargeBearer::Slev => "SLEV",
    }
}

#[cfg(test)]
mod tests;
