//! What the demo says: lines for people as it goes, or one JSON object at the end.

use serde_json::{Map, Value};

pub(super) struct Report {
    figures: Option<Map<String, Value>>,
    steps: usize,
}

impl Report {
    pub(super) fn new(as_json: bool) -> Report {
        Report {
            figures: as_json.then(Map::new),
            steps: 0,
        }
    }

    /// A step that is done.
    pub(super) fn step(&mut self, title: &str, said: &str, name: &str, figures: Value) {
        self.steps += 1;
        if self.figures.is_none() {
            println!("\n{}. {title}\n   {said}", self.steps);
        }
        self.note(name, figures);
    }

    /// A line below the step.
    pub(super) fn row(&self, text: &str) {
        if self.figures.is_none() {
            println!("     {}", text.trim_end());
        }
    }

    /// Figures for the JSON object only.
    pub(super) fn note(&mut self, name: &str, figures: Value) {
        if let Some(all) = &mut self.figures {
            all.insert(name.to_owned(), figures);
        }
    }

    pub(super) fn finish(self) {
        match self.figures {
            Some(figures) => println!("{}", Value::Object(figures)),
            None => println!("\nAll {} steps passed.", self.steps),
        }
    }
}
