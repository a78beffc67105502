use crate::delimited::{Item, Options, Reader};

#[test]
fn a_table_becomes_records() {
    let mut reader = Reader::new(Options::default());
    reader.push(b"a,b\n1,\"x\"\"y\"\n");
    reader.finish();
    let mut json = Vec::new();
    while let Some(Item::Row(row)) = reader.next().unwrap() {
        row.write_json(&mut json);
    }
    assert_eq!(json, br#"{"a":"1","b":"x\"y"}"#);
}
