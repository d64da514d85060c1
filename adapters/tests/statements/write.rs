//! Writes statement files for the tests. It knows the formats from their standards and shares nothing with the
//! readers.

use std::fmt::Write as _;

/// A camt.053 with one statement, in the shape most banks send.
pub(crate) struct Camt {
    pub(crate) version: &'static str,
    pub(crate) currency: &'static str,
    pub(crate) opening: &'static str,
    pub(crate) closing: &'static str,
    pub(crate) entries: String,
}

impl Camt {
    pub(crate) fn ils(opening: &'static str, closing: &'static str, entries: impl Into<String>) -> Self {
        Self { version: "camt.053.001.08", currency: "ILS", opening, closing, entries: entries.into() }
    }

    pub(crate) fn xml(&self) -> String {
        let Self { version, currency, opening, closing, entries } = self;
        let (opening, closing) = (balance("OPBD", opening, currency), balance("CLBD", closing, currency));
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:{version}\">\n<BkToCstmrStmt>\n\
             <GrpHdr><MsgId>EXAMPLE-1</MsgId></GrpHdr>\n<Stmt>\n<Id>EXAMPLE-STATEMENT-1</Id>\n\
             <Acct><Id><IBAN>PS92PALS000000000400123456702</IBAN></Id><Ccy>{currency}</Ccy></Acct>\n\
             {opening}{closing}{entries}</Stmt>\n</BkToCstmrStmt>\n</Document>\n"
        )
    }
}

/// `amount` is signed.
pub(crate) fn balance(code: &str, amount: &str, currency: &str) -> String {
    let (sign, amount) = side(amount);
    format!(
        "<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy=\"{currency}\">{amount}</Amt>\
         <CdtDbtInd>{sign}</CdtDbtInd><Dt><Dt>2026-11-22</Dt></Dt></Bal>\n"
    )
}

/// A booked entry of `amount` (signed) with `rest` behind its status.
pub(crate) fn entry(amount: &str, currency: &str, rest: &str) -> String {
    let (sign, amount) = side(amount);
    format!(
        "<Ntry><Amt Ccy=\"{currency}\">{amount}</Amt><CdtDbtInd>{sign}</CdtDbtInd>\
         <Sts><Cd>BOOK</Cd></Sts>{rest}</Ntry>\n"
    )
}

fn side(amount: &str) -> (&'static str, &str) {
    amount.strip_prefix('-').map_or(("CRDT", amount), |unsigned| ("DBIT", unsigned))
}

/// `entries` booked credits of one shekel each, as a bank prints a busy day.
pub(crate) fn busy_day(entries: usize) -> String {
    let mut all = String::new();
    for number in 0..entries {
        let details = format!(
            "<BookgDt><Dt>2026-11-22</Dt></BookgDt><ValDt><Dt>2026-11-22</Dt></ValDt>\
             <AcctSvcrRef>EXAMPLE{number:09}</AcctSvcrRef><NtryDtls><TxDtls><Refs>\
             <EndToEndId>EXAMPLE-E2E-{number}</EndToEndId></Refs>\
             <RltdPties><Dbtr><Pty><Nm>EXAMPLE PAYER</Nm></Pty></Dbtr></RltdPties>\
             <RmtInf><Ustrd>رسوم خدمة {number}</Ustrd></RmtInf></TxDtls></NtryDtls>"
        );
        write!(all, "{}", entry("1.00", "ILS", &details)).expect("writing to a String cannot fail");
    }
    all
}
