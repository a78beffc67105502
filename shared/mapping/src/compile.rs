//! From a mapping to a plan. Every fault is found and named at once.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use schema::{
    Error, FieldError, Result,
    entity::{self, Entities, Entity, EntityRef, Kind},
    mapping::{FieldMapping, Mapping, Transform},
};

use crate::{
    Demand, FieldUse, Plan, limits, nearest,
    path::{self, Node},
    plan::{Column, Origin},
    timestamp::Reading,
    transforms::{self, Compiled, Fault, is_typed, literals},
};

impl Plan {
    /// Checks a mapping onto a canonical entity and makes it ready to run. Names every fault it
    /// finds.
    pub fn compile(mapping: &Mapping) -> Result<Plan> {
        compile(mapping, &Entities::canonical())
    }

    /// The same for a tenant with entities and fields of its own.
    pub fn compile_for(entities: &Entities, mapping: &Mapping) -> Result<Plan> {
        compile(mapping, entities)
    }
}

fn compile(mapping: &Mapping, entities: &Entities) -> Result<Plan> {
    if mapping.entity == entity::UNMAPPED.kind && mapping.fields.is_empty() {
        return Ok(Plan::unmapped());
    }
    limits::check(mapping)?;
    let Some(entity) = entities.find(&mapping.entity) else {
        return Err(Error::invalid(
            "/entity",
            format!("no such entity: send one of {}", entities.kinds()),
        ));
    };
    let mut compiler = Compiler {
        root: Node::default(),
        slots: 0,
        columns: entity.fields.iter().map(|_| None).collect(),
        faults: Vec::new(),
    };
    for (index, field) in mapping.fields.iter().enumerate() {
        compiler.field(&entity, &format!("/fields/{index}"), field);
    }
    compiler.finish(entity, mapping)
}

fn uses(entity: &Entity, mapping: &Mapping) -> BTreeMap<String, FieldUse> {
    let mut uses = BTreeMap::new();
    for mapping in &mapping.fields {
        let Some(field) = entity.field(&mapping.target) else {
            continue;
        };
        let now = FieldUse {
            demand: if field.required {
                Demand::Required
            } else {
                Demand::Mapped
            },
            is_typed: field.kind != Kind::Text || mapping.transforms.iter().any(is_typed),
        };
        for source in &mapping.sources {
            let used = uses.entry(source.clone()).or_insert(now);
            *used = used.and(now);
        }
    }
    uses
}

fn numbers(entity: &Entity, mapping: &Mapping) -> BTreeSet<String> {
    // A `number` transform says how the column writes its numbers, so nothing is in doubt.
    let is_declared = |it: &FieldMapping| {
        it.transforms
            .iter()
            .any(|it| matches!(it, Transform::Number { .. }))
    };
    let is_number = |it: &&FieldMapping| {
        let field = entity.field(&it.target);
        field.is_some_and(|it| matches!(it.kind, Kind::Decimal | Kind::Integer)) && !is_declared(it)
    };
    let fields = mapping.fields.iter().filter(is_number);
    fields.flat_map(|it| it.sources.iter().cloned()).collect()
}

struct Compiler {
    root: Node,
    slots: usize,
    columns: Vec<Option<Column>>,
    faults: Vec<FieldError>,
}

impl Compiler {
    fn fault(&mut self, pointer: String, detail: impl Into<String>) {
        self.faults.push(FieldError {
            pointer,
            detail: detail.into(),
        });
    }

    fn field(&mut self, entity: &Entity, at: &str, mapping: &FieldMapping) {
        let Some(index) = entity
            .fields
            .iter()
            .position(|it| it.name == mapping.target)
        else {
            return self.fault(format!("{at}/target"), no_field(entity, &mapping.target));
        };
        if self.columns[index].is_some() {
            let detail = "an earlier entry maps it already: keep one, with the sources of both";
            return self.fault(format!("{at}/target"), detail);
        }
        let slots = self.sources(at, &mapping.sources);
        let before = self.faults.len();
        let mut column = Column {
            field: entity.fields[index].clone(),
            origin: Origin::First(slots),
            steps: Vec::new(),
            reading: Reading::default(),
        };
        for (index, transform) in mapping.transforms.iter().enumerate() {
            let added = transforms::compile(transform, &column.field, &mapping.sources)
                .and_then(|it| column.add(it, &mapping.transforms[..index]));
            if let Err(fault) = added {
                let pointer = format!("{at}/transforms/{index}{}", fault.member);
                self.fault(pointer, fault.detail);
            }
        }
        if self.faults.len() == before {
            self.literals(&column, at, &mapping.transforms);
        }
        self.check_sources(at, mapping);
        self.columns[index] = Some(column);
    }

