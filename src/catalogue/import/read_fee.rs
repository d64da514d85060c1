//! Fee versions out of a file's tables: first all keys, then the whole, so that one fault hides no other.

use std::collections::BTreeMap;

use super::super::fee::{
    Band, Base, Choice, Component, Condition, Exemption, FeeVersion, Input, InputKind, LegalBasis, Rule,
    Validity,
};
use super::super::quantity::Quantity;
use super::super::tariff::{RoundingRule, Tariff};
use super::super::words::ServiceCode;
use super::Read;
use super::tree::{Fields, whole_number};
use crate::books::Slug;

pub(super) fn version<'a>(service: &ServiceCode, fields: Fields<'a>) -> Option<Read<'a, FeeVersion>> {
    let place = fields.place();
    let number = fields.integer("number");
    let from = fields.day("from");
    let to = fields.optional_day("to");
    let currencies = fields.some_words("currencies");
    let legal = fields.table("legal").and_then(legal_basis);
    let inputs = each(fields.tables("inputs"), input);
    let components = each(fields.tables("components"), component);
    let exemptions = each(fields.tables("exemptions"), exemption);
    fields.finish();
    let value = FeeVersion {
        service: service.clone(),
        number: number?,
        valid: Validity { from: from?, to },
        currencies: currencies?,
        legal: legal?,
        inputs: inputs?,
        components: components?,
        exemptions: exemptions?,
    };
    place.report_defects(value.defects());
    Some(Read { value, place })
}

/// Reads all before it gives up on one.
fn each<'a, T>(tables: Vec<Fields<'a>>, read: fn(Fields<'a>) -> Option<T>) -> Option<Vec<T>> {
    let all: Vec<Option<T>> = tables.into_iter().map(read).collect();
    all.into_iter().collect()
}

fn legal_basis(fields: Fields<'_>) -> Option<LegalBasis> {
    let instrument = fields.bilingual("instrument");
    let article = fields.text("article");
    let date = fields.day("date");
    let document_sha256 = fields.optional_text("document_sha256");
    fields.finish();
    Some(LegalBasis { instrument: instrument?, article: article?, date: date?, document_sha256 })
}

fn input(fields: Fields<'_>) -> Option<Input> {
    let code = fields.parsed("code");
    let name = fields.bilingual("name");
    let kind = match fields.text("type")?.as_str() {
        "integer" => integer_input(&fields),
        "decimal" => decimal_input(&fields),
        "amount" => amount_input(&fields),
        "choice" => {
            let options = each(fields.tables("options"), choice);
            options.map(|options| InputKind::Choice { options })
        }
        "boolean" => Some(InputKind::Boolean),
        "text" => fields.integer("chars_max").map(|chars_max| InputKind::Text { chars_max }),
        other => {
            fields.report(format!(
                "`type` is integer, decimal, amount, choice, boolean or text, not {other:?}"
            ));
            return None;
        }
    };
    fields.finish();
    Some(Input { code: code?, name: name?, kind: kind? })
}

fn integer_input(fields: &Fields<'_>) -> Option<InputKind> {
    let (min, max) = (fields.integer("min"), fields.integer("max"));
    Some(InputKind::Integer { min: min?, max: max? })
}

fn decimal_input(fields: &Fields<'_>) -> Option<InputKind> {
    let (decimals, min, max) = (fields.integer("decimals"), fields.quantity("min"), fields.quantity("max"));
    Some(InputKind::Decimal { decimals: decimals?, min: min?, max: max? })
}

fn amount_input(fields: &Fields<'_>) -> Option<InputKind> {
    let (min, max) = (fields.tariff("min"), fields.tariff("max"));
    Some(InputKind::Amount { min: min?, max: max? })
}

fn choice(fields: Fields<'_>) -> Option<Choice> {
    let (code, name) = (fields.parsed("code"), fields.bilingual("name"));
    fields.finish();
    Some(Choice { code: code?, name: name? })
}

