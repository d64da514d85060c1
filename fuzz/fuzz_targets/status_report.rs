//! pain.002 and pacs.002: whatever the XML, it is read the same twice or refused, and what is said about an order is
//! found by its reference.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mizan_adapters::payment_file::pain002::{self, Progress, Standing};

fuzz_target!(|bytes: &[u8]| {
    let Ok(report) = pain002::read(bytes) else { return };
    assert_eq!(pain002::read(bytes).ok().as_ref(), Some(&report));
    usable(&report.group);
    let file = report.original_message_id.as_deref().unwrap_or(" none ");
    for block in &report.blocks {
        usable(&block.standing);
        for order in &block.orders {
            usable(&order.standing);
            let (Some(id), Some(_)) = (&order.end_to_end_id, &order.standing.status) else { continue };
            let ours = block.original_id.as_deref().unwrap_or("ANY");
            assert!(report.of((file, ours), id).is_some(), "the order {id} has a status of its own");
        }
    }
    // Texts are trimmed, so no reference can be this one.
    let told = report.of((file, " none "), " none ").map(|(status, _)| Progress::of(status));
    let is_named = report.original_message_id.is_some() && !report.is_interbank;
    let group = report.group.status.as_deref().filter(|_| is_named).map(Progress::of);
    assert_eq!(told, group, "the group speaks for every order of the file that it names");
});

fn usable(standing: &Standing) {
    assert!(standing.status.as_ref().is_none_or(|status| !status.is_empty()));
    assert!(standing.reasons.iter().all(|reason| reason.code.as_ref().is_none_or(|code| !code.is_empty())));
}
