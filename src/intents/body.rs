//! The body of POST /v1/payment-intents, read and checked in form.

use mizan_ledger::Id;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::model::{NewIntent, Payer};
use crate::app::App;
use crate::http::call::Call;
use crate::http::problem::{Faults, FieldCode, Problem};
use crate::http::url;
use crate::ids::{PortalId, QuoteId};
use crate::quoting::body::BasketBody;
use crate::quoting::{self, NewQuote};

/// A payment to be opened: on a quote, or priced and opened in one call.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewPaymentIntent)]
pub struct IntentBody {
    quote: Option<String>,
    #[schema(value_type = Option<Vec<crate::quoting::body::LineBody>>)]
    lines: Option<Value>,
    currency: Option<String>,
    #[schema(value_type = String, required = true)]
    external_reference: Option<String>,
    purpose: Option<String>,
    payer: Option<Payer>,
    return_url: Option<String>,
    #[schema(value_type = Option<Object>)]
    metadata: Option<Map<String, Value>>,
    channels: Option<Vec<String>>,
}

/// What the body asks for once its form is right.
#[derive(Debug)]
pub struct Asked {
    pub intent: NewIntent,
    /// Lines to be priced in the same transaction, instead of a quote.
    pub lines: Option<NewQuote>,
}

impl IntentBody {
    /// # Errors
    /// `validation_failed` with every fault.
    pub async fn read(self, portal: PortalId, app: &App, call: &Call) -> Result<Asked, Problem> {
        let live = app.hub.config.mode.is_live();
        let mut faults = Faults::default();
        let quote = faults.check("/quote", quote_id(self.quote.as_deref()));
        let basket = match (&self.quote, self.lines, self.currency) {
            (Some(_), None, None) => None,
            (None, Some(lines), currency) => {
                Some(BasketBody { lines: Some(lines), currency }.read(portal, &mut faults))
            }
            (None, None, _) => {
                faults.add("/quote", FieldCode::Required);
                None
            }
            (Some(_), ..) => {
                faults.add("/quote", FieldCode::NotTogether);
                None
            }
        };
        match &self.external_reference {
            Some(reference) => faults.text("/external_reference", reference, 64),
            None => faults.add("/external_reference", FieldCode::Required),
        }
        let purpose = self.purpose.unwrap_or_else(|| "fee".to_owned());
        faults.text("/purpose", &purpose, 32);
        if let Some(payer) = &self.payer {
            check_payer(&mut faults, payer);
        }
        if let Some(url) = &self.return_url
            && url::read(url, live).is_none()
        {
            faults.add("/return_url", FieldCode::NotAUrl);
        }
        let metadata = self.metadata.unwrap_or_default();
        check_metadata(&mut faults, &metadata);
        let channels = self.channels.unwrap_or_default();
        if channels.len() > 20 {
            faults.add("/channels", FieldCode::TooMany);
        }
        let lines = quoting::body::finish(faults, basket, app, call).await?;
        let intent = NewIntent {
            portal,
            quote: quote.flatten().unwrap_or(QuoteId::from_uuid(uuid::Uuid::nil())),
            external_reference: self.external_reference.unwrap_or_default(),
            purpose,
            payer: self.payer,
            return_url: self.return_url,
            metadata,
            channels,
        };
        Ok(Asked { intent, lines })
    }
}

fn quote_id(text: Option<&str>) -> Result<Option<QuoteId>, FieldCode> {
    text.map(str::parse).transpose().map_err(|_| FieldCode::NotAnId)
}

fn check_payer(faults: &mut Faults, payer: &Payer) {
    if !matches!(payer.language.as_str(), "ar" | "en") {
        faults.add("/payer/language", FieldCode::NotAllowed);
    }
    let parts = [
        ("/payer/id_type", &payer.id_type, 20),
        ("/payer/id_number", &payer.id_number, 40),
        ("/payer/name", &payer.name, 150),
        ("/payer/email", &payer.email, 254),
        ("/payer/phone", &payer.phone, 20),
    ];
    for (pointer, value, chars_max) in parts {
        if let Some(value) = value {
            faults.text(pointer, value, chars_max);
        }
    }
}

/// The portal's own notes: at most 20 texts of 500 characters, carried along and never read.
fn check_metadata(faults: &mut Faults, metadata: &Map<String, Value>) {
    if metadata.len() > 20 {
        faults.add("/metadata", FieldCode::TooMany);
    }
    for (key, value) in metadata.iter().take(20) {
        let pointer = format!("/metadata/{}", key.replace('~', "~0").replace('/', "~1"));
        match value {
            Value::String(text) if key.chars().count() <= 40 && text.chars().count() <= 500 => {}
            Value::String(_) => faults.add(pointer, FieldCode::TooLong),
            _ => faults.add(pointer, FieldCode::NotAString),
        }
    }
}
