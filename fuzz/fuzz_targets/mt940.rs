//! MT940 and MT942: whatever stands behind the first field, it is read or refused, and what is read adds up.
#![no_main]

mod invariants;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut file = b":20:X\n".to_vec();
    file.extend_from_slice(bytes);
    drop(invariants::read(&file));
});
