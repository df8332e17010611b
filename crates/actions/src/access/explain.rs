//! "Check your security role": what a user may, what is missing for an
//! operation, and who could grant it.
