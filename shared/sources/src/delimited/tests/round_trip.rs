use proptest::prelude::*;

use crate::delimited::{Item, Options, Reader};

/// A table: names that differ, and rows as wide. `None` is null.
fn table() -> impl Strategy<Value = Vec<Vec<Option<String>>>> {
    let cell = prop::option::of("[a-z\"\n\r,;|\té日 0-9]{0,12}");
    (1usize..6).prop_flat_map(move |width| {
        prop::collection::vec(prop::collection::vec(cell.clone(), width), 0..20)
    })
}

fn write(table: &[Vec<Option<String>>], line_break: &str) -> String {
    let width = table.first().map_or(1, Vec::len);
    let names: Vec<String> = (0..width).map(|it| format!("name {it}")).collect();
    let mut text = names.join(",") + line_break;
    for row in table {
        let cells: Vec<String> = row.iter().map(|it| cell(it.as_deref())).collect();
        text += &(cells.join(",") + line_break);
    }
    text
}

fn cell(value: Option<&str>) -> String {
    match value {
        None => String::new(),
        Some(value) if value.is_empty() || value.contains(['"', ',', '\n', '\r']) => {
            format!("\"{}\"", value.replace('"', "\"\""))
        }
        Some(value) => value.to_owned(),
    }
}

fn drain(reader: &mut Reader, rows: &mut Vec<Vec<Option<String>>>) {
    while let Some(item) = reader.next().unwrap() {
        let Item::Row(row) = item else {
            panic!("{item:?}");
        };
        let mut json = Vec::new();
        row.write_json(&mut json);
        let record: serde_json::Value = serde_json::from_slice(&json).unwrap();
        let names = row.header().names().iter();
        let from_json: Vec<_> = names
            .map(|it| record[it].as_str().map(str::to_owned))
            .collect();
        let cells = row
            .cells()
            .map(|it| (!it.is_null()).then(|| it.text().into_owned()));
        assert_eq!(cells.collect::<Vec<_>>(), from_json);
        rows.push(from_json);
    }
}

proptest! {
    #[test]
    fn any_table_is_read_back_however_it_is_cut(
        mut table in table(),
        line_break in prop::sample::select(vec!["\n", "\r\n", "\r"]),
        cuts in prop::collection::vec(1usize..40, 1..30),
    ) {
        let text = write(&table, line_break);
        let options = Options { delimiter: Some(b','), ..Options::default() };
        let mut reader = Reader::new(options);
        let mut rows = Vec::new();
        let mut rest = text.as_bytes();
        for cut in cuts.iter().cycle() {
            let (chunk, after) = rest.split_at(rest.len().min(*cut));
            rest = after;
            reader.push(chunk);
            drain(&mut reader, &mut rows);
            if rest.is_empty() {
                break;
            }
        }
        reader.finish();
        drain(&mut reader, &mut rows);
        // A row of one null is a blank line, which is no row.
        table.retain(|it| it != &[None]);
        prop_assert_eq!(rows, table);
    }

    #[test]
    fn no_bytes_make_it_panic_and_the_cuts_do_not_matter(
        bytes in prop::collection::vec(prop::sample::select(b"ab1,;\"\"\n\r \xFF\xC3\xA9\0".to_vec()), 0..200),
        size in 1usize..50,
    ) {
        let options = Options { max_row: 40, ..Options::default() };
        prop_assert_eq!(
            super::read(options, &bytes, size),
            super::read(options, &bytes, bytes.len().max(1))
        );
    }
}
