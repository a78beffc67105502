use serde_json::{Map, Value};

use super::*;
use crate::Plan;

/// A record as the vendor documents it, and what becomes of it.
#[derive(Deserialize)]
struct Case {
    system: String,
    entity: String,
    shape: String,
    record: Map<String, Value>,
    /// Its fields that have a value, and `extras`.
    canonical: Value,
}

fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("records.json")).unwrap()
}

fn shapes() -> impl Iterator<Item = (&'static str, &'static Shape)> {
    let of = |it: &'static Document| it.mappings.iter().map(|shape| (&*it.system, shape));
    SHIPPED.values().flat_map(of)
}

/// The fields that have a value, and `extras`.
fn canonical(mapping: &Mapping, record: &Map<String, Value>) -> Value {
    let plan = Plan::compile(mapping).unwrap();
    let text = serde_json::to_string(record).unwrap();
    let record = plan.canonicalise(&text).unwrap();
    let mut told = serde_json::to_value(&record).unwrap();
    told.as_object_mut().unwrap().retain(|_, it| !it.is_null());
    told
}

#[test]
fn a_record_as_its_vendor_documents_it_becomes_a_whole_canonical_one() {
    for case in cases() {
        let document = &SHIPPED[&case.system];
        let shape = document.shape(&case.shape, &case.entity).unwrap();
        let told = canonical(&shape.mapping, &case.record);
        let of = format!("{} {} {}", case.system, case.entity, case.shape);
        assert_eq!(told, case.canonical, "{of}: {told:#}");
    }
}

#[test]
fn every_shape_of_a_vendor_has_a_record_that_shows_it() {
    let cases = cases();
    for (system, shape) in of_vendors() {
        let entity = &shape.mapping.entity;
        let is_it =
            |it: &&Case| it.system == system && it.entity == *entity && it.shape == shape.name;
        assert!(
            cases.iter().any(|it| is_it(&it)),
            "{system} {entity} {}",
            shape.name
        );
    }
}

/// The shapes of systems whose fields their vendors document; those of databases are their owners'.
fn of_vendors() -> impl Iterator<Item = (&'static str, &'static Shape)> {
    shapes().filter(|it| !["supabase", "mongodb"].contains(&it.0))
}

#[test]
fn no_shape_names_a_field_that_its_vendor_does_not_document() {
    let text = include_str!("vendor_fields.txt");
    let mut documented: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut of = "";
    for line in text
        .lines()
        .filter(|it| !it.is_empty() && !it.starts_with('#'))
    {
        match line.strip_prefix("= ") {
            Some(shape) => of = shape,
            None => documented.entry(of).or_default().push(line),
        }
    }
    for (system, shape) in of_vendors() {
        let of = format!("{system} {} {}", shape.mapping.entity, shape.name);
        let fields = &documented[&*of];
        let read = shape.mapping.fields.iter().flat_map(|it| &it.sources);
        for path in read.chain(shape.columns()) {
            let keys = schema::source::parse_path(path).unwrap();
            let name = keys.join(".");
            let name = name.strip_prefix("properties.").unwrap_or(&name);
            assert!(fields.contains(&name), "{of}: {name}");
        }
    }
}

#[test]
fn every_export_is_recognised_by_its_columns_however_they_are_written() {
    for case in cases().iter().filter(|it| it.shape.starts_with("export")) {
        let odd = |name: &String| format!(" {} ", name.to_uppercase());
        for spell in [String::clone, odd] {
            let record = case.record.iter().map(|it| (spell(it.0), it.1.clone()));
            let record: Map<_, _> = record.collect();
            let columns = record.keys().map(|it| schema::source::child_path("", it));
            let columns: Vec<_> = columns.collect();
            let columns: Vec<_> = columns.iter().map(String::as_str).collect();
            for asked in ["file", &case.system] {
                let found = recognise(asked, &columns).unwrap_or_else(|| panic!("{columns:?}"));
                let want = (&*case.system, &*case.shape, &*case.entity);
                assert_eq!((found.system, found.shape, &*found.mapping.entity), want);
                let mut told = canonical(&found.mapping, &record);
                told["extras"] = case.canonical["extras"].clone();
                assert_eq!(told, case.canonical);
            }
        }
    }
}

#[test]
fn the_columns_of_an_api_are_recognised_as_one_shape() {
    let is_flat = |it: &Case| it.shape == "api" && !it.record.contains_key("properties");
    for case in cases().iter().filter(|it| is_flat(it)) {
        let columns: Vec<_> = case.record.keys().map(String::as_str).collect();
        let found = recognise("file", &columns).unwrap_or_else(|| panic!("{columns:?}"));
        let want = (&*case.system, "api", &*case.entity);
        let found = (found.system, found.shape, &*found.mapping.entity);
        assert_eq!(found, want);
    }
}

