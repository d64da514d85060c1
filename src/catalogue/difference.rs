//! What files change in the catalogue in force, field by field, for the person who approves them.
//!
//! Files add and change; what they leave out stays as it is.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Catalogue, FeeVersion, Service};

/// Everything an approval changes; empty when the files say what is in force already.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = CatalogueDifference)]
pub struct Difference {
    pub agencies: Vec<Changed>,
    pub services: Vec<Changed>,
    pub fee_versions: Vec<ChangedVersion>,
}

/// An agency or a service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = CatalogueChange)]
pub struct Changed {
    pub code: String,
    pub change: Change,
    pub fields: Vec<FieldChange>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = FeeVersionChange)]
pub struct ChangedVersion {
    pub service: String,
    pub number: u32,
    pub change: Change,
    /// The version before it, with which the fields of a new one are compared.
    pub follows: Option<u32>,
    pub fields: Vec<FieldChange>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = CatalogueChangeKind)]
pub enum Change {
    New,
    Changed,
    /// A fee version that had no end has one.
    Ended,
}

/// One field with what stands there now and what will; null where nothing does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = CatalogueFieldChange)]
pub struct FieldChange {
    /// Its path with dots, items of a list by what tells them apart: `components.vat.rate`, `bank_accounts.JOD.iban`.
    pub field: String,
    pub before: Value,
    pub after: Value,
}

impl Difference {
    /// What `files` change in what is `in_force`.
    ///
    /// # Errors
    /// When something does not become JSON, which everything in a catalogue does.
    pub fn between(in_force: &Catalogue, files: &Catalogue) -> serde_json::Result<Self> {
        let mut difference = Self::default();
        for agency in &files.agencies {
            let known = in_force.agency(&agency.code);
            difference.agencies.extend(changed(agency.code.to_string(), known, agency)?);
        }
        for service in &files.services {
            let known = in_force.service(&service.code);
            let head = known.map(Service::without_versions);
            let code = service.code.to_string();
            difference.services.extend(changed(code, head.as_ref(), &service.without_versions())?);
            for version in &service.versions {
                difference.fee_versions.extend(changed_version(known, service, version)?);
            }
        }
        Ok(difference)
    }
}

fn changed<T: Serialize>(code: String, before: Option<&T>, after: &T) -> serde_json::Result<Option<Changed>> {
    let fields = fields(before, after)?;
    let change = if before.is_none() { Change::New } else { Change::Changed };
    Ok((!fields.is_empty()).then_some(Changed { code, change, fields }))
}

/// A version that is there can only have got an end; a new one is compared with the one it follows.
fn changed_version(
    known: Option<&Service>,
    service: &Service,
    version: &FeeVersion,
) -> serde_json::Result<Option<ChangedVersion>> {
    let before = known.and_then(|known| known.version(version.number));
    let follows = match before {
        Some(_) => None,
        None => predecessor(known, service, version),
    };
    let fields = fields(before.or(follows), version)?;
    if before.is_some() && fields.is_empty() {
        return Ok(None);
    }
    Ok(Some(ChangedVersion {
        service: service.code.to_string(),
        number: version.number,
        change: if before.is_some() { Change::Ended } else { Change::New },
        follows: follows.map(|version| version.number),
        // The number is told beside them.
        fields: fields.into_iter().filter(|change| change.field != "number").collect(),
    }))
}

/// The version that begins last before this one: in the files, or in force.
fn predecessor<'a>(
    known: Option<&'a Service>,
    service: &'a Service,
    version: &FeeVersion,
) -> Option<&'a FeeVersion> {
    let in_force = known.into_iter().flat_map(|known| &known.versions);
    let all = service.versions.iter().chain(in_force);
    let earlier = all.filter(|other| other.valid.from < version.valid.from);
    earlier.max_by_key(|other| other.valid.from)
}

/// The fields in which two documents differ; without the first, every field of the second.
///
/// # Errors
/// When a document does not become JSON.
pub fn fields<T: Serialize>(before: Option<&T>, after: &T) -> serde_json::Result<Vec<FieldChange>> {
    let before = before.map(leaves).transpose()?.unwrap_or_default();
    let after = leaves(after)?;
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let changes = names.into_iter().map(|name| FieldChange {
        field: name.clone(),
        before: before.get(name).cloned().unwrap_or_default(),
        after: after.get(name).cloned().unwrap_or_default(),
    });
    Ok(changes.filter(|change| change.before != change.after).collect())
}

fn leaves<T: Serialize>(document: &T) -> serde_json::Result<BTreeMap<String, Value>> {
    let mut leaves = BTreeMap::new();
    flatten("", serde_json::to_value(document)?, &mut leaves);
    Ok(leaves)
}

fn flatten(path: &str, value: Value, leaves: &mut BTreeMap<String, Value>) {
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match value {
        Value::Null => {}
        Value::Object(members) => {
            members.into_iter().for_each(|(name, value)| flatten(&below(&name), value, leaves));
        }
        Value::Array(items) if items.is_empty() => {}
        Value::Array(items) if items.iter().all(Value::is_object) => {
            let names: Option<Vec<String>> = items.iter().map(name).collect();
            // Their order is the order of the lines that a payer reads, so it is a field of its own.
            if let Some(names) = &names {
                leaves.insert(path.to_owned(), Value::from(names.clone()));
            }
            let names = names.unwrap_or_else(|| (1..=items.len()).map(|place| place.to_string()).collect());
            names.iter().zip(items).for_each(|(name, item)| flatten(&below(name), item, leaves));
        }
        leaf => drop(leaves.insert(path.to_owned(), leaf)),
    }
}

