//! Agencies and services out of a file's tables.

use mizan_ledger::Zone;

use super::super::fee::FeeVersion;
use super::super::model::{Agency, BankAccount, MoneyRule, Service};
use super::super::words::ServiceCode;
use super::read_fee;
use super::tree::{Fields, Place};
use super::{Codes, Read, ReadService};
use crate::books::Slug;

pub(super) fn agency<'a>(fields: Fields<'a>, codes: &mut Codes) -> Option<Read<'a, Agency>> {
    let place = fields.place();
    let code: Option<Slug> = fields.parsed("code");
    codes.agencies.extend(code.clone());
    let name = fields.bilingual("name");
    let issuer = fields.text("issuer");
    let zone = fields.parsed::<Zone>("zone");
    let bank_accounts: Vec<_> = fields.tables("bank_accounts").into_iter().map(bank_account).collect();
    let money: Vec<_> = fields.tables("money").into_iter().map(money_rule).collect();
    fields.finish();
    let value = Agency {
        code: code?,
        name: name?,
        issuer: issuer?,
        zone: zone?,
        bank_accounts: bank_accounts.into_iter().collect::<Option<_>>()?,
        money: money.into_iter().collect::<Option<_>>()?,
    };
    Some(Read { value, place })
}

fn bank_account(fields: Fields<'_>) -> Option<BankAccount> {
    let currency = fields.parsed("currency");
    let iban = fields.parsed("iban");
    let holder = fields.bilingual("holder");
    fields.finish();
    Some(BankAccount { currency: currency?, iban: iban?, holder: holder? })
}

fn money_rule(fields: Fields<'_>) -> Option<MoneyRule> {
    let mode = fields.word("mode");
    let rule = MoneyRule {
        mode: mode?,
        service: fields.optional_parsed("service"),
        channel: fields.optional_word("channel"),
        currency: fields.optional_parsed("currency"),
    };
    fields.finish();
    Some(rule)
}

pub(super) fn service<'a>(fields: Fields<'a>, codes: &mut Codes) -> Option<ReadService<'a>> {
    let place = fields.place();
    let code: Option<ServiceCode> = fields.parsed("code");
    codes.services.extend(code.clone());
    let name = fields.bilingual("name");
    let description = fields.bilingual("description");
    let documents = fields.tables("documents").into_iter().map(Fields::into_bilingual).collect();
    let duration_days = fields.integer("duration_days");
    let channels = fields.some_words("channels");
    let applicants = fields.some_words("applicants");
    let tags = fields.words("tags");
    let tables = fields.tables("versions");
    if tables.is_empty() {
        fields.report("a service needs at least one fee version: [[services.versions]]");
    }
    fields.finish();
    // Versions are read even when the head of the service cannot be, to tell every problem at once.
    let standing_in = || "unreadable/unreadable".parse().ok();
    let of_service = code.clone().or_else(standing_in)?;
    let read = tables.into_iter().filter_map(|table| read_fee::version(&of_service, table));
    let (versions, places): (Vec<FeeVersion>, Vec<Place<'_>>) =
        read.map(|version| (version.value, version.place)).unzip();
    let service = Service {
        code: code?,
        name: name?,
        description: description?,
        documents,
        duration_days: duration_days?,
        channels: channels?,
        applicants: applicants?,
        tags: tags?,
        versions,
    };
    Some(ReadService { service, place, versions: places })
}
