//! camt.05x: whatever the XML, it is read or refused, and what is read adds up.
#![no_main]

mod invariants;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if bytes.first() == Some(&b'<') {
        drop(invariants::read(bytes));
    }
});
