//! Random operations over few accounts, few ids and few days, with amounts near the edges, so that they meet.

use mizan_ledger::store::{Change, PeriodStatus};
use mizan_ledger::{
    Account, Class, Currency, Day, Entry, EntryDraft, Id, Instant, Line, Money, ReversalDraft,
};
use proptest::prelude::*;

use crate::reference::Reference;
use crate::support::{account, id};

#[derive(Debug, Clone)]
pub enum Operation {
    Post { specs: Vec<Spec>, roll_back: bool },
    Change(Change),
}

/// An entry as drawn. Two draws of one id are a replay or a conflict.
#[derive(Debug, Clone)]
pub struct Spec {
    pub id: u128,
    pub day: usize,
    pub what: What,
}

#[derive(Debug, Clone)]
pub enum What {
    Transfer {
        from: usize,
        to: usize,
        amount: i64,
        split: bool,
    },
    /// Of what an id first said, or of something else under that id.
    Reversal {
        of: usize,
        faithful: bool,
    },
    /// What an id first said, said again.
    Again {
        of: usize,
    },
}

/// Enough that most ids are new, few enough that some are used for other content.
const IDS: u128 = 2_000;

pub fn chart() -> Vec<Account> {
    let jod = |code, class| account(code, class, Currency::JOD);
    let ils = |code, class| account(code, class, Currency::ILS);
    vec![
        jod("bank/a", Class::Asset),
        jod("agency/psi/payable", Class::Liability).of_agency("psi").with_floor(0),
        jod("hub/fees", Class::Income).with_ceiling(1_000),
        jod("hub/costs", Class::Expense),
        ils("bank/a", Class::Asset).with_floor(-100),
        ils("agency/psi/payable", Class::Liability).of_agency("psi").with_floor(-100).with_ceiling(i64::MAX),
        ils("memo/assessed", Class::Memo),
    ]
}

/// The same at every run: the clock moves a minute a step.
pub fn now(step: i64) -> Instant {
    "2026-03-15T09:00:00Z".parse::<Instant>().unwrap().plus_seconds(step * 60)
}

/// Today, tomorrow, the day after (too far), and in the months before.
pub fn days() -> [Day; 5] {
    ["2026-03-15", "2026-03-16", "2026-03-17", "2026-02-10", "2026-01-31"].map(|text| text.parse().unwrap())
}

fn amounts() -> impl Strategy<Value = i64> {
    prop_oneof![
        4 => prop::sample::select(vec![1, 2, 99, 100, 101, 999, 1_000, 1_001]),
        1 => prop::sample::select(vec![i64::MAX, i64::MAX - 1, i64::MAX / 2, i64::MAX / 2 + 1]),
        2 => 1..500_i64,
    ]
}

fn spec() -> impl Strategy<Value = Spec> {
    let what = prop_oneof![
        5 => (0..7_usize, 0..7_usize, amounts(), any::<bool>())
            .prop_map(|(from, to, amount, split)| What::Transfer { from, to, amount, split }),
        2 => (any::<usize>(), prop::bool::weighted(0.8)).prop_map(|(of, faithful)| What::Reversal { of, faithful }),
        1 => any::<usize>().prop_map(|of| What::Again { of }),
    ];
    let day = prop_oneof![6 => Just(0_usize), 4 => 0..5_usize];
    (0..IDS, day, what).prop_map(|(id, day, what)| Spec { id, day, what })
}

fn change() -> impl Strategy<Value = Change> {
    let accounts = || prop::sample::select(chart()).prop_map(|account| account.key());
    let limit =
        || prop::option::of(prop::sample::select(vec![-1_000, -1, 0, 1, 500, 1_000_000, i64::MAX, i64::MIN]));
    let status = prop::sample::select(vec![
        PeriodStatus::Open,
        PeriodStatus::SoftClosed,
        PeriodStatus::SoftClosed,
        PeriodStatus::Closed,
    ]);
    let months = prop::sample::select(vec!["2026-01-01", "2026-02-01", "2026-02-01", "2026-03-01"]);
    prop_oneof![
        (accounts(), limit(), limit()).prop_map(|(account, floor_minor, ceiling_minor)| Change::Limits {
            account,
            floor_minor,
            ceiling_minor
        }),
        accounts().prop_map(|account| Change::CloseAccount { account }),
        accounts().prop_map(|account| Change::ReopenAccount { account }),
        (months, status)
            .prop_map(|(month, status)| Change::Period { starts_on: month.parse().unwrap(), status }),
    ]
}

pub fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        6 => (prop::collection::vec(spec(), 1..9), prop::bool::weighted(0.1))
            .prop_map(|(specs, roll_back)| Operation::Post { specs, roll_back }),
        2 => change().prop_map(Operation::Change),
    ]
}

/// The entries of a batch. What is reversed or said again was said before, in this batch perhaps.
pub fn entries(specs: &[Spec], reference: &Reference) -> Vec<Entry> {
    let mut said = reference.first_contents();
    let mut batch = Vec::new();
    for spec in specs {
        let earlier = |of: usize| (!said.is_empty()).then(|| said[of % said.len()].clone());
        let entry = match &spec.what {
            What::Transfer { from, to, amount, split } => transfer(spec, *from, *to, *amount, *split),
            What::Again { of } => earlier(*of).unwrap_or_else(|| transfer(spec, 0, 1, 7, false)),
            What::Reversal { of, faithful } => {
                let id = earlier(*of).map_or(0, |entry| entry.id().uuid().as_u128());
                let other = transfer(&Spec { id, ..spec.clone() }, 0, 1, 7, false);
                let original = earlier(*of).filter(|entry| *faithful && entry.reverses().is_none());
                Entry::reverse(&original.unwrap_or(other), reversal(spec)).unwrap()
            }
        };
        if said.iter().all(|earlier| earlier.id() != entry.id()) {
            said.push(entry.clone());
        }
        batch.push(entry);
    }
    batch
}

fn reversal(spec: &Spec) -> ReversalDraft {
    ReversalDraft {
        id: id(spec.id),
        effective_on: days()[spec.day],
        actor: "user:officer".to_owned(),
        source_ref: "rf_1".to_owned(),
        reason: "as drawn".to_owned(),
    }
}

/// Moves `amount` to another account of the same currency; split, in two debits.
fn transfer(spec: &Spec, from: usize, to: usize, amount: i64, split: bool) -> Entry {
    let chart = chart();
    let (from, to) = (chart[from].clone(), chart[to].clone());
    let to = if to.currency == from.currency { to } else { from.clone() };
    let money = |minor| Money::new(minor, from.currency);
    let mut lines = if split && amount > 1 {
        vec![Line::debit(to.clone(), money(amount / 2)), Line::debit(to, money(amount - amount / 2))]
    } else {
        vec![Line::debit(to, money(amount))]
    };
    lines.push(Line::credit(from.clone(), money(amount)));
    Entry::new(EntryDraft {
        id: id(spec.id),
        kind: "transfer".to_owned(),
        effective_on: days()[spec.day],
        actor: "job:poster".to_owned(),
        source_ref: "pi_1".to_owned(),
        meta: serde_json::Map::new(),
        lines,
    })
    .unwrap()
}
