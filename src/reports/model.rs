//! The proof itself: what the books say against what is listed, and the verdict.

use mizan_ledger::{Class, Currency, Day, Money, MoneyError};

use super::movement::{Movement, Section, Word, word};
use super::weigh::of_currency;

/// Everything the proof is made from, read in one snapshot.
#[derive(Debug, Clone)]
pub struct Facts {
    pub day: Day,
    pub accounts: Vec<BookAccount>,
    pub listed: Vec<Listed>,
    pub banks: Vec<BankDay>,
    pub breaks: Vec<OpenBreaks>,
}

/// An account of the book over the day, by its entries.
#[derive(Debug, Clone)]
pub struct BookAccount {
    pub code: String,
    pub class: Class,
    /// At the end of the day before, on the account's normal side.
    pub opening: Money,
    pub movements: Vec<Movement>,
}

impl BookAccount {
    /// The movement on the account's normal side.
    fn signed(&self, movement: &Movement) -> Result<Money, MoneyError> {
        if movement.side == self.class.normal_side() {
            Ok(movement.amount)
        } else {
            movement.amount.checked_neg()
        }
    }

    /// At the end of the day, on the account's normal side.
    pub fn closing(&self) -> Result<Money, MoneyError> {
        let signed = |movement| self.signed(movement);
        self.movements.iter().map(signed).try_fold(self.opening, |sum, amount| sum.checked_add(amount?))
    }
}

/// Open items of one account, added up as they are listed outside the book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The account, or `agency/<slug>` for all accounts of an agency but its taxes.
    pub account: String,
    pub amount: Money,
    pub items: i64,
}

/// A statement that stands aside.
#[derive(Debug, Clone)]
pub struct Aside {
    pub reason: String,
    /// What it says was in the account.
    pub closing: Option<Money>,
}

/// What is known of a bank account of ours from its statements.
#[derive(Debug, Clone)]
pub struct BankDay {
    /// `bank/<name>`.
    pub account: String,
    pub currency: Currency,
    /// The statement that proves the day: its own, or of a day without one that of the last business day before it. Banks
    /// give none on other days.
    pub proved_from: Day,
    /// Of the last accepted statement of the day or before.
    pub last: Option<Seen>,
    /// A statement of the day that is not accepted.
    pub quarantined: Option<Aside>,
    /// What was in the account before its first statement.
    pub brought_forward: Money,
    /// Openings less the closings before them: zero where the statements chain.
    pub gap: Money,
    /// What the statements of the day say they moved, less their lines.
    pub lines_missing: Money,
    /// Lines up to the day whose entries belong to a later one.
    pub entered_later: Listed,
    /// Lines up to the day without an entry.
    pub not_entered: Listed,
    /// Refunds and payouts that will leave this account, by kind.
    pub in_flight: Vec<(String, Listed)>,
}

/// The balance a statement ended with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    pub on: Day,
    pub closing: Money,
}

/// Breaks of one category and currency that were open at the end of the day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenBreaks {
    pub category: crate::breaks::Category,
    pub count: i64,
    /// None where the breaks carry no money.
    pub amount: Option<Money>,
}

/// What a reader must know about a line or a currency beside its figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// The statement of the day is missing; this was the last.
    NoStatement {
        last: Option<Day>,
    },
    /// The statement of the day is not accepted.
    Quarantined {
        reason: String,
    },
    /// No business day: proved by an earlier statement.
    StatementOf {
        day: Day,
    },
    /// A statement does not begin where the one before it ended.
    Gap {
        amount: Money,
    },
    /// The lines of the day's statement do not make up what it moved.
    LinesMissing {
        amount: Money,
    },
    BroughtForward {
        amount: Money,
    },
    /// Statement lines that were entered on a later day.
    EnteredLater {
        amount: Money,
        items: i64,
    },
    /// Statement lines that are not entered at all.
    NotEntered {
        amount: Money,
        items: i64,
    },
    /// Money on its way out of the account.
    InFlight {
        what: String,
        amount: Money,
        items: i64,
    },
    /// A bank account below zero.
    BelowZero {
        account: String,
        amount: Money,
    },
    /// Refunds took more from agencies than they had, and neither advance nor reserve covers it.
    NotCovered {
        amount: Money,
    },
    /// Bank and cash are less than what is owed of money that arrived, by more than the hub's own costs and listed
    /// losses.
    Shortfall {
        amount: Money,
    },
    /// The hub bore more than it earned: its owner must fund that much.
    OwnCosts {
        amount: Money,
    },
    /// A bank statement of the day is missing: custody cannot be judged yet.
    DayIncomplete,
}

