//! Time as an argument.

use jiff::Timestamp;

/// Where the present comes from. Only `app` has the real one; tests set theirs.
pub trait Clock: Send + Sync + 'static {
    fn now(&self) -> Timestamp;
}

impl<C: Clock + ?Sized> Clock for std::sync::Arc<C> {
    fn now(&self) -> Timestamp {
        (**self).now()
    }
}
