//! What references may be, in every format alike: short, and without control characters.
//!
//! The standards give references 16 to 35 characters, structured ones up to 140. What is longer, or holds a character
//! that no standard prints, is not one that a bank could repeat or a payer could type: it is left out and told with its
//! place. By the bank's own references money is told apart: one of them keeps its statement from being taken in. What
//! payers wrote, banks only pass on: it must not keep the others' money out.

use super::model::{Evidence, Problem, References, Statement, StatementLine, Transaction};

/// ISO 20022 `Max140Text`, the longest text of a reference.
const REFERENCE_CHARS_MAX: usize = 140;

/// The longest text of a problem: it quotes the file.
const PROBLEM_CHARS_MAX: usize = 400;

/// Takes the references of a line that cannot be ones out of it, and tells of each.
pub(super) fn of_line(line: &mut StatementLine) -> Vec<Problem> {
    let (Evidence::Bytes { line: at, .. } | Evidence::Text { line: at, .. }) = &line.evidence;
    let place = format!("line {at}, entry {}", line.ordinal);
    let mut faults = Vec::new();
    check(&mut line.entry_reference, "the entry's reference", &mut faults);
    check(&mut line.bank_reference, "the bank's reference", &mut faults);
    let mut problems: Vec<Problem> = faults.into_iter().map(|what| problem(&place, what)).collect();
    problems.extend(of_transaction(&mut line.transaction, &place));
    for (index, details) in line.details.iter_mut().enumerate() {
        problems.extend(of_transaction(details, &format!("{place}, transaction {}", index + 1)));
    }
    problems
}

/// The same for what a statement and its account are known by; `ordinal` counts the statements of the file from 1.
pub(super) fn of_statement(statement: &mut Statement, ordinal: u64) -> Vec<Problem> {
    let mut faults = Vec::new();
    check(&mut statement.id, "the statement's id", &mut faults);
    check(&mut statement.message_id, "the message's id", &mut faults);
    check(&mut statement.account, "the account", &mut faults);
    let place = format!("statement {ordinal}");
    faults.into_iter().map(|what| problem(&place, what)).collect()
}

/// A problem's words with what they quote of the file made visible, and not endless.
pub(super) fn shown(problem: Problem) -> Problem {
    let visible = |text: String| {
        if text.len() <= PROBLEM_CHARS_MAX && !text.chars().any(char::is_control) {
            return text;
        }
        let escape = |letter: char| {
            if letter.is_control() { letter.escape_debug().to_string() } else { letter.to_string() }
        };
        text.chars().take(PROBLEM_CHARS_MAX).map(escape).collect()
    };
    Problem { place: visible(problem.place), what: visible(problem.what), ..problem }
}

fn of_transaction(transaction: &mut Transaction, place: &str) -> Vec<Problem> {
    // The texts of `other` are searched as words are; nothing is known by them.
    let References {
        end_to_end,
        uetr,
        instruction,
        payment_information,
        message,
        transaction: own,
        bank,
        customer,
        mandate,
        creditor,
        other: _,
    } = &mut transaction.references;
    let (mut own_faults, mut faults) = (Vec::new(), Vec::new());
    check(own, "the transaction's id", &mut own_faults);
    check(bank, "the bank's reference of the transaction", &mut own_faults);
    for (slot, name) in [
        (end_to_end, "the end-to-end reference"),
        (uetr, "the UETR"),
        (instruction, "the instruction's id"),
        (payment_information, "the payment information's id"),
        (message, "the message's id"),
        (customer, "the reference for the account's owner"),
        (mandate, "the mandate's id"),
    ] {
        check(slot, name, &mut faults);
    }
    creditor.retain(|text| match fault(text) {
        None => true,
        Some(why) => {
            faults.push(format!("the creditor's reference {why}"));
            false
        }
    });
    let passed_on = faults.into_iter().map(|what| Problem { touches_money: false, ..problem(place, what) });
    own_faults.into_iter().map(|what| problem(place, what)).chain(passed_on).collect()
}

fn check(slot: &mut Option<String>, name: &str, faults: &mut Vec<String>) {
    let Some(why) = slot.as_deref().and_then(fault) else { return };
    faults.push(format!("{name} {why}"));
    *slot = None;
}

/// Why a text cannot be a reference.
fn fault(text: &str) -> Option<String> {
    if let Some(letter) = text.chars().find(|letter| letter.is_control()) {
        return Some(format!("holds the control character U+{:04X}", u32::from(letter)));
    }
    let length = text.chars().count();
    (length > REFERENCE_CHARS_MAX)
        .then(|| format!("is {length} characters long; at most {REFERENCE_CHARS_MAX} can be one"))
}

fn problem(place: &str, what: String) -> Problem {
    Problem { place: place.to_owned(), what, touches_money: true }
}
