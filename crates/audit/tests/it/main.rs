//! Audits of real answers: the built-in model serves them, and another copy of it looks.

mod cheats;
mod honest;
mod plain;
mod tolerant;
mod verdicts;