impl Note {
    /// Whether nothing is proved while it stands, whatever the figures say.
    fn refutes(&self) -> bool {
        match self {
            Self::Quarantined { .. } | Self::NotEntered { .. } => true,
            // Where there were statements before, nobody knows what the missing one says. An account that never had one
            // is not in use yet, and its balance tells the rest.
            Self::NoStatement { last } => last.is_some(),
            _ => false,
        }
    }
}

/// The day's proof.
#[derive(Debug, Clone)]
pub struct Proof {
    pub day: Day,
    pub currencies: Vec<CurrencyProof>,
    pub breaks: Vec<OpenBreaks>,
}

#[derive(Debug, Clone)]
pub struct CurrencyProof {
    pub currency: Currency,
    pub channels: Part,
    pub banks: Part,
    pub agencies: Part,
    pub custody: Part,
    pub alarms: Vec<Note>,
}

/// One identity.
#[derive(Debug, Clone)]
pub struct Part {
    pub book: Money,
    pub listed: Money,
    /// What of it nobody can explain, without sign: differences do not cancel each other.
    pub unexplained: Money,
    pub lines: Vec<Line>,
}

/// One account: opening + movements = closing, against what is listed.
#[derive(Debug, Clone)]
pub struct Line {
    pub account: String,
    pub opening: Money,
    pub movements: Vec<Moved>,
    pub closing: Money,
    pub listed: Money,
    pub items: i64,
    /// Closing less listed.
    pub unexplained: Money,
    pub notes: Vec<Note>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    pub word: Word,
    pub kind: String,
    /// On the normal side of the account.
    pub amount: Money,
    pub entries: i64,
}

impl Line {
    pub(super) fn new(account: String, currency: Currency) -> Self {
        let zero = Money::zero(currency);
        Self {
            account,
            opening: zero,
            movements: Vec::new(),
            closing: zero,
            listed: zero,
            items: 0,
            unexplained: zero,
            notes: Vec::new(),
        }
    }

    /// Nothing unexplained, and nothing that makes the figures meaningless.
    pub fn ties(&self) -> bool {
        self.unexplained.is_zero() && !self.notes.iter().any(Note::refutes)
    }

    pub(super) fn is_empty(&self) -> bool {
        let nothing = self.opening.is_zero() && self.closing.is_zero() && self.listed.is_zero();
        nothing && self.movements.is_empty() && self.ties()
    }

    /// Adds an account of the book: an agency's line holds several.
    pub(super) fn add(&mut self, section: Section, account: &BookAccount) -> Result<(), MoneyError> {
        self.opening = self.opening.checked_add(account.opening)?;
        self.closing = self.closing.checked_add(account.closing()?)?;
        for movement in &account.movements {
            let amount = account.signed(movement)?;
            let word = word(section, &movement.kind, movement.side);
            let same = |moved: &&mut Moved| moved.word == word && moved.kind == movement.kind;
            match self.movements.iter_mut().find(same) {
                Some(moved) => {
                    moved.amount = moved.amount.checked_add(amount)?;
                    moved.entries = moved.entries.max(movement.entries);
                }
                None => {
                    let (kind, entries) = (movement.kind.clone(), movement.entries);
                    self.movements.push(Moved { word, kind, amount, entries });
                }
            }
        }
        Ok(())
    }

    /// Compares the closing with what is listed.
    pub(super) fn compare(&mut self) -> Result<(), MoneyError> {
        self.movements.retain(|moved| !moved.amount.is_zero());
        self.movements.sort_by(|one, other| (one.word, &one.kind).cmp(&(other.word, &other.kind)));
        self.unexplained = self.closing.checked_sub(self.listed)?;
        Ok(())
    }

