//! What moved an account, in the words of the identity it belongs to.

use mizan_ledger::{Money, Side};
use serde::Serialize;

use crate::books::Kind;

/// The four identities of the proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ProofSection)]
pub enum Section {
    /// What channels took and have not settled.
    Channels,
    /// What bank accounts hold.
    Banks,
    /// What agencies are owed.
    Agencies,
    /// Everything else that is held or owed.
    Custody,
}

impl Section {
    /// Where an account is proved; None for the hub's own results and for memo accounts.
    pub fn of(kind: Kind) -> Option<Self> {
        match kind {
            Kind::Receivable => Some(Self::Channels),
            Kind::Bank => Some(Self::Banks),
            Kind::AgencyHeld
            | Kind::AgencyPayable
            | Kind::AgencyDirect
            | Kind::AgencyFrozen
            | Kind::AgencyReserve => Some(Self::Agencies),
            Kind::HubCosts | Kind::HubLosses | Kind::Rounding | Kind::Assessed | Kind::Waived => None,
            _ => Some(Self::Custody),
        }
    }
}

/// The lines of one kind of entry on one side of an account, over the day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Movement {
    /// The rule that entered them.
    pub kind: String,
    pub side: Side,
    /// Zero or more.
    pub amount: Money,
    pub entries: i64,
}

/// What a movement is in its identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ProofWord)]
pub enum Word {
    Taken,
    Collected,
    Settled,
    Netted,
    Withdrawn,
    Reopened,
    WrittenOff,
    Reversed,
    Refunds,
    Costs,
    Disputes,
    Payouts,
    ReceivedDirectly,
    Returns,
    PaidIn,
    WithinAgency,
    Interest,
    Advances,
    OwnTransfers,
    Deposits,
    Unknown,
    CameIn,
    WentOut,
    /// An entry of a kind that this identity does not know.
    Other,
}

/// Entries that take a payer's money, or apply it.
const COLLECT: [&str; 9] = [
    "paid_in_full",
    "part_payment_held",
    "part_payment_completed",
    "instalment_paid",
    "transfer_paid",
    "money_to_suspense",
    "late_callback_of_suspense",
    "suspense_applied",
    "exempted",
];

/// The word for lines of `kind` on a side of an account of the section.
pub fn word(section: Section, kind: &str, side: Side) -> Word {
    match section {
        Section::Channels => on_channel(kind, side),
        Section::Banks => on_bank(kind),
        Section::Agencies => on_agency(kind, side),
        Section::Custody => match side {
            Side::Debit => Word::WentOut,
            Side::Credit => Word::CameIn,
        },
    }
}

fn on_channel(kind: &str, side: Side) -> Word {
    match (kind, side) {
        (kind, Side::Debit) if COLLECT.contains(&kind) => Word::Taken,
        (kind, Side::Credit) if COLLECT.contains(&kind) => Word::Settled,
        (
            "channel_settled_net"
            | "channel_settled_gross"
            | "direct_settled"
            | "suspense_credit_explained"
            | "unknown_debit_explained",
            _,
        ) => Word::Settled,
        ("refund_netted" | "refund_returned", _) => Word::Netted,
        ("dispute_opened" | "dispute_fee_charged" | "dispute_won", _) => Word::Netted,
        ("confirmation_withdrawn", _) => Word::Withdrawn,
        ("bank_undid_credit", _) => Word::Reopened,
        ("receivable_written_off", _) => Word::WrittenOff,
        _ => Word::Other,
    }
}

fn on_bank(kind: &str) -> Word {
    match kind {
        "channel_settled_net" | "channel_settled_gross" | "transfer_paid" => Word::Settled,
        "refund_seen_at_bank" | "refund_returned" => Word::Refunds,
        "payout_seen" | "payout_returned" => Word::Payouts,
        "bank_unknown_credit" | "bank_unknown_debit" | "bank_undid_unknown_credit" => Word::Unknown,
        "bank_charged" | "costs_billed" => Word::Costs,
        "interest_credited" => Word::Interest,
        "agency_paid_in" | "sponsor_paid" => Word::PaidIn,
        "treasury_advanced" | "advance_repaid" => Word::Advances,
        "own_transfer_left" | "own_transfer_arrived" => Word::OwnTransfers,
        "deposit_seen" => Word::Deposits,
        "bank_undid_credit" | "cheque_dishonoured" => Word::Reversed,
        "dispute_opened" | "dispute_fee_charged" | "dispute_won" => Word::Disputes,
        _ => Word::Other,
    }
}

fn on_agency(kind: &str, side: Side) -> Word {
    match (kind, side) {
        (kind, Side::Credit) if COLLECT.contains(&kind) => Word::Collected,
        (kind, Side::Debit) if COLLECT.contains(&kind) => Word::Costs,
        ("rail_cost_accrued" | "rail_cost_reduced", _) => Word::Costs,
        ("confirmation_withdrawn" | "instalments_ended" | "cheque_dishonoured", _) => Word::Reversed,
        ("refund_approved" | "refund_canceled" | "refund_left_at_agency", _) => Word::Refunds,
        ("dispute_lost", _) => Word::Disputes,
        ("payout_released" | "payout_refused", _) => Word::Payouts,
        ("payout_returned", _) => Word::Returns,
        ("direct_settled", _) => Word::ReceivedDirectly,
        ("agency_paid_in" | "suspense_credit_explained", _) => Word::PaidIn,
        ("refund_taken_over", _) => Word::WithinAgency,
        ("released" | "reserve_set_aside" | "reserve_released" | "dispute_opened" | "dispute_won", _) => {
            Word::WithinAgency
        }
        _ => Word::Other,
    }
}

