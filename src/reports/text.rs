//! The proof as a page of text: one row per figure, amounts to the right, in Arabic or English.

use mizan_ledger::Money;

use super::model::{CurrencyProof, Line, Note, Part, Proof};
use super::movement::Section;
use super::view::name;
use crate::catalogue::isolate;
use crate::http::language::Language;

/// Columns of a label, and of each amount.
const LABEL: usize = 46;
const AMOUNT: usize = 18;

/// Renders the proof.
pub fn daily(proof: &Proof, language: Language) -> String {
    let mut page = Page { language, rows: Vec::new() };
    let verdict = if proof.ties() {
        page.say("TIED", "متوازن")
    } else {
        page.say("NOT TIED", "غير متوازن")
    };
    let title = page.say("The day's proof", "برهان اليوم");
    page.rows.push(format!("{title} {}: {verdict}", page.shown(&proof.day.to_string())));
    for currency in &proof.currencies {
        page.currency(currency);
    }
    page.breaks(proof);
    page.rows.join("\n")
}

/// What must be known of a line or a currency, in words.
pub fn note(note: &Note, language: Language) -> String {
    Page { language, rows: Vec::new() }.note(note)
}

/// The name of an identity.
pub fn section(section: Section, language: Language) -> &'static str {
    Page { language, rows: Vec::new() }.section(section)
}

struct Page {
    language: Language,
    rows: Vec<String>,
}

