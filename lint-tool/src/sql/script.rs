//! From a text to statements: tokens, cut at semicolons, each piece by a grammar.

use sqlparser::ast::Statement;
use sqlparser::dialect::{Dialect, MySqlDialect, PostgreSqlDialect, SQLiteDialect};
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};

use super::{Access, Found, tables};

type Piece = Vec<TokenWithSpan>;

const DIALECTS: [&dyn Dialect; 3] = [&PostgreSqlDialect {}, &MySqlDialect {}, &SQLiteDialect {}];

/// Whether one dialect takes the whole text.
pub(super) fn is_whole(text: &str) -> bool {
    DIALECTS.into_iter().any(|dialect| {
        let pieces = pieces(dialect, text);
        pieces.is_some_and(|it| it.into_iter().all(|it| of_piece(dialect, it).is_some()))
    })
}

/// The tables of all statements, by the dialect that takes most of them.
pub(super) fn read(text: &str) -> Vec<Found> {
    read_if(text, |_| true)
}

/// The same of `create` alone.
pub(super) fn read_creating(text: &str) -> Vec<Found> {
    read_if(text, |it| word(it, 0) == "create")
}

fn read_if(text: &str, is_wanted: impl Fn(&Piece) -> bool) -> Vec<Found> {
    let mut best: Option<(usize, Vec<Found>)> = None;
    for dialect in DIALECTS {
        let Some(pieces) = pieces(dialect, text) else {
            continue;
        };
        let (mut failed, mut found) = (0, Vec::new());
        for piece in pieces.into_iter().filter(&is_wanted) {
            match of_piece(dialect, piece.clone()) {
                Some(tables) => found.extend(tables),
                None => {
                    failed += 1;
                    found.extend(by_beginning(&piece));
                }
            }
        }
        if best.as_ref().is_none_or(|(least, _)| failed < *least) {
            best = Some((failed, found));
        }
        if failed == 0 {
            break;
        }
    }
    best.map(|(_, found)| found).unwrap_or_default()
}

/// The statements of a text, as tokens without blanks and comments.
fn pieces(dialect: &dyn Dialect, text: &str) -> Option<Vec<Piece>> {
    let tokens = Tokenizer::new(dialect, text)
        .tokenize_with_location()
        .ok()?;
    let tokens = tokens
        .into_iter()
        .filter(|it| !matches!(it.token, Token::Whitespace(_) | Token::EOF));
    let tokens: Piece = tokens.collect();
    let pieces = tokens.split(|it| it.token == Token::SemiColon);
    let pieces = pieces.filter(|it| !it.is_empty());
    let pieces = pieces.map(|it| in_common_words(without_only(it.to_vec())));
    Some(pieces.collect())
}

/// A word in lower case, or nothing where a sign stands.
fn word(piece: &[TokenWithSpan], at: usize) -> String {
    match piece.get(at).map(|it| &it.token) {
        Some(Token::Word(it)) if it.quote_style.is_none() => it.value.to_ascii_lowercase(),
        _ => String::new(),
    }
}

/// `from only t` as `from t`, and without `where current of c`: not every dialect has them.
fn without_only(mut piece: Piece) -> Piece {
    const BEFORE: [&str; 5] = ["from", "update", "into", "join", "using"];
    let is_name = |it: Option<&TokenWithSpan>| {
        it.is_some_and(|it| matches!(it.token, Token::Word(_) | Token::LParen))
    };
    let mut at = 1;
    while at < piece.len() {
        let before = word(&piece, at - 1);
        let is_listed = BEFORE.contains(&before.as_str()) || piece[at - 1].token == Token::Comma;
        if word(&piece, at) == "only" && is_listed && is_name(piece.get(at + 1)) {
            piece.remove(at);
        } else if before == "where" && word(&piece, at) == "current" && word(&piece, at + 1) == "of"
        {
            piece.drain(at - 1..(at + 3).min(piece.len()));
        }
        at += 1;
    }
    piece
}

