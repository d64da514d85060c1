//! Agencies, the services they sell, and who holds the money of each channel.

use mizan_ledger::{Currency, Day, Zone};
use serde::{Deserialize, Serialize};

use super::fee::FeeVersion;
use super::iban::Iban;
use super::words::{Bilingual, ServiceCode};
use crate::books::Slug;

/// All agencies and services of a set of files.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Catalogue {
    pub agencies: Vec<Agency>,
    pub services: Vec<Service>,
    /// Some file said `example = true`: its tariffs are invented and must not be charged in live mode.
    pub example: bool,
}

impl Catalogue {
    pub fn agency(&self, code: &Slug) -> Option<&Agency> {
        self.agencies.iter().find(|agency| agency.code == *code)
    }

    pub fn service(&self, code: &ServiceCode) -> Option<&Service> {
        self.services.iter().find(|service| service.code == *code)
    }
}

/// A government body that is owed fees.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Agency {
    pub code: Slug,
    pub name: Bilingual,
    /// The four digits every bill number of this agency begins with.
    pub issuer: String,
    /// Its local day decides which fee version is valid.
    pub zone: Zone,
    pub bank_accounts: Vec<BankAccount>,
    pub money: Vec<MoneyRule>,
}

/// Where an agency receives its share, or in direct mode every payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BankAccount {
    pub currency: Currency,
    pub iban: Iban,
    pub holder: Bilingual,
}

/// Who holds the money between payer and agency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MoneyMode {
    /// The rail settles into the hub's collection account; the agency gets payouts.
    Pooled,
    /// The rail settles into the agency's own account; the hub holds nothing.
    Direct,
    /// As pooled, but one payout a day goes to the treasury with an allocation list.
    Treasury,
}

/// The money mode of some of an agency's payments: those that match what is named here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MoneyRule {
    pub mode: MoneyMode,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<ServiceCode>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
}

impl MoneyRule {
    fn matches(&self, service: &ServiceCode, channel: Channel, currency: Currency) -> bool {
        self.service.as_ref().is_none_or(|named| named == service)
            && self.channel.is_none_or(|named| named == channel)
            && self.currency.is_none_or(|named| named == currency)
    }

    /// What two rules of one agency must not share, and which of two matching rules is nearer: service
    /// before channel before currency.
    pub(super) fn rank(&self) -> (bool, bool, bool) {
        (self.service.is_some(), self.channel.is_some(), self.currency.is_some())
    }
}

impl Agency {
    /// Who holds the money of a payment for `service` that comes in `currency` through `channel`: the rule
    /// that names most, where a service outweighs a channel and a channel a currency. None only for an
    /// agency without a general rule, which no checked catalogue holds.
    pub fn money_mode(
        &self,
        service: &ServiceCode,
        channel: Channel,
        currency: Currency,
    ) -> Option<MoneyMode> {
        let matching = self.money.iter().filter(|rule| rule.matches(service, channel, currency));
        matching.max_by_key(|rule| rule.rank()).map(|rule| rule.mode)
    }

    pub fn bank_account(&self, currency: Currency) -> Option<&BankAccount> {
        self.bank_accounts.iter().find(|account| account.currency == currency)
    }
}

/// The kinds of ways to pay a catalogue may open a service to.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
#[schema(as = ServiceChannel)]
pub enum Channel {
    /// Bill presentment through E-SADAD.
    Esadad,
    /// Bill presentment through eFAWATEERcom.
    Efawateercom,
    /// A card gateway's hosted page.
    Card,
    /// Instant transfer: request to pay.
    Instant,
    /// Bank transfer with the RF reference.
    Transfer,
    /// Cash, cheque or card at a window.
    Counter,
}

/// Who may ask for a service.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Applicant {
    Person,
    Company,
}

/// One service of an agency, with the fee versions it had, has and will have.
/// Its inputs are those of the version in force: they change with the price, not on their own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Service {
    pub code: ServiceCode,
    pub name: Bilingual,
    pub description: Bilingual,
    /// What the applicant must bring.
    pub documents: Vec<Bilingual>,
    pub duration_days: u16,
    pub channels: Vec<Channel>,
    pub applicants: Vec<Applicant>,
    pub tags: Vec<Slug>,
    pub versions: Vec<FeeVersion>,
}

impl Service {
    /// The version whose days hold `day`; at most one, because ranges never overlap.
    pub fn version_on(&self, day: Day) -> Option<&FeeVersion> {
        self.versions.iter().find(|version| version.valid.contains(day))
    }

    pub fn version(&self, number: u32) -> Option<&FeeVersion> {
        self.versions.iter().find(|version| version.number == number)
    }

    /// The service alone, as it is stored: versions come and go on their own.
    pub fn without_versions(&self) -> Self {
        Self { versions: Vec::new(), ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Named<'a> = (MoneyMode, Option<&'a str>, Option<Channel>, Option<Currency>);

    fn agency(rules: &[Named<'_>]) -> Agency {
        let rule = |(mode, service, channel, currency): &Named<'_>| MoneyRule {
            mode: *mode,
            service: service.map(|code| code.parse().unwrap()),
            channel: *channel,
            currency: *currency,
        };
        Agency {
            code: "health".parse().unwrap(),
            name: Bilingual::new("الصحة", "Health"),
            issuer: "2103".to_owned(),
            zone: Zone::utc(),
            bank_accounts: Vec::new(),
            money: rules.iter().map(rule).collect(),
        }
    }

    #[test]
    fn the_nearest_money_rule_decides() {
        use MoneyMode::{Direct, Pooled, Treasury};
        let agency = agency(&[
            (Pooled, None, None, None),
            (Direct, None, Some(Channel::Esadad), None),
            (Treasury, Some("health/licence"), None, None),
            (Pooled, None, None, Some(Currency::USD)),
        ]);
        let mode = |service: &str, channel, currency| {
            agency.money_mode(&service.parse().unwrap(), channel, currency).unwrap()
        };
        assert_eq!(mode("health/certificate", Channel::Card, Currency::ILS), Pooled);
        assert_eq!(mode("health/certificate", Channel::Esadad, Currency::USD), Direct);
        assert_eq!(mode("health/licence", Channel::Esadad, Currency::ILS), Treasury);
    }

    #[test]
    fn an_agency_without_a_rule_has_no_mode() {
        let code = "health/certificate".parse().unwrap();
        assert_eq!(agency(&[]).money_mode(&code, Channel::Card, Currency::ILS), None);
    }
}
