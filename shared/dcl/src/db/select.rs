//! The text of a view's statements.
//!
//! **Invariant:** names come from the view's declaration, the limit is a number, everything else is
//! bound.

use schema::TenantId;
use sqlx::{Postgres, QueryBuilder};

use super::expression::{compared, compared_type, shown};
use crate::query::{
    Column, Direction, Filter, Operator, Place, Predicate, Query, SortKey, Value, View,
};

/// The records of a page and one more, which tells whether another page follows.
pub(super) fn page(
    tenant: TenantId,
    view: &View,
    query: &Query,
    columns: &[Column],
    after: Option<&[Option<Value>]>,
) -> QueryBuilder<Postgres> {
    let mut sql = columns_of(columns);
    push_source(&mut sql, tenant, view, &query.filters);
    if let Some(keyset) = after {
        sql.push(" and ");
        push_after(&mut sql, &query.order, keyset);
    }
    push_order(&mut sql, view, &query.order);
    // In the text: PostgreSQL keeps one plan for it, and would plan each page anew for a parameter,
    // whose value it wants to see.
    sql.push(" limit ").push(query.limit + 1);
    if query.offset > 0 {
        sql.push(" offset ");
        sql.push_bind(i64::from(query.offset));
    }
    sql
}

/// How many records pass the filters.
pub(super) fn total(tenant: TenantId, view: &View, filters: &[Filter]) -> QueryBuilder<Postgres> {
    let mut sql = QueryBuilder::new("select count(*)");
    push_source(&mut sql, tenant, view, filters);
    sql
}

/// One record by its origin.
pub(super) fn record(
    tenant: TenantId,
    view: &View,
    key: &[Value; View::KEY_COLUMNS],
) -> QueryBuilder<Postgres> {
    let mut sql = columns_of(&view.columns);
    push_source(&mut sql, tenant, view, &[]);
    for (column, value) in View::KEY.iter().zip(key) {
        sql.push(" and ");
        push_relation(&mut sql, column, " = ", value);
    }
    sql
}

fn columns_of(columns: &[Column]) -> QueryBuilder<Postgres> {
    let mut sql = QueryBuilder::new("select ");
    let mut list = sql.separated(", ");
    for column in columns {
        list.push(shown(column));
    }
    sql
}

fn push_source(
    sql: &mut QueryBuilder<Postgres>,
    tenant: TenantId,
    view: &View,
    filters: &[Filter],
) {
    sql.push(" from ").push(view.entity.table());
    sql.push(" where tenant_id = ").push_bind(tenant);
    if view.entity.is_custom {
        sql.push(" and entity = ");
        sql.push_bind(view.entity.kind.to_string());
    }
    for filter in filters {
        sql.push(" and ");
        push_filter(sql, filter);
    }
}

fn push_filter(sql: &mut QueryBuilder<Postgres>, filter: &Filter) {
    let column = &filter.column;
    match &filter.predicate {
        Predicate::Compare(operator, value) => {
            push_relation(sql, column, sql_operator(*operator), value)
        }
        Predicate::Like(pattern) => push_relation(sql, column, " like ", pattern),
        Predicate::Ilike(pattern) => push_relation(sql, column, " ilike ", pattern),
        Predicate::In(values) => {
            let texts: Vec<_> = values.iter().map(|it| it.as_str().to_owned()).collect();
            sql.push(compared(column)).push(" = any(").push_bind(texts);
            sql.push("::").push(compared_type(column)).push("[])");
        }
        Predicate::Contains(texts) => {
            sql.push(compared(column)).push(" @> ");
            match &column.place {
                Place::Named(_) => sql.push_bind(texts.clone()),
                Place::Custom(_) => sql.push_bind(serde_json::json!(texts)),
            };
        }
        Predicate::Null(true) => {
            sql.push(compared(column)).push(" is null");
        }
        Predicate::Null(false) => {
            sql.push(compared(column)).push(" is not null");
        }
    }
}

fn sql_operator(operator: Operator) -> &'static str {
    match operator {
        Operator::Eq => " = ",
        Operator::Ne => " is distinct from ",
        Operator::Gt => " > ",
        Operator::Gte => " >= ",
        Operator::Lt => " < ",
        Operator::Lte => " <= ",
    }
}

fn push_relation(sql: &mut QueryBuilder<Postgres>, column: &Column, operator: &str, value: &Value) {
    sql.push(compared(column)).push(operator);
    push_value(sql, column, value);
}

fn push_value(sql: &mut QueryBuilder<Postgres>, column: &Column, value: &Value) {
    sql.push_bind(value.as_str().to_owned());
    sql.push("::").push(compared_type(column));
}

