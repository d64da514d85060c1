//! One `TxDtls` being read; the entry's own `AmtDtls` and `Chrgs` have the same shape.

use mizan_ledger::{Currency, Money};

use super::super::model::{BankCode, Exchange, Party, References, ReturnReason, Transaction};
use super::super::values::{reference, shown};
use super::super::xml::Leaf;
use super::entry::Report;
use super::{RawAmount, Word, sign_of};

#[derive(Default)]
pub(super) struct RawTransaction {
    amount: Option<RawAmount>,
    sign: Option<Word>,
    settled: Option<RawAmount>,
    instructed: Option<RawAmount>,
    references: References,
    debtor: Party,
    creditor: Party,
    free_texts: Vec<String>,
    charges: Vec<RawAmount>,
    charges_total: Option<RawAmount>,
    exchange: Option<Exchange>,
    code: RawCode,
    reason: Option<ReturnReason>,
}

impl RawTransaction {
    pub(super) fn add_text(&mut self, text: &str) {
        if !text.is_empty() {
            self.free_texts.push(text.to_owned());
        }
    }

    /// Takes a text in; `path` is relative to `TxDtls`.
    pub(super) fn leaf(&mut self, path: &[&'static str], leaf: Leaf<'_>) {
        match path {
            ["Refs", rest @ ..] => self.reference(rest, leaf.text),
            ["Amt"] => self.amount = Some(RawAmount::new(leaf)),
            ["CdtDbtInd"] => self.sign = Some(Word::new(leaf)),
            ["AmtDtls", "TxAmt", "Amt"] => self.settled = Some(RawAmount::new(leaf)),
            ["AmtDtls", "InstdAmt", "Amt"] => self.instructed = Some(RawAmount::new(leaf)),
            ["AmtDtls", _, "CcyXchg", name] => self.exchange(name, leaf.text),
            ["Chrgs", "TtlChrgsAndTaxAmt"] => self.charges_total = Some(RawAmount::new(leaf)),
            ["Chrgs", "Amt"] | ["Chrgs", "Rcrd", "Amt"] => self.charges.push(RawAmount::new(leaf)),
            ["BkTxCd", rest @ ..] => self.code.leaf(rest, leaf.text),
            ["RltdPties" | "RltdAgts", rest @ ..] => self.party(rest, leaf.text),
            ["RmtInf", rest @ ..] => self.remittance(rest, leaf.text),
            ["AddtlTxInf"] => self.add_text(leaf.text),
            ["RtrInf", "Rsn", "Cd" | "Prtry"] => {
                self.reason.get_or_insert_default().code = reference(leaf.text);
            }
            ["RtrInf", "AddtlInf"] => {
                let reason = self.reason.get_or_insert_default();
                let text = reason.text.get_or_insert_default();
                if !text.is_empty() {
                    text.push(' ');
                }
                text.push_str(leaf.text);
            }
            _ => {}
        }
    }

    fn reference(&mut self, path: &[&'static str], text: &str) {
        let references = &mut self.references;
        let slot = match path {
            ["MsgId"] => &mut references.message,
            ["AcctSvcrRef"] => &mut references.bank,
            ["PmtInfId"] => &mut references.payment_information,
            ["InstrId"] => &mut references.instruction,
            ["EndToEndId"] => &mut references.end_to_end,
            ["TxId"] => &mut references.transaction,
            ["MndtId"] => &mut references.mandate,
            ["UETR"] => {
                references.uetr = reference(text).map(|uetr| uetr.to_ascii_lowercase());
                return;
            }
            ["ChqNb" | "ClrSysRef"] | ["Prtry", "Ref"] => {
                references.other.extend(reference(text));
                return;
            }
            _ => return,
        };
        *slot = reference(text);
    }

    fn exchange(&mut self, name: &str, text: &str) {
        let exchange = self.exchange.get_or_insert_default();
        let slot = match name {
            "SrcCcy" => &mut exchange.source,
            "TrgtCcy" => &mut exchange.target,
            "UnitCcy" => &mut exchange.unit,
            "XchgRate" => &mut exchange.rate,
            _ => return,
        };
        *slot = Some(text.to_owned());
    }

    /// `Dbtr/Nm` until .04, `Dbtr/Pty/Nm` since; an ultimate party stands in where the party has no name.
    fn party(&mut self, path: &[&'static str], text: &str) {
        let [role, rest @ ..] = path else { return };
        let party = match *role {
            "Dbtr" | "DbtrAcct" | "DbtrAgt" | "UltmtDbtr" => &mut self.debtor,
            "Cdtr" | "CdtrAcct" | "CdtrAgt" | "UltmtCdtr" => &mut self.creditor,
            _ => return,
        };
        match (*role, rest) {
            ("Dbtr" | "Cdtr", ["Nm"] | ["Pty", "Nm"] | ["Agt", "FinInstnId", "Nm"]) => {
                party.name = Some(text.to_owned());
            }
            ("UltmtDbtr" | "UltmtCdtr", ["Nm"] | ["Pty", "Nm"]) => {
                party.name.get_or_insert_with(|| text.to_owned());
            }
            ("DbtrAcct" | "CdtrAcct", ["Id", "IBAN"] | ["Id", "Othr" | "PrtryAcct", "Id"]) => {
                party.account = reference(text);
            }
            (
                "DbtrAgt" | "CdtrAgt",
                ["FinInstnId", "BIC" | "BICFI"]
                | ["FinInstnId", "ClrSysMmbId", "MmbId"]
                | ["FinInstnId", "Othr", "Id"],
            ) => {
                party.bank.get_or_insert_with(|| text.to_owned());
            }
            _ => {}
        }
    }

    fn remittance(&mut self, path: &[&'static str], text: &str) {
        match path {
            ["Ustrd"] | ["Strd", "AddtlRmtInf"] => self.add_text(text),
            ["Strd", "CdtrRefInf", "Ref" | "CdtrRef"] => self.references.creditor.extend(reference(text)),
            ["Strd", "RfrdDocInf", "Nb"] => self.references.other.extend(reference(text)),
            _ => {}
        }
    }

    /// `credit` and `currency` are the entry's. A detail's own money is information: what cannot be read is
    /// told and left out.
    pub(super) fn finish(self, credit: bool, currency: Currency, report: &mut Report<'_>) -> Transaction {
        let mut read = |raw: Option<RawAmount>| -> Option<Money> {
            let raw = raw?;
            raw.money(Some(currency)).map_err(|what| report.odd(raw.line, "NtryDtls/TxDtls", what)).ok()
        };
        let own_credit = self.sign.as_ref().and_then(|sign| sign_of(&sign.text)).unwrap_or(credit);
        let signed = |amount: Money| if own_credit { Some(amount) } else { amount.checked_neg().ok() };
        let amount = read(self.amount.or(self.settled)).and_then(signed);
        let instructed = read(self.instructed).and_then(signed);
        let charges = if self.charges.is_empty() { Vec::from_iter(self.charges_total) } else { self.charges };
        let charges = charges.into_iter().filter_map(|raw| read(Some(raw))).collect();
        if let Some(sign) = self.sign.filter(|sign| sign_of(&sign.text).is_none()) {
            report.odd(sign.line, "NtryDtls/TxDtls/CdtDbtInd", shown(&sign.text));
        }
        let (theirs, ours) = if credit { (self.debtor, self.creditor) } else { (self.creditor, self.debtor) };
        Transaction {
            amount,
            instructed,
            references: self.references,
            counterparty: if theirs.is_empty() { ours } else { theirs },
            free_texts: self.free_texts,
            charges,
            exchange: self.exchange,
            bank_code: self.code.finish(),
            return_reason: self.reason,
        }
    }
}

/// An entry with exactly one transaction: what the transaction says, then what the entry adds.
pub(super) fn joined(mut only: Transaction, entry: Transaction) -> Transaction {
    for text in entry.free_texts {
        if !only.free_texts.contains(&text) {
            only.free_texts.push(text);
        }
    }
    if only.charges.is_empty() {
        only.charges = entry.charges;
    }
    only.amount = only.amount.or(entry.amount);
    only.instructed = only.instructed.or(entry.instructed);
    only.exchange = only.exchange.or(entry.exchange);
    only
}

#[derive(Default)]
pub(super) struct RawCode {
    domain: Option<String>,
    family: Option<String>,
    sub_family: Option<String>,
    own: Option<String>,
}

impl RawCode {
    pub(super) fn leaf(&mut self, path: &[&'static str], text: &str) {
        let slot = match path {
            ["Domn", "Cd"] => &mut self.domain,
            ["Domn", "Fmly", "Cd"] => &mut self.family,
            ["Domn", "Fmly", "SubFmlyCd"] => &mut self.sub_family,
            ["Prtry", "Cd"] => &mut self.own,
            _ => return,
        };
        *slot = reference(text);
    }

    pub(super) fn finish(&self) -> BankCode {
        let parts: Vec<&str> = [&self.domain, &self.family, &self.sub_family]
            .into_iter()
            .flatten()
            .map(String::as_str)
            .collect();
        BankCode { domain: (!parts.is_empty()).then(|| parts.join("/")), own: self.own.clone() }
    }
}
