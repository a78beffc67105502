//! A date or a time in declared formats.

use std::borrow::Cow;

use chrono::{Datelike, FixedOffset, NaiveDate, NaiveDateTime};
use schema::{
    entity::{Field, Kind},
    mapping::Transform,
};

use super::{CompiledTransform, Fault, no_zone};
use crate::{
    Cell,
    date_pattern::Pattern,
    excel::{self, System},
    quote::quoted,
    timestamp::{self, Local},
    zone::Zone,
};

const MAX_FORMATS: usize = 20;

#[derive(Debug)]
pub(crate) struct Date {
    formats: Vec<Format>,
    names: Vec<String>,
    zone: Zone,
    pivot: u8,
    /// What the target is; a text takes what fits the value.
    kind: Kind,
}

#[derive(Debug)]
enum Format {
    Iso,
    UnixSeconds,
    UnixMillis,
    Excel(System),
    Pattern(Pattern),
}

pub(crate) fn compile(transform: &Transform, field: &Field) -> Result<Date, Fault> {
    let Transform::Date {
        formats: names,
        zone,
        pivot,
    } = transform
    else {
        unreachable!("is called for this transform alone");
    };
    super::only_for(field, &[Kind::Timestamp, Kind::Date, Kind::Text])?;
    if names.is_empty() {
        return Err(Fault::of("/formats", "is empty: name at least one"));
    }
    if names.len() > MAX_FORMATS {
        return Err(Fault::of("/formats", "has more than 20 formats"));
    }
    let mut formats = Vec::new();
    for (index, text) in names.iter().enumerate() {
        let at = format!("/formats/{index}");
        let format = Format::parse(text).map_err(|it| Fault::of(&at, it))?;
        if format.has_short_year() && pivot.is_none() {
            let detail = "is needed, as a format has years of two digits: 70 makes 69 the year \
                          2069 and 70 the year 1970";
            return Err(Fault::of("/pivot", detail));
        }
        formats.push(format);
    }
    if pivot.is_some_and(|it| it > 99) {
        return Err(Fault::of("/pivot", "is more than 99"));
    }
    let zone = zone.as_deref().unwrap_or("UTC");
    let date = Date {
        formats,
        names: names.clone(),
        zone: Zone::parse(zone).ok_or_else(|| no_zone("/zone", zone))?,
        pivot: pivot.unwrap_or_default(),
        kind: field.kind,
    };
    date.check_for_contradictions()?;
    Ok(date)
}

impl CompiledTransform for Date {
    fn run<'a>(&'a self, text: Cow<'a, str>) -> Result<Cell<'a>, String> {
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return Ok(Cell::Null);
        }
        let local = self
            .formats
            .iter()
            .find_map(|it| it.read(trimmed, self.pivot));
        local.and_then(|it| self.cell(it)).ok_or_else(|| {
            format!(
                "{} is not a date in the format {}: correct it at the source, or declare a format \
                 that all values have",
                quoted(&text),
                self.names.join(" or ")
            )
        })
    }
}

impl Date {
    fn cell(&self, local: Local) -> Option<Cell<'static>> {
        let is_day = match self.kind {
            Kind::Date => true,
            Kind::Timestamp => false,
            _ => !local.has_time,
        };
        if is_day {
            return Some(Cell::Date(local.at.date()));
        }
        let at = local.instant(self.zone)?;
        (1..=9999)
            .contains(&at.year())
            .then_some(Cell::Timestamp(at))
    }

    /// A value must not mean two things by the order of the formats.
    fn check_for_contradictions(&self) -> Result<(), Fault> {
        for (index, format) in self.formats.iter().enumerate() {
            for probe in probes() {
                let Some(text) = format.written(&probe) else {
                    continue;
                };
                let meant = format.read(&text, self.pivot);
                for (before, other) in self.formats[..index].iter().enumerate() {
                    let also = other.read(&text, self.pivot);
                    if let (Some(meant), Some(also)) = (meant, also)
                        && meant.at != also.at
                    {
                        let detail = format!(
                            "reads {text:?} otherwise than {}: keep the one that the source means",
                            self.names[before]
                        );
                        return Err(Fault::of(format!("/formats/{index}"), detail));
                    }
                }
            }
        }
        Ok(())
    }
}

