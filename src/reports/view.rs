//! The proof as JSON: `proof` holds the verdicts per currency, `accounts` what stands behind each of them.

use std::collections::BTreeMap;

use mizan_ledger::{Day, Money};
use serde::Serialize;
use serde_json::{Value, json};

use super::model::{Line, Note, Part, Proof};
use super::movement::{Section, Word};
use crate::books::describe;
use crate::catalogue::Bilingual;

#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Proof)]
pub struct ProofView {
    date: Day,
    /// Every `unexplained` is zero, and no statement of the day stands aside.
    tied: bool,
    /// By currency.
    proof: BTreeMap<String, PartsView>,
    accounts: Vec<LineView>,
    alarms: Vec<Value>,
    breaks: Vec<Value>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = ProofParts)]
struct PartsView {
    channels: Figures,
    banks: Figures,
    agencies: Figures,
    custody: Figures,
}

/// Decimal amounts in the currency they stand under.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = ProofFigures)]
struct Figures {
    book: String,
    listed: String,
    unexplained: String,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = ProofAccount)]
struct LineView {
    section: Section,
    account: String,
    name: Bilingual,
    currency: String,
    opening: String,
    movements: Vec<MovedView>,
    closing: String,
    listed: String,
    /// How many open items make up `listed`.
    items: i64,
    unexplained: String,
    notes: Vec<Value>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = ProofMovement)]
struct MovedView {
    movement: Word,
    /// The rule that entered it.
    kind: String,
    amount: String,
    entries: i64,
}

pub fn daily(proof: &Proof) -> ProofView {
    let mut view = ProofView {
        date: proof.day,
        tied: proof.ties(),
        proof: BTreeMap::new(),
        accounts: Vec::new(),
        alarms: Vec::new(),
        breaks: Vec::new(),
    };
    for one in &proof.currencies {
        let code = one.currency.code().to_owned();
        for (section, part) in one.parts() {
            view.accounts.extend(part.lines.iter().map(|shown| line(section, &code, shown)));
        }
        view.alarms.extend(one.alarms.iter().map(|alarm| {
            let mut body = note(alarm);
            body["currency"] = json!(code);
            body
        }));
        let parts = PartsView {
            channels: figures(&one.channels),
            banks: figures(&one.banks),
            agencies: figures(&one.agencies),
            custody: figures(&one.custody),
        };
        view.proof.insert(code, parts);
    }
    view.breaks = proof
        .breaks
        .iter()
        .map(|open| {
            json!({
                "category": open.category,
                "name": { "ar": open.category.name_ar(), "en": open.category.name_en() },
                "count": open.count,
                "amount": open.amount,
            })
        })
        .collect();
    view
}

fn figures(part: &Part) -> Figures {
    Figures { book: part.book.amount(), listed: part.listed.amount(), unexplained: part.unexplained.amount() }
}

fn line(section: Section, currency: &str, line: &Line) -> LineView {
    let moved = line.movements.iter().map(|moved| MovedView {
        movement: moved.word,
        kind: moved.kind.clone(),
        amount: moved.amount.amount(),
        entries: moved.entries,
    });
    LineView {
        section,
        account: line.account.clone(),
        name: name(&line.account),
        currency: currency.to_owned(),
        opening: line.opening.amount(),
        movements: moved.collect(),
        closing: line.closing.amount(),
        listed: line.listed.amount(),
        items: line.items,
        unexplained: line.unexplained.amount(),
        notes: line.notes.iter().map(note).collect(),
    }
}

/// An account or an agency in words people read.
pub(super) fn name(account: &str) -> Bilingual {
    if let Some(described) = describe(account) {
        return Bilingual { ar: described.name_ar, en: described.name_en };
    }
    let slug = account.strip_prefix("agency/").unwrap_or(account);
    Bilingual { ar: format!("الجهة \u{2066}{slug}\u{2069}"), en: format!("Agency {slug}") }
}

fn note(note: &Note) -> Value {
    let of = |code: &str, amount: &Money| json!({ "code": code, "amount": amount.amount() });
    let items = |code: &str, amount: &Money, items: &i64| json!({ "code": code, "amount": amount.amount(), "items": items });
    match note {
        Note::NoStatement { last } => json!({ "code": "no_statement", "last": last }),
        Note::Quarantined { reason } => json!({ "code": "statement_quarantined", "reason": reason }),
        Note::StatementOf { day } => json!({ "code": "statement_of", "date": day }),
        Note::Gap { amount } => of("statement_gap", amount),
        Note::LinesMissing { amount } => of("statement_lines_missing", amount),
        Note::BroughtForward { amount } => of("brought_forward", amount),
        Note::EnteredLater { amount, items: count } => items("entered_later", amount, count),
        Note::ShownLater { amount, items: count } => items("shown_later", amount, count),
        Note::NotEntered { amount, items: count } => items("not_entered", amount, count),
        Note::NotExpected { amount, items: count } => items("not_expected", amount, count),
        Note::InFlight { what, amount, items: count } => {
            items(if what == "payout" { "payouts_in_flight" } else { "refunds_in_flight" }, amount, count)
        }
        Note::BelowZero { account, amount } => {
            json!({ "code": "bank_below_zero", "account": account, "amount": amount.amount() })
        }
        Note::NotCovered { amount } => of("negative_payables_not_covered", amount),
        Note::Shortfall { amount } => of("custody_shortfall", amount),
        Note::OwnCosts { amount } => of("costs_to_be_funded", amount),
        Note::DayIncomplete => json!({ "code": "statement_day_incomplete" }),
    }
}