/// What tells an item from the others of its list, as the checks of a catalogue demand it: no two share it.
fn name(item: &Value) -> Option<String> {
    let text = |key: &str| item.get(key).and_then(Value::as_str);
    if item.get("mode").is_some() {
        let named: Vec<&str> = ["service", "channel", "currency"].into_iter().filter_map(text).collect();
        return Some(if named.is_empty() { "general".to_owned() } else { named.join("+") });
    }
    ["code", "currency", "from"].into_iter().find_map(text).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::catalogue::check;

    fn good(edit: impl Fn(&str) -> String) -> Catalogue {
        let text = edit(include_str!("import/tests/good.toml"));
        check(&[("good.toml", text)]).expect("good")
    }

    fn between(edit: impl Fn(&str) -> String) -> Difference {
        Difference::between(&good(str::to_owned), &good(edit)).expect("JSON")
    }

    fn told(fields: &[FieldChange]) -> Vec<(&str, Value, Value)> {
        fields.iter().map(|one| (one.field.as_str(), one.before.clone(), one.after.clone())).collect()
    }

    #[test]
    fn the_same_files_change_nothing() {
        assert_eq!(between(str::to_owned), Difference::default());
    }

    #[test]
    fn what_nobody_knew_is_told_field_by_field() {
        let files = good(str::to_owned);
        let all = Difference::between(&Catalogue::default(), &files).expect("JSON");
        assert_eq!(all.agencies.len(), files.agencies.len());
        assert_eq!(all.services.len(), files.services.len());
        let versions: usize = files.services.iter().map(|service| service.versions.len()).sum();
        assert_eq!(all.fee_versions.len(), versions);
        let agency = &all.agencies[0];
        assert_eq!(agency.change, Change::New);
        let iban = agency.fields.iter().find(|one| one.field.starts_with("bank_accounts.ILS.iban"));
        assert!(iban.is_some_and(|one| one.before == Value::Null && one.after.is_string()), "{agency:?}");
        assert!(agency.fields.iter().any(|one| one.field == "money.general.mode"), "{agency:?}");
    }

    #[test]
    fn each_changed_field_is_told_with_what_was_and_what_will_be() {
        let before = json!({
            "code": "psi", "name": { "ar": "أ", "en": "A" }, "tags": ["one"],
            "bank_accounts": [{ "currency": "ILS", "iban": "old" }, { "currency": "JOD", "iban": "gone" }],
            "money": [{ "mode": "pooled" }, { "mode": "direct", "channel": "card" }],
            "components": [{ "code": "fee", "amount": { "ILS": "1.00" } }, { "code": "vat", "rate": "0.16" }],
        });
        let after = json!({
            "code": "psi", "name": { "ar": "أ", "en": "B" }, "tags": ["one", "two"],
            "bank_accounts": [{ "currency": "ILS", "iban": "new" }],
            "money": [{ "mode": "treasury" }, { "mode": "direct", "channel": "card" }],
            "components": [{ "code": "vat", "rate": "0.16" }, { "code": "fee", "amount": { "ILS": "2.00" } }],
        });
        let changes = fields(Some(&before), &after).expect("JSON");
        let null = Value::Null;
        assert_eq!(
            told(&changes),
            [
                ("bank_accounts", json!(["ILS", "JOD"]), json!(["ILS"])),
                ("bank_accounts.ILS.iban", json!("old"), json!("new")),
                ("bank_accounts.JOD.currency", json!("JOD"), null.clone()),
                ("bank_accounts.JOD.iban", json!("gone"), null),
                ("components", json!(["fee", "vat"]), json!(["vat", "fee"])),
                ("components.fee.amount.ILS", json!("1.00"), json!("2.00")),
                ("money.general.mode", json!("pooled"), json!("treasury")),
                ("name.en", json!("A"), json!("B")),
                ("tags", json!(["one"]), json!(["one", "two"])),
            ]
        );
    }

    #[test]
    fn a_new_version_is_compared_with_the_one_that_it_follows_and_ends() {
        let files = good(str::to_owned);
        let mut in_force = files.clone();
        in_force.services[0].versions.truncate(1);
        in_force.services[0].versions[0].valid.to = None;
        let difference = Difference::between(&in_force, &files).expect("JSON");
        let [ended, new] = &difference.fee_versions[..] else { panic!("{difference:?}") };
        assert_eq!((ended.change, ended.number, ended.follows), (Change::Ended, 1, None));
        assert_eq!(told(&ended.fields), [("to", Value::Null, json!("2027-01-01"))]);
        assert_eq!((new.change, new.number, new.follows), (Change::New, 2, Some(1)));
        let new = told(&new.fields);
        assert!(new.contains(&("from", json!("2026-01-01"), json!("2027-01-01"))), "{new:?}");
        assert!(!new.iter().any(|(name, ..)| *name == "number" || *name == "service"), "{new:?}");
    }
}
