//! The chart of accounts, per currency: one [`Kind`] and one constructor per account.
//!
//! A floor stands where our own acts take money away: it refuses to give back, pay out or hand over what is not
//! there. Where facts from outside take money away (a statement line, a channel's settlement) there is none, because
//! a fact is always booked. An entry that records a fact and yet meets a floor (a chargeback of money that was paid
//! out) is refused by the book; its caller then posts the fact to suspense.

use mizan_ledger::Currency;
use mizan_ledger::account::{Account, Class};

use super::slug::Slug;

/// What an account is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    OwnTransfers,
    Bank,
    Receivable,
    Drawer,
    Safe,
    Transit,
    Cheques,
    CashShort,
    SponsorReceivable,
    DisputeClaims,
    SuspenseDebits,
    AgencyHeld,
    AgencyPayable,
    AgencyDirect,
    AgencyFrozen,
    AgencyReserve,
    AgencyTax,
    TreasuryPayable,
    TreasuryFloat,
    TreasuryUnclaimed,
    CostsPayable,
    RefundsPayable,
    RefundsInFlight,
    PayoutsInFlight,
    PartialHeld,
    SuspenseCredits,
    CashOver,
    HubFees,
    HubTax,
    HubCosts,
    HubLosses,
    Rounding,
    Assessed,
    Waived,
}

/// One row of the chart. `{}` in a pattern stands for a slug; names take the slugs in the same order.
struct Row {
    pattern: &'static str,
    class: Class,
    floor_minor: Option<i64>,
    name_en: &'static str,
    name_ar: &'static str,
}

const fn row(pattern: &'static str, class: Class, name_en: &'static str, name_ar: &'static str) -> Row {
    Row { pattern, class, floor_minor: None, name_en, name_ar }
}

const fn floored(pattern: &'static str, class: Class, name_en: &'static str, name_ar: &'static str) -> Row {
    Row { pattern, class, floor_minor: Some(0), name_en, name_ar }
}

impl Kind {
    /// In the order of the chart.
    pub const ALL: [Self; 34] = [
        Self::OwnTransfers,
        Self::Bank,
        Self::Receivable,
        Self::Drawer,
        Self::Safe,
        Self::Transit,
        Self::Cheques,
        Self::CashShort,
        Self::SponsorReceivable,
        Self::DisputeClaims,
        Self::SuspenseDebits,
        Self::AgencyHeld,
        Self::AgencyPayable,
        Self::AgencyDirect,
        Self::AgencyFrozen,
        Self::AgencyReserve,
        Self::AgencyTax,
        Self::TreasuryPayable,
        Self::TreasuryFloat,
        Self::TreasuryUnclaimed,
        Self::CostsPayable,
        Self::RefundsPayable,
        Self::RefundsInFlight,
        Self::PayoutsInFlight,
        Self::PartialHeld,
        Self::SuspenseCredits,
        Self::CashOver,
        Self::HubFees,
        Self::HubTax,
        Self::HubCosts,
        Self::HubLosses,
        Self::Rounding,
        Self::Assessed,
        Self::Waived,
    ];