    fn check_sources(&mut self, at: &str, mapping: &FieldMapping) {
        let first = mapping.transforms.first();
        if matches!(first, Some(Transform::ContentHash {})) {
            return;
        }
        let is_constant = matches!(first, Some(Transform::Constant { .. }));
        let detail = match (is_constant, mapping.sources.is_empty()) {
            (true, false) => "a constant has no sources",
            (false, true) => "name at least one, or make `constant` the first transform",
            _ => return,
        };
        self.fault(format!("{at}/sources"), detail);
    }

    fn sources(&mut self, at: &str, sources: &[String]) -> Vec<usize> {
        let mut slots = Vec::with_capacity(sources.len());
        for (index, source) in sources.iter().enumerate() {
            match path::parse(source) {
                Ok(keys) => {
                    let slot = self.root.insert(&keys, &mut self.slots);
                    if slots.contains(&slot) {
                        self.fault(format!("{at}/sources/{index}"), "named twice");
                    }
                    slots.push(slot);
                }
                Err(detail) => self.fault(format!("{at}/sources/{index}"), detail),
            }
        }
        slots
    }

    /// A text that the mapping itself brings must fit the field after the steps that follow it.
    fn literals(&mut self, column: &Column, at: &str, transforms: &[Transform]) {
        let mut following = column.steps.as_slice();
        for (index, transform) in transforms.iter().enumerate() {
            if makes_step(transform) {
                following = &following[1..];
            }
            for (member, text) in literals(transform) {
                let value = Some(Cow::Borrowed(text));
                if let Err(reason) = column.finish(value, following) {
                    self.fault(format!("{at}/transforms/{index}{member}"), reason);
                }
            }
        }
    }

    fn finish(mut self, entity: EntityRef, mapping: &Mapping) -> Result<Plan> {
        for (field, column) in entity.fields.iter().zip(&self.columns) {
            // A wrong entry for it may be a fault already; one more line does no harm.
            if field.required && column.is_none() {
                let detail = format!("{} needs `{}`, map it", entity.kind, field.name);
                self.faults.push(FieldError {
                    pointer: "/fields".to_owned(),
                    detail,
                });
            }
        }
        if !self.faults.is_empty() {
            return Err(Error::Invalid(self.faults));
        }
        Ok(Plan {
            uses: uses(&entity, mapping),
            numbers: numbers(&entity, mapping),
            entity,
            root: self.root,
            slots: self.slots,
            columns: self.columns,
        })
    }
}

impl Column {
    /// Takes the next transform, which comes after those of `before`.
    fn add(&mut self, next: Compiled, before: &[Transform]) -> std::result::Result<(), Fault> {
        let origin = match next {
            Compiled::Step(step) => {
                self.steps.push(step);
                return Ok(());
            }
            Compiled::Reading(reading) => {
                self.reading = reading;
                let is_reading = |it: &Transform| {
                    matches!(it, Transform::Timestamp { .. } | Transform::Date { .. })
                };
                return match before.iter().any(is_reading) {
                    true => Err(misplaced("there is one already")),
                    false => Ok(()),
                };
            }
            _ if !before.is_empty() => return Err(misplaced("must be the first transform")),
            Compiled::Constant(text) => Origin::Constant(text),
            Compiled::ContentHash => Origin::ContentHash(self.take_slots()),
            Compiled::Combination(combination) => Origin::Combined(self.take_slots(), combination),
            Compiled::Items(items) => Origin::Items(self.take_slots(), items),
        };
        self.origin = origin;
        Ok(())
    }

    fn take_slots(&mut self) -> Vec<usize> {
        match &mut self.origin {
            Origin::First(slots) => std::mem::take(slots),
            _ => Vec::new(),
        }
    }
}

fn no_field(entity: &Entity, name: &str) -> String {
    let names = || entity.fields.iter().map(|it| it.name.as_ref());
    let kind = &entity.kind;
    if let Some(nearest) = nearest(name, names()) {
        return format!("{kind} has no such field: did you mean `{nearest}`?");
    }
    let names: Vec<&str> = names().collect();
    format!("{kind} has no such field: send one of {}", names.join(", "))
}

fn misplaced(detail: &str) -> Fault {
    Fault {
        member: String::new(),
        detail: detail.to_owned(),
    }
}

