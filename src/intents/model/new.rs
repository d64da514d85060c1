use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::ids::{PortalId, QuoteId};

/// What a portal asks for when it opens an intent; already validated in form.
#[derive(Debug, Clone)]
pub struct NewIntent {
    pub portal: PortalId,
    pub quote: QuoteId,
    pub external_reference: String,
    pub purpose: String,
    pub payer: Option<Payer>,
    pub return_url: Option<String>,
    pub metadata: Map<String, Value>,
    /// The channels the portal allows; empty for all.
    pub channels: Vec<String>,
}

/// Who pays; not always the beneficiary of the service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Payer {
    pub kind: PayerKind,
    pub id_type: Option<String>,
    pub id_number: Option<String>,
    pub name: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    /// `ar` or `en`.
    pub language: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PayerKind {
    Person,
    Company,
}