fn component(fields: Fields<'_>) -> Option<Component> {
    let code = fields.parsed("code");
    let name = fields.bilingual("name");
    let when = fields.optional_table("when").map(condition);
    let beneficiary = fields.word("beneficiary");
    let gl = fields.text("gl");
    let refund = fields.word("refund");
    let release = if fields.has("release") { fields.word("release") } else { Some(Default::default()) };
    let article = fields.text("article");
    let rounding = fields.optional_table("rounding").map_or(Some(RoundingRule::default()), rounding);
    let rule = rule(&fields);
    if rule.is_some() || KINDS.contains(&fields.optional_text("kind").unwrap_or_default().as_str()) {
        fields.finish();
    }
    Some(Component {
        code: code?,
        name: name?,
        rule: rule?,
        when: when.map_or(Some(None), |condition| condition.map(Some))?,
        beneficiary: beneficiary?,
        gl: gl?,
        refund: refund?,
        release: release?,
        article: article?,
        rounding: rounding?,
    })
}

const KINDS: [&str; 6] = ["fixed", "per_unit", "percentage", "bands", "choice", "tax"];

fn rule(fields: &Fields<'_>) -> Option<Rule> {
    match fields.text("kind")?.as_str() {
        "fixed" => fields.tariff("amount").map(|amount| Rule::Fixed { amount }),
        "per_unit" => {
            let (input, amount) = (fields.parsed("input"), fields.tariff("amount"));
            let included = fields.optional_quantity("included").unwrap_or(Quantity::ZERO);
            Some(Rule::PerUnit { input: input?, included, amount: amount? })
        }
        "percentage" => {
            let (rate, of) = (fields.parsed("rate"), fields.word::<Base>("of"));
            let (min, max) = (fields.optional_tariff("min"), fields.optional_tariff("max"));
            Some(Rule::Percentage { rate: rate?, of: of?, min, max })
        }
        "bands" => {
            let (input, scale) = (fields.parsed("input"), fields.word("scale"));
            let bands = each(fields.tables("bands"), band);
            Some(Rule::Bands { input: input?, scale: scale?, bands: bands? })
        }
        "choice" => {
            let (input, choices) = (fields.parsed("input"), choices(fields));
            Some(Rule::Choice { input: input?, choices: choices? })
        }
        "tax" => {
            let (rate, covers) = (fields.parsed("rate"), fields.some_words("covers"));
            Some(Rule::Tax { rate: rate?, covers: covers? })
        }
        other => {
            fields.report(format!("`kind` is {}, not {other:?}", KINDS.join(", ")));
            None
        }
    }
}

fn band(fields: Fields<'_>) -> Option<Band> {
    let (from, amount) = (fields.quantity("from"), fields.tariff("amount"));
    let to = fields.optional_quantity("to");
    fields.finish();
    Some(Band { from: from?, to, amount: amount? })
}

fn choices(fields: &Fields<'_>) -> Option<BTreeMap<Slug, Tariff>> {
    let mut choices = BTreeMap::new();
    for (key, value) in fields.entries("choices")? {
        match key.parse::<Slug>() {
            Ok(option) => drop(choices.insert(option, fields.tariff_of(value)?)),
            Err(error) => fields.report_at(value, error.to_string()),
        }
    }
    Some(choices)
}

fn condition(fields: Fields<'_>) -> Option<Condition> {
    let (input, is) = (fields.parsed("input"), fields.words("is"));
    fields.finish();
    Some(Condition { input: input?, is: is? })
}

fn rounding(fields: Fields<'_>) -> Option<RoundingRule> {
    let mode = fields.word("mode");
    let steps = fields.optional_value("step_minor").map(|value| {
        fields.by_currency(value, |currency, step| {
            whole_number(step).unwrap_or_else(|| {
                fields.report_at(step, format!("the step of {currency} is a whole number of minor units"));
                1
            })
        })
    });
    fields.finish();
    let step_minor = steps.map_or(Some(BTreeMap::new()), |steps| Some(steps?.into_iter().collect()))?;
    Some(RoundingRule { mode: mode?, step_minor })
}

fn exemption(fields: Fields<'_>) -> Option<Exemption> {
    let code = fields.parsed("code");
    let name = fields.bilingual("name");
    let evidence = fields.bilingual("evidence");
    let covers = fields.some_words("covers");
    let rate = fields.parsed("rate");
    let article = fields.text("article");
    fields.finish();
    Some(Exemption {
        code: code?,
        name: name?,
        evidence: evidence?,
        covers: covers?,
        rate: rate?,
        article: article?,
    })
}