/// `for no key update` as `for update`, and without `with no data`: the grammars do not have them.
fn in_common_words(mut piece: Piece) -> Piece {
    let words: Vec<String> = (0..piece.len()).map(|it| word(&piece, it)).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    if let [.., "with", "data"] = words.as_slice() {
        piece.truncate(words.len() - 2);
    } else if let [.., "with", "no", "data"] = words.as_slice() {
        piece.truncate(words.len() - 3);
    }
    let longer: [&[&str]; 2] = [&["for", "no", "key", "update"], &["for", "key", "share"]];
    for phrase in longer {
        if let Some(at) = words.windows(phrase.len()).position(|it| it == phrase) {
            piece.drain(at + 1..at + phrase.len() - 1);
        }
    }
    piece
}

fn parsed(dialect: &dyn Dialect, piece: Piece) -> Option<Vec<Statement>> {
    let piece = inner(piece);
    if piece.is_empty() {
        return Some(Vec::new());
    }
    let mut parser = Parser::new(dialect).with_tokens_with_locations(piece);
    parser.parse_statements().ok()
}

fn of_piece(dialect: &dyn Dialect, piece: Piece) -> Option<Vec<Found>> {
    if let Some(block) = block(&piece) {
        return Some(of_block(&block));
    }
    if let Some(table) = whole_table(&piece) {
        return Some(vec![table]);
    }
    let statements = parsed(dialect, piece)?;
    Some(tables::of(&statements))
}

/// The statement that `prepare`, `explain` and `declare … cursor for` hold.
fn inner(piece: Piece) -> Piece {
    let after = |end: &str| (1..piece.len()).find(|it| word(&piece, *it) == end);
    let start = match word(&piece, 0).as_str() {
        "prepare" => after("as").map(|it| it + 1),
        "declare" => after("for").map(|it| it + 1),
        "explain" => (1..piece.len()).find(|it| {
            let held = [
                "select", "insert", "update", "delete", "with", "merge", "create", "replace",
            ];
            held.contains(&word(&piece, *it).as_str())
        }),
        _ => None,
    };
    start.map(|it| piece[it..].to_vec()).unwrap_or(piece)
}

/// The text that `do $$ … $$` runs.
fn block(piece: &[TokenWithSpan]) -> Option<String> {
    if word(piece, 0) != "do" {
        return None;
    }
    piece.iter().find_map(|it| match &it.token {
        Token::DollarQuotedString(it) => Some(it.value.clone()),
        Token::SingleQuotedString(it) => Some(it.clone()),
        _ => None,
    })
}

/// The statements of a block of PL/pgSQL. What it declares and decides is stepped over.
fn of_block(text: &str) -> Vec<Found> {
    let dialect = &PostgreSqlDialect {};
    let pieces = pieces(dialect, text).unwrap_or_default();
    let mut found = Vec::new();
    for piece in pieces.into_iter().flat_map(steps) {
        found.extend(of_piece(dialect, piece).unwrap_or_default());
    }
    found
}

/// Cuts `if … then insert …` and its like where a step ends.
fn steps(piece: Piece) -> Vec<Piece> {
    let (mut steps, mut step, mut cases) = (Vec::new(), Piece::new(), 0);
    for at in 0..piece.len() {
        let name = word(&piece, at);
        cases += usize::from(name == "case");
        let cuts = ["begin", "then", "else", "loop", "declare", "exception"];
        if cases == 0 && cuts.contains(&name.as_str()) {
            steps.push(std::mem::take(&mut step));
        } else {
            step.push(piece[at].clone());
        }
        cases -= usize::from(name == "end" && cases > 0);
    }
    steps.push(step);
    steps
        .into_iter()
        .map(question)
        .filter(|it| !it.is_empty())
        .collect()
}

/// `if`, `perform` and `return query` as the query that they ask.
fn question(mut step: Piece) -> Piece {
    match word(&step, 0).as_str() {
        "if" | "elsif" | "while" | "perform" => {
            step[0].token = Token::make_keyword("SELECT");
            step
        }
        "for" => match (1..step.len()).find(|it| word(&step, *it) == "in") {
            Some(at) => step.split_off(at + 1),
            None => step,
        },
        "return" if word(&step, 1) == "query" => step.split_off(2),
        _ => step,
    }
}

