//! What each role of the database may do with each table, as a list that a person reads: a new table
//! is in it, and in the review of the migration that makes it. `protect` grants to requests; what is
//! of people and keys must be taken from there by hand.

use insta::assert_snapshot;
use tests::postgres::database;

#[tokio::test]
async fn what_roles_may_do_with_tables_is_this() {
    let database = database().await;
    let rights: Vec<String> = sqlx::query_scalar(
        r#"
        with granted as (
          select c.relname, ''::text as columns, a.grantee, a.privilege_type
          from pg_class c, aclexplode(c.relacl) a
          where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'S')
            and a.grantee <> c.relowner
          union all
          select c.relname, '(' || string_agg(t.attname, ', ' order by t.attname) || ')', a.grantee,
            a.privilege_type
          from pg_class c
          join pg_attribute t on t.attrelid = c.oid, aclexplode(t.attacl) a
          where c.relnamespace = 'public'::regnamespace
          group by c.relname, a.grantee, a.privilege_type
        )
        select format('%s, %s: %s', relname, coalesce(rolname, 'everybody'),
          string_agg(lower(privilege_type) || columns, ', ' order by privilege_type, columns))
        from granted
        left join pg_roles on oid = grantee
        group by relname, rolname
        order by relname, rolname
        "#,
    )
    .fetch_all(&database.pool())
    .await
    .unwrap();
    assert_snapshot!(rights.join("\n"));
}
