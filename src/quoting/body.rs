//! The lines of a basket as a portal sends them.

use mizan_ledger::Currency;
use serde::Deserialize;
use serde_json::Value;

use super::{Claim, Inputs, NewLine, NewQuote};
use crate::http::problem::{Faults, FieldCode};
use crate::ids::PortalId;

/// `lines` and `currency` of a quote, or of an intent that is priced and opened in one call.
#[derive(Debug)]
pub struct BasketBody {
    pub currency: String,
    pub lines: Value,
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
    pub fn read(self, portal: PortalId, faults: &mut Faults) -> Option<NewQuote> {
        let currency: Option<Currency> =
            faults.check("/currency", self.currency.parse().map_err(|_| FieldCode::UnknownCurrency));
        let Value::Array(lines) = self.lines else {
            faults.add("/lines", FieldCode::WrongType);
            return None;
        };
        let mut read = Vec::with_capacity(lines.len());
        for (at, line) in lines.into_iter().enumerate() {
            let pointer = format!("/lines/{at}");
            match serde_path_to_error::deserialize::<_, LineBody>(line) {
                Ok(line) => read.push(line.read(&pointer, faults)),
                Err(error) => {
                    let path = error.path().to_string().replace('.', "/");
                    let unknown = error.inner().to_string().starts_with("unknown field");
                    let code = if unknown { FieldCode::Unknown } else { FieldCode::WrongType };
                    let missing = error.inner().to_string().starts_with("missing field");
                    let code = if missing { FieldCode::Required } else { code };
                    faults.add(format!("{pointer}/{}", path.trim_start_matches("./")), code);
                }
            }
        }
        Some(NewQuote { portal, currency: currency?, lines: read })
    }
}

impl LineBody {
    fn read(self, pointer: &str, faults: &mut Faults) -> NewLine {
        if let Some(reference) = &self.reference
            && (reference.is_empty() || reference.chars().count() > 64)
        {
            faults.add(format!("{pointer}/reference"), FieldCode::TooLong);
        }
        NewLine {
            service: self.service,
            inputs: self.inputs,
            claim: self.exemption,
            reference: self.reference,
        }
    }
}
