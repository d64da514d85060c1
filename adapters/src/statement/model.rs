//! The neutral model: what a statement says, whatever format it came in.

use mizan_ledger::{Currency, Day, Instant, Money};

use super::closing::{Balance, Totals};

/// What is odd in a file, and where. The rest of the file was read all the same.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Problem {
    /// `line 41, Stmt[1]/Ntry[3]/Amt` or `line 7, :61:`. Lines count from 1.
    #[serde(rename = "where")]
    pub place: String,
    pub what: String,
    /// An amount, a sign, a currency, a status or a reference could not be read as the standard has it: the sums of
    /// the statement, or what its money is known by, are in doubt.
    #[serde(skip)]
    pub touches_money: bool,
}

/// The file cannot be understood. Nothing of it may be used, also not what was read before this was found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {cause}")]
pub struct Refused {
    pub place: String,
    pub cause: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatementKind {
    /// camt.053, MT940: the booked entries of a period between two balances.
    EndOfDay,
    /// camt.052, MT942: what happened so far today.
    Intraday,
    /// camt.054: entries without balances.
    Notification,
}

/// Everything a statement says apart from its lines. Texts are as printed, trimmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    pub kind: StatementKind,
    /// camt `Id`, MT `:20:`.
    pub id: Option<String>,
    /// camt `GrpHdr/MsgId`.
    pub message_id: Option<String>,
    /// camt `ElctrncSeqNb`, MT `:28C:` before the slash.
    pub sequence: Option<u64>,
    /// camt `LglSeqNb`.
    pub legal_sequence: Option<u64>,
    /// camt `StmtPgntn`, MT `:28C:` after the slash. Pages are statements of their own, joined by their
    /// intermediate balances.
    pub page: Option<Page>,
    /// IBAN or the bank's own number, as printed.
    pub account: Option<String>,
    /// camt `Acct/Ccy`, else the currency of the balances, else that of the first line.
    pub currency: Option<Currency>,
    pub account_name: Option<String>,
    /// BIC of the account's bank.
    pub servicer: Option<String>,
    pub created: Option<Stamp>,
    pub period_from: Option<Stamp>,
    pub period_to: Option<Stamp>,
    /// camt `CpyDplctInd`: COPY, DUPL or CODU. Such a statement may repeat one that was taken in before.
    pub copy_duplicate: Option<String>,
    /// All balances in the order of the file, at most [`Statement::BALANCES_MAX`].
    pub balances: Vec<Balance>,
    /// MT `:86:` of the whole statement, camt `AddtlStmtInf`.
    pub information: Option<String>,
    pub totals: Totals,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    pub number: u64,
    pub last: Option<bool>,
}

/// A date or a date and time as a bank prints it: with or without a zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    pub text: String,
    /// The day as printed, in the bank's own time; none for a day that does not exist.
    pub day: Option<Day>,
    /// Only when a time with its offset from UTC was given.
    pub instant: Option<Instant>,
}

impl Statement {
    pub const BALANCES_MAX: usize = 64;

