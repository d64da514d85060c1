//! What holds of matching whatever the lines are.

use std::collections::{BTreeMap, BTreeSet};

use mizan_adapters::reference::{BillNumber, RfReference};
use mizan_ledger::{Currency, Day, EntryId, Id, Money};
use proptest::prelude::*;
use uuid::Uuid;

use super::reading::Named;
use super::settlement::{self, Item, ItemKind, Judged, Plan, Settlement};
use super::{Bill, Candidates, Line, Ruled, Verdict, named, run};
use crate::breaks::Category;
use crate::expectations::{Expectation, Kind};
use crate::ids::{ExpectationId, IntentId, RefundId, SettlementId};

mod card_day;
mod muddle;
mod pay_ins;
mod returns;
mod transfers;

const ACCOUNT: &str = "main-ils";
const ISSUER: u16 = 2201;

fn ils(minor: i64) -> Money {
    Money::new(minor, Currency::ILS)
}

fn id<T: Id>(n: usize) -> T {
    T::from_uuid(Uuid::from_u128(n as u128 + 1))
}

fn day() -> Day {
    "2026-11-22".parse().expect("a day")
}

fn bill(serial: u32) -> BillNumber {
    BillNumber::new(ISSUER, serial).expect("a bill number")
}

fn payment(n: usize, channel: &str, minor: i64, cost: i64) -> Expectation {
    Expectation {
        id: id(n),
        kind: Kind::Payment,
        channel: channel.to_owned(),
        account: ACCOUNT.to_owned(),
        money: ils(minor),
        cost: ils(cost),
        transaction: Some(format!("T{n}")),
        reference: Some(format!("at_{n}")),
        money_key: Some(format!("{channel}:T{n}")),
        intent: Some(id(n)),
        refund: None,
        born_on: day(),
        due_on: day(),
    }
}

fn netted(n: usize, minor: i64) -> Expectation {
    Expectation {
        kind: Kind::NettedRefund,
        money: ils(-minor),
        reference: Some(refund_reference(n)),
        refund: Some(id(n)),
        money_key: None,
        transaction: None,
        ..payment(n, "card", minor, 0)
    }
}

fn refund_reference(n: usize) -> String {
    id::<RefundId>(n).to_string()
}

fn line(n: usize, minor: i64, text: &str) -> Line {
    Line {
        id: i64::try_from(n).expect("few lines"),
        account: ACCOUNT.to_owned(),
        money: ils(minor),
        money_key: format!("bank:{ACCOUNT}:{n}"),
        end_to_end: None,
        text: text.to_owned(),
        named: named(&[], text, |issuer| issuer == ISSUER),
        noticed: false,
    }
}

/// Texts as banks pass them on: a bill grouped, in Arabic digits, as an RF reference, between other words.
fn written(bill: BillNumber, how: usize) -> String {
    let arabic = |text: &str| -> String {
        text.chars()
            .map(|letter| {
                letter.to_digit(10).and_then(|digit| char::from_u32(0x660 + digit)).unwrap_or(letter)
            })
            .collect()
    };
    match how % 5 {
        0 => format!("fees {bill} thank you"),
        1 => format!("رسوم {}", bill.grouped()),
        2 => arabic(&bill.to_string()),
        3 => format!("ref {} of 2026-11-22", RfReference::from(bill)),
        _ => format!("tel 0599123456 {bill} 12/2026"),
    }
}

fn bills(dues: &[i64]) -> BTreeMap<BillNumber, Bill> {
    let known = dues.iter().zip(1_u32..).map(|(due, serial)| {
        let intent: IntentId = id(serial as usize);
        (bill(serial), Bill { intent, amount: ils(*due), due: ils(*due) })
    });
    known.collect()
}

fn transfers() -> BTreeMap<String, String> {
    [(ACCOUNT.to_owned(), "transfer".to_owned())].into()
}
