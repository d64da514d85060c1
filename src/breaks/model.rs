use std::fmt;
use std::str::FromStr;

use mizan_ledger::{Instant, Money};
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::fault::Fault;
use crate::ids::{BreakId, IntentId, RefundId};

/// The closed list of what may not tie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Category {
    MissingAtBank,
    MissingInHub,
    AmountOver,
    AmountUnder,
    Currency,
    DuplicateMoney,
    LateMoney,
    Altered,
    Reversed,
    UnknownCredit,
    UnknownDebit,
    CostVariance,
    CutOff,
    PaidNotDelivered,
    DeliveredNotPaid,
    AttemptUnknown,
    RefundUnconfirmed,
    RefundReturned,
    PayoutUnconfirmed,
    PayoutReturned,
    Dispute,
    CashNotDeposited,
    DepositDifference,
    ReceiptGap,
    StatementGap,
    StatementDoesNotClose,
    /// A statement whose day, balances or an amount cannot be what they say.
    StatementInDoubt,
    /// A line of a statement that the book does not take, not even as money that nobody knows.
    LineSetAside,
    /// A notice that could not be applied and stands aside for a person.
    NoticeSetAside,
    /// What a channel says it settled, and the book does not take.
    SettlementSetAside,
    /// Work that failed so often that nobody tries it any more.
    JobGivenUp,
}

/// Slug, name in Arabic and English, the duty that owns it, and the hours it may stay open.
struct Row(Category, &'static str, &'static str, &'static str, &'static str, i64);

const TABLE: [Row; 31] = [
    Row(Category::MissingAtBank, "missing_at_bank", "لم يظهر في البنك", "Missing at bank", "reconciler", 24),
    Row(Category::MissingInHub, "missing_in_hub", "لم يصل إلى ميزان", "Missing in hub", "reconciler", 24),
    Row(Category::AmountOver, "amount_over", "المبلغ أكثر من المتوقع", "Amount over", "reconciler", 48),
    Row(Category::AmountUnder, "amount_under", "المبلغ أقل من المتوقع", "Amount under", "reconciler", 48),
    Row(Category::Currency, "currency", "عملة مختلفة", "Other currency", "reconciler", 48),
    Row(Category::DuplicateMoney, "duplicate_money", "دفع مكرر", "Duplicate money", "reconciler", 72),
    Row(Category::LateMoney, "late_money", "دفع متأخر", "Late money", "reconciler", 72),
    Row(Category::Altered, "altered", "رسالة معدّلة", "Altered", "reconciler", 4),
    Row(Category::Reversed, "reversed", "دفع معكوس", "Reversed", "reconciler", 24),
    Row(Category::UnknownCredit, "unknown_credit", "إيداع غير معروف", "Unknown credit", "reconciler", 72),
    Row(Category::UnknownDebit, "unknown_debit", "سحب غير معروف", "Unknown debit", "reconciler", 24),
    Row(Category::CostVariance, "cost_variance", "فرق في عمولة القناة", "Cost variance", "reconciler", 120),
    Row(Category::CutOff, "cut_off", "تسوية في يوم آخر", "Cut-off", "reconciler", 48),
    Row(
        Category::PaidNotDelivered,
        "paid_not_delivered",
        "مدفوع ولم تُقدَّم الخدمة",
        "Paid, not delivered",
        "agency",
        240,
    ),
    Row(
        Category::DeliveredNotPaid,
        "delivered_not_paid",
        "قُدِّمت الخدمة دون دفع",
        "Delivered, not paid",
        "agency",
        24,
    ),
    Row(
        Category::AttemptUnknown,
        "attempt_unknown",
        "محاولة دفع مجهولة المصير",
        "Attempt unknown",
        "reconciler",
        24,
    ),
    Row(
        Category::RefundUnconfirmed,
        "refund_unconfirmed",
        "استرداد غير مؤكد",
        "Refund unconfirmed",
        "reconciler",
        72,
    ),
    Row(Category::RefundReturned, "refund_returned", "استرداد أعيد", "Refund returned", "reconciler", 72),
    Row(
        Category::PayoutUnconfirmed,
        "payout_unconfirmed",
        "تحويل غير مؤكد",
        "Payout unconfirmed",
        "treasurer",
        72,
    ),
    Row(Category::PayoutReturned, "payout_returned", "تحويل أعيد", "Payout returned", "treasurer", 72),
    Row(Category::Dispute, "dispute", "اعتراض حامل البطاقة", "Dispute", "reconciler", 120),
    Row(
        Category::CashNotDeposited,
        "cash_not_deposited",
        "نقد لم يودع",
        "Cash not deposited",
        "treasurer",
        48,
    ),
    Row(
        Category::DepositDifference,
        "deposit_difference",
        "فرق في الإيداع",
        "Deposit difference",
        "treasurer",
        48,
    ),
    Row(Category::ReceiptGap, "receipt_gap", "رقم إيصال مفقود", "Receipt gap", "reconciler", 24),
    Row(Category::StatementGap, "statement_gap", "كشف حساب مفقود", "Statement gap", "reconciler", 24),
    Row(
        Category::StatementDoesNotClose,
        "statement_does_not_close",
        "كشف حساب لا يتوازن",
        "Statement does not close",
        "reconciler",
        8,
    ),
    Row(
        Category::StatementInDoubt,
        "statement_in_doubt",
        "كشف حساب مشكوك فيه",
        "Statement in doubt",
        "reconciler",
        8,
    ),
    Row(Category::LineSetAside, "line_set_aside", "سطر كشف معلّق", "Bank line set aside", "reconciler", 8),
    Row(Category::NoticeSetAside, "notice_set_aside", "إشعار معلّق", "Notice set aside", "reconciler", 8),
    Row(
        Category::SettlementSetAside,
        "settlement_set_aside",
        "تسوية معلّقة",
        "Settlement set aside",
        "reconciler",
        8,
    ),
    Row(Category::JobGivenUp, "job_given_up", "عمل لم يُنجَز", "Work given up", "reconciler", 8),
];

