//! Bank statements as a caller meets them: files written here by code, and the files of others when
//! MIZAN_CORPUS names the folder that holds `statements/`.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test that cannot go on says so and fails")]

mod camt;
mod corpus;
mod mt940;
mod write;
