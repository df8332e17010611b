//! Fetches on both databases.
