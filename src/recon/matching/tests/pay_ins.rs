//! What agencies pay in for refunds.

use std::collections::BTreeMap;

use super::{id, ils, line};
use crate::recon::matching::{Awaited, Candidates, Line, run};
use crate::refunds::pay_ins::reference;

/// What these lines are while one refund, of 80.00, waits for its agency.
fn while_awaited(lines: &[Line]) -> Vec<&'static str> {
    let awaited = Awaited { refund: id(7), agency: "health".parse().expect("a slug"), amount: ils(8_000) };
    let candidates = Candidates { awaited: BTreeMap::from([(12, awaited)]), ..Candidates::default() };
    run(lines, &candidates).expect("in range").iter().map(|one| one.rule).collect()
}

#[test]
fn an_agency_pays_in_under_the_reference_of_the_refund_and_not_more_than_it_is() {
    let wanted = reference(12);
    let grouped = format!("for {}", wanted.grouped());
    assert_eq!(while_awaited(&[line(1, 8_000, wanted.as_str())]), ["pay_in"]);
    assert_eq!(while_awaited(&[line(1, 3_000, &grouped), line(2, 5_000, &grouped)]), ["pay_in", "pay_in"]);
    let mistyped = wanted.as_str().replace("12", "21");
    for (minor, text) in [(8_001, wanted.as_str()), (8_000, mistyped.as_str()), (-8_000, wanted.as_str())] {
        assert_eq!(while_awaited(&[line(1, minor, text)]), ["none"], "{minor} {text}");
    }
    let both = format!("{wanted} {}", reference(13));
    assert_eq!(while_awaited(&[line(1, 8_000, &both)]), ["pay_in"], "the other waits for nothing");
}
