//! The lines of a basket as a portal sends them.

use mizan_ledger::Currency;
use serde::Deserialize;
use serde_json::Value;

use super::{Claim, Inputs, NewLine, NewQuote, PriceCode, service};
use crate::app::App;
use crate::http::call::Call;
use crate::http::json;
use crate::http::problem::{Faults, FieldCode, Problem};
use crate::ids::PortalId;

/// `lines` and `currency` of a quote, or of an intent that is priced and opened in one call.
#[derive(Debug)]
pub struct BasketBody {
    pub currency: Option<String>,
    pub lines: Option<Value>,
}

/// What could be read of it: each line whose form is right stands in its place.
#[derive(Debug)]
pub struct ReadBasket {
    portal: PortalId,
    currency: Option<Currency>,
    lines: Vec<Option<NewLine>>,
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewLine)]
pub struct LineBody {
    service: String,
    #[serde(default)]
    #[schema(value_type = Object)]
    inputs: Inputs,
    reference: Option<String>,
    exemption: Option<Claim>,
}

impl BasketBody {
    /// Reads the lines; every fault of form is noted under its pointer.
    pub fn read(self, portal: PortalId, faults: &mut Faults) -> ReadBasket {
        let currency = self.currency.ok_or(FieldCode::Required);
        let currency = currency.and_then(|text| text.parse().map_err(|_| FieldCode::UnknownCurrency));
        let currency = faults.check("/currency", currency);
        let lines = match self.lines.unwrap_or_default() {
            Value::Array(lines) => lines,
            other => {
                let code = if other.is_null() { FieldCode::Required } else { FieldCode::WrongType };
                faults.add("/lines", code);
                return ReadBasket { portal, currency, lines: Vec::new() };
            }
        };
        if lines.is_empty() {
            faults.add("/lines", FieldCode::Empty);
        }
        let mut read = Vec::with_capacity(lines.len());
        for (at, line) in lines.into_iter().enumerate() {
            let pointer = format!("/lines/{at}");
            match json::from_value::<LineBody>(line) {
                Ok(line) => read.push(Some(line.read(&pointer, faults))),
                Err(errors) => {
                    for error in errors {
                        faults.add(format!("{pointer}{}", error.pointer), error.code);
                    }
                    read.push(None);
                }
            }
        }
        ReadBasket { portal, currency, lines: read }
    }
}

/// The basket to be priced, if one was asked for. When the form of the request has faults, what only the catalogue knows
/// to be wrong with the lines is told with them.
///
/// # Errors
/// `validation_failed` with every fault.
pub async fn finish(
    mut faults: Faults,
    basket: Option<ReadBasket>,
    app: &App,
    call: &Call,
) -> Result<Option<NewQuote>, Problem> {
    if !faults.is_empty()
        && let Some(basket) = &basket
    {
        let actor = call.actor();
        let found = app
            .run(&actor, basket, |tx, basket| Box::pin(service::faults(tx, basket.currency, &basket.lines)));
        for fault in found.await? {
            faults.add(fault.field, field_code(fault.code));
        }
    }
    faults.finish()?;
    Ok(basket.and_then(|ReadBasket { portal, currency, lines }| {
        Some(NewQuote { portal, currency: currency?, lines: lines.into_iter().flatten().collect() })
    }))
}

pub(super) fn field_code(code: PriceCode) -> FieldCode {
    match code {
        PriceCode::ServiceUnknown => FieldCode::UnknownService,
        PriceCode::InputMissing | PriceCode::EvidenceMissing => FieldCode::Required,
        PriceCode::InputUnknown => FieldCode::UnknownInput,
        PriceCode::InputType => FieldCode::WrongType,
        PriceCode::InputOutOfBounds | PriceCode::AmountOutOfRange => FieldCode::OutOfRange,
        PriceCode::CurrencyNotOffered => FieldCode::WrongCurrency,
        PriceCode::ExemptionUnknown => FieldCode::UnknownExemption,
        PriceCode::BasketEmpty => FieldCode::Empty,
        PriceCode::BasketTooLarge => FieldCode::TooMany,
        _ => FieldCode::Invalid,
    }
}

impl LineBody {
    fn read(self, pointer: &str, faults: &mut Faults) -> NewLine {
        let evidence = self.exemption.as_ref().and_then(|claim| claim.evidence.as_ref());
        let texts = [
            ("reference", self.reference.as_ref(), 64),
            ("exemption/evidence/issuer", evidence.map(|evidence| &evidence.issuer), 200),
            ("exemption/evidence/number", evidence.map(|evidence| &evidence.number), 64),
        ];
        for (name, text, chars_max) in texts {
            if let Some(text) = text {
                faults.text(&format!("{pointer}/{name}"), text, chars_max);
            }
        }
        NewLine {
            service: self.service,
            inputs: self.inputs,
            claim: self.exemption,
            reference: self.reference,
        }
    }
}
