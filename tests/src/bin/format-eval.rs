//! What the platform makes of the columns of a file: `format-eval FILE.csv`, with `--json` as one
//! JSON object a column.
//!
//! The file is read as an upload is: its encoding and delimiter are detected.

use std::{fs::File, io::Read};

use anyhow::{Context, bail};
use mapping::formats::TableProfile;
use schema::format::{ColumnFormat, Evidence, FormatQuestion};
use sources::delimited::{Item, Options, Reader, ShortRows};

const CHUNK: usize = 1 << 20;

fn main() -> anyhow::Result<()> {
    let (mut path, mut is_json) = (None, false);
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--json" => is_json = true,
            _ if path.is_none() => path = Some(argument),
            other => bail!("one file and `--json` are all it takes, not {other:?}"),
        }
    }
    let path = path.context("name a file: format-eval FILE.csv [--json]")?;
    let file = File::open(&path).with_context(|| format!("{path} cannot be opened"))?;
    let columns = read(file).with_context(|| format!("{path} cannot be read"))?;
    for column in &columns {
        if is_json {
            println!("{}", serde_json::to_string(column)?);
        } else {
            print!("{}", table(column)?);
        }
    }
    Ok(())
}

/// The formats of a file's columns. Rows that cannot be read are counted on standard error.
fn read(mut file: impl Read) -> anyhow::Result<Vec<ColumnFormat>> {
    let mut reader = Reader::new(Options {
        short_rows: ShortRows::Pad,
        ..Options::default()
    });
    let mut profile: Option<TableProfile> = None;
    let mut rejected = 0_u64;
    let mut chunk = vec![0; CHUNK];
    loop {
        let read = file.read(&mut chunk)?;
        match read {
            0 => reader.finish(),
            read => reader.push(&chunk[..read]),
        }
        while let Some(item) = reader.next()? {
            let Item::Row(row) = item else {
                rejected += 1;
                continue;
            };
            let names = row.header().names().iter().map(String::as_str);
            let profile = profile.get_or_insert_with(|| TableProfile::new(names));
            for (index, cell) in row.cells().enumerate() {
                profile.observe(index, &cell.text());
            }
        }
        if read == 0 {
            break;
        }
    }
    if rejected > 0 {
        eprintln!("{rejected} rows cannot be read and are left out");
    }
    let header = reader.header().map(|it| it.names()).unwrap_or_default();
    let profile = profile.unwrap_or_else(|| TableProfile::new(header.iter().map(String::as_str)));
    Ok(profile.finish())
}

/// A column in lines for a person.
fn table(column: &ColumnFormat) -> anyhow::Result<String> {
    let kind = serde_json::to_value(column.kind)?;
    let mut text = format!(
        "{}: {} ({} values, {} empty, {} words for none)\n",
        column.name,
        kind.as_str().unwrap_or_default(),
        column.values,
        column.empty,
        column.nulls
    );
    for transform in &column.transforms {
        text += &format!("  declares {}\n", serde_json::to_string(transform)?);
    }
    let evidence = column.evidence.iter();
    text.extend(evidence.map(|it| format!("  {}\n", shown(it))));
    if column.misfits.count > 0 {
        text += &format!(
            "  {} do not fit ({:.2} %), such as {}\n",
            column.misfits.count,
            column.misfits.share * 100.0,
            column.misfits.examples.join(" | ")
        );
    }
    let questions = column.questions.iter();
    text.extend(questions.map(asked));
    Ok(text)
}

fn shown(evidence: &Evidence) -> String {
    format!(
        "{} {}, such as {}",
        evidence.count,
        evidence.form,
        evidence.examples.join(" | ")
    )
}

fn asked(question: &FormatQuestion) -> String {
    let mut text = format!("  ? {}\n", question.question);
    for choice in &question.choices {
        let examples = choice.examples.iter().map(|it| {
            let becomes = it.becomes.as_deref().unwrap_or("rejected");
            format!("{} is {becomes}", it.value)
        });
        text += &format!(
            "    - {}: {}\n",
            choice.answer,
            examples.collect::<Vec<_>>().join(", ")
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(file: &[u8], want: &[&str]) {
        let columns = read(file).unwrap();
        let lines = columns.iter().map(|it| {
            let kind = serde_json::to_value(it.kind).unwrap();
            format!(
                "{} {} {}",
                it.name,
                kind.as_str().unwrap(),
                it.questions.len()
            )
        });
        assert_eq!(lines.collect::<Vec<_>>(), want);
    }

    #[test]
    fn a_german_export_is_understood() {
        let file = "Kunde;Betrag;Abschluss;Aktiv\nMüller;1.200,50 €;31.01.2024;ja\nMeier;3,00 €;01.02.2024;nein\n";
        let want = [
            "Kunde text 0",
            "Betrag money 0",
            "Abschluss date 0",
            "Aktiv boolean 0",
        ];
        check(file.as_bytes(), &want);
        let latin: Vec<u8> = file
            .chars()
            .map(|it| if it == '€' { 0x80 } else { it as u8 })
            .collect();
        check(&latin, &want);
    }

    #[test]
    fn a_file_without_rows_has_columns_or_none() {
        check(b"a,b\n", &["a empty 0", "b empty 0"]);
        let empty = read(&b""[..]);
        assert!(empty.is_err() || empty.is_ok_and(|it| it.is_empty()));
    }

    #[test]
    fn a_row_that_is_short_counts_as_empty() {
        check(
            b"a,b\n01/02/2024\n03/04/2024,x\n",
            &["a date 1", "b boolean 0"],
        );
    }

    #[test]
    fn ten_thousand_columns_are_read() {
        let line = |cell: &str| vec![cell; 10_000].join(",");
        let names: Vec<_> = (0..10_000).map(|it| it.to_string()).collect();
        let file = format!(
            "{}\n{}\n{}\n",
            names.join(","),
            line("1,5").replace("1,5", "1.5"),
            line("N/A")
        );
        let columns = read(file.as_bytes()).unwrap();
        assert_eq!(columns.len(), 10_000);
        assert!(columns.iter().all(|it| it.nulls == 1));
    }
}
