//! What a payer types, a QR code carries and a bank prints: bill numbers and creditor references.
//!
//! ```text
//! bill number   1234 5678 9012 44     issuer (4) serial (8) check (2)     ISO 7064 mod 97-10
//! reference     RF74 1234 5678 9012 44     RF check (2) bill number (14)  ISO 11649
//! ```
//!
//! The bill number fits the 16 places MT `:61:` has for a reference; the RF form has two checks of its own. Both come
//! back from banks in other clothes: in groups, in lower case, in Arabic digits, with the RF or the leading zeros lost,
//! inside other words. Reading folds all of that; nothing is ever taken without a valid check.

mod bill;
mod find;
mod rf;
mod text;

pub use bill::{BillNumber, NotABillNumber};
pub use find::{Found, How, Reference, find_in_text, find_issued};
pub use rf::{NotARfReference, RfReference};
