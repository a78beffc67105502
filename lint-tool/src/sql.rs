//! Which tables a SQL text writes, reads and creates. A scan of words, not a grammar.

use serde::{Deserialize, Serialize};

use crate::diagnostic::Span;

/// The tables of one SQL text, in order of appearance.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    pub writes: Vec<String>,
    pub reads: Vec<String>,
    pub creates: Vec<String>,
}

const VERBS: [&str; 9] = [
    "insert", "update", "delete", "select", "with", "merge", "copy", "truncate", "create",
];

/// A quick look, as nearly all texts are none.
fn may_be_sql(text: &str) -> bool {
    let start = text.trim_start_matches(|it: char| it.is_whitespace() || it == '(');
    let begins_with = |word: &str| {
        start
            .get(..word.len())
            .is_some_and(|it| it.eq_ignore_ascii_case(word))
    };
    start.starts_with("--") || start.starts_with("/*") || VERBS.iter().any(|it| begins_with(it))
}

/// Reads a text that begins like SQL; `None` for any other text.
pub fn read(text: &str) -> Option<Statement> {
    if !may_be_sql(text) {
        return None;
    }
    let words = words(text);
    let first = words.iter().find(|it| *it != "(")?;
    if !VERBS.contains(&first.as_str()) || words.len() < 3 {
        return None;
    }
    let statement = scan(&words);
    (statement != Statement::default()).then_some(statement)
}

/// The tables that a migration creates, and where their names stand.
pub fn declarations(text: &str) -> Vec<(String, Span)> {
    let lower = text.to_ascii_lowercase();
    let created = scan(&words(text)).creates;
    let is_whole = |at: usize, name: &str| {
        let before = lower[..at]
            .chars()
            .next_back()
            .is_none_or(|it| !is_word(it) || it == '.' || it == '"');
        let after = lower[at + name.len()..].chars().next();
        before && after.is_none_or(|it| !is_word(it) || it == '"')
    };
    let place = |name: &String| {
        let mut found = lower.match_indices(name.as_str()).map(|(at, _)| at);
        let at = found.find(|at| is_whole(*at, name)).unwrap_or(0);
        Span::of_bytes(text, at..at + name.len())
    };
    created
        .into_iter()
        .map(|it| (it.clone(), place(&it)))
        .collect()
}

fn scan(words: &[String]) -> Statement {
    let mut statement = Statement::default();
    let mut local = Vec::new();
    for at in 0..words.len() {
        let rest = &words[at..];
        if let [name, r#as, open, ..] = rest
            && r#as == "as"
            && (open == "(" || open == "materialized" || open == "not")
            && at > 0
            && matches!(words[at - 1].as_str(), "with" | "recursive" | ",")
        {
            local.push(name.clone());
        }
        let found = [
            (written(rest), &mut statement.writes),
            (created(rest), &mut statement.creates),
            (read_from(words, at), &mut statement.reads),
        ];
        for (table, list) in found {
            if let Some(table) = table.and_then(|it| table_name(it))
                && !local.contains(&table)
                && !list.contains(&table)
            {
                list.push(table);
            }
        }
    }
    statement
}

fn skip<'a>(words: &'a [String], optional: &[&str]) -> &'a [String] {
    let count = words
        .iter()
        .take_while(|it| optional.contains(&it.as_str()))
        .count();
    &words[count..]
}

fn written(words: &[String]) -> Option<&String> {
    match words {
        [insert, into, rest @ ..]
            if (insert == "insert" || insert == "merge") && into == "into" =>
        {
            rest.first()
        }
        [delete, from, rest @ ..] if delete == "delete" && from == "from" => {
            skip(rest, &["only"]).first()
        }
        [update, rest @ ..] if update == "update" => {
            let rest = skip(rest, &["only"]);
            let sets = rest.iter().skip(1).take(3).any(|it| it == "set")
                && rest.iter().any(|it| it == "=");
            rest.first().filter(|_| sets)
        }
        [truncate, rest @ ..] if truncate == "truncate" => skip(rest, &["table", "only"]).first(),
        [copy, table, rest @ ..] if copy == "copy" && table != "(" => {
            rest.iter().any(|it| it == "from").then_some(table)
        }
        _ => None,
    }
}

fn created(words: &[String]) -> Option<&String> {
    let [create, rest @ ..] = words else {
        return None;
    };
    let rest = skip(rest, &["unlogged", "foreign"]);
    match rest {
        [table, rest @ ..] if create == "create" && table == "table" => {
            skip(rest, &["if", "not", "exists"]).first()
        }
        _ => None,
    }
}

fn read_from(words: &[String], at: usize) -> Option<&String> {
    let before = at.checked_sub(1).map_or("", |it| words[it].as_str());
    let is_clause = || before != "delete" && before != "distinct" && !is_argument(words, at);
    match &words[at..] {
        [from, table, ..] if from == "from" && is_clause() => Some(table),
        [join, table, ..] if join == "join" => Some(table),
        [using, table, ..]
            if using == "using" && words.first().is_some_and(|it| it == "delete") =>
        {
            Some(table)
        }
        [comma, table, ..] if comma == "," && is_in_from_list(words, at) => Some(table),
        _ => None,
    }
}

