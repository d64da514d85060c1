//! What only shows when agencies and services lie side by side.

use std::collections::{BTreeMap, BTreeSet};

use mizan_ledger::Currency;

use super::super::model::{Agency, MoneyMode, Service};
use super::super::soundness::NAME_CHARS_MAX;
use super::super::words::Bilingual;
use super::tree::Place;
use super::{Codes, Read, ReadService};

const DESCRIPTION_CHARS_MAX: usize = 2_000;

pub(super) fn check(agencies: &[Read<'_, Agency>], services: &[ReadService<'_>], codes: &Codes) {
    let mut seen = BTreeSet::new();
    let mut issuers = BTreeMap::new();
    for Read { value: agency, place } in agencies {
        if !seen.insert(&agency.code) {
            place.report("/code", format!("the agency `{}` stands twice", agency.code));
        }
        if let Some(other) = issuers.insert(&agency.issuer, &agency.code) {
            place.report("/issuer", format!("the issuer digits {} are those of `{other}`", agency.issuer));
        }
        self::agency(agency, place, services);
        money_rules(agency, place, codes);
    }
    let mut seen = BTreeSet::new();
    for ReadService { service, place, versions } in services {
        if !seen.insert(&service.code) {
            place.report("/code", format!("the service `{}` stands twice", service.code));
        }
        if !codes.agencies.contains(service.code.agency()) {
            place.report("/code", format!("there is no agency `{}`", service.code.agency()));
        }
        self::service(service, place);
        self::versions(service, versions);
    }
}

fn agency(agency: &Agency, place: &Place<'_>, services: &[ReadService<'_>]) {
    text(place, "/name", &agency.name, NAME_CHARS_MAX);
    if agency.issuer.len() != 4 || !agency.issuer.bytes().all(|byte| byte.is_ascii_digit()) {
        place.report("/issuer", format!("{:?} is not four digits", agency.issuer));
    }
    let mut currencies: Vec<Currency> = Vec::new();
    for (index, account) in agency.bank_accounts.iter().enumerate() {
        text(place, &format!("/bank_accounts/{index}/holder"), &account.holder, NAME_CHARS_MAX);
        if currencies.contains(&account.currency) {
            let what = format!("a second account in {}", account.currency);
            place.report(&format!("/bank_accounts/{index}/currency"), what);
        }
        currencies.push(account.currency);
    }
    for missing in owed_in(agency, services).filter(|currency| !currencies.contains(currency)) {
        place.report(
            "/bank_accounts",
            format!("fees are charged in {missing}, but no account takes {missing}"),
        );
    }
}

/// Every currency some service of the agency is charged in.
fn owed_in<'a>(agency: &'a Agency, services: &'a [ReadService<'_>]) -> impl Iterator<Item = Currency> + 'a {
    let own = services.iter().filter(|read| read.service.code.agency() == &agency.code);
    let charged = own.flat_map(|read| &read.service.versions).flat_map(|version| version.currencies.clone());
    charged.collect::<BTreeSet<_>>().into_iter()
}

fn money_rules(agency: &Agency, place: &Place<'_>, codes: &Codes) {
    if !agency.money.iter().any(|rule| rule.rank() == (false, false, false)) {
        place.report(
            "/money",
            "a general money mode is missing: one rule that names no service, channel or currency",
        );
    }
    for (index, rule) in agency.money.iter().enumerate() {
        let at = format!("/money/{index}");
        let same = |other: &&super::super::model::MoneyRule| {
            (&other.service, other.channel, other.currency) == (&rule.service, rule.channel, rule.currency)
        };
        if agency.money[..index].iter().any(|other| same(&other)) {
            place.report(&at, "an earlier rule names the same payments");
        }
        if let Some(code) = &rule.service
            && (!codes.services.contains(code) || code.agency() != &agency.code)
        {
            place.report(&format!("{at}/service"), format!("`{code}` is not a service of this agency"));
        }
        if rule.mode == MoneyMode::Direct
            && let Some(currency) = rule.currency
            && agency.bank_account(currency).is_none()
        {
            let what = format!("direct money in {currency} needs an account of the agency in {currency}");
            place.report(&format!("{at}/currency"), what);
        }
    }
}

fn service(service: &Service, place: &Place<'_>) {
    text(place, "/name", &service.name, NAME_CHARS_MAX);
    text(place, "/description", &service.description, DESCRIPTION_CHARS_MAX);
    for (index, document) in service.documents.iter().enumerate() {
        text(place, &format!("/documents/{index}"), document, NAME_CHARS_MAX);
    }
    twice(place, "/channels", &service.channels);
    twice(place, "/applicants", &service.applicants);
    twice(place, "/tags", &service.tags);
}

fn twice<T: PartialEq + std::fmt::Debug>(place: &Place<'_>, at: &str, words: &[T]) {
    for (index, word) in words.iter().enumerate() {
        if words[..index].contains(word) {
            let what = format!("`{}` stands twice", format!("{word:?}").to_lowercase());
            place.report(&format!("{at}/{index}"), what);
        }
    }
}

/// Numbers differ, and no day has two prices.
fn versions(service: &Service, places: &[Place<'_>]) {
    for (index, (version, place)) in service.versions.iter().zip(places).enumerate() {
        for earlier in &service.versions[..index] {
            if earlier.number == version.number {
                place.report("/number", format!("version {} stands twice", version.number));
            }
            if earlier.valid.overlaps(version.valid) {
                let what = format!("the days of this version overlap those of version {}", earlier.number);
                place.report("/from", what);
            }
        }
    }
}

fn text(place: &Place<'_>, at: &str, text: &Bilingual, chars_max: usize) {
    if let Some((language, what)) = text.defect(chars_max) {
        place.report(&format!("{at}/{language}"), what);
    }
}