    /// Puts what the statements say on the line of a bank account.
    pub(super) fn show_bank(&mut self, bank: &BankDay, day: Day) -> Result<(), MoneyError> {
        let of_day = bank.last.filter(|seen| seen.on == day);
        let of_earlier = bank.last.filter(|seen| seen.on >= bank.proved_from);
        let mut is_shown = true;
        match (of_day, of_earlier, &bank.quarantined) {
            (Some(seen), ..) => self.listed = seen.closing,
            (None, _, Some(aside)) => {
                self.listed = aside.closing.unwrap_or(self.listed);
                is_shown = false;
            }
            (None, Some(seen), None) => {
                self.listed = seen.closing;
                self.notes.push(Note::StatementOf { day: seen.on });
            }
            (None, ..) => {
                self.notes.push(Note::NoStatement { last: bank.last.map(|seen| seen.on) });
                is_shown = false;
            }
        }
        // Also beside an accepted one: banks write the pages of a day as statements of their own.
        if let Some(aside) = &bank.quarantined {
            self.notes.push(Note::Quarantined { reason: aside.reason.clone() });
        }
        if is_shown {
            self.items = 1;
            self.listed = self.listed.checked_sub(bank.brought_forward)?;
            self.listed = self.listed.checked_sub(bank.entered_later.amount)?;
        }
        self.compare()?;
        // A hole in the chain shows in the closing too, unless something hides it.
        for (amount, note) in [
            (bank.gap, Note::Gap { amount: bank.gap }),
            (bank.lines_missing, Note::LinesMissing { amount: bank.lines_missing }),
        ] {
            if !amount.is_zero() {
                self.notes.push(note);
                self.unexplained = if self.unexplained.is_zero() { amount } else { self.unexplained };
            }
        }
        self.note_bank_items(bank);
        Ok(())
    }

    fn note_bank_items(&mut self, bank: &BankDay) {
        if !bank.brought_forward.is_zero() {
            self.notes.push(Note::BroughtForward { amount: bank.brought_forward });
        }
        let Listed { amount, items, .. } = bank.entered_later;
        if items > 0 {
            self.notes.push(Note::EnteredLater { amount, items });
        }
        let Listed { amount, items, .. } = bank.not_entered;
        if items > 0 {
            self.notes.push(Note::NotEntered { amount, items });
        }
        for (what, Listed { amount, items, .. }) in &bank.in_flight {
            self.notes.push(Note::InFlight { what: what.clone(), amount: *amount, items: *items });
        }
    }
}

impl Part {
    /// Sums the lines of an identity.
    pub(super) fn of(currency: Currency, lines: Vec<Line>) -> Result<Self, MoneyError> {
        let mut part = Self {
            book: Money::sum(currency, lines.iter().map(|line| line.closing))?,
            listed: Money::sum(currency, lines.iter().map(|line| line.listed))?,
            unexplained: Money::zero(currency),
            lines,
        };
        for line in &part.lines {
            part.unexplained = part.unexplained.checked_add(unsigned(line.unexplained)?)?;
        }
        Ok(part)
    }

    pub fn ties(&self) -> bool {
        self.unexplained.is_zero() && self.lines.iter().all(Line::ties)
    }
}

pub(super) fn unsigned(money: Money) -> Result<Money, MoneyError> {
    if money.is_negative() { money.checked_neg() } else { Ok(money) }
}

impl CurrencyProof {
    pub fn parts(&self) -> [(Section, &Part); 4] {
        [
            (Section::Channels, &self.channels),
            (Section::Banks, &self.banks),
            (Section::Agencies, &self.agencies),
            (Section::Custody, &self.custody),
        ]
    }

    pub fn ties(&self) -> bool {
        self.parts().iter().all(|(_, part)| part.ties())
    }
}

impl Proof {
    /// Compares book and lists, account by account.
    pub fn of(facts: &Facts) -> Result<Self, MoneyError> {
        let mut currencies: Vec<Currency> = facts.listed.iter().map(|one| one.amount.currency()).collect();
        currencies.extend(facts.accounts.iter().map(|account| account.opening.currency()));
        currencies.extend(facts.banks.iter().map(|bank| bank.currency));
        currencies.sort_unstable();
        currencies.dedup();
        let proofs = currencies.into_iter().map(|currency| of_currency(facts, currency));
        Ok(Self {
            day: facts.day,
            currencies: proofs.collect::<Result<_, _>>()?,
            breaks: facts.breaks.clone(),
        })
    }

    /// Every unit is explained.
    pub fn ties(&self) -> bool {
        self.currencies.iter().all(CurrencyProof::ties)
    }
}
