//! Ignores and exceptions: which findings they cover, and which of them are bad or unused.

use crate::check::Context;
use crate::config::Except;
use crate::date::Date;
use crate::diagnostic::{Diagnostic, Level, Place, Span};
use crate::facts::Allow;
use crate::rules;

/// An inline ignore and its file.
struct Inline<'a> {
    file: &'a str,
    allow: std::borrow::Cow<'a, Allow>,
    used: bool,
}

/// Takes out what is excused and adds what is wrong with the excuses. Returns what was excused, too.
pub(crate) fn apply(
    cx: &Context,
    found: Vec<Diagnostic>,
    today: Date,
) -> (Vec<Diagnostic>, Vec<Diagnostic>) {
    let mut inline = inline_ignores(cx);
    let mut used = vec![false; cx.config.except.len()];
    let (excused, mut kept): (Vec<Diagnostic>, Vec<Diagnostic>) =
        found.into_iter().partition(|it| {
            inline_covers(&mut inline, it, today) || except_covers(cx, &mut used, it, today)
        });
    for it in &inline {
        kept.extend(complaints(it, today));
    }
    kept.extend(idle_ignores(cx));
    for (except, used) in cx.config.except.iter().zip(used) {
        kept.extend(except_complaint(cx, except, used, today));
    }
    (kept, excused)
}

/// Ignores in files of members that no crate loads: nothing is checked there that they could excuse.
fn idle_ignores(cx: &Context) -> Vec<Diagnostic> {
    let is_source = |it: &&str| it.ends_with(".rs") && !cx.modules.facts.contains_key(*it);
    let files = cx.files.paths().filter(is_source);
    let own = files.filter(|it| cx.workspace.package_of(it).is_some());
    let allows = own.flat_map(|file| {
        let text = cx.files.get(file).unwrap_or_default();
        let allows = crate::facts::source_allows(text).into_iter();
        allows.map(move |it| Place::new(file, it.span))
    });
    let idle = |place| {
        Diagnostic::new(
            "SL902",
            place,
            "no crate loads this file, so this ignore covers nothing",
        )
        .help("remove the ignore, or declare the file with `mod`")
    };
    allows.map(idle).collect()
}

fn inline_ignores<'a>(cx: &'a Context) -> Vec<Inline<'a>> {
    let code = cx.modules.facts.iter().flat_map(|(file, facts)| {
        facts.allows.iter().map(|it| Inline {
            file,
            allow: std::borrow::Cow::Borrowed(it),
            used: false,
        })
    });
    let members = cx
        .workspace
        .packages
        .iter()
        .map(|it| it.manifest.path.as_str());
    let root = std::iter::once("Cargo.toml").filter(|it| !members.clone().any(|path| path == *it));
    let manifests = members.clone().chain(root).flat_map(|file| {
        let text = cx.files.get(file).unwrap_or_default();
        let allows = crate::facts::manifest_allows(text).into_iter();
        allows.map(move |it| Inline {
            file,
            allow: std::borrow::Cow::Owned(it),
            used: false,
        })
    });
    code.chain(manifests).collect()
}

fn is_past(until: Option<&str>, today: Date) -> bool {
    until.is_some_and(|it| it.parse::<Date>().is_ok_and(|it| it < today))
}

fn inline_covers(inline: &mut [Inline], finding: &Diagnostic, today: Date) -> bool {
    let covering = inline.iter_mut().find(|it| {
        it.file == finding.place.file
            && it.allow.line == finding.place.span.line
            && it
                .allow
                .codes
                .iter()
                .any(|it| rules::is_named(it, finding.code))
            && it.allow.reason.is_some()
            && !is_past(it.allow.until.as_deref(), today)
    });
    covering.map(|it| it.used = true).is_some()
}

fn except_covers(cx: &Context, used: &mut [bool], finding: &Diagnostic, today: Date) -> bool {
    let spot = cx.spot_of(finding);
    let covering = cx.config.except.iter().position(|it| {
        rules::is_named(it.rule.get_ref(), finding.code)
            && it.until.is_none_or(|it| today <= it)
            && it
                .to
                .as_ref()
                .is_none_or(|it| leads_to(&finding.to, it.get_ref()))
            && cx.config.covering(&it.places, &spot).is_some()
    });
    covering.map(|at| used[at] = true).is_some()
}

fn leads_to(to: &str, name: &str) -> bool {
    let (to, name) = (crate::workspace::ident(to), crate::workspace::ident(name));
    to.strip_prefix(&name)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// SL903 for an ignore that cannot be taken, SL902 for one that covers nothing.
fn complaints(it: &Inline, today: Date) -> Vec<Diagnostic> {
    let place = Place::new(it.file, it.allow.span);
    let bad = |message: String| Diagnostic::new("SL903", place.clone(), message);
    let example = "write `structure-lint: allow(SL011) reason=\"why it must be\"`";
    let unknown = it.allow.codes.iter().find(|it| rules::find(it).is_none());
    if let Some(code) = unknown {
        return vec![
            bad(format!("no rule has the code or the name `{code}`"))
                .help("`structure-lint list-rules` shows them all"),
        ];
    }
    if it.allow.codes.is_empty() {
        return vec![bad("this ignore names no rule".into()).help(example)];
    }
    if it.allow.reason.is_none() {
        return vec![bad("this ignore gives no reason, so it does not count".into()).help(example)];
    }
    if let Some(until) = it.allow.until.as_deref() {
        if let Err(err) = until.parse::<Date>() {
            return vec![bad(err)];
        }
        if is_past(Some(until), today) {
            return vec![
                bad(format!("this ignore ended on {until}"))
                    .help("fix the finding, or give a new day"),
            ];
        }
    }
    if it.used {
        return Vec::new();
    }
    let message = format!(
        "nothing on line {} breaks {}",
        it.allow.line,
        it.allow.codes.join(", ")
    );
    vec![Diagnostic::new("SL902", place, message).help("remove the ignore")]
}

fn except_complaint(cx: &Context, except: &Except, used: bool, today: Date) -> Option<Diagnostic> {
    let place = cx.config.place(&except.rule);
    if except.until.is_some_and(|it| it < today) {
        let message = format!("the exception to {} has ended", except.rule.get_ref());
        return Some(Diagnostic::new("SL903", place, message).help("remove it, or give a new day"));
    }
    let rule = except.rule.get_ref();
    let is_off = crate::rules::find(rule).is_some_and(|it| cx.config.level(it) == Level::Off);
    (!used && !is_off).then(|| {
        Diagnostic::new(
            "SL902",
            Place {
                span: Span { ..place.span },
                ..place
            },
            format!("this exception to {rule} covers no finding"),
        )
        .help("remove the exception")
    })
}
