//! Requests to other servers over pooled HTTP/1.1 connections, with TLS where the URL says so.
//!
//! A pool usually gives each connection a task of its own: a request then crosses to that task and
//! back, and once more when the connection is free again. Here nobody but the request drives its
//! connection: it is polled while the answer's head and body are waited for, and lies in the pool
//! unwatched when they are complete.
//!
//! An answer that is dropped before its end closes its connection, which is how HTTP/1.1 cancels.
//!
//! [`Pool::send`] gives an answer as it comes; [`Pieces`] watches how it comes and [`Events`] cuts it
//! into server-sent events. [`Pool::ask`] gives small answers whole, limited in time and length.

mod ask;
mod body;
mod connection;
mod connector;
mod error;
mod idle;
mod pieces;
mod pool;
mod resolver;
mod sse;

pub use ask::{AnswerLimits, get, post_json};
pub use body::Body;
pub use error::Error;
pub use pieces::Pieces;
pub use pool::{Pool, PoolOptions};
pub use sse::{EventTooLong, Events};