    pub(super) fn new(kind: StatementKind) -> Self {
        Self {
            kind,
            id: None,
            message_id: None,
            sequence: None,
            legal_sequence: None,
            page: None,
            account: None,
            currency: None,
            account_name: None,
            servicer: None,
            created: None,
            period_from: None,
            period_to: None,
            copy_duplicate: None,
            balances: Vec::new(),
            information: None,
            totals: Totals::default(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LineStatus {
    /// BOOK: it moved the balance.
    Booked,
    /// PDNG, FUTR, MT `EC` and `ED`: expected, may never come.
    Pending,
    /// INFO: for information, never booked.
    Information,
    /// A code of the bank's own.
    Other(String),
}

/// One entry of a statement: one movement of the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementLine {
    /// From 1, in its statement, counting every entry of the file, also those left out.
    pub ordinal: u64,
    /// Positive when it is credited to the account. A reversal already has the sign of its own movement.
    pub amount: Money,
    pub status: LineStatus,
    /// camt `RvslInd`, MT `RC` and `RD`: the entry undoes an earlier one.
    pub reversal: bool,
    pub booking_day: Option<Day>,
    pub value_day: Option<Day>,
    /// camt `NtryRef`.
    pub entry_reference: Option<String>,
    /// The bank's reference of the entry: camt `AcctSvcrRef`, MT after `//`.
    pub bank_reference: Option<String>,
    pub bank_code: BankCode,
    /// What the entry says about itself, together with its only transaction when it has exactly one.
    pub transaction: Transaction,
    /// camt `NtryDtls/Btch`.
    pub batch: Option<Batch>,
    /// The transactions of an entry that books two or more at once; else empty.
    pub details: Vec<Transaction>,
    pub evidence: Evidence,
}

impl StatementLine {
    /// Every text a reference may stand in: the entry's own, then those of its details.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.transaction.texts().chain(self.details.iter().flat_map(Transaction::texts))
    }
}

/// The raw words of a line in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Evidence {
    /// camt: where the `Ntry` element stands. Offsets count bytes of the file read as UTF-8, so for a UTF-8
    /// file they are offsets into the file itself.
    Bytes { start: u64, end: u64, line: u64 },
    /// MT: the `:61:` field and its `:86:` as printed.
    Text { text: String, line: u64 },
}

/// ISO 20022 bank transaction code: `PMNT/RCDT/ESCT`; and the bank's own (camt `Prtry`, MT `NTRF`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BankCode {
    pub domain: Option<String>,
    pub own: Option<String>,
}

/// One payment inside an entry.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Transaction {
    /// Signed. camt `Amt` with `CdtDbtInd` (from .04), else `AmtDtls/TxAmt`.
    pub amount: Option<Money>,
    /// What the payer instructed, before exchange and charges.
    pub instructed: Option<Money>,
    pub references: References,
    /// The other side: the debtor of a credit, the creditor of a debit.
    pub counterparty: Party,
    /// Free texts: `Ustrd`, `AddtlTxInf`, `AddtlNtryInf`; MT: supplementary details and `:86:`.
    pub free_texts: Vec<String>,
    /// As printed, unsigned.
    pub charges: Vec<Money>,
    pub exchange: Option<Exchange>,
    pub bank_code: BankCode,
    pub return_reason: Option<ReturnReason>,
}

impl Transaction {
    /// Every text a reference of ours may stand in, the structured ones first.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let references = &self.references;
        references
            .creditor
            .iter()
            .chain(&references.end_to_end)
            .chain(&references.customer)
            .chain(&references.instruction)
            .chain(&references.other)
            .chain(&self.free_texts)
            .map(String::as_str)
    }
}

/// References, as printed. The agreed fillers (`NOTPROVIDED`, `NONREF`) count as absent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct References {
    pub end_to_end: Option<String>,
    /// Lower-case UUID, from camt .08.
    pub uetr: Option<String>,
    pub instruction: Option<String>,
    /// `PmtInfId`: of our payment file's batch.
    pub payment_information: Option<String>,
    pub message: Option<String>,
    /// `TxId`.
    pub transaction: Option<String>,
    /// The bank's reference of the transaction, when it differs from that of the entry.
    pub bank: Option<String>,
    /// MT `:61:` reference for the account owner, or `KREF+`.
    pub customer: Option<String>,
    pub mandate: Option<String>,
    /// Structured creditor references (`RmtInf/Strd/CdtrRefInf/Ref`): RF or of another issuer.
    pub creditor: Vec<String>,
    /// Document numbers and references of other types.
    pub other: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Party {
    pub name: Option<String>,
    /// IBAN or another number.
    pub account: Option<String>,
    /// BIC or another code.
    pub bank: Option<String>,
}

impl Party {
    pub fn is_empty(&self) -> bool {
        self.name.is_none() && self.account.is_none() && self.bank.is_none()
    }
}

/// `CcyXchg`: the rate is kept as text; nothing is computed with it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Exchange {
    pub source: Option<String>,
    pub target: Option<String>,
    pub unit: Option<String>,
    pub rate: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Batch {
    pub message: Option<String>,
    /// Ours, when we sent the payments.
    pub payment_information: Option<String>,
    pub transactions: Option<u64>,
    pub total: Option<Money>,
}

/// Why money came back: a code of the ISO 20022 external list (AC01, AC04, MD07 ...) and words.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReturnReason {
    pub code: Option<String>,
    pub text: Option<String>,
}