/// Whether it becomes a step, rather than an origin or a way of reading.
fn makes_step(transform: &Transform) -> bool {
    !matches!(
        transform,
        Transform::Array { .. }
            | Transform::Coalesce { .. }
            | Transform::Concat { .. }
            | Transform::Constant { .. }
            | Transform::ContentHash {}
            | Transform::Join { .. }
            | Transform::Template { .. }
            | Transform::Timestamp { .. }
    )
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// What is wrong with a mapping of opportunities whose third row is `row`.
    #[track_caller]
    fn check_mapping(row: Value, want: &str) {
        let fields = json!([
            {"target": "opportunity_id", "sources": ["Id"]},
            {"target": "name", "sources": ["Name"]},
            row,
        ]);
        let mapping = json!({"entity": "opportunity", "fields": fields});
        let mapping: Mapping = serde_json::from_value(mapping).unwrap();
        let got = match Plan::compile(&mapping) {
            Ok(_) => "sound".to_owned(),
            Err(err) => err.to_string(),
        };
        assert_eq!(got, want);
    }

    /// The same, for a row that maps `X` to `target`.
    #[track_caller]
    fn check_transforms(target: &str, transforms: Value, want: &str) {
        let row = json!({"target": target, "sources": ["X"], "transforms": transforms});
        check_mapping(row, want);
    }

    #[test]
    fn a_mapping_names_known_targets_once_and_readable_sources() {
        check_mapping(
            json!({"target": "stage", "sources": ["a", "a.b", "c"]}),
            "sound",
        );
        check_mapping(
            json!({"target": "price", "sources": ["a"]}),
            "/fields/2/target: opportunity has no such field: send one of opportunity_id, account_id, name, stage, amount, currency, close_date, owner_id, probability, created_at, updated_at",
        );
        check_mapping(
            json!({"target": "name", "sources": ["a"]}),
            "/fields/2/target: an earlier entry maps it already: keep one, with the sources of both",
        );
        check_mapping(
            json!({"target": "stage"}),
            "/fields/2/sources: name at least one, or make `constant` the first transform",
        );
        check_mapping(
            json!({"target": "stage", "sources": ["a", "b..c", "a"]}),
            "/fields/2/sources/1: a key of the path is empty; /fields/2/sources/2: named twice",
        );
        check_mapping(
            json!({"target": "stage", "sources": ["a"], "transforms": [{"kind": "constant", "value": "x"}]}),
            "/fields/2/sources: a constant has no sources",
        );
    }

    #[test]
    fn a_mapping_needs_an_entity_and_its_required_fields() {
        let of = |entity: &str| {
            let mapping = Mapping {
                entity: entity.to_owned(),
                fields: Vec::new(),
            };
            Plan::compile(&mapping).unwrap_err().to_string()
        };
        assert_eq!(
            of("invoice"),
            "/entity: no such entity: send one of account, opportunity, contact, aws_resource, cost_report"
        );
        assert_eq!(
            of("opportunity"),
            "/fields: opportunity needs `opportunity_id`, map it; /fields: opportunity needs `name`, map it"
        );
    }

    #[test]
    fn transforms_must_make_sense() {
        let check = check_transforms;
        check(
            "stage",
            json!([{"kind": "trim"}, {"kind": "join", "separator": " "}]),
            "/fields/2/transforms/1: must be the first transform",
        );
        check(
            "amount",
            json!([{"kind": "unit", "factor": "1/100"}]),
            r#"/fields/2/transforms/0/factor: "1/100" is not a decimal"#,
        );
        check(
            "amount",
            json!([{"kind": "unit", "factor": "0.0"}]),
            "/fields/2/transforms/0/factor: is zero, which loses the value",
        );
        check(
            "stage",
            json!([{"kind": "unit", "factor": "2"}]),
            "/fields/2/transforms/0: does not apply to `stage`, which is text",
        );
        check(
            "stage",
            json!([{"kind": "split", "separator": "", "index": 0}]),
            "/fields/2/transforms/0/separator: is empty",
        );
        check(
            "close_date",
            json!([{"kind": "timestamp", "zone": "Europe/Berlim", "format": "iso"}]),
            "/fields/2/transforms/0/zone: \"Europe/Berlim\" is no time zone: say `UTC`, an offset such as `+02:00`, or a name such as `Europe/Berlin`",
        );
        let utc = json!({"kind": "timestamp", "zone": "UTC", "format": "iso"});
        check(
            "close_date",
            json!([utc, utc]),
            "/fields/2/transforms/1: there is one already",
        );
    }

    #[test]
    fn texts_of_the_mapping_must_fit_their_field() {
        let check = check_transforms;
        check(
            "probability",
            json!([{"kind": "default", "value": "high"}]),
            r#"/fields/2/transforms/0/value: "high" is not a decimal"#,
        );
        check(
            "probability",
            json!([{"kind": "enum", "values": {"won": "100", "lost": "-1"}, "otherwise": "reject"}]),
            "/fields/2/transforms/0/values/lost: -1 is not within 0 to 100",
        );
        check(
            "probability",
            json!([{"kind": "trim"}, {"kind": "default", "value": "0.5"}, {"kind": "unit", "factor": "100"}]),
            "sound",
        );
        check(
            "close_date",
            json!([{"kind": "default", "value": "0"}, {"kind": "timestamp", "zone": "UTC", "format": "unix_seconds"}]),
            "sound",
        );
        check(
            "stage",
            json!([{"kind": "default", "value": "a\0"}]),
            "/fields/2/transforms/0: NUL cannot be stored",
        );
    }
}
