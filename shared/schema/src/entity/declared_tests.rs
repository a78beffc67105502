use super::declared::*;
use super::*;
use crate::FieldError;

fn field(name: &str, kind: Kind) -> FieldDeclaration {
    FieldDeclaration {
        name: name.to_owned(),
        kind,
        description: String::new(),
        unit: None,
        words: Vec::new(),
        required: false,
    }
}

fn ticket() -> EntityDeclaration {
    EntityDeclaration {
        kind: "ticket".to_owned(),
        plural: None,
        description: "A request for help.".to_owned(),
        key: vec!["ticket_id".to_owned()],
        fields: vec![
            field("ticket_id", Kind::Text),
            field("tags", Kind::TextList),
        ],
    }
}

fn lines(faults: Vec<FieldError>) -> Vec<String> {
    let line = |it: FieldError| format!("{}: {}", it.pointer, it.detail);
    faults.into_iter().map(line).collect()
}

#[track_caller]
fn check_entity(change: impl Fn(&mut EntityDeclaration), want: &[&str]) {
    let mut declared = ticket();
    change(&mut declared);
    assert_eq!(lines(declared.faults(&Entities::canonical())), want);
}

#[track_caller]
fn check_field(change: impl Fn(&mut FieldDeclaration), want: &[&str]) {
    let mut declared = field("tier", Kind::Text);
    change(&mut declared);
    let account = find("account").unwrap();
    assert_eq!(lines(declared.faults(account)), want);
}

#[test]
fn an_entity_has_names_of_its_own_and_a_key_among_its_fields() {
    check_entity(|_| {}, &[]);
    check_entity(
        |it| it.kind = "account".to_owned(),
        &[
            "/name: an entity has this name already: choose another one",
            "/plural: an entity has this name already: choose another one",
        ],
    );
    check_entity(
        |it| it.plural = Some("Tickets".to_owned()),
        &[
            "/plural: write a lower case letter, then lower case letters, digits and `_`, 63 at most",
        ],
    );
    check_entity(
        |it| it.key = vec!["number".to_owned()],
        &["/key/0: is not among `fields`: declare it there"],
    );
    check_entity(
        |it| it.key = vec!["tags".to_owned()],
        &["/key/0: is a list, which identifies nothing: choose another field"],
    );
    check_entity(|it| it.key.clear(), &["/key: name 1 to 5 fields"]);
    check_entity(
        |it| it.fields.push(field("tags", Kind::Text)),
        &["/fields/2/name: an earlier field has this name: choose another one"],
    );
}

#[test]
fn a_field_has_a_name_that_nothing_else_has() {
    check_field(|_| {}, &[]);
    check_field(
        |it| it.name = "name".to_owned(),
        &["/name: account has a field of this name already: choose another one"],
    );
    check_field(
        |it| it.name = "limit".to_owned(),
        &["/name: means something else already: choose another name"],
    );
    for name in [
        "",
        "Tier",
        "1st",
        "a b",
        "tier;--",
        "stufe_ä",
        &"x".repeat(64),
    ] {
        check_field(
            |it| it.name = name.to_owned(),
            &[
                "/name: write a lower case letter, then lower case letters, digits and `_`, 63 at most",
            ],
        );
    }
}

#[test]
fn only_texts_have_words() {
    let words = |words: &[&str]| words.iter().map(|&it| it.to_owned()).collect::<Vec<_>>();
    check_field(|it| it.words = words(&["gold", "silver"]), &[]);
    check_field(
        |it| it.words = words(&["gold", "", "gold"]),
        &[
            "/enum/1: write 1 to 200 characters, without NUL",
            "/enum/2: is named twice: name it once",
        ],
    );
    check_field(
        |it| (it.kind, it.words) = (Kind::Integer, words(&["1"])),
        &["/enum: only a text or a list of texts can be an enum: leave it out"],
    );
    check_field(
        |it| it.required = true,
        &[
            "/required: only a field that is declared together with its entity can be required: records are there that do not have it",
        ],
    );
}

#[test]
fn a_tenant_s_entities_are_the_canonical_ones_with_its_fields_and_its_own() {
    let stored = |entity: &str, id: i64, field: FieldDeclaration| StoredField {
        entity: entity.to_owned(),
        id: CustomId(id),
        field,
    };
    let fields = [
        stored("account", 1, field("tier", Kind::Text)),
        stored("ticket", 2, field("ticket_id", Kind::Text)),
        stored("gone", 3, field("left", Kind::Text)),
    ];
    let entities = Entities::of(&[ticket()], &fields);
    let account = entities.find("account").unwrap();
    assert_eq!(account.fields.last().unwrap().name, "tier");
    assert_eq!(account.table(), "accounts");
    assert_eq!(account.custom_fields().count(), 1);
    let ticket = entities.find_plural("tickets").unwrap();
    assert_eq!(
        (&*ticket.kind, ticket.table()),
        ("ticket", "custom_records")
    );
    assert!(ticket.is_key("ticket_id"));
    assert_eq!(entities.iter().count(), ENTITIES.len() + 1);
    assert!(Entities::canonical().find("ticket").is_none());
    assert!(entities.find_or_unmapped("unmapped").unwrap().is_unmapped());
}
