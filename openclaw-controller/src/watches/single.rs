//! [`Single`]: one object that is watched by its name.

use super::Sink;
use crate::feed::Item;

/// Tells of the object, or that it is not there.
pub(super) struct Single<T> {
    tell: T,
    /// Named by the list that is under way.
    listed: bool,
}

impl<T: Fn(Option<&Item>)> Single<T> {
    pub(super) fn new(tell: T) -> Self {
        Self { tell, listed: false }
    }
}

impl<T: Fn(Option<&Item>) + Send + 'static> Sink for Single<T> {
    fn begin(&mut self) {
        self.listed = false;
    }

    fn list(&mut self, _: &Item) {
        self.listed = true;
    }

    fn see(&mut self, item: &Item) {
        (self.tell)(Some(item));
    }

    fn lose(&mut self, _: &Item) {
        (self.tell)(None);
    }

    fn end(&mut self) {
        if !self.listed {
            (self.tell)(None);
        }
    }
}