/// Times that tell formats apart: all parts differ, and each fits another part's place.
fn probes() -> Vec<Local> {
    let days = [(2003, 2, 1), (2010, 12, 11), (2001, 1, 2), (1912, 10, 9)];
    let at = |(year, month, day), hour| -> Option<NaiveDateTime> {
        NaiveDate::from_ymd_opt(year, month, day)?.and_hms_opt(hour, 5, 6)
    };
    days.into_iter()
        .flat_map(|day| [at(day, 4), at(day, 16)])
        .flatten()
        .map(|at| Local {
            at,
            offset: FixedOffset::east_opt(0),
            has_time: true,
        })
        .collect()
}

impl Format {
    fn parse(text: &str) -> Result<Format, String> {
        Ok(match text {
            "ISO" => Format::Iso,
            "UNIX_SECONDS" => Format::UnixSeconds,
            "UNIX_MILLIS" => Format::UnixMillis,
            "EXCEL_1900" => Format::Excel(System::From1900),
            "EXCEL_1904" => Format::Excel(System::From1904),
            pattern => Format::Pattern(Pattern::parse(pattern)?),
        })
    }

    fn has_short_year(&self) -> bool {
        matches!(self, Format::Pattern(pattern) if pattern.has_short_year())
    }

    fn read(&self, text: &str, pivot: u8) -> Option<Local> {
        let unix = |micros| {
            Some(Local {
                at: timestamp::unix(text, micros)?.naive_utc(),
                offset: FixedOffset::east_opt(0),
                has_time: true,
            })
        };
        match self {
            Format::Iso => timestamp::iso_local(text),
            Format::UnixSeconds => unix(1_000_000),
            Format::UnixMillis => unix(1_000),
            Format::Excel(system) => Some(Local {
                at: excel::read(text, *system)?,
                offset: None,
                has_time: text.contains(['.', 'e', 'E']),
            }),
            Format::Pattern(pattern) => pattern.read(text, pivot),
        }
    }

