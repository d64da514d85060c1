//! What government services cost, and by which law.
//!
//! ```text
//! Catalogue ── Agency (issuer digits, money mode per channel, bank accounts)
//!     └─────── Service ── FeeVersion [from, to) ── inputs, components, exemptions, legal basis
//!
//! files ──submitted──▶ import ──approved by another──▶ in force; returned, withdrawn: see `approval`
//! scheduled, active and retired follow from [from, to) and the day
//! ```
//!
//! `words`, `quantity` and `iban` are the vocabulary; `model` the agencies and services; `fee` and `tariff`
//! what a version says; `soundness` every reason not to believe it; `import` reads catalogue files, `difference`
//! says what they change, `approval` brings them in force.

pub mod api;
pub mod approval;
mod cache;
pub mod difference;
pub mod fee;
pub mod iban;
pub mod import;
pub mod model;
pub mod quantity;
pub mod service;
mod soundness;
pub mod store;
pub mod tariff;
pub mod words;

pub use approval::CatalogueError;
pub use cache::CatalogueCache;
pub use fee::{
    Band, BandScale, Base, Beneficiary, Choice, Component, Condition, Exemption, FeeVersion, Input,
    InputKind, LegalBasis, Phase, RefundPolicy, Release, Rule, Validity,
};
pub use iban::Iban;
pub use import::{InForce, Problem, check, check_against};
pub use model::{Agency, Applicant, BankAccount, Catalogue, Channel, MoneyMode, MoneyRule, Service};
pub use quantity::Quantity;
pub use soundness::Defect;
pub(crate) use soundness::is_sha256;
pub use tariff::{RoundingRule, Tariff};
pub use words::{Bilingual, ServiceCode, isolate};

pub use crate::books::Slug;
