//! What a person at a terminal is told while a long step runs.

/// One line on standard error. Starting a cluster comes before logging is set up, and commands share it.
pub(super) fn tell(what: &str) {
    eprintln!("mizan: {what}");
}
