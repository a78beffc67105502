//! From a mapping to a plan. Every fault is found and named at once.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use schema::{
    Error, FieldError, Result,
    entity::{self, Entity, Kind},
    mapping::{FieldMapping, Mapping, Transform},
    pointer,
};

use crate::{
    Decimal, Demand, FieldUse, Plan,
    path::{self, Node},
    plan::{Column, Origin},
    timestamp::{self, Reading},
    transform::Step,
    words::Words,
};

pub(super) fn compile(mapping: &Mapping) -> Result<Plan> {
    if mapping.entity == entity::UNMAPPED.kind && mapping.fields.is_empty() {
        return Ok(Plan::unmapped());
    }
    let Some(entity) = entity::find(&mapping.entity) else {
        let known: Vec<_> = entity::ENTITIES.iter().map(|it| it.kind).collect();
        return Err(Error::invalid(
            "/entity",
            format!("no such entity; there are {}", known.join(", ")),
        ));
    };
    let mut compiler = Compiler {
        root: Node::default(),
        slots: 0,
        columns: entity.fields.iter().map(|_| None).collect(),
        faults: Vec::new(),
    };
    for (index, field) in mapping.fields.iter().enumerate() {
        compiler.field(entity, &format!("/fields/{index}"), field);
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
    let is_number = |it: &&FieldMapping| {
        let field = entity.field(&it.target);
        field.is_some_and(|it| matches!(it.kind, Kind::Decimal | Kind::Integer))
    };
    let fields = mapping.fields.iter().filter(is_number);
    fields.flat_map(|it| it.sources.iter().cloned()).collect()
}

/// Whether it matters to the transform what kind of value it is given.
fn is_typed(transform: &Transform) -> bool {
    match transform {
        Transform::Constant { .. }
        | Transform::Default { .. }
        | Transform::Join { .. }
        | Transform::Lower
        | Transform::Split { .. }
        | Transform::Trim
        | Transform::Upper => false,
        Transform::Currency
        | Transform::Enum { .. }
        | Transform::Timestamp { .. }
        | Transform::Unit { .. } => true,
    }
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

    fn field(&mut self, entity: &'static Entity, at: &str, mapping: &FieldMapping) {
        let Some(index) = entity
            .fields
            .iter()
            .position(|it| it.name == mapping.target)
        else {
            let detail = format!("{} has no such field", entity.kind);
            return self.fault(format!("{at}/target"), detail);
        };
        if self.columns[index].is_some() {
            return self.fault(format!("{at}/target"), "an earlier entry maps it already");
        }
        let mut column = Column {
            field: &entity.fields[index],
            origin: self.origin(at, mapping),
            steps: Vec::new(),
            reading: Reading::default(),
        };
        let sound = self.transforms(&mut column, at, &mapping.transforms);
        if sound {
            self.literals(&column, at, &mapping.transforms);
        }
        self.columns[index] = Some(column);
    }

    fn origin(&mut self, at: &str, mapping: &FieldMapping) -> Origin {
        let slots = self.sources(at, &mapping.sources);
        match mapping.transforms.first() {
            Some(Transform::Constant { value }) => {
                if !mapping.sources.is_empty() {
                    self.fault(format!("{at}/sources"), "a constant has no sources");
                }
                Origin::Constant(value.clone())
            }
            first => {
                if mapping.sources.is_empty() {
                    let detail = "name at least one, or make `constant` the first transform";
                    self.fault(format!("{at}/sources"), detail);
                }
                match first {
                    Some(Transform::Join { separator }) => Origin::Join {
                        slots,
                        separator: separator.clone(),
                    },
                    _ => Origin::First(slots),
                }
            }
        }
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

    /// Says whether all of them are sound.
    fn transforms(&mut self, column: &mut Column, at: &str, transforms: &[Transform]) -> bool {
        let before = self.faults.len();
        for (index, transform) in transforms.iter().enumerate() {
            let first = index == 0;
            let twice = matches!(transform, Transform::Timestamp { .. })
                && transforms[..index]
                    .iter()
                    .any(|it| matches!(it, Transform::Timestamp { .. }));
            let added = match transform {
                Transform::Constant { .. } | Transform::Join { .. } if !first => {
                    Err(("", "must be the first transform".to_owned()))
                }
                _ if twice => Err(("", "there is one already".to_owned())),
                _ => column.add(transform),
            };
            if let Err((member, detail)) = added {
                self.fault(format!("{at}/transforms/{index}{member}"), detail);
            }
        }
        self.faults.len() == before
    }

    /// A text that the mapping itself brings must fit the field after the steps that follow it.
    fn literals(&mut self, column: &Column, at: &str, transforms: &[Transform]) {
        let mut following = column.steps.as_slice();
        for (index, transform) in transforms.iter().enumerate() {
            if makes_step(transform) {
                following = &following[1..];
            }
            for (member, text) in texts(transform) {
                if let Err(reason) = column.finish(Some(Cow::Borrowed(text)), following) {
                    self.fault(format!("{at}/transforms/{index}{member}"), reason);
                }
            }
        }
    }

    fn finish(mut self, entity: &'static Entity, mapping: &Mapping) -> Result<Plan> {
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
            entity,
            root: self.root,
            slots: self.slots,
            columns: self.columns,
            uses: uses(entity, mapping),
            numbers: numbers(entity, mapping),
        })
    }
}