    fn written(&self, local: &Local) -> Option<String> {
        let utc = local.at.and_utc();
        Some(match self {
            Format::Iso => local.at.format("%Y-%m-%dT%H:%M:%S").to_string(),
            Format::UnixSeconds => utc.timestamp().to_string(),
            Format::UnixMillis => utc.timestamp_millis().to_string(),
            Format::Excel(system) => excel::written(local.at, *system)?,
            Format::Pattern(pattern) => pattern.written(local),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::transforms::testing::{check, check_fault, check_for, field};

    #[test]
    fn the_first_format_that_fits_counts_and_zones_are_declared() {
        check_for(
            "close_date",
            &json!({"kind": "date", "formats": ["DD.MM.YYYY HH:mm", "DD.MM.YYYY", "ISO"], "zone": "+02:00"}),
            &[
                (" 31.01.2024 ", "2024-01-30T22:00:00Z"),
                ("31.01.2024 10:30", "2024-01-31T08:30:00Z"),
                ("2024-01-31T10:30:00Z", "2024-01-31T10:30:00Z"),
                ("", "null"),
                (
                    "01/31/2024",
                    r#""01/31/2024" is not a date in the format DD.MM.YYYY HH:mm or DD.MM.YYYY or ISO: correct it at the source, or declare a format that all values have"#,
                ),
            ],
        );
        check(
            &json!({"kind": "date", "formats": ["EXCEL_1900"]}),
            &[("45292", "2024-01-01"), ("45292.5", "2024-01-01T12:00:00Z")],
        );
        check_for(
            "close_date",
            &json!({"kind": "date", "formats": ["UNIX_MILLIS"], "zone": "+02:00"}),
            &[("1705312800000", "2024-01-15T10:00:00Z")],
        );
        check_for(
            "close_date",
            &json!({"kind": "date", "formats": ["D/M/YY"], "pivot": 70}),
            &[
                ("1/2/69", "2069-02-01T00:00:00Z"),
                ("1/2/70", "1970-02-01T00:00:00Z"),
            ],
        );
    }

    #[test]
    fn formats_that_read_one_value_differently_are_refused() {
        let of = |formats: &[&str]| json!({"kind": "date", "formats": formats, "pivot": 70});
        check_fault(
            &of(&["DD/MM/YYYY", "MM/DD/YYYY"]),
            r#"/formats/1: reads "02/01/2003" otherwise than DD/MM/YYYY: keep the one that the source means"#,
        );
        check_fault(
            &of(&["YY-MM-DD", "ISO", "DD-MM-YY"]),
            r#"/formats/2: reads "01-02-03" otherwise than YY-MM-DD: keep the one that the source means"#,
        );
        check_fault(
            &of(&["UNIX_SECONDS", "UNIX_MILLIS"]),
            r#"/formats/1: reads "1044072306000" otherwise than UNIX_SECONDS: keep the one that the source means"#,
        );
        check_fault(
            &of(&["EXCEL_1900", "EXCEL_1904"]),
            r#"/formats/1: reads "36191.1702083333" otherwise than EXCEL_1900: keep the one that the source means"#,
        );
        check(
            &of(&["DD/MM/YYYY", "D/M/YYYY", "ISO", "MMM D, YYYY"]),
            &[("1/2/2024", "2024-02-01")],
        );
    }

    #[test]
    fn what_is_declared_must_make_sense() {
        let check = |more: serde_json::Value, want: &str| {
            let mut transform = json!({"kind": "date"});
            transform
                .as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            check_fault(&transform, want);
        };
        check(
            json!({"formats": []}),
            "/formats: is empty: name at least one",
        );
        check(
            json!({"formats": ["ISO", "DD/MM"]}),
            "/formats/1: needs a year, once",
        );
        check(
            json!({"formats": ["D.M.YY"]}),
            "/pivot: is needed, as a format has years of two digits: 70 makes 69 the year 2069 and 70 the year 1970",
        );
        check(
            json!({"formats": ["ISO"], "pivot": 100}),
            "/pivot: is more than 99",
        );
        check(
            json!({"formats": ["ISO"], "zone": "CET"}),
            "/zone: \"CET\" is no time zone: say `UTC`, an offset such as `+02:00`, or a name such as `Europe/Berlin`",
        );
    }

    proptest! {
        #[test]
        fn a_time_that_is_written_in_a_format_reads_as_itself(
            format in prop::sample::select(vec![
                "ISO", "UNIX_SECONDS", "UNIX_MILLIS", "EXCEL_1900", "EXCEL_1904",
                "DD/MM/YYYY HH:mm:ss", "M/D/YYYY h:mm:ss A", "D.M.YY HH:mm:ss",
                "MMM D, YYYY hh:mm:ss A Z", "ddd, DD MMM YYYY HH:mm:ss Z", "YYYYMMDD[T]HH:mm:ss.f",
            ]),
            // The years that two digits with this pivot can mean.
            seconds in 0..(2_524_608_000_i64 + 631_152_000),
        ) {
            let date = Transform::Date { formats: vec![format.to_owned()], zone: None, pivot: Some(70) };
            let date = compile(&date, field("close_date")).unwrap();
            let at = chrono::DateTime::from_timestamp(seconds, 0).unwrap();
            let local = Local { at: at.naive_utc(), offset: FixedOffset::east_opt(0), has_time: true };
            let text = date.formats[0].written(&local).unwrap();
            prop_assert_eq!(date.run(Cow::Borrowed(&text)), Ok(Cell::Timestamp(at)), "{}", text);
        }

        #[test]
        fn any_text_is_a_date_or_has_a_reason(text in r"[0-9a-zA-Zé./:, +-]{0,24}") {
            let formats = ["ISO", "MMM D, YYYY h:mm A", "D.M.YYYY HH:mm:ss.f Z", "EXCEL_1900"];
            let date = Transform::Date { formats: formats.map(str::to_owned).into(), zone: None, pivot: None };
            let _ = compile(&date, field("close_date")).unwrap().run(Cow::Borrowed(&text));
        }
    }
}
