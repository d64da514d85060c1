//! A quote as its portal, the payer's page and the receipt show it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use mizan_ledger::{Instant, Money};
use serde::Serialize;

use super::{Basket, BasketLine, Line, Part, Quote, QuoteState};
use crate::catalogue::Bilingual;
use crate::tx::Hub;

/// One service of a basket.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = QuoteLine)]
pub struct LineView {
    pub service: String,
    pub fee_version: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    pub components: Vec<ComponentView>,
    /// Rules that did not fire, and why.
    pub lost: Vec<LostView>,
    pub total: Money,
}

/// One amount of a line: a charge, what rounding added or took, or an exemption (negative).
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = QuoteComponent)]
pub struct ComponentView {
    pub code: String,
    pub part: &'static str,
    pub name: Bilingual,
    pub amount: Money,
    pub article: String,
    pub explanation: Bilingual,
    pub refund: crate::catalogue::RefundPolicy,
}

#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = LostRule)]
pub struct LostView {
    pub rule: String,
    pub name: Bilingual,
    pub explanation: Bilingual,
}

/// The answer to POST /v1/quotes.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = Quote)]
pub struct QuoteView {
    pub id: crate::ids::QuoteId,
    pub live: bool,
    pub state: &'static str,
    pub created_at: Instant,
    pub expires_at: Instant,
    pub total: Money,
    pub lines: Vec<LineView>,
    /// The exact text that is signed: fields of `name=LENGTH:VALUE`, LENGTH in bytes of UTF-8, a line feed after each.
    pub signed: String,
    pub signature: SignatureView,
}

/// Ed25519 over `signed`; the key stands at `/.well-known/mizan-keys.json`.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = QuoteSignature)]
pub struct SignatureView {
    pub key_id: String,
    /// Base64.
    pub value: String,
}

pub fn quote(hub: &Hub, quote: &Quote, now: Instant) -> QuoteView {
    let state = match quote.state(now) {
        QuoteState::Open => "open",
        QuoteState::Used => "used",
        QuoteState::Expired => "expired",
    };
    QuoteView {
        id: quote.id,
        live: hub.config.mode.is_live(),
        state,
        created_at: quote.created_at,
        expires_at: quote.expires_at,
        total: quote.basket.total,
        lines: lines(&quote.basket),
        signed: quote.promise(hub.config.mode.is_live()),
        signature: SignatureView { key_id: quote.key_id.clone(), value: BASE64.encode(&quote.signature) },
    }
}

pub fn lines(basket: &Basket) -> Vec<LineView> {
    basket.lines.iter().map(line).collect()
}

fn line(line: &BasketLine) -> LineView {
    let lost = line.priced.lost.iter().map(|lost| LostView {
        rule: lost.rule.to_string(),
        name: lost.name.clone(),
        explanation: lost.explanation.clone(),
    });
    LineView {
        service: line.priced.service.to_string(),
        fee_version: line.priced.version,
        reference: line.reference.clone(),
        components: line.priced.lines.iter().map(component).collect(),
        lost: lost.collect(),
        total: line.priced.total,
    }
}

fn component(line: &Line) -> ComponentView {
    ComponentView {
        code: line.component.to_string(),
        part: match line.part {
            Part::Charge => "charge",
            Part::Rounding => "rounding",
            Part::Exemption(_) => "exemption",
        },
        name: line.name.clone(),
        amount: line.amount,
        article: line.article.clone(),
        explanation: line.explanation.clone(),
        refund: line.refund,
    }
}