/// The member of the transform that is wrong (`/factor`), and why.
type Fault = (&'static str, String);

impl Column {
    fn add(&mut self, transform: &Transform) -> std::result::Result<(), Fault> {
        if self.field.kind == Kind::TextList {
            return Err(("", "a list of texts takes no transforms".to_owned()));
        }
        if texts(transform).iter().any(|(_, text)| text.contains('\0')) {
            return Err(("", "NUL cannot be stored".to_owned()));
        }
        let step = match transform {
            Transform::Join { separator } if separator.contains('\0') => {
                return Err(("/separator", "NUL cannot be stored".to_owned()));
            }
            Transform::Constant { .. } | Transform::Join { .. } => return Ok(()),
            Transform::Timestamp { zone, format } => {
                self.only_for(&[Kind::Timestamp])?;
                self.reading = Reading {
                    zone: timestamp::zone(zone).ok_or_else(|| {
                        (
                            "/zone",
                            "is neither `UTC` nor an offset such as `+02:00`".to_owned(),
                        )
                    })?,
                    format: *format,
                };
                return Ok(());
            }
            Transform::Trim => Step::Trim,
            Transform::Upper => Step::Upper,
            Transform::Lower => Step::Lower,
            Transform::Default { value } => Step::Default(value.clone()),
            Transform::Split { separator, index } => split(separator, *index)?,
            Transform::Enum { values, otherwise } => Step::Enum {
                values: Words::new(values),
                otherwise: *otherwise,
            },
            Transform::Unit { factor } => {
                self.only_for(&[Kind::Decimal, Kind::Integer])?;
                Step::Unit(unit(factor)?)
            }
            Transform::Currency => {
                self.only_for(&[Kind::Text])?;
                Step::Currency
            }
        };
        self.steps.push(step);
        Ok(())
    }

    fn only_for(&self, kinds: &[Kind]) -> std::result::Result<(), Fault> {
        if kinds.contains(&self.field.kind) {
            return Ok(());
        }
        let detail = format!(
            "does not apply to `{}`, which is {}",
            self.field.name,
            self.field.kind.sql()
        );
        Err(("", detail))
    }
}

fn split(separator: &str, index: i32) -> std::result::Result<Step, Fault> {
    if separator.is_empty() {
        return Err(("/separator", "is empty".to_owned()));
    }
    Ok(Step::Split {
        separator: separator.to_owned(),
        index,
    })
}

fn unit(factor: &str) -> std::result::Result<Decimal, Fault> {
    let factor: Decimal = factor.parse().map_err(|reason| ("/factor", reason))?;
    if factor == Decimal::from(0) {
        return Err(("/factor", "is zero, which loses the value".to_owned()));
    }
    Ok(factor)
}

fn makes_step(transform: &Transform) -> bool {
    !matches!(
        transform,
        Transform::Constant { .. } | Transform::Join { .. } | Transform::Timestamp { .. }
    )
}

/// The texts that a transform brings into the record, each with its place.
fn texts(transform: &Transform) -> Vec<(String, &str)> {
    match transform {
        Transform::Constant { value } | Transform::Default { value } => {
            vec![("/value".to_owned(), value)]
        }
        Transform::Enum { values, .. } => values
            .iter()
            .map(|(word, ours)| (format!("/values/{}", pointer::escape(word)), ours.as_str()))
            .collect(),
        _ => Vec::new(),
    }
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
            "/fields/2/target: opportunity has no such field",
        );
        check_mapping(
            json!({"target": "name", "sources": ["a"]}),
            "/fields/2/target: an earlier entry maps it already",
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
            "/entity: no such entity; there are account, opportunity, contact, aws_resource, cost_report"
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
            json!([{"kind": "timestamp", "zone": "Europe/Berlin", "format": "iso"}]),
            "/fields/2/transforms/0/zone: is neither `UTC` nor an offset such as `+02:00`",
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
