//! Rows of endpoints and of what is on its way to them.

mod deliveries;
mod endpoints;

pub use deliveries::{
    Claimed, NewDeliveries, Room, claim, insert_deliveries, insert_test, page_deliveries, update_tried,
    update_waiting_ended,
};
pub use endpoints::{find, find_enabled, insert, lock, page, update};
