//! Any bytes: encoding and format are found out or the file is refused, and the report agrees with itself.
#![no_main]

mod invariants;

use libfuzzer_sys::fuzz_target;
use mizan_adapters::statement::check::check;

fuzz_target!(|bytes: &[u8]| {
    drop(invariants::read(bytes));
    let report = check("file", bytes);
    let closes = report.statements.iter().all(|statement| statement.closes != Some(false));
    let money = report.problems.iter().all(|problem| !problem.touches_money);
    assert_eq!(report.ok, closes && money, "{report:?}");
});
