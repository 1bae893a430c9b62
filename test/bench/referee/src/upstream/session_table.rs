//! The sessions that are open.

use std::cell::RefCell;
use std::collections::hash_map::RandomState;
use std::collections::HashSet;
use std::hash::BuildHasher;

#[derive(Default)]
pub struct SessionTable {
    ids: RefCell<HashSet<String>>,
}

impl SessionTable {
    /// Opens a session; its id is random enough for a benchmark.
    pub fn open(&self) -> String {
        let random = RandomState::new();
        let id = format!("{:016x}{:016x}", random.hash_one(0), random.hash_one(1));
        self.ids.borrow_mut().insert(id.clone());
        id
    }

    pub fn has(&self, id: &str) -> bool {
        self.ids.borrow().contains(id)
    }

    pub fn close(&self, id: &str) {
        self.ids.borrow_mut().remove(id);
    }
}
