//! The words rules are told in.

use mizan_ledger::account::Account;
use mizan_ledger::{Currency, Day, EntryId, Money};
use serde_json::{Map, Value};

use super::draft::{Draft, RuleError};
use crate::books::chart;
use crate::books::slug::Slug;

/// The head of an entry: everything but its kind and lines.
#[derive(Debug, Clone)]
pub struct Voucher {
    /// Minted with the business fact and stored before posting.
    pub id: EntryId,
    /// The accounting date.
    pub effective_on: Day,
    /// Who caused it, as `channel:e-sadad`.
    pub actor: String,
    /// The business object, as `pi_01936f...`.
    pub source_ref: String,
    /// Flat JSON, at most 4,096 bytes.
    pub meta: Map<String, Value>,
}

/// How far an agency's money is from being paid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Until the service is delivered or the time has passed.
    Held,
    /// Released.
    Payable,
    /// Paid to it by the channel itself: the hub neither holds nor owes it.
    Direct,
}

/// Whose money a share is, and with that the account on which it stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Beneficiary {
    Agency {
        agency: Slug,
        stage: Stage,
    },
    /// A tax the agency collects and owes.
    AgencyTax {
        agency: Slug,
        tax: Slug,
    },
    Treasury {
        fund: Slug,
    },
    HubFee,
    HubTax,
    /// Nobody known yet: `suspense/<suspense>/credits`.
    Suspense {
        suspense: Slug,
    },
}

impl Beneficiary {
    pub fn account(&self, currency: Currency) -> Account {
        match self {
            Self::Agency { agency, stage: Stage::Held } => chart::agency_held(agency, currency),
            Self::Agency { agency, stage: Stage::Payable } => chart::agency_payable(agency, 0, currency),
            Self::Agency { agency, stage: Stage::Direct } => chart::agency_direct(agency, currency),
            Self::AgencyTax { agency, tax } => chart::agency_tax(agency, tax, currency),
            Self::Treasury { fund } => chart::treasury_payable(fund, currency),
            Self::HubFee => chart::hub_fees(currency),
            Self::HubTax => chart::hub_tax(currency),
            Self::Suspense { suspense } => chart::suspense_credits(suspense, currency),
        }
    }
}

/// A part of some money and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    pub beneficiary: Beneficiary,
    pub amount: Money,
}

/// Where money is that came in.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Place {
    /// A channel took it and owes it.
    Channel {
        channel: Slug,
    },
    Drawer {
        counter: Slug,
    },
    Cheques {
        office: Slug,
    },
    /// On a statement of our bank.
    Bank {
        account: Slug,
    },
}

impl Place {
    pub fn account(&self, currency: Currency) -> Account {
        match self {
            Self::Channel { channel } => chart::receivable(channel, currency),
            Self::Drawer { counter } => chart::drawer(counter, currency),
            Self::Cheques { office } => chart::cheques(office, currency),
            Self::Bank { account } => chart::bank(account, currency),
        }
    }
}

/// Who bears a cost of the rail.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum CostBearer {
    Hub,
    Agency { agency: Slug, stage: Stage },
}

/// What a channel charges for a payment, by contract or as the rail told it. The hub learns it when it posts the
/// payment; the channel keeps it from its settlement or bills it later. None when the payer paid his own bank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RailCost {
    pub channel: Slug,
    pub amount: Money,
    pub borne_by: CostBearer,
}

impl CostBearer {
    /// The account that pays for `channel`.
    pub(super) fn account(&self, channel: &Slug, currency: Currency) -> Account {
        match self {
            Self::Hub => chart::hub_costs(channel, currency),
            Self::Agency { agency, stage } => {
                Beneficiary::Agency { agency: agency.clone(), stage: *stage }.account(currency)
            }
        }
    }
}

/// A part of the price that the payer was not asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exemption {
    /// Nobody pays it: a memo of what the agency gave up.
    Waived { agency: Slug, amount: Money },
    /// The sponsor owes it to whom the component belongs.
    Sponsored { sponsor: Slug, share: Share },
}

/// An amount in suspense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parked {
    /// `suspense/<suspense>/credits`: by channel, bank account or cause.
    pub suspense: Slug,
    pub amount: Money,
}

/// Why the money received is not what the components ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    None,
    /// More came: the rest waits in suspense, a refund is proposed.
    Surplus(Parked),
    /// Less came, within the tolerance of `channel`; the bearer makes the components whole.
    Shortfall {
        channel: Slug,
        amount: Money,
        borne_by: CostBearer,
    },
    /// Cash only has steps: received less due, above zero when the payer gave more. May be negative.
    Rounding(Money),
}

/// Money for priced components.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    pub place: Place,
    /// What the payer paid.
    pub received: Money,
    /// The components net of exemption, in the order of the fee version. With the difference they make up `received`.
    pub shares: Vec<Share>,
    pub difference: Difference,
    pub exemptions: Vec<Exemption>,
    pub costs: Vec<RailCost>,
}

/// Money that left and came back, whole or in part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Returned {
    pub place: Place,
    /// What came back.
    pub arrived: Money,
    /// What a bank or channel kept of it; the hub bears it.
    pub kept: Money,
    /// Whose charge it is: `hub/costs/<kept_by>`.
    pub kept_by: Slug,
}

impl Returned {
    /// Its debits; their sum is owed again.
    pub(super) fn come_back(&self, draft: &mut Draft) -> Result<Money, RuleError> {
        draft.debit(self.place.account(draft.currency()), self.arrived)?;
        draft.cost(&self.kept_by, self.kept, &CostBearer::Hub)?;
        Ok(self.arrived.checked_add(self.kept)?)
    }
}