    #[rustfmt::skip]
    const fn row(self) -> Row {
        use Class::{Asset, Expense, Income, Liability, Memo};
        match self {
            Self::OwnTransfers => row("bank/transfers", Asset, "Transfers between own accounts", "تحويلات بين حساباتنا"),
            Self::Bank => row("bank/{}", Asset, "Bank account {}", "الحساب المصرفي {}"),
            Self::Receivable => row("channel/{}/receivable", Asset, "Receivable from channel {}", "مستحق على القناة {}"),
            Self::Drawer => floored("cash/{}/drawer", Asset, "Drawer of counter {}", "درج الشباك {}"),
            Self::Safe => floored("cash/{}/safe", Asset, "Safe of office {}", "خزنة المكتب {}"),
            Self::Transit => row("cash/{}/transit", Asset, "Deposits on their way to the bank, office {}", "إيداعات في الطريق إلى المصرف، المكتب {}"),
            Self::Cheques => floored("cash/{}/cheques", Asset, "Cheques not yet deposited, office {}", "شيكات لم تودع بعد، المكتب {}"),
            Self::CashShort => floored("cash/short", Asset, "Cash shortages to be decided", "عجز نقدي قيد البت"),
            Self::SponsorReceivable => row("sponsor/{}/receivable", Asset, "Receivable from sponsor {}", "مستحق على الراعي {}"),
            Self::DisputeClaims => row("dispute/{}/claims", Asset, "Disputed amounts, channel {}", "مبالغ متنازع عليها، القناة {}"),
            Self::SuspenseDebits => floored("suspense/{}/debits", Asset, "Unexplained debits, {}", "مبالغ معلقة مدينة، {}"),
            Self::AgencyHeld => floored("agency/{}/held", Liability, "Held for agency {}", "محتجز لصالح الجهة {}"),
            Self::AgencyPayable => floored("agency/{}/payable", Liability, "Payable to agency {}", "مستحق للجهة {}"),
            // Whom a channel pays itself may owe it money back: a report of that is a fact, and never refused.
            Self::AgencyDirect => row("agency/{}/direct", Liability, "Paid to agency {} by its channels themselves", "ما تدفعه القنوات مباشرة للجهة {}"),
            Self::AgencyFrozen => floored("agency/{}/frozen", Liability, "Frozen by disputes, agency {}", "مجمد بسبب اعتراضات، الجهة {}"),
            Self::AgencyReserve => floored("agency/{}/reserve", Liability, "Reserve of agency {}", "احتياطي الجهة {}"),
            Self::AgencyTax => floored("agency/{}/tax/{}", Liability, "Agency {}: tax {}", "الجهة {}: ضريبة {}"),
            Self::TreasuryPayable => floored("treasury/{}/payable", Liability, "Payable to treasury {}", "مستحق للخزينة {}"),
            Self::TreasuryFloat => floored("treasury/{}/float", Liability, "Advance from treasury {}", "سلفة من الخزينة {}"),
            Self::TreasuryUnclaimed => floored("treasury/{}/unclaimed", Liability, "Unclaimed money, treasury {}", "مبالغ لم يطالب بها أحد، الخزينة {}"),
            Self::CostsPayable => row("channel/{}/costs_payable", Liability, "Costs payable to channel {}", "تكاليف مستحقة للقناة {}"),
            Self::RefundsPayable => floored("refunds/payable", Liability, "Refunds payable", "مبالغ واجبة الرد"),
            Self::RefundsInFlight => row("refunds/in_flight", Liability, "Refunds on their way", "مبالغ مردودة قيد التنفيذ"),
            Self::PayoutsInFlight => row("payouts/in_flight", Liability, "Payouts on their way", "دفعات للجهات قيد التنفيذ"),
            Self::PartialHeld => floored("partial/held", Liability, "Part payments held", "دفعات جزئية محتجزة"),
            Self::SuspenseCredits => floored("suspense/{}/credits", Liability, "Money not yet applied, {}", "مبالغ معلقة دائنة، {}"),
            Self::CashOver => floored("cash/over", Liability, "Cash surpluses to be decided", "زيادة نقدية قيد البت"),
            Self::HubFees => row("hub/fees", Income, "Fees of the hub", "رسوم المنصة"),
            // Collected for a tax office, hence owed and not earned, though it is listed among the hub's own.
            Self::HubTax => row("hub/tax", Liability, "Tax on the hub's fees", "الضريبة على رسوم المنصة"),
            Self::HubCosts => row("hub/costs/{}", Expense, "Costs of the hub, {}", "تكاليف المنصة، {}"),
            Self::HubLosses => row("hub/losses", Expense, "Losses of the hub", "خسائر المنصة"),
            Self::Rounding => row("rounding", Expense, "Cash rounding differences", "فروق تقريب النقد"),
            Self::Assessed => row("agency/{}/assessed", Memo, "Fees assessed and then exempted, agency {}", "رسوم مقررة شملها الإعفاء، الجهة {}"),
            Self::Waived => row("agency/{}/waived", Memo, "Fees waived by agency {}", "رسوم أعفت منها الجهة {}"),
        }
    }

    pub const fn class(self) -> Class {
        self.row().class
    }

    /// Money on its way, or waiting for a decision: returns to zero when every open item is settled.
    pub const fn is_clearing(self) -> bool {
        matches!(
            self,
            Self::OwnTransfers
                | Self::Receivable
                | Self::Transit
                | Self::Cheques
                | Self::CashShort
                | Self::SponsorReceivable
                | Self::DisputeClaims
                | Self::SuspenseDebits
                | Self::AgencyDirect
                | Self::AgencyFrozen
                | Self::CostsPayable
                | Self::RefundsPayable
                | Self::RefundsInFlight
                | Self::PayoutsInFlight
                | Self::PartialHeld
                | Self::SuspenseCredits
                | Self::CashOver
        )
    }

