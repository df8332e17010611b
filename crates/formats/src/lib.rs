//! Bytes to values and back: MIME, HTML of others, OData, FetchXML, SQL of
//! Dataverse's kind, the settings that domains publish, and how long a certificate is valid.
//!
//! Reading a message never fails: what is not as the standard wants it comes
//! back as a flaw beside the value. Nothing here does IO, reads a clock or
//! rolls dice.

pub mod autoconfig;
mod fetched;
pub mod fetchxml;
pub mod html;
pub mod inquiry;
pub mod mime;
pub mod odata;
#[cfg(test)]
mod show;
pub mod sql;
pub mod webhook;
pub mod x509;
