//! Bytes to values and back: MIME, OData, and how long a certificate is valid.
//!
//! Reading a message never fails: what is not as the standard wants it comes
//! back as a flaw beside the value. Nothing here does IO, reads a clock or
//! rolls dice.

pub mod mime;
pub mod odata;
pub mod x509;