impl Word {
    pub fn name_en(self) -> &'static str {
        self.names().0
    }

    pub fn name_ar(self) -> &'static str {
        self.names().1
    }

    const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Taken => ("taken", "مقبوضات القناة"),
            Self::Collected => ("collected", "المحصّل"),
            Self::Settled => ("settled", "المسوّى"),
            Self::Netted => ("netted", "المقتطع بالمقاصّة"),
            Self::Withdrawn => ("withdrawn", "تأكيدات سُحبت"),
            Self::Reopened => ("reopened", "أعيد فتحه"),
            Self::WrittenOff => ("written off", "المشطوب"),
            Self::Reversed => ("reversed", "المعكوس"),
            Self::Refunds => ("refunds", "المستردّ للدافعين"),
            Self::Costs => ("costs", "التكاليف"),
            Self::Disputes => ("disputes", "الاعتراضات"),
            Self::Payouts => ("payouts", "التحويلات إلى الجهات"),
            Self::ReceivedDirectly => ("received directly", "المقبوض مباشرة"),
            Self::Returns => ("returns", "التحويلات المرتدّة"),
            Self::PaidIn => ("paid in", "المورَّد"),
            Self::WithinAgency => ("within the agency", "بين حسابات الجهة"),
            Self::Interest => ("interest", "الفوائد"),
            Self::Advances => ("treasury advances", "سلف الخزينة"),
            Self::OwnTransfers => ("own transfers", "بين حساباتنا"),
            Self::Deposits => ("deposits", "الإيداعات النقدية"),
            Self::Unknown => ("unexplained lines", "حركات غير معروفة"),
            Self::CameIn => ("credits", "حركات دائنة"),
            Self::WentOut => ("debits", "حركات مدينة"),
            Self::Other => ("other", "أخرى"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const RULES: [&str; 9] = [
        include_str!("../books/rules/bank.rs"),
        include_str!("../books/rules/cash.rs"),
        include_str!("../books/rules/channel.rs"),
        include_str!("../books/rules/collect.rs"),
        include_str!("../books/rules/dispute.rs"),
        include_str!("../books/rules/own.rs"),
        include_str!("../books/rules/payout.rs"),
        include_str!("../books/rules/refund.rs"),
        include_str!("../books/rules/suspense.rs"),
    ];

    /// Every rule that may touch an account, by the constructor of the account in its body.
    fn rules_touching(accounts: &[&str]) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for file in RULES {
            let code = file.split("#[cfg(test)]").next().unwrap_or("");
            for body in code.split("\npub fn ").skip(1) {
                let body = body.split("\n}\n").next().unwrap_or("");
                let name = body.split('(').next().unwrap_or("").to_owned();
                let is_rule = body.contains("Result<Entry, RuleError>");
                if is_rule && accounts.iter().any(|account| body.contains(account)) {
                    found.insert(name);
                }
            }
        }
        found
    }

    #[test]
    fn every_rule_that_touches_a_channel_has_a_word_there() {
        let rules = rules_touching(&["chart::receivable(", "place.account(", "take(&mut draft"]);
        assert!(rules.len() > 10, "{rules:?}");
        for kind in rules.iter().filter(|kind| !kind.starts_with("deposit")) {
            for side in [Side::Debit, Side::Credit] {
                assert_ne!(word(Section::Channels, kind, side), Word::Other, "{kind}");
            }
        }
    }

    #[test]
    fn every_rule_that_touches_a_bank_has_a_word_there() {
        let rules = rules_touching(&["chart::bank("]);
        assert!(rules.len() > 10, "{rules:?}");
        for kind in rules {
            assert_ne!(word(Section::Banks, &kind, Side::Debit), Word::Other, "{kind}");
        }
    }

    #[test]
    fn every_rule_that_touches_an_agency_has_a_word_there() {
        let touching = ["payable(agency", "chart::agency_", "debit_shares(", "credit_shares(", ".frozen()"];
        let rules = rules_touching(&touching);
        assert!(rules.len() > 10, "{rules:?}");
        for kind in rules {
            assert_ne!(word(Section::Agencies, &kind, Side::Debit), Word::Other, "{kind}");
        }
    }

    #[test]
    fn a_payment_collects_on_the_credit_side_and_costs_on_the_debit_side() {
        assert_eq!(word(Section::Agencies, "paid_in_full", Side::Credit), Word::Collected);
        assert_eq!(word(Section::Agencies, "paid_in_full", Side::Debit), Word::Costs);
        assert_eq!(word(Section::Channels, "transfer_paid", Side::Debit), Word::Taken);
        assert_eq!(word(Section::Channels, "transfer_paid", Side::Credit), Word::Settled);
        assert_eq!(word(Section::Channels, "payout_seen", Side::Credit), Word::Other);
    }
}
