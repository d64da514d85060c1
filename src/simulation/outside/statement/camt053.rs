//! camt.053.001.08, written as text: ISO 20022 Bank-to-Customer Statement.

use bytes::Bytes;
use mizan_adapters::channel::StatementFile;
use mizan_ledger::{Day, Money};

use crate::simulation::outside::bank::{Account, Line};

pub(super) fn write(
    account: &Account,
    day: Day,
    lines: &[Line],
    closing: i64,
    edition: &str,
) -> StatementFile {
    let Account { iban, currency, number, name, .. } = account;
    let mut entries = String::new();
    for line in lines {
        entries.push_str(&entry(line, day));
    }
    let opening = balance("OPBD", Money::new(account.opening, *currency), day);
    let closing = balance("CLBD", Money::new(closing, *currency), day);
    let text = format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>
<GrpHdr><MsgId>{name}-{number}-{edition}</MsgId><CreDtTm>{day}T23:00:00Z</CreDtTm></GrpHdr>
<Stmt><Id>{name}-{number}</Id><ElctrncSeqNb>{number}</ElctrncSeqNb><CreDtTm>{day}T23:00:00Z</CreDtTm>
<Acct><Id><IBAN>{iban}</IBAN></Id><Ccy>{currency}</Ccy></Acct>
{opening}{closing}{entries}</Stmt></BkToCstmrStmt></Document>
"#
    );
    StatementFile { name: format!("{name}-{number}-{edition}.xml"), raw: Bytes::from(text) }
}

fn signed(money: Money) -> (String, &'static str) {
    let amount = Money::new(money.minor().abs(), money.currency()).amount();
    (amount, if money.is_negative() { "DBIT" } else { "CRDT" })
}

fn balance(code: &str, money: Money, day: Day) -> String {
    let (amount, sign) = signed(money);
    let currency = money.currency();
    format!(
        "<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy=\"{currency}\">{amount}</Amt>\
         <CdtDbtInd>{sign}</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>\n"
    )
}

fn entry(line: &Line, day: Day) -> String {
    let (amount, sign) = signed(line.money);
    let (currency, reference) = (line.money.currency(), &line.reference);
    let mut told = String::new();
    if !line.text.is_empty() {
        told.push_str(&format!("<Ustrd>{}</Ustrd>", line.text));
    }
    if let Some(creditor) = &line.creditor_reference {
        told.push_str(&format!("<Strd><CdtrRefInf><Ref>{creditor}</Ref></CdtrRefInf></Strd>"));
    }
    let end_to_end = line.end_to_end.as_deref().unwrap_or("NOTPROVIDED");
    format!(
        "<Ntry><Amt Ccy=\"{currency}\">{amount}</Amt><CdtDbtInd>{sign}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>\
         <BookgDt><Dt>{day}</Dt></BookgDt><ValDt><Dt>{day}</Dt></ValDt><AcctSvcrRef>{reference}</AcctSvcrRef>\
         <BkTxCd><Prtry><Cd>NTRF</Cd></Prtry></BkTxCd><NtryDtls><TxDtls><Refs><EndToEndId>{end_to_end}</EndToEndId>\
         </Refs><RmtInf>{told}</RmtInf></TxDtls></NtryDtls></Ntry>\n"
    )
}