/// `table t`, which is `select * from t`. In lower case it might be prose, unless it is longer.
fn whole_table(piece: &[TokenWithSpan]) -> Option<Found> {
    let is_loud = matches!(&piece.first()?.token, Token::Word(it) if it.value == "TABLE");
    let (name, end) = name(piece, 1)?;
    let goes_on =
        ["order", "limit", "offset", "fetch", "union"].contains(&word(piece, end).as_str());
    let is_table = word(piece, 0) == "table" && (goes_on || is_loud && end == piece.len());
    is_table.then_some(Found {
        access: Access::Read,
        ..name
    })
}

/// The name that begins at a token, without its schema, and where it ends.
fn name(piece: &[TokenWithSpan], start: usize) -> Option<(Found, usize)> {
    let mut at = start;
    let mut parts = Vec::new();
    while let Some(Token::Word(it)) = piece.get(at).map(|it| &it.token) {
        parts.push(it.clone().into_ident(piece[at].span));
        at += 1;
        if piece.get(at).map(|it| &it.token) != Some(&Token::Period) {
            break;
        }
        at += 1;
    }
    let found = tables::named(&parts, Access::Read)?;
    Some((found, at))
}

/// The table of a statement that no dialect takes to its end, by a beginning that no prose has.
fn by_beginning(piece: &[TokenWithSpan]) -> Option<Found> {
    let words: Vec<String> = (0..6).map(|it| word(piece, it)).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let sign = |at: usize| piece.get(at).map(|it| &it.token);
    let (start, access) = match words.as_slice() {
        ["insert", "into", ..] | ["replace", "into", ..] => (2, Access::Write),
        ["insert", "ignore", "into", ..] => (3, Access::Write),
        ["insert", "or", _, "into", ..] => (4, Access::Write),
        ["merge", "into", ..] | ["delete", "from", ..] => (2, Access::Write),
        ["update" | "copy", ..] => (1, Access::Write),
        ["create", ..] => (created(piece)?, Access::Create),
        _ => return None,
    };
    let (found, end) = name(piece, start)?;
    let aliased = match (word(piece, end).as_str(), word(piece, end + 1).as_str()) {
        ("as", _) => end + 2,
        ("set" | "using" | "where" | "from" | "to", _) => end,
        (_, "set" | "using" | "where") => end + 1,
        _ => end,
    };
    let is_it = match words[0] {
        "create" => sign(end) == Some(&Token::LParen) || word(piece, end) == "partition",
        "insert" | "replace" => {
            let columns = sign(end + 2);
            sign(end) == Some(&Token::LParen)
                && matches!(columns, Some(Token::Comma | Token::RParen))
        }
        "update" => {
            word(piece, aliased) == "set" && piece[aliased..].iter().any(|it| it.token == Token::Eq)
        }
        "delete" => {
            ["using", "where"].contains(&word(piece, aliased).as_str())
                && piece[aliased..].iter().any(|it| it.token == Token::Eq)
        }
        "merge" => word(piece, aliased) == "using",
        _ => return copied(piece, found, end),
    };
    is_it.then_some(Found { access, ..found })
}

/// `copy t (a, b) from stdin` and its like.
fn copied(piece: &[TokenWithSpan], found: Found, end: usize) -> Option<Found> {
    let close = piece.iter().position(|it| it.token == Token::RParen);
    let has_columns = piece.get(end).is_some_and(|it| it.token == Token::LParen);
    let at = if has_columns { close? + 1 } else { end };
    let ends = ["stdin", "stdout", "program"].contains(&word(piece, at + 1).as_str());
    match word(piece, at).as_str() {
        "from" if ends => Some(Found {
            access: Access::Write,
            ..found
        }),
        "to" if ends => Some(Found {
            access: Access::Read,
            ..found
        }),
        _ => None,
    }
}

/// Where the name stands of a table that is created for good.
fn created(piece: &[TokenWithSpan]) -> Option<usize> {
    let mut at = 1;
    while ["unlogged", "foreign", "global", "or", "replace"].contains(&word(piece, at).as_str()) {
        at += 1;
    }
    if word(piece, at) != "table" {
        return None;
    }
    let conditional = word(piece, at + 1) == "if";
    Some(if conditional { at + 4 } else { at + 1 })
}
