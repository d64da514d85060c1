//! Statements written by hand, as the sandbox bank does not write them.

use super::{File, ILS};

/// A booked line: amount, direction, booking day and the bank's reference.
pub fn line(amount: &str, direction: &str, on: &str, reference: &str) -> String {
    format!(
        r#"<Ntry><Amt Ccy="ILS">{amount}</Amt><CdtDbtInd>{direction}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>
           <BookgDt><Dt>{on}</Dt></BookgDt><AcctSvcrRef>{reference}</AcctSvcrRef><BkTxCd/>
           <AddtlNtryInf>EXAMPLE</AddtlNtryInf></Ntry>"#
    )
}

/// The same with a structured reference of the creditor's.
pub fn named(line: &str, reference: &str) -> String {
    let details = format!(
        "<BkTxCd/><NtryDtls><TxDtls><RmtInf><Strd><CdtrRefInf><Ref>{reference}</Ref></CdtrRefInf></Strd></RmtInf></TxDtls></NtryDtls>"
    );
    line.replace("<BkTxCd/>", &details)
}

/// The same as the undoing of an earlier line.
pub fn undoing(line: &str) -> String {
    line.replace("<Sts>", "<RvslInd>true</RvslInd><Sts>")
}

/// The statement of a day of the first account.
pub fn statement(id: &str, day: &str, balances: [&str; 2], lines: &[String]) -> File {
    let balance = |code: &str, amount: &str| {
        format!(
            r#"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy="ILS">{amount}</Amt>
               <CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>"#
        )
    };
    let [opening, closing] = balances;
    let text = format!(
        r#"<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><GrpHdr><MsgId>{id}</MsgId>
           <CreDtTm>{day}T20:00:00Z</CreDtTm></GrpHdr><Stmt><Id>{id}</Id><CreDtTm>{day}T20:00:00Z</CreDtTm>
           <Acct><Id><IBAN>{ILS}</IBAN></Id><Ccy>ILS</Ccy></Acct>{}{}{}</Stmt></BkToCstmrStmt></Document>"#,
        balance("OPBD", opening),
        balance("CLBD", closing),
        lines.concat(),
    );
    File { name: format!("{id}.xml"), bytes: text.into_bytes() }
}
