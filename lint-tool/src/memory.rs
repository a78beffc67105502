//! Answers that are worked out once, where questions can lead back to themselves.
//!
//! **Invariant:** a question that is asked while it is open has no answer, so that imports in a circle
//! end. An answer that such a cut may have spoilt is kept only for the question asked first.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::hash::Hash;
use std::rc::Rc;

/// How deep the questions are nested, and how often one was cut; several memories share it.
#[derive(Default)]
pub(crate) struct Circle {
    open: Cell<usize>,
    cuts: Cell<usize>,
}

/// Answers by question.
pub(crate) struct Memory<K, V> {
    /// `None` while a question is open.
    answers: RefCell<HashMap<K, Option<Option<V>>>>,
    circle: Rc<Circle>,
}

impl<K: Hash + Eq + Clone, V: Clone> Memory<K, V> {
    /// An empty memory.
    pub(crate) fn new(circle: Rc<Circle>) -> Memory<K, V> {
        Memory {
            answers: RefCell::default(),
            circle,
        }
    }

    /// The answer to a question, worked out by `answer` when it is new.
    pub(crate) fn recall(&self, key: K, answer: impl FnOnce() -> Option<V>) -> Option<V> {
        if let Some(known) = self.answers.borrow().get(&key) {
            if known.is_none() {
                self.circle.cuts.set(self.circle.cuts.get() + 1);
            }
            return known.clone().flatten();
        }
        let cuts = self.circle.cuts.get();
        let found = self.during(key.clone(), answer);
        let is_whole =
            found.is_some() || self.circle.cuts.get() == cuts || self.circle.open.get() == 0;
        if is_whole {
            self.answers.borrow_mut().insert(key, Some(found.clone()));
        }
        found
    }

    /// Runs `answer` while the question counts as open.
    pub(crate) fn during<T>(&self, key: K, answer: impl FnOnce() -> T) -> T {
        let before = self.answers.borrow_mut().insert(key.clone(), None);
        self.circle.open.set(self.circle.open.get() + 1);
        let found = answer();
        self.circle.open.set(self.circle.open.get() - 1);
        let mut answers = self.answers.borrow_mut();
        match before {
            Some(before) => answers.insert(key, before),
            None => answers.remove(&key),
        };
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_circle_ends_and_an_answer_is_worked_out_once() {
        let memory: Memory<u8, u8> = Memory::new(Rc::default());
        assert_eq!(
            memory.recall(1, || memory.recall(2, || memory.recall(1, || Some(9)))),
            None
        );
        assert_eq!(memory.recall(2, || Some(7)), Some(7));
        assert_eq!(memory.recall(2, || unreachable!()), Some(7));
    }
}
