//! The element names the reader looks at. Every other name becomes `"*"`.

/// The constant for a local name.
pub(super) fn known(name: &str) -> &'static str {
    NAMES.binary_search(&name).map_or("*", |index| NAMES[index])
}

/// Sorted, for the binary search.
#[rustfmt::skip]
const NAMES: &[&str] = &[
    "Acct", "AcctSvcrRef", "AddtlInf", "AddtlNtfctnInf", "AddtlNtryInf", "AddtlRmtInf", "AddtlRptInf",
    "AddtlStmtInf", "AddtlTxInf", "Agt", "Amt", "AmtDtls", "AnyBIC", "BIC", "BICFI", "BICOrBEI", "Bal",
    "BkToCstmrAcctRpt", "BkToCstmrAcctRptV01", "BkToCstmrDbtCdtNtfctn", "BkToCstmrDbtCdtNtfctnV01",
    "BkToCstmrStmt", "BkToCstmrStmtV01", "BkTxCd", "BookgDt", "Btch", "Ccy", "CcyXchg", "Cd",
    "CdOrPrtry", "CdtDbtInd", "CdtNoteAmt", "Cdtr", "CdtrAcct", "CdtrAgt", "CdtrRef", "CdtrRefInf",
    "ChqNb", "Chrgs", "ClrSysMmbId", "ClrSysRef", "CpyDplctInd", "CreDtTm", "Dbtr", "DbtrAcct",
    "DbtrAgt", "Document", "Domn", "Dt", "DtTm", "ElctrncSeqNb", "EndToEndId", "FinInstnId", "Fmly", "FrDtTm",
    "FrToDt", "GrpHdr", "IBAN", "Id", "InstdAmt", "InstrId", "Issr", "LastPgInd", "LglSeqNb", "MmbId",
    "MndtId", "MsgId", "Nb", "NbOfNtries", "NbOfTxs", "Nm", "Ntfctn", "NtfctnPgntn", "Ntry", "NtryDtls",
    "NtryRef", "Othr", "Ownr", "PgNb", "PmtInfId", "Prtry", "PrtryAcct", "Pty", "Rcrd", "Ref", "Refs",
    "RfrdDocInf", "RltdAgts", "RltdPties", "RmtInf", "Rpt", "RptPgntn", "Rsn", "RtrInf", "RvslInd",
    "SrcCcy", "Stmt", "StmtPgntn", "Strd", "Sts", "SubFmlyCd", "Sum", "Svcr", "ToDtTm", "Tp", "TrgtCcy",
    "TtlAmt", "TtlCdtNtries", "TtlChrgsAndTaxAmt", "TtlDbtNtries", "TtlNtries", "TxAmt", "TxDtls",
    "TxId", "TxsSummry", "UETR", "UltmtCdtr", "UltmtDbtr", "UnitCcy", "Ustrd", "ValDt", "XchgRate",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_are_sorted_and_found() {
        assert!(NAMES.is_sorted());
        assert_eq!(known("Ntry"), "Ntry");
        assert_eq!(known("SplmtryData"), "*");
    }
}
