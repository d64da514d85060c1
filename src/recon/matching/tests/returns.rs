//! Refunds that come back, and money that only says so.

use std::collections::{BTreeMap, BTreeSet};

use mizan_ledger::Currency;

use super::{ACCOUNT, id, ils, line, payment};
use crate::expectations::{Expectation, Kind};
use crate::ids::RefundId;
use crate::recon::matching::{Candidates, Left, Line, Ruled, Verdict, run};

const REFERENCE: &str = "MZ000000007-1";

fn under(n: usize, minor: i64) -> Line {
    Line { end_to_end: Some(REFERENCE.to_owned()), ..line(n, minor, "") }
}

/// One refund of 105.00 of ours, of which the bank may keep 1.00.
fn known() -> Candidates {
    Candidates {
        known_refunds: BTreeSet::from([REFERENCE.to_owned()]),
        return_charges: BTreeMap::from([(ACCOUNT.to_owned(), ils(100))]),
        ..Candidates::default()
    }
}

fn left() -> Candidates {
    let left = Left { refund: id(7), amount: ils(10_500) };
    Candidates { refunds_left: BTreeMap::from([(REFERENCE.to_owned(), left)]), ..known() }
}

fn leaving() -> Candidates {
    let expected = Expectation {
        kind: Kind::Refund,
        money: ils(-10_500),
        reference: Some(REFERENCE.to_owned()),
        refund: Some(id(7)),
        ..payment(7, "transfer", 10_500, 0)
    };
    Candidates { expectations: vec![expected], ..known() }
}

fn verdicts(lines: &[Line], candidates: &Candidates) -> Vec<Verdict> {
    run(lines, candidates).expect("in range").into_iter().map(|ruled: Ruled| ruled.verdict).collect()
}

fn unknown() -> Verdict {
    Verdict::Unknown(Vec::new())
}

#[test]
fn an_order_comes_back_whole_or_less_what_its_bank_may_keep() {
    let refund: RefundId = id(7);
    for kept in [0, 1, 100] {
        let back = verdicts(&[under(1, 10_500 - kept)], &left());
        assert_eq!(back, [Verdict::Returns(refund, ils(kept))]);
    }
    for minor in [1, 10_399, 10_501] {
        assert_eq!(verdicts(&[under(1, minor)], &left()), [unknown()], "{minor}");
    }
    let dollars = mizan_ledger::Money::new(10_500, Currency::USD);
    assert_eq!(verdicts(&[Line { money: dollars, ..under(1, 1) }], &left()), [unknown()]);
}

#[test]
fn it_comes_back_once() {
    let back = verdicts(&[under(1, 10_500), under(2, 10_500), line(3, 500, "a gift")], &left());
    assert_eq!(back, [Verdict::Returns(id(7), ils(0)), unknown(), unknown()]);
}

#[test]
fn what_may_be_a_return_waits_for_the_order_to_be_seen_leaving_and_no_longer() {
    assert_eq!(verdicts(&[under(1, 10_450)], &leaving()), [Verdict::Waits]);
    assert_eq!(verdicts(&[under(1, 10_450)], &Candidates { last_pass: true, ..leaving() }), [unknown()]);
    assert_eq!(verdicts(&[under(1, 1)], &leaving()), [unknown()], "no return of it");
    assert_eq!(verdicts(&[under(1, 10_500)], &known()), [unknown()], "it came back before");
}
