//! The text a quote is signed over (Ed25519), so that anyone can check later who promised what; the API answers it as `signed`.
//!
//! It is a list of fields, each `name=LENGTH:VALUE` and a line feed, where LENGTH counts the bytes of VALUE in UTF-8; no value
//! needs escaping and no two promises have the same bytes. Fields in brackets are left out when there is
//! nothing to say; a field set off to the right repeats.
//!
//! ```text
//! mizan-quote=1:1                       the layout's version
//! id, live (true|false), portal, issued_at, expires_at (RFC 3339), currency, total
//!   line                                 counts from 1
//!   service, version, day, [reference]
//!     input:CODE                         in the order of the codes, in its one spelling
//!   [exemption, evidence_issuer, evidence_number, [evidence_sha256]]
//!     component, part, amount, beneficiary, refund, release, gl, article
//! ```
//!
//! Amounts are decimal texts in the quote's currency. Parts are `charge`, `rounding` or `exemption:CODE`;
//! beneficiaries are `agency`, `agency_tax:CODE`,
//! `treasury:FUND` or `hub`; releases `on_payment`, `on_delivery` or `after_days:N`. Names and explanations are
//! not signed: they follow from the service, its version and the component.

use mizan_ledger::Instant;

use super::basket::{Basket, BasketLine};
use super::inputs::Claim;
use super::priced::{Line, Part};
use crate::catalogue::{Beneficiary, RefundPolicy, Release};

/// What is promised, to whom and until when.
#[derive(Debug, Clone, Copy)]
pub struct Promise<'a> {
    /// The quote's id in its outside form.
    pub id: &'a str,
    /// False for a quote of a test deployment, which promises nothing.
    pub live: bool,
    /// The portal's id in its outside form.
    pub portal: &'a str,
    pub issued_at: Instant,
    pub expires_at: Instant,
    pub basket: &'a Basket,
}

impl Promise<'_> {
    /// The same promise always has the same text, another never has it.
    pub fn text(&self) -> String {
        let mut fields = Fields(String::new());
        fields.put("mizan-quote", "1");
        fields.put("id", self.id);
        fields.put("live", if self.live { "true" } else { "false" });
        fields.put("portal", self.portal);
        fields.put("issued_at", &self.issued_at.to_string());
        fields.put("expires_at", &self.expires_at.to_string());
        fields.put("currency", self.basket.currency.code());
        fields.put("total", &self.basket.total.amount());
        for (index, line) in self.basket.lines.iter().enumerate() {
            fields.put("line", &index.saturating_add(1).to_string());
            fields.basket_line(line);
        }
        fields.0
    }
}

struct Fields(String);

impl Fields {
    fn put(&mut self, name: &str, value: &str) {
        self.0.push_str(&format!("{name}={}:{value}\n", value.len()));
    }

    fn basket_line(&mut self, line: &BasketLine) {
        let priced = &line.priced;
        self.put("service", &priced.service.to_string());
        self.put("version", &priced.version.to_string());
        self.put("day", &priced.day.to_string());
        if let Some(reference) = &line.reference {
            self.put("reference", reference);
        }
        for (code, value) in &priced.inputs {
            self.put(&format!("input:{code}"), value);
        }
        if let Some(claim) = &priced.claim {
            self.claim(claim);
        }
        for line in &priced.lines {
            self.line(line);
        }
    }

    fn claim(&mut self, claim: &Claim) {
        self.put("exemption", &claim.code);
        if let Some(evidence) = &claim.evidence {
            self.put("evidence_issuer", &evidence.issuer);
            self.put("evidence_number", &evidence.number);
            if let Some(hash) = &evidence.document_sha256 {
                self.put("evidence_sha256", hash);
            }
        }
    }

    fn line(&mut self, line: &Line) {
        self.put("component", line.component.as_str());
        self.put(
            "part",
            &match &line.part {
                Part::Charge => "charge".to_owned(),
                Part::Rounding => "rounding".to_owned(),
                Part::Exemption(code) => format!("exemption:{code}"),
            },
        );
        self.put("amount", &line.amount.amount());
        self.put(
            "beneficiary",
            &match &line.beneficiary {
                Beneficiary::Agency => "agency".to_owned(),
                Beneficiary::AgencyTax(tax) => format!("agency_tax:{tax}"),
                Beneficiary::Treasury(fund) => format!("treasury:{fund}"),
                Beneficiary::Hub => "hub".to_owned(),
            },
        );
        self.put(
            "refund",
            match line.refund {
                RefundPolicy::Always => "always",
                RefundPolicy::UntilDelivered => "until_delivered",
                RefundPolicy::Never => "never",
            },
        );
        self.put(
            "release",
            &match line.release {
                Release::OnPayment => "on_payment".to_owned(),
                Release::OnDelivery => "on_delivery".to_owned(),
                Release::AfterDays(days) => format!("after_days:{days}"),
            },
        );
        self.put("gl", &line.gl);
        self.put("article", &line.article);
    }
}
