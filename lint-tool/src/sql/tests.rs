use super::*;

fn seen(text: &str) -> String {
    let list = |it: &Statement| {
        let [writes, reads, creates] = [&it.writes, &it.reads, &it.creates].map(|it| it.join(","));
        format!("w:{writes} r:{reads} c:{creates}")
    };
    read(text).map_or("none".to_owned(), |it| list(&it))
}

fn all(rows: &[(&str, &str)]) {
    let wrong = rows
        .iter()
        .filter(|(text, expected)| seen(text) != *expected);
    let wrong: String = wrong
        .map(|(text, expected)| format!("{text}\n  {} instead of {expected}\n", seen(text)))
        .collect();
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn each_statement_of_postgresql_that_has_tables() {
    all(&[
        (
            "insert into accounts (id) values ($1) on conflict do update set id = 1",
            "w:accounts r: c:",
        ),
        (
            "insert into a (x) select x from b on conflict (x) do nothing returning x",
            "w:a r:b c:",
        ),
        ("insert into a as t default values", "w:a r: c:"),
        (
            "insert into a (x) overriding system value values ($1)",
            "w:a r: c:",
        ),
        (
            "UPDATE public.\"accounts\" AS a SET x = 'delete from b'",
            "w:accounts r: c:",
        ),
        (
            "update only a set x = b.x from b where a.id = b.id",
            "w:a r:b c:",
        ),
        (
            "update a set (x, y) = (select x, y from b where b.id = a.id)",
            "w:a r:b c:",
        ),
        ("update a set x = 1 where current of c", "w:a r: c:"),
        ("delete from a using b where x -- from c\n", "w:a r:b c:"),
        ("delete from only a where current of c", "w:a r: c:"),
        (
            "merge into accounts using staged on true",
            "w:accounts r:staged c:",
        ),
        (
            "merge into a using b on a.id = b.id when matched then update set x = b.x when not matched then insert (id) values (b.id)",
            "w:a r:b c:",
        ),
        ("truncate a, b restart identity", "w:a,b r: c:"),
        ("truncate table only a cascade;", "w:a r: c:"),
        (
            "copy accounts (id) from stdin (format binary)",
            "w:accounts r: c:",
        ),
        ("copy a from '/tmp/a.csv' with (format csv)", "w:a r: c:"),
        ("copy a to stdout", "none"),
        ("COPY a TO STDOUT", "w: r:a c:"),
        ("copy (select x from a) to stdout", "w: r:a c:"),
        ("TABLE a", "w: r:a c:"),
        ("table a order by x limit 1", "w: r:a c:"),
        (
            "select 1 from a join b on true for update of a",
            "w: r:a,b c:",
        ),
        ("select 1 from a for update skip locked", "w: r:a c:"),
        (
            "select 1 from a where x = 1 for no key update of a",
            "w: r:a c:",
        ),
        ("select 1 from a where x = 1 for key share", "w: r:a c:"),
        ("select * from only a", "w: r:a c:"),
        (
            "select * from (a join b using (id)) left join c on c.id = a.id",
            "w: r:a,b,c c:",
        ),
        (
            "select * from a, lateral (select * from b where b.id = a.id) t",
            "w: r:a,b c:",
        ),
        ("select 1 from a x, b as y, c where d = e", "w: r:a,b,c c:"),
        ("select x from a union all select x from b", "w: r:a,b c:"),
        ("select exists (select 1 from a)", "w: r:a c:"),
        (
            "(select x from a limit 1) union (select x from b limit 1)",
            "w: r:a,b c:",
        ),
        (
            "select * from unnest($1::text[]) t (x) join a on a.x = t.x",
            "w: r:a c:",
        ),
        ("select * from generate_series(1, 3)", "w: r: c:"),
        (
            "select extract(day from at), x is distinct from y from a order by b, c",
            "w: r:a c:",
        ),
        (
            "select trim(both from (select n from b)) from a",
            "w: r:b,a c:",
        ),
        (
            "with moved as (delete from a returning *) insert into b select * from moved",
            "w:a,b r: c:",
        ),
        (
            "with x (n) as (select n from a) select * from x join b using (n)",
            "w: r:a,b c:",
        ),
        ("with a as (select * from a) select * from a", "w: r:a c:"),
        (
            "with recursive a as (select 1 n union all select n + 1 from a) select * from a",
            "none",
        ),
        (
            "with x as materialized (select 1 from a) update b set n = (select n from x)",
            "w:b r:a c:",
        ),
        ("create table if not exists jobs (id uuid)", "w: r: c:jobs"),
        (
            "create unlogged table jobs (id uuid) partition by hash (id)",
            "w: r: c:jobs",
        ),
        ("create table jobs as select * from a", "w: r:a c:jobs"),
        ("create temporary table scratch (id uuid)", "none"),
        ("create view v as select x from a", "w: r:a c:"),
        (
            "create materialized view v as select x from a with no data",
            "w: r:a c:",
        ),
        ("explain (analyze, buffers) update a set x = 1", "w:a r: c:"),
        (
            "prepare p (int) as delete from a where id = $1",
            "w:a r: c:",
        ),
        (
            "declare c cursor with hold for select x from a where x > 1",
            "w: r:a c:",
        ),
        (
            "begin; update a set x = 1; delete from b where x = 2; commit",
            "w:a,b r: c:",
        ),
        (
            "do $$ begin insert into a (x) values (1); end $$",
            "w:a r: c:",
        ),
        (
            "do language plpgsql $x$ declare n int; begin if exists (select 1 from a) then update b set x = case when true then 1 else 2 end; else delete from c where x = 1; end if; end $x$",
            "w:b,c r:a c:",
        ),
        (
            "do $$ begin for r in select x from a loop perform f(r.x); end loop; end $$",
            "w: r:a c:",
        ),
        (
            "select /* from b /* from c */ from d */ x from a",
            "w: r:a c:",
        ),
        ("select E'it\\'s from b', x from a", "w: r:a c:"),
        (
            "select x from \"Accounts\" join accounts using (x)",
            "w: r:Accounts,accounts c:",
        ),
        (
            "select x from other.a, public.b where x = 1",
            "w: r:other.a,b c:",
        ),
        ("select * from information_schema.tables, pg_class", "none"),
    ]);
}

#[test]
fn each_statement_of_mysql_that_has_tables() {
    all(&[
        ("insert ignore into a (x) values (?)", "w:a r: c:"),
        ("insert into a set x = ?", "w:a r: c:"),
        (
            "insert into a (x) values (?) on duplicate key update x = values(x)",
            "w:a r: c:",
        ),
        ("replace into a (x) values (?)", "w:a r: c:"),
        ("replace into a select * from b", "w:a r:b c:"),
        ("update `a` set `x` = ? where `id` = ? limit 1", "w:a r: c:"),
        ("update a join b on a.id = b.id set b.x = 1", "w:b r:a c:"),
        ("update a t join b on t.id = b.id set t.x = 1", "w:a r:b c:"),
        (
            "delete from a where id = ? order by id limit 1",
            "w:a r: c:",
        ),
        ("delete t from a t join b on t.id = b.id", "w:a r:b c:"),
        ("truncate table a;", "w:a r: c:"),
        ("select `x` from `A` where `id` = ? for update", "w: r:a c:"),
        ("select * from a straight_join b", "w: r:a,b c:"),
        (
            "create table `jobs` (id int auto_increment primary key) engine=InnoDB",
            "w: r: c:jobs",
        ),
        ("select 1 from dual", "none"),
    ]);
}

#[test]
fn each_statement_of_sqlite_that_has_tables() {
    all(&[
        ("insert or replace into a (x) values (?1)", "w:a r: c:"),
        ("insert or ignore into a (x) values (:x)", "w:a r: c:"),
        ("replace into a (x) values (@x)", "w:a r: c:"),
        ("update or ignore a set x = ?", "w:a r: c:"),
        (
            "update a set x = b.x from b where b.id = a.id returning x",
            "w:a r:b c:",
        ),
        ("delete from [a] where id = ?", "w:a r: c:"),
        ("select x from main.[a b] where x = ?", "w: r:a b c:"),
        (
            "select name from sqlite_master where type = 'table'",
            "none",
        ),
        (
            "create table a (id integer primary key, x any) strict, without rowid",
            "w: r: c:a",
        ),
        (
            "explain query plan select * from a where x = ?",
            "w: r:a c:",
        ),
    ]);
}

#[test]
fn what_runs_later_is_completed() {
    all(&[
        ("insert into a (x, y) ", "w:a r: c:"),
        ("INSERT INTO a", "w:a r: c:"),
        ("update a set ", "none"),
        ("UPDATE a SET ", "w:a r: c:"),
        ("update a set x = ", "w:a r: c:"),
        ("delete from a where id = ", "w:a r: c:"),
        ("select x from a where id in (", "w: r:a c:"),
        ("select x from a where y = $1 and ", "w: r:a c:"),
        ("select {columns} from a where {}", "w: r:a c:"),
        (
            "insert into {schema}.a ({columns}) values ({})",
            "w:a r: c:",
        ),
        ("update a set {} where id = $1", "w:a r: c:"),
        ("select * from {table}", "none"),
        ("select * from {prefix}_a join b using (id)", "w: r:b c:"),
        (
            "insert into a (x, y) values ($1) something of another dialect",
            "w:a r: c:",
        ),
        (
            "update a set x = 1 something of another dialect",
            "w:a r: c:",
        ),
    ]);
}

#[test]
fn prose_is_no_sql() {
    let prose = [
        "Select a file from the list",
        "Truncate a series of dates",
        "Insert into a nested path",
        "Update the plan",
        "update the plan",
        "Delete from cache",
        "delete from the cache",
        "delete from disk cache, then retry",
        "delete from a map",
        "insert into the map",
        "insert into map",
        "select a file from the list",
        "select which of them from memory",
        "merge changes into main",
        "copy from a to b",
        "copy files from disk",
        "create table of contents",
        "truncate strings to 63 bytes",
        "replace into place",
        "table of contents",
        "table users",
        "set the value from the map",
        "begin with the first",
        "do not select from here",
        "explain the select from above",
        "with all of them from here",
        "hello from here to there",
        "select 1",
        "",
    ];
    all(&prose.map(|it| (it, "none")));
}

#[test]
fn a_migration_says_where_its_tables_and_views_are() {
    let text = "-- create table x (id int);\ncreate table \"A\" (id int) weird words;\n\
        create temp table t (id int);\ncreate table if not exists public.b (\n  id int references a (id)\n);\n\
        create or replace function f() returns void language sql as $$ insert into c values (1); $$;\n\
        create view v as select 1 from b join d using (id);\nalter table e add x int;\n";
    let found = migration(text);
    let names = |list: &[(String, Span)]| -> Vec<String> {
        let show = |(name, span): &(String, Span)| format!("{name} {}:{}", span.line, span.column);
        list.iter().map(show).collect()
    };
    assert_eq!(names(&found.creates), ["A 2:14", "b 4:35"]);
    assert_eq!(names(&found.reads), ["b 8:32", "d 8:39"]);
}