impl Page {
    fn say(&self, english: &'static str, arabic: &'static str) -> &'static str {
        match self.language {
            Language::English => english,
            Language::Arabic => arabic,
        }
    }

    /// A number, day or code inside Arabic text keeps its own direction.
    fn shown(&self, text: &str) -> String {
        match self.language {
            Language::English => text.to_owned(),
            Language::Arabic => isolate(text),
        }
    }

    /// A label and its amounts; an empty amount leaves its column blank.
    fn row(&mut self, indent: usize, label: &str, amounts: &[Option<Money>]) {
        let mut row = format!("{:indent$}{label}", "");
        for (column, amount) in amounts.iter().enumerate() {
            let Some(amount) = amount else { continue };
            let text = amount.amount();
            let end = LABEL + AMOUNT * (column + 1);
            let blanks = end.saturating_sub(width(&row) + text.len()).max(1);
            row.push_str(&" ".repeat(blanks));
            row.push_str(&self.shown(&text));
        }
        self.rows.push(row);
    }

    fn heads(&mut self, heads: &[&str]) {
        let mut row = String::new();
        for (column, head) in heads.iter().enumerate() {
            let end = LABEL + AMOUNT * (column + 1);
            let blanks = end.saturating_sub(width(&row) + width(head)).max(1);
            row.push_str(&" ".repeat(blanks));
            row.push_str(head);
        }
        self.rows.push(row);
    }

    fn currency(&mut self, proof: &CurrencyProof) {
        self.rows.push(String::new());
        self.rows.push(format!("== {} ==", self.shown(proof.currency.code())));
        let heads =
            [self.say("book", "الدفتر"), self.say("listed", "القائمة"), self.say("unexplained", "غير مفسَّر")];
        self.heads(&heads);
        for (section, part) in proof.parts() {
            let label = self.section(section);
            self.row(0, label, &[Some(part.book), Some(part.listed), Some(part.unexplained)]);
            self.lines(part);
        }
        for alarm in &proof.alarms {
            let row = format!("! {}", self.note(alarm));
            self.rows.push(row);
        }
    }

    fn section(&self, section: Section) -> &'static str {
        match section {
            Section::Channels => self.say("(a) Channels: taken, not settled", "(أ) القنوات: مقبوض لم يُسوَّ"),
            Section::Banks => self.say("(b) Banks: by their statements", "(ب) المصارف: بحسب كشوفها"),
            Section::Agencies => self.say("(c) Agencies: what they are owed", "(ج) الجهات: ما يستحق لها"),
            Section::Custody => {
                self.say("(d) Custody: held against owed", "(د) الأمانة: المحفوظ مقابل المستحق")
            }
        }
    }

    fn lines(&mut self, part: &Part) {
        for line in &part.lines {
            let called = name(&line.account);
            let called = match self.language {
                Language::English => called.en,
                Language::Arabic => called.ar,
            };
            let code = self.shown(&line.account);
            self.rows.push(format!("  {called} ({code})"));
            self.figures(line);
            for note in &line.notes {
                let row = format!("    * {}", self.note(note));
                self.rows.push(row);
            }
        }
    }

    fn figures(&mut self, line: &Line) {
        self.row(4, self.say("opening", "الرصيد الافتتاحي"), &[Some(line.opening)]);
        let mut at = 0;
        while let Some(first) = line.movements.get(at) {
            let same = line.movements[at..].iter().take_while(|moved| moved.word == first.word);
            let (mut amount, mut count) = (Some(Money::zero(first.amount.currency())), 0);
            for moved in same {
                amount = amount.and_then(|sum| sum.checked_add(moved.amount).ok());
                count += 1;
            }
            self.row(4, self.say(first.word.name_en(), first.word.name_ar()), &[amount]);
            at += count;
        }
        let items = self.shown(&line.items.to_string());
        let closing =
            format!("{} ({} {items})", self.say("closing", "الرصيد الختامي"), self.say("items:", "بنود:"));
        self.row(4, &closing, &[Some(line.closing), Some(line.listed), Some(line.unexplained)]);
    }

    fn breaks(&mut self, proof: &Proof) {
        self.rows.push(String::new());
        if proof.breaks.is_empty() {
            self.rows.push(self.say("No open breaks", "لا فروق مفتوحة").to_owned());
            return;
        }
        self.rows.push(self.say("Open breaks", "الفروق المفتوحة").to_owned());
        for open in &proof.breaks {
            let called = self.say(open.category.name_en(), open.category.name_ar());
            let currency = open.amount.map(|amount| amount.currency().code().to_owned()).unwrap_or_default();
            let label =
                format!("{called}: {} {}", self.shown(&open.count.to_string()), self.shown(&currency));
            self.row(2, label.trim_end(), &[open.amount]);
        }
    }

    fn note(&self, note: &Note) -> String {
        let money = |amount: &Money| self.shown(&amount.to_string());
        let items = |items: &i64| self.shown(&items.to_string());
        match note {
            Note::NoStatement { last: None } => {
                self.say("the statement of the day is missing", "كشف اليوم مفقود").to_owned()
            }
            Note::NoStatement { last: Some(day) } => {
                let said = self.say(
                    "the statement of the day is missing; the last is of",
                    "كشف اليوم مفقود، وآخر كشف ليوم",
                );
                format!("{said} {}", self.shown(&day.to_string()))
            }
            Note::Quarantined { reason } => {
                format!(
                    "{}: {}",
                    self.say("the statement is not accepted", "الكشف غير مقبول"),
                    self.shown(reason)
                )
            }
            Note::StatementOf { day } => {
                format!("{} {}", self.say("statement of", "كشف يوم"), self.shown(&day.to_string()))
            }
            Note::Gap { amount } => {
                format!("{}: {}", self.say("the statements do not chain", "الكشوف غير متصلة"), money(amount))
            }
            Note::LinesMissing { amount } => format!(
                "{}: {}",
                self.say("the statement moved more than its lines", "حركة الكشف تخالف بنوده"),
                money(amount)
            ),
            Note::BroughtForward { amount } => format!(
                "{}: {}",
                self.say("in the account before its first statement", "رصيد سابق لأول كشف"),
                money(amount)
            ),
            Note::ShownLater { amount, items: count } => format!(
                "{}: {} ({})",
                self.say(
                    "booked on a day off, shown by a later statement",
                    "قُيِّدت في يوم عطلة وتظهر في كشف لاحق"
                ),
                money(amount),
                items(count)
            ),
            Note::EnteredLater { amount, items: count } => format!(
                "{}: {} ({})",
                self.say("statement lines entered on a later day", "بنود كشف قُيِّدت في يوم لاحق"),
                money(amount),
                items(count)
            ),
            Note::NotEntered { amount, items: count } => format!(
                "{}: {} ({})",
                self.say("statement lines not entered", "بنود كشف لم تُقيَّد"),
                money(amount),
                items(count)
            ),
            Note::NotExpected { amount, items: count } => format!(
                "{}: {} ({})",
                self.say(
                    "money of the day whose expectation is gone",
                    "مبالغ في هذا اليوم حُذف توقُّعها أو تغيّر"
                ),
                money(amount),
                items(count)
            ),
            Note::InFlight { what, amount, items: count } => {
                let label = if what == "payout" {
                    self.say("payouts on their way", "تحويلات إلى الجهات قيد التنفيذ")
                } else {
                    self.say("refunds on their way", "مبالغ مستردّة قيد التنفيذ")
                };
                format!("{label}: {} ({})", money(amount), items(count))
            }
            Note::BelowZero { account, amount } => format!(
                "{}: {} {}",
                self.say("a bank account is below zero", "حساب مصرفي تحت الصفر"),
                self.shown(account),
                money(amount)
            ),
            Note::NotCovered { amount } => format!(
                "{}: {}",
                self.say(
                    "payables below zero that neither advance nor reserve covers",
                    "مستحقات تحت الصفر لا تغطيها سلفة ولا احتياطي"
                ),
                money(amount)
            ),
            Note::Shortfall { amount } => format!(
                "{}: {}",
                self.say("bank and cash do not cover what is owed", "النقد والأرصدة المصرفية لا تغطي المستحق"),
                money(amount)
            ),
            Note::OwnCosts { amount } => format!(
                "{}: {}",
                self.say("the hub's own costs, to be funded", "تكاليف تتحملها المنصة وتنتظر التمويل"),
                money(amount)
            ),
            Note::DayIncomplete => self
                .say(
                    "custody is not final: a bank statement of the day is missing",
                    "الأمانة غير نهائية: كشف مصرفي لليوم مفقود",
                )
                .to_owned(),
        }
    }
}

/// Columns a text takes in a terminal: isolates and Arabic marks take none.
fn width(text: &str) -> usize {
    let takes_none =
        |letter: &char| matches!(letter, '\u{2066}'..='\u{2069}' | '\u{064B}'..='\u{065F}' | '\u{0670}');
    text.chars().filter(|letter| !takes_none(letter)).count()
}
