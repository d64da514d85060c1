//! The hub as its users meet it: real HTTP, a real PostgreSQL, the sandbox bank outside. Modules mirror the rooms.

mod payments;
mod world;
