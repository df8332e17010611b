//! The pure rules of Postroom, one file per question.

pub mod access;
pub mod alert;
pub mod approval;
pub mod breaker;
pub mod discovery;
pub mod forward;
pub mod incoming;
pub mod lockout;
pub mod mailbox;
pub mod mailbox_test;
pub mod matching;
pub mod openid;
pub mod outgoing;
pub mod parties;
pub mod password;
pub mod profile;
pub mod provider;
pub mod queue_work;
pub mod retry;
pub mod routing;
pub mod schedule;
pub mod scopes;
pub mod token;
pub mod user_queue;
pub mod webhook;
