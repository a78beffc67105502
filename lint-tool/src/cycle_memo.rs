//! Answers that are worked out once, where questions can lead back to themselves.
//!
//! **Invariant:** a question that is asked while it is open has no answer, so that imports in a circle
//! end. "No answer" that leans on such a cut is believed as long as the cut would be made again: until
//! the open question gets an answer. If it gets none either, both were right.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::rc::Rc;

/// The questions that are open, and what became of the others; several memories share it.
#[derive(Default)]
pub(crate) struct MemoCycle {
    /// For each open question its number, and the depths of the open questions that it leans on.
    open: RefCell<Vec<(usize, BTreeSet<usize>)>>,
    /// What is known of each question, by its number.
    fates: RefCell<Vec<Fate>>,
}

#[derive(Clone, Copy)]
enum Fate {
    /// Open, at this depth.
    Open(usize),
    /// It has an answer: what leaned on it having none must be asked again.
    Answered,
    /// It has none, for certain.
    None,
    /// It has none as long as another question has none.
    Leans(usize),
}

impl MemoCycle {
    fn begin(&self) -> usize {
        let (mut open, mut fates) = (self.open.borrow_mut(), self.fates.borrow_mut());
        let number = fates.len();
        fates.push(Fate::Open(open.len()));
        open.push((number, BTreeSet::new()));
        number
    }

    fn end(&self, has_answer: bool) -> Fate {
        let (mut open, mut fates) = (self.open.borrow_mut(), self.fates.borrow_mut());
        let Some((number, mut leans_on)) = open.pop() else {
            return Fate::Answered;
        };
        leans_on.remove(&open.len());
        let fate = match leans_on.last() {
            _ if has_answer => Fate::Answered,
            Some(depth) => Fate::Leans(open[*depth].0),
            None => Fate::None,
        };
        fates[number] = fate;
        if let (false, Some((_, above))) = (has_answer, open.last_mut()) {
            above.extend(leans_on);
        }
        fate
    }

    /// Whether "no answer" may be believed that leans on a question; the one that asks leans on it too.
    fn is_believed(&self, mut number: usize) -> bool {
        let fates = self.fates.borrow();
        loop {
            match fates[number] {
                Fate::Answered => return false,
                Fate::None => return true,
                Fate::Leans(other) => number = other,
                Fate::Open(depth) => {
                    if let Some((_, leans_on)) = self.open.borrow_mut().last_mut() {
                        leans_on.insert(depth);
                    }
                    return true;
                }
            }
        }
    }
}

#[derive(Clone)]
enum Answer<V> {
    Open(usize),
    Known(Option<V>),
    /// None, as long as the question of this number has none.
    Leans(usize),
}

/// Answers by question.
pub(crate) struct CycleMemo<K, V> {
    answers: RefCell<HashMap<K, Answer<V>>>,
    circle: Rc<MemoCycle>,
}

impl<K: Hash + Eq + Clone, V: Clone> CycleMemo<K, V> {
    /// An empty memory.
    pub(crate) fn new(circle: Rc<MemoCycle>) -> CycleMemo<K, V> {
        CycleMemo {
            answers: RefCell::default(),
            circle,
        }
    }

    /// The answer to a question, worked out by `answer` when it is new.
    pub(crate) fn recall(&self, key: K, answer: impl FnOnce() -> Option<V>) -> Option<V> {
        match self.answers.borrow().get(&key) {
            Some(Answer::Known(known)) => return known.clone(),
            Some(Answer::Open(number) | Answer::Leans(number))
                if self.circle.is_believed(*number) =>
            {
                return None;
            }
            _ => {}
        }
        let number = self.circle.begin();
        let mut answers = self.answers.borrow_mut();
        answers.insert(key.clone(), Answer::Open(number));
        drop(answers);
        let found = answer();
        let answer = match self.circle.end(found.is_some()) {
            Fate::Leans(other) => Answer::Leans(other),
            _ => Answer::Known(found.clone()),
        };
        self.answers.borrow_mut().insert(key, answer);
        found
    }

    /// Runs `answer` while the question counts as open.
    pub(crate) fn during<T>(&self, key: K, answer: impl FnOnce() -> T) -> T {
        let number = self.circle.begin();
        let open = Answer::Open(number);
        let before = self.answers.borrow_mut().insert(key.clone(), open);
        let found = answer();
        // What leaned on it did so for this one time.
        self.circle.end(true);
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
        let memory: CycleMemo<u8, u8> = CycleMemo::new(Rc::default());
        assert_eq!(
            memory.recall(1, || memory.recall(2, || memory.recall(1, || Some(9)))),
            None
        );
        assert_eq!(memory.recall(2, || unreachable!()), None);
        assert_eq!(memory.recall(3, || Some(7)), Some(7));
        assert_eq!(memory.recall(3, || unreachable!()), Some(7));
    }

    #[test]
    fn what_leaned_on_a_cut_is_asked_again_once_the_cut_has_an_answer() {
        let memory: CycleMemo<u8, u8> = CycleMemo::new(Rc::default());
        // 1 asks 2, which asks 1 in vain; then 1 finds an answer after all.
        assert_eq!(
            memory.recall(1, || memory
                .recall(2, || memory.recall(1, || None))
                .or(Some(9))),
            Some(9)
        );
        assert_eq!(memory.recall(2, || memory.recall(1, || None)), Some(9));
        // 3 and 4 have no answer because of each other: neither is asked again.
        let asked = || memory.recall(4, || memory.recall(3, || None));
        assert_eq!(memory.recall(3, || asked().or_else(asked)), None);
        assert_eq!(memory.recall(4, || unreachable!()), None);
    }
}
