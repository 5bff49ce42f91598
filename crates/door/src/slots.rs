//! How much of something each may have at once (calls a session, connections an address), so that one's flood does not
//! starve the others.

use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;

/// How many each has, by name. Who has none takes no room.
#[derive(Debug, Clone)]
pub struct Slots {
    most: usize,
    open: Arc<Mutex<HashMap<String, usize>>>,
}

/// One of those. Given back when dropped.
#[derive(Debug)]
pub struct Slot {
    holder: String,
    open: Arc<Mutex<HashMap<String, usize>>>,
}

impl Slots {
    /// So many for each.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { most, open: Arc::default() }
    }

    /// One more for `holder`; `None` when it has as many as it may.
    pub fn take(&self, holder: &str) -> Option<Slot> {
        let mut open = self.open.lock();
        let count = open.entry(holder.to_owned()).or_insert(0);
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Slot { holder: holder.to_owned(), open: Arc::clone(&self.open) })
    }

    /// How many each may have.
    #[must_use]
    pub fn most(&self) -> usize {
        self.most
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut open = self.open.lock();
        if let Some(count) = open.get_mut(&self.holder) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.holder);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Slots;

    #[test]
    fn a_session_gets_its_slots_and_no_more_and_gets_them_back() {
        let slots = Slots::new(2);
        let first = slots.take("s-1").unwrap();
        let second = slots.take("s-1").unwrap();
        assert!(slots.take("s-1").is_none());
        assert!(slots.take("s-2").is_some(), "another session is not affected");
        drop(first);
        let third = slots.take("s-1").unwrap();
        drop((second, third));
        assert!(slots.open.lock().is_empty());
    }
}
