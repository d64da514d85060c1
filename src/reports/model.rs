//! The proof itself: what the books say against what is listed, and the verdict.

use mizan_ledger::{Class, Currency, Day, Money, MoneyError};

use super::bank::BankDay;
use super::movement::{Movement, Section, Word, word};
use super::weigh::of_currency;

/// Everything the proof is made from, read in one snapshot.
#[derive(Debug, Clone)]
pub struct Facts {
    pub day: Day,
    pub accounts: Vec<BookAccount>,
    pub listed: Vec<Listed>,
    /// Money of the day that no expectation holds, met or not.
    pub unexpected: Vec<Listed>,
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
    /// Lines of the day or before, of a day off, that a later statement shows.
    ShownLater {
        amount: Money,
        items: i64,
    },
    /// Statement lines that are not entered at all.
    NotEntered {
        amount: Money,
        items: i64,
    },
    /// Money of the day whose expectation is gone, or was altered.
    NotExpected {
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
            Self::Quarantined { .. } | Self::NotEntered { .. } | Self::NotExpected { .. } => true,
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