#[test]
fn other_columns_are_recognised_as_nothing() {
    for columns in [
        &[][..],
        &["id", "name", "created_at"],
        &["Record ID", "Name"],
        // A list of contacts of another vendor.
        &[
            "Record Id",
            "First Name",
            "Last Name",
            "Email",
            "Contact Owner.id",
        ],
        &[
            "Record ID",
            "Company name",
            "Deal Name",
            "First Name",
            "Last Name",
        ],
    ] {
        assert_eq!(recognise("file", columns), None, "{columns:?}");
    }
    let hubspot = ["Record ID", "Company name"];
    assert!(recognise("crm", &hubspot).is_some());
    assert_eq!(recognise("salesforce", &hubspot), None);
    assert_eq!(recognise("postgres", &hubspot), None);
}

#[test]
fn a_file_of_the_demo_is_read_by_its_own_names_and_no_other_is() {
    let columns = |of: &str| of.split(',').map(str::to_owned).collect::<Vec<_>>();
    let is_api = |system: &str, kind: &str, header: &str| {
        find_for_file(system, kind, &columns(header)) == find(system, kind)
    };
    for (system, kind, header) in [
        (
            "hubspot",
            "account",
            "hs_object_id,company_name,company_type,hs_industry,owner_email",
        ),
        (
            "hubspot",
            "contact",
            "hs_object_id,associatedcompanyid,firstname,hs_department",
        ),
        (
            "hubspot",
            "opportunity",
            "hs_object_id,hs_associated_company_id,dealname,hs_probability",
        ),
        ("salesforce", "account", "Id,Name,IsActive,CreatedDate"),
        (
            "dynamics",
            "account",
            "accountid,accountname,accounttype,industrycode,ownerid",
        ),
        (
            "pipedrive",
            "opportunity",
            "id,org_id,title,stage_name,value,currency,user_id",
        ),
    ] {
        assert!(!is_api(system, kind, header), "{header}");
    }
    for (system, kind, header) in [
        (
            "hubspot",
            "account",
            "hs_object_id,name,industry,createdate,hs_lastmodifieddate",
        ),
        ("hubspot", "account", "Record ID,Company name,Industry"),
        (
            "salesforce",
            "account",
            "Id,Name,Type,Industry,OwnerId,CreatedDate",
        ),
        (
            "pipedrive",
            "opportunity",
            "id,org_id,title,stage_id,value,currency,user_id",
        ),
        (
            "zendesk",
            "contact",
            "id,organization_id,name,email,phone,role",
        ),
        ("postgres", "account", "id,name"),
    ] {
        assert!(is_api(system, kind, header), "{header}");
    }
}

#[test]
fn every_system_is_listed_and_has_mappings() {
    for system in SYSTEMS {
        // What AWS calls a resource is of another shape in each service: none is the API's.
        let first = SHIPPED.get(system).and_then(|it| it.mappings.first());
        let found = ENTITIES.iter().any(|it| find(system, &it.kind).is_some());
        assert!(found || first.is_some(), "{system}");
    }
    assert_eq!(SHIPPED.len() + 2, SYSTEMS.len());
}

#[test]
fn shipped_text_is_trimmed_and_no_vendor_s_record_gets_a_value_that_it_has_not() {
    for (system, shape) in shapes() {
        let mapping = &shape.mapping;
        let entity = schema::entity::find(&mapping.entity).unwrap();
        for row in &mapping.fields {
            let at = format!("{system} {} {}", mapping.entity, row.target);
            let is_text = entity.field(&row.target).unwrap().kind == Kind::Text;
            assert!(
                !is_text || row.transforms.contains(&Transform::Trim {}),
                "{at}"
            );
            let is_default =
                |it: &Transform| matches!(it, Transform::Default { value } if value != "global");
            let is_vendor = !["supabase", "mongodb"].contains(&system);
            assert!(!is_vendor || !row.transforms.iter().any(is_default), "{at}");
        }
    }
}

#[test]
fn an_unknown_system_or_kind_has_none() {
    assert!(find("salesforce", "cost_report").is_none());
    assert!(find("sap", "account").is_none());
    assert!(identity("invoice").is_none());
}

#[test]
fn a_table_s_own_id_is_the_record_s() {
    let sources = |system, kind, target| {
        let mapping = find(system, kind).unwrap();
        let field = mapping.fields.iter().find(|it| it.target == target);
        field.unwrap().sources.clone()
    };
    for system in ["postgres", "supabase"] {
        assert_eq!(
            sources(system, "account", "account_id"),
            ["account_id", "id"]
        );
        assert_eq!(sources(system, "opportunity", "account_id"), ["account_id"]);
        let own = sources(system, "opportunity", "opportunity_id");
        assert_eq!(own, ["opportunity_id", "id"]);
    }
}

#[test]
fn the_identity_of_an_opportunity_defaults_its_currency() {
    let mapping = find("filesource", "opportunity").unwrap();
    let row = mapping.fields.iter().find(|it| it.target == "currency");
    assert_eq!(
        serde_json::to_string(&row).unwrap(),
        r#"{"target":"currency","sources":["currency"],"transforms":[{"kind":"trim"},{"kind":"default","value":"USD"}]}"#
    );
}

#[test]
fn a_shape_that_is_not_declared_whole_is_no_document() {
    let shape = r#"{"entity":"account","has":["a"],"fields":[],"needs":[]}"#;
    assert!(serde_json::from_str::<Shape>(shape).is_err());
}