    /// The account of this kind for these slugs, as many as its pattern has places.
    fn account(self, slugs: &[&Slug], currency: Currency) -> Account {
        let row = self.row();
        let code = fill(row.pattern, slugs.iter().map(ToString::to_string))
            .parse()
            .expect("the words of the chart and two slugs make a code");
        let mut account = Account::new(code, row.class, currency);
        account.floor_minor = row.floor_minor;
        match (row.pattern.starts_with("agency/"), slugs) {
            (true, [agency, ..]) => account.of_agency(agency.shared()),
            _ => account,
        }
    }
}

/// Puts the words in the places `{}` of the pattern.
fn fill(pattern: &str, words: impl IntoIterator<Item = String>) -> String {
    let mut words = words.into_iter();
    let mut filled = String::with_capacity(pattern.len() + 40);
    for (index, part) in pattern.split("{}").enumerate() {
        if index > 0 {
            filled.extend(words.next());
        }
        filled.push_str(part);
    }
    filled
}

/// An account in words people read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    pub kind: Kind,
    pub name_en: String,
    /// The slugs in it are bidi-isolated.
    pub name_ar: String,
}

/// The name of an account of the chart in both languages; None for a code that is not of this chart.
pub fn describe(code: &str) -> Option<Described> {
    Kind::ALL.into_iter().find_map(|kind| {
        let row = kind.row();
        let slugs = places(row.pattern, code)?;
        let name_en = fill(row.name_en, slugs.iter().map(ToString::to_string));
        // LEFT-TO-RIGHT ISOLATE .. POP DIRECTIONAL ISOLATE (Unicode UAX #9, section 2.4).
        let name_ar = fill(row.name_ar, slugs.iter().map(|slug| format!("\u{2066}{slug}\u{2069}")));
        Some(Described { kind, name_en, name_ar })
    })
}

/// What stands in the places of the pattern, when the code fits it.
fn places(pattern: &str, code: &str) -> Option<Vec<Slug>> {
    let mut slugs = Vec::new();
    let mut parts = code.split('/');
    for word in pattern.split('/') {
        let part = parts.next()?;
        if word == "{}" {
            slugs.push(part.parse().ok()?);
        } else if word != part {
            return None;
        }
    }
    parts.next().is_none().then_some(slugs)
}