impl Category {
    fn row(self) -> &'static Row {
        TABLE.iter().find(|row| row.0 == self).expect("every category stands in the table; a test checks it")
    }

    pub fn as_str(self) -> &'static str {
        self.row().1
    }

    pub fn name_ar(self) -> &'static str {
        self.row().2
    }

    pub fn name_en(self) -> &'static str {
        self.row().3
    }

    /// The duty that works it.
    pub fn owner(self) -> &'static str {
        self.row().4
    }

    /// How long it may stay open before it escalates.
    pub fn hours(self) -> i64 {
        self.row().5
    }
}

impl FromStr for Category {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let row = TABLE.iter().find(|row| row.1 == text);
        row.map(|row| row.0).ok_or_else(|| format!("{text:?} is not a category of break"))
    }
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Category {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Break {
    /// Whether two people may end it by saying what it was. All others end when their money, news or work is there, however
    /// long that takes: to end them otherwise would hide what does not tie.
    pub fn ends_by_decision(&self) -> bool {
        match self.category {
            // Of a refund that is awaited the subject is its expectation; of one that its rail contradicts, the refund.
            Category::RefundUnconfirmed => {
                let name = self.subject.split(':').next().unwrap_or_default();
                name.parse::<RefundId>().is_ok()
            }
            Category::Altered
            | Category::Reversed
            | Category::CostVariance
            | Category::AttemptUnknown
            | Category::StatementGap
            | Category::StatementDoesNotClose
            | Category::StatementInDoubt => true,
            _ => false,
        }
    }
}

/// Why a break is not ended.
#[derive(Debug, thiserror::Error)]
pub enum BreakError {
    #[error("there is no such break")]
    NotFound,
    #[error("who says what it was does not agree to it himself")]
    SamePerson,
    #[error("what was proposed is now: {0}")]
    OtherNote(String),
    #[error("the break is {0}")]
    Decided(String),
    #[error("a break of the category {0} ends when its money, news or work is there")]
    EndsByItself(Category),
    #[error(transparent)]
    Fault(#[from] Fault),
}

crate::service_error!(BreakError);

/// A break to be opened. `subject` names the thing that does not tie, for ever the same text for the same thing.
#[derive(Debug, Clone)]
pub struct NewBreak {
    pub category: Category,
    pub subject: String,
    pub money: Option<Money>,
    pub channel: Option<String>,
    pub intent: Option<IntentId>,
    pub detail: Value,
}

/// A break as it stands.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Break {
    pub id: BreakId,
    #[schema(value_type = String)]
    pub category: Category,
    pub subject: String,
    pub state: String,
    pub money: Option<Money>,
    pub channel: Option<String>,
    pub intent: Option<IntentId>,
    pub detail: Value,
    pub owner: String,
    pub opened_at: Instant,
    pub due_at: Instant,
    pub resolved_at: Option<Instant>,
    /// Who said what it was, and who agreed, where people ended it.
    pub proposed_by: Option<String>,
    pub approved_by: Option<String>,
    pub resolution: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_gives_each_category_back() {
        for row in &TABLE {
            assert_eq!(row.1.parse(), Ok(row.0));
            assert_eq!(row.0.as_str(), row.1);
            assert!(row.5 > 0 && !row.2.is_empty() && !row.3.is_empty());
        }
        assert!("nothing".parse::<Category>().is_err());
    }
}