/// Whether the word stands in `extract(… from …)` and its like.
fn is_argument(words: &[String], at: usize) -> bool {
    const FUNCTIONS: [&str; 5] = ["extract", "substring", "trim", "overlay", "position"];
    let mut depth = 0;
    for index in (0..at).rev() {
        match words[index].as_str() {
            ")" => depth += 1,
            "(" if depth > 0 => depth -= 1,
            "(" => return index > 0 && FUNCTIONS.contains(&words[index - 1].as_str()),
            _ => {}
        }
    }
    false
}

/// Whether the comma follows `from a` or `from a as b`, and names of tables only.
fn is_in_from_list(words: &[String], at: usize) -> bool {
    let is_name = |it: &String| it.chars().all(is_word) || it == ",";
    let list = words[..at]
        .iter()
        .rev()
        .take_while(|it| is_name(it) && *it != "from");
    let count = list.clone().count();
    const CLAUSES: [&str; 12] = [
        "select",
        "where",
        "group",
        "order",
        "set",
        "on",
        "join",
        "by",
        "returning",
        "values",
        "having",
        "limit",
    ];
    let is_list = list.clone().all(|it| !CLAUSES.contains(&it.as_str()));
    let Some(from) = at.checked_sub(count + 1) else {
        return false;
    };
    is_list && words[from] == "from" && read_from(words, from).is_some()
}

/// A plain table name: without its schema, and nothing that is no name.
fn table_name(word: &str) -> Option<String> {
    const NOT_TABLES: [&str; 9] = [
        "select", "set", "lateral", "unnest", "values", "only", "skip", "of", "stdin",
    ];
    let name = word.strip_prefix("public.").unwrap_or(word);
    let is_name = name.starts_with(|it: char| it.is_ascii_alphabetic() || it == '_')
        && name
            .chars()
            .all(|it| it.is_ascii_alphanumeric() || it == '_' || it == '.');
    (is_name && !NOT_TABLES.contains(&name) && !name.starts_with("pg_temp."))
        .then(|| name.to_owned())
}

/// Lower-cased words and single signs; comments and quoted strings are left out.
fn words(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let mut words = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let next = chars.get(at + 1).copied();
        match chars[at] {
            '-' if next == Some('-') => at = end_of(&chars, at, '\n'),
            '/' if next == Some('*') => at = end_of_comment(&chars, at + 2),
            '\'' => at = end_of(&chars, at + 1, '\''),
            it if is_word(it) => {
                let start = at;
                while at < chars.len() && is_word(chars[at]) {
                    at += 1;
                }
                let word: String = chars[start..at].iter().filter(|it| **it != '"').collect();
                words.push(word.to_ascii_lowercase());
                continue;
            }
            it if !it.is_whitespace() => words.push(it.to_string()),
            _ => {}
        }
        at += 1;
    }
    words
}

fn is_word(it: char) -> bool {
    it.is_alphanumeric() || matches!(it, '_' | '.' | '"' | '$')
}

fn end_of(chars: &[char], start: usize, sign: char) -> usize {
    chars[start.min(chars.len())..]
        .iter()
        .position(|it| *it == sign)
        .map_or(chars.len(), |n| start + n)
}

fn end_of_comment(chars: &[char], start: usize) -> usize {
    let rest = &chars[start.min(chars.len())..];
    rest.windows(2)
        .position(|it| it == ['*', '/'])
        .map_or(chars.len(), |n| start + n + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let got = read(text).map_or("none".to_owned(), |it| {
            format!(
                "w:{} r:{} c:{}",
                it.writes.join(","),
                it.reads.join(","),
                it.creates.join(",")
            )
        });
        assert_eq!(got, expected, "{text}");
    }

    #[test]
    fn tables_are_found_by_what_is_done_to_them() {
        check(
            "insert into accounts (id) values ($1) on conflict do update set id = 1",
            "w:accounts r: c:",
        );
        check(
            "UPDATE public.\"accounts\" AS a SET x = 'delete from b'",
            "w:accounts r: c:",
        );
        check(
            "select 1 from a join b on true for update of a",
            "w: r:a,b c:",
        );
        check("select 1 from a for update skip locked", "w: r:a c:");
        check("delete from a using b where x -- from c\n", "w:a r:b c:");
        check(
            "with moved as (delete from a returning *) insert into b select * from moved",
            "w:a,b r: c:",
        );
        check("select 1 from a x, b as y, c where d, e", "w: r:a,b,c c:");
        check(
            "select extract(day from at), x is distinct from y from a order by b, c",
            "w: r:a c:",
        );
        check(
            "select trim(both from (select n from b)) from a",
            "w: r:b,a c:",
        );
        check("create table if not exists jobs (id uuid)", "w: r: c:jobs");
        check("create temporary table scratch (id uuid)", "none");
        check(
            "copy accounts (id) from stdin (format binary)",
            "w:accounts r: c:",
        );
        check(
            "merge into accounts using staged on true",
            "w:accounts r: c:",
        );
        check("select 1", "none");
        check("update the plan", "none");
        check("Select a file from the list", "w: r:the c:");
        check("hello from here to there", "none");
    }
}
