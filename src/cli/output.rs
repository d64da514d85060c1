//! Standard output: what a command was asked for, and nothing else.

use std::io::{self, ErrorKind, Write};

/// Writes one block of a result and a line feed. A reader that went away (`mizan ... | head`) has had enough, which
/// is no failure.
///
/// # Errors
/// When standard output cannot be written for any other reason.
pub fn say(text: &str) -> io::Result<()> {
    match writeln!(io::stdout().lock(), "{text}") {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}