fn push_order(sql: &mut QueryBuilder<Postgres>, view: &View, order: &[SortKey]) {
    sql.push(" order by ");
    let mut list = sql.separated(", ");
    for SortKey { column, direction } in order {
        match &column.place {
            // Qualified: a bare name would mean what is selected, a number's text too.
            Place::Named(name) => list.push(format_args!("{}.{name}", view.entity.table())),
            Place::Custom(_) => list.push(compared(column)),
        };
        if *direction == Direction::Descending {
            list.push_unseparated(" desc");
            // Only where it matters: an index that is read backwards has its nulls first.
            if column.nullable {
                list.push_unseparated(" nulls last");
            }
        }
    }
}

/// What comes after a place. One direction without nulls is a comparison of rows, which an
/// index can begin at; the rest says it column by column.
fn push_after(sql: &mut QueryBuilder<Postgres>, order: &[SortKey], keyset: &[Option<Value>]) {
    let plain = |it: &SortKey| !it.column.nullable && it.direction == order[0].direction;
    if !order.iter().all(plain) {
        return push_after_each(sql, order, keyset);
    }
    let names: Vec<_> = order.iter().map(|it| compared(&it.column)).collect();
    sql.push(format_args!("({})", names.join(", ")));
    sql.push(beyond(order[0].direction)).push("(");
    for (index, (key, value)) in order.iter().zip(keyset).enumerate() {
        if index > 0 {
            sql.push(", ");
        }
        let value = value.as_ref().expect("a column that is never null");
        push_value(sql, &key.column, value);
    }
    sql.push(")");
}

fn push_after_each(sql: &mut QueryBuilder<Postgres>, order: &[SortKey], keyset: &[Option<Value>]) {
    let (Some((key, order)), Some((value, keyset))) = (order.split_first(), keyset.split_first())
    else {
        // The same place in every column: it is not after itself.
        sql.push("false");
        return;
    };
    let column = &key.column;
    sql.push("(");
    match value {
        None => {
            sql.push(compared(column)).push(" is null and ");
        }
        Some(value) => {
            push_relation(sql, column, beyond(key.direction), value);
            if column.nullable {
                sql.push(" or ").push(compared(column)).push(" is null");
            }
            sql.push(" or ");
            push_relation(sql, column, " = ", value);
            sql.push(" and ");
        }
    }
    push_after_each(sql, order, keyset);
    sql.push(")");
}

fn beyond(direction: Direction) -> &'static str {
    match direction {
        Direction::Ascending => " > ",
        Direction::Descending => " < ",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::decode;

    #[track_caller]
    fn check(parameters: &str, keyset: Option<&[Option<&str>]>, expected: &str) {
        let view = View::get(&schema::entity::Entities::canonical(), "opportunities").unwrap();
        let query = Query::parse(&view, &decode(parameters).unwrap()).unwrap();
        let texts = keyset.map(|it| {
            it.iter()
                .map(|it| it.map(str::to_owned))
                .collect::<Vec<_>>()
        });
        let keyset = texts.map(|it| crate::query::keyset(&query.order, &it).unwrap());
        let tenant = TenantId(uuid::Uuid::nil());
        let sql = page(tenant, &view, &query, &query.columns, keyset.as_deref());
        let sql = sql.into_string();
        let wanted = format!("select name from opportunities where tenant_id = $1{expected}");
        assert_eq!(sql, wanted, "{parameters}");
    }

    const ID: Option<&str> = Some("00000000-0000-0000-0000-000000000001");

    #[test]
    fn a_page_begins_at_a_place_of_the_key() {
        check(
            "select=name&limit=5",
            Some(&[ID, Some("o"), Some("1")]),
            " and (connection_id, object, source_id) > ($2::uuid, $3::text, $4::text) \
             order by opportunities.connection_id, opportunities.object, \
             opportunities.source_id limit 6",
        );
    }

    #[test]
    fn a_filter_is_bound_and_never_written() {
        check(
            "select=name&name=';--&amount[in]=1,2&stage[ne]=won&offset=7",
            None,
            " and name = $2::text and amount = any($3::numeric[]) \
             and stage is distinct from $4::text \
             order by opportunities.connection_id, opportunities.object, \
             opportunities.source_id limit 101 offset $5",
        );
    }

    #[test]
    fn records_without_a_value_come_last_both_ways() {
        let order = " order by opportunities.amount desc nulls last, opportunities.source_id, \
             opportunities.connection_id, opportunities.object limit ";
        check(
            "select=name&sort=-amount,source_id",
            Some(&[Some("5"), Some("1"), ID, Some("o")]),
            &format!(
                " and (amount < $2::numeric or amount is null or amount = $3::numeric and \
                 (source_id > $4::text or source_id = $5::text and \
                 (connection_id > $6::uuid or connection_id = $7::uuid and \
                 (object > $8::text or object = $9::text and false)))){order}101"
            ),
        );
        check(
            "select=name&sort=-amount,source_id",
            Some(&[None, Some("1"), ID, Some("o")]),
            &format!(
                " and (amount is null and \
                 (source_id > $2::text or source_id = $3::text and \
                 (connection_id > $4::uuid or connection_id = $5::uuid and \
                 (object > $6::text or object = $7::text and false)))){order}101"
            ),
        );
    }
}