macro_rules! accounts {
    ($($(#[$doc:meta])* $name:ident($($slug:ident),*) = $kind:ident;)*) => {$(
        $(#[$doc])*
        pub fn $name($($slug: &Slug,)* currency: Currency) -> Account {
            Kind::$kind.account(&[$($slug),*], currency)
        }
    )*};
}

accounts! {
    /// On its way from one of our bank accounts to another.
    own_transfers() = OwnTransfers;
    /// Moved by statement lines only.
    bank(account) = Bank;
    /// What a channel took and has not settled.
    receivable(channel) = Receivable;
    drawer(counter) = Drawer;
    safe(office) = Safe;
    /// Cash and cheques carried to the bank and not yet on a statement.
    transit(office) = Transit;
    cheques(office) = Cheques;
    /// Cash that is missing: a claim until somebody decides.
    cash_short() = CashShort;
    sponsor_receivable(sponsor) = SponsorReceivable;
    /// What a channel took back while a chargeback is argued.
    dispute_claims(channel) = DisputeClaims;
    /// Money that left a bank account and nobody knows why.
    suspense_debits(suspense) = SuspenseDebits;
    /// The agency's, and not to be paid out before the service is delivered or the time has passed.
    agency_held(agency) = AgencyHeld;
    /// What channels pay the agency themselves, until they report that they did; below zero while it has money that they
    /// will take back. It never passes through the hub, so no payout draws on it.
    agency_direct(agency) = AgencyDirect;
    agency_frozen(agency) = AgencyFrozen;
    agency_reserve(agency) = AgencyReserve;
    agency_tax(agency, tax) = AgencyTax;
    treasury_payable(fund) = TreasuryPayable;
    /// Lent by the treasury so that payouts need not wait for the rail.
    treasury_float(fund) = TreasuryFloat;
    treasury_unclaimed(fund) = TreasuryUnclaimed;
    /// Accrued and not yet kept or billed by the channel.
    costs_payable(channel) = CostsPayable;
    refunds_payable() = RefundsPayable;
    refunds_in_flight() = RefundsInFlight;
    payouts_in_flight() = PayoutsInFlight;
    /// Parts of a payment whose price does not allow instalments.
    partial_held() = PartialHeld;
    /// Money that is here and belongs to nobody known yet.
    suspense_credits(suspense) = SuspenseCredits;
    cash_over() = CashOver;
    hub_fees() = HubFees;
    hub_tax() = HubTax;
    /// What a channel or bank costs the hub.
    hub_costs(channel) = HubCosts;
    hub_losses() = HubLosses;
    rounding() = Rounding;
    /// Memo pair with [`waived`]: what an exempted fee would have been.
    assessed(agency) = Assessed;
    waived(agency) = Waived;
}

/// Payable to an agency. `limit_minor` says how many minor units below zero refunds may take it, to be paid in by the
/// agency. It counts when the account is opened; afterwards the limit that the book keeps does. Rules open it with 0.
pub fn agency_payable(agency: &Slug, limit_minor: u64, currency: Currency) -> Account {
    let floor_minor = i64::try_from(limit_minor).map_or(i64::MIN, i64::wrapping_neg);
    Kind::AgencyPayable.account(&[agency], currency).with_floor(floor_minor)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slug(text: &str) -> Slug {
        text.parse().unwrap()
    }

    #[test]
    fn every_kind_is_listed_once_and_described_by_its_own_pattern() {
        let longest = slug(&"x".repeat(40));
        for kind in Kind::ALL {
            let count = kind.row().pattern.matches("{}").count();
            let account = kind.account(&[&longest, &longest][..count], Currency::JOD);
            let described = describe(account.code.as_str()).unwrap();
            assert_eq!((described.kind, account.class), (kind, kind.class()), "{}", account.code);
            for name in [kind.row().name_en, kind.row().name_ar] {
                assert_eq!(name.matches("{}").count(), count, "{name}");
            }
        }
        let patterns: std::collections::BTreeSet<&str> =
            Kind::ALL.iter().map(|kind| kind.row().pattern).collect();
        assert_eq!(patterns.len(), Kind::ALL.len());
    }

    #[test]
    fn accounts_carry_class_agency_and_floor() {
        let psi = slug("psi");
        let of = |account: Account| {
            let Account { code, class, agency, floor_minor, ceiling_minor, .. } = account;
            assert_eq!(ceiling_minor, None);
            (code.to_string(), class, agency.map(|agency| agency.to_string()), floor_minor)
        };
        let owned = |text: &str| text.to_owned();
        let agency = Some(owned("psi"));
        let jod = Currency::JOD;
        assert_eq!(of(bank(&psi, jod)), (owned("bank/psi"), Class::Asset, None, None));
        assert_eq!(of(drawer(&psi, jod)), (owned("cash/psi/drawer"), Class::Asset, None, Some(0)));
        assert_eq!(
            of(agency_held(&psi, jod)),
            (owned("agency/psi/held"), Class::Liability, agency.clone(), Some(0))
        );
        assert_eq!(
            of(agency_tax(&psi, &slug("vat-16"), jod)),
            (owned("agency/psi/tax/vat-16"), Class::Liability, agency.clone(), Some(0))
        );
        assert_eq!(of(waived(&psi, jod)), (owned("agency/psi/waived"), Class::Memo, agency, None));
        assert_eq!(of(refunds_payable(jod)), (owned("refunds/payable"), Class::Liability, None, Some(0)));
        assert_eq!(of(hub_costs(&psi, jod)), (owned("hub/costs/psi"), Class::Expense, None, None));
        assert_eq!(of(hub_fees(jod)), (owned("hub/fees"), Class::Income, None, None));
    }

    #[test]
    fn the_limit_of_an_agency_is_how_far_it_may_fall_below_zero() {
        let floor = |limit| agency_payable(&slug("psi"), limit, Currency::ILS).floor_minor;
        assert_eq!(floor(0), Some(0));
        assert_eq!(floor(50_000), Some(-50_000));
        assert_eq!(floor(u64::MAX), Some(i64::MIN));
    }

    #[test]
    fn an_account_has_a_name_in_either_language() {
        let tax = describe("agency/psi/tax/vat").unwrap();
        assert_eq!(tax.name_en, "Agency psi: tax vat");
        assert_eq!(tax.name_ar, "الجهة \u{2066}psi\u{2069}: ضريبة \u{2066}vat\u{2069}");
        assert_eq!(describe("bank/transfers").unwrap().kind, Kind::OwnTransfers);
        assert_eq!(describe("bank/collection").unwrap().kind, Kind::Bank);
        assert_eq!(describe("refunds/in_flight").unwrap().name_en, "Refunds on their way");
    }

    #[test]
    fn a_code_of_another_chart_has_no_name() {
        for code in
            ["", "bank", "bank/", "bank/a/b", "agency/psi", "agency/psi/tax", "agency/PSI/held", "equity"]
        {
            assert_eq!(describe(code), None, "{code:?}");
        }
    }
}
