//! Who uses whom, and where it is written.

mod edge_index;

use self::edge_index::EdgeIndex;
use crate::diagnostic::{Note, Place, Span};
use crate::facts::PathRef;
use crate::manifest::DependencyKind;
use crate::modules::{ModuleId, Modules};
use crate::resolve::{Def, Resolver};
use crate::selector::Selector;
use crate::workspace::{TargetKind, Workspace};

/// A module, a package or a path of another crate, as selectors see it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Spot {
    /// `aam::db::connections`, or `std::env::var`.
    pub path: String,
    /// Empty for what is not of this workspace.
    pub file: String,
    pub test: bool,
    pub build: bool,
}

impl Spot {
    /// The package or crate that it belongs to.
    pub fn root(&self) -> &str {
        self.path.split("::").next().unwrap_or_default()
    }
}

/// One use of one thing by another.
#[derive(Debug)]
pub struct Edge {
    pub from: Spot,
    pub to: Spot,
    pub place: Place,
    /// The path as written.
    pub text: String,
    /// `None` for an entry of a manifest.
    pub code: Option<CodeEdge>,
}

/// What only an edge in code has.
#[derive(Debug)]
pub struct CodeEdge {
    /// The path leads there as written, not through another module's re-export.
    pub direct: bool,
    /// The path begins with an import of the same file, which is an edge itself.
    pub by_alias: bool,
}

/// Every edge, and the paths that could not be resolved.
#[derive(Debug, Default)]
pub struct Edges {
    pub all: Vec<Edge>,
    pub paths: usize,
    pub unresolved: Vec<Note>,
    sources: EdgeIndex,
    targets: EdgeIndex,
}

impl Edges {
    /// Resolves every path of every file and reads every manifest.
    pub fn collect(workspace: &Workspace, modules: &Modules) -> Edges {
        let mut edges = Edges::default();
        edges.add_manifests(workspace, modules);
        let resolver = Resolver::new(workspace, modules);
        for (id, _, facts) in modules.files() {
            let owners = modules.by_scope(id);
            for (index, it) in facts.uses.iter().enumerate() {
                edges.add(
                    &resolver,
                    modules,
                    owners[it.path.scope],
                    (&it.path, Some(index)),
                );
            }
            for path in &facts.paths {
                edges.add(&resolver, modules, owners[path.scope], (path, None));
            }
            for name in &facts.names {
                edges.add_name(&resolver, modules, owners[name.scope], name);
            }
        }
        Edges {
            paths: edges.paths,
            unresolved: edges.unresolved,
            ..Edges::of(edges.all)
        }
    }

    /// Nothing but these edges.
    pub(crate) fn of(all: Vec<Edge>) -> Edges {
        Edges {
            sources: EdgeIndex::of(&all, |it| &it.from),
            targets: EdgeIndex::of(&all, |it| &it.to),
            paths: all.len(),
            unresolved: Vec::new(),
            all,
        }
    }

    /// Without what only tests use, by code or by a dev-dependency.
    pub fn without_tests(mut self) -> Edges {
        self.all.retain(|it| !it.from.test);
        Edges {
            paths: self.paths,
            unresolved: self.unresolved,
            ..Edges::of(self.all)
        }
    }

    /// The edges that begin where one of the selectors leads.
    pub(crate) fn from<'a>(
        &'a self,
        selectors: &[Selector],
    ) -> impl Iterator<Item = &'a Edge> + use<'a> {
        let found = self.sources.covered(&self.all, |it| &it.from, selectors);
        found.into_iter().map(|it| &self.all[it])
    }

    /// The edges that end where one of the selectors leads.
    pub(crate) fn to<'a>(
        &'a self,
        selectors: &[Selector],
    ) -> impl Iterator<Item = &'a Edge> + use<'a> {
        let found = self.targets.covered(&self.all, |it| &it.to, selectors);
        found.into_iter().map(|it| &self.all[it])
    }

    fn add(
        &mut self,
        resolver: &Resolver,
        modules: &Modules,
        from: ModuleId,
        (path, import): (&PathRef, Option<usize>),
    ) {
        let found = resolver.resolve(from, path, import);
        if found.target == Def::Unknown && path.quoted {
            return;
        }
        self.paths += 1;
        if found.target == Def::Unknown {
            let place = Place::new(&modules.all[from].file, path.span());
            self.unresolved.push(Note {
                text: format!("`{}` is not known here", path.text()),
                place: Some(place),
            });
        }
        let direct = found.written.is_none();
        let targets = [(found.written, true), (Some(found.target), direct)];
        for (def, direct) in targets {
            let is_within = match &def {
                Some(Def::Module(to) | Def::Item(to, _)) => {
                    modules.all[*to].path == modules.all[from].path
                }
                _ => false,
            };
            let to = def.and_then(|it| spot_of(modules, &it));
            let Some(to) = to.filter(|_| !is_within) else {
                continue;
            };
            let mut from = spot(modules, from);
            from.test |= path.test;
            let file = from.file.clone();
            let span = path
                .segments
                .get(found.segment)
                .map_or(Span::START, |it| it.span);
            self.all.push(Edge {
                from,
                to,
                place: Place::new(file, span),
                text: path.text(),
                code: Some(CodeEdge {
                    direct,
                    by_alias: found.by_alias,
                }),
            });
        }
    }

    /// The edge of a name that a glob brings, beyond the module whose content the glob is: that one is
    /// an edge already.
    fn add_name(&mut self, resolver: &Resolver, modules: &Modules, from: ModuleId, name: &PathRef) {
        let Some((glob, def)) = resolver.by_glob(from, name) else {
            return;
        };
        let path = |it: ModuleId| &modules.all[it].path;
        if let Def::Module(to) | Def::Item(to, _) = &def
            && (path(*to) == path(glob) || path(*to) == path(from))
        {
            return;
        }
        let Some(to) = spot_of(modules, &def) else {
            return;
        };
        let mut from = spot(modules, from);
        from.test |= name.test;
        self.all.push(Edge {
            place: Place::new(&from.file, name.span()),
            from,
            to,
            text: name.text(),
            code: Some(CodeEdge {
                direct: false,
                by_alias: true,
            }),
        });
    }

    fn add_manifests(&mut self, workspace: &Workspace, modules: &Modules) {
        for (index, package) in workspace.packages.iter().enumerate() {
            let manifest = &package.manifest;
            for dependency in manifest.dependencies.iter().filter(|it| it.kind.is_own()) {
                let Some(member) = workspace.member_of(manifest, dependency) else {
                    continue;
                };
                self.all.push(Edge {
                    from: Spot {
                        file: manifest.path.clone(),
                        test: dependency.kind == DependencyKind::Dev,
                        build: dependency.kind == DependencyKind::Build,
                        ..package_spot(workspace, modules, index)
                    },
                    to: package_spot(workspace, modules, member),
                    place: manifest.place(dependency.key.span),
                    text: dependency.key.value.clone(),
                    code: None,
                });
            }
        }
    }
}

/// A whole package: its library, or its first target.
pub fn package_spot(workspace: &Workspace, modules: &Modules, package: usize) -> Spot {
    let it = &workspace.packages[package];
    let root = modules
        .lib_of(package)
        .map(|it| modules.all[it].file.clone());
    let file = root.or_else(|| it.targets.first().map(|it| it.root.clone()));
    Spot {
        path: it.ident.clone(),
        file: file.unwrap_or_else(|| it.manifest.path.clone()),
        test: false,
        build: false,
    }
}

/// A module as selectors see it.
pub fn spot(modules: &Modules, id: ModuleId) -> Spot {
    let module = &modules.all[id];
    Spot {
        path: module.path.clone(),
        file: module.file.clone(),
        test: module.test,
        build: module.target == TargetKind::Build,
    }
}

fn spot_of(modules: &Modules, def: &Def) -> Option<Spot> {
    match def {
        Def::Module(id) | Def::Item(id, _) => Some(spot(modules, *id)),
        Def::Outside(path) => Some(Spot {
            path: path.join("::"),
            file: String::new(),
            test: false,
            build: false,
        }),
        Def::Local | Def::Unknown => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::SourceFiles;

    /// Every edge of the crate `a` in code, as `line:column target`, `~` for one through a re-export.
    fn check(fixture: &str, expected: &str) {
        let files = SourceFiles::fixture(fixture);
        let workspace = Workspace::load(&files).unwrap();
        let modules = Modules::load(&files, &workspace);
        let edges = Edges::collect(&workspace, &modules);
        let mut seen: Vec<String> = edges
            .all
            .iter()
            .filter(|it| it.from.path.starts_with('a') && it.from.file.ends_with(".rs"))
            .filter_map(|it| Some((it, it.code.as_ref()?)))
            .map(|(it, code)| {
                let mark = if code.direct { "" } else { "~" };
                format!(
                    "{}:{} {mark}{}",
                    it.place.span.line, it.place.span.column, it.to.path
                )
            })
            .collect();
        seen.sort();
        let mut expected: Vec<&str> = expected.lines().collect();
        expected.sort();
        assert_eq!(seen, expected, "{fixture}");
    }

    fn in_a(source: &str, expected: &str) {
        let others = "//- b/src/lib.rs uses sqlx\npub mod deep { pub struct D; }\npub use deep::D;\n\
                      pub use deep as shallow;\npub use sqlx::PgPool;\n";
        check(
            &format!("//- a/src/lib.rs uses b, sqlx\n{source}\n{others}"),
            expected,
        );
    }

    #[test]
    fn paths_are_seen_wherever_rustc_takes_them() {
        in_a(
            "use b::{self, deep::{D, *}};",
            "1:5 b\n1:5 b::deep\n1:5 b::deep",
        );
        in_a(
            "fn f() { b::deep::g::<b::deep::D>(); }",
            "1:10 b::deep\n1:23 b::deep",
        );
        in_a("#[b::attr] #[derive(b::Der)] struct S;", "1:3 b\n1:21 b");
        in_a("fn f(x: u8) { match x { b::X => {} _ => {} } }", "1:25 b");
        in_a(
            "struct S<T: b::Tr>(T) where T: sqlx::Enc;",
            "1:13 b\n1:32 sqlx::Enc",
        );
        in_a(
            "const N: [u8; b::LEN] = <u8 as b::Tr>::C;",
            "1:15 b\n1:32 b",
        );
        in_a("fn f() { println!(\"{}\", b::g()); }", "1:25 b");
        in_a("fn f() { select! { x = b::g() => {} } }", "1:24 b");
        in_a(
            "macro_rules! m { ($x:path) => { b::g($x::y, $crate::z) } }",
            "1:33 b",
        );
        in_a(
            "#[derive(Ser)] struct S { #[serde(with = \"b::deep\")] x: u8 }",
            "1:42 b::deep",
        );
        in_a("cfg_x! { mod y { use b::D; } }", "1:22 b\n1:22 ~b::deep");
    }

    #[test]
    fn names_are_followed_through_aliases_and_re_exports() {
        in_a("use b as c; fn f() { c::g() }", "1:22 b\n1:5 b");
        in_a("fn f() { b::shallow::g() }", "1:10 b\n1:10 ~b::deep");
        in_a("type P = b::PgPool;", "1:10 b\n1:10 ~sqlx::PgPool");
        in_a(
            "extern crate b as c; mod m { fn f() { c::g() } }",
            "1:14 b\n1:39 b",
        );
        in_a(
            "mod m { pub use b::deep; } fn f() { crate::m::deep::g() }",
            "1:17 b::deep\n1:44 a::m\n1:44 ~b::deep",
        );
    }

    #[test]
    fn names_that_a_glob_brings_are_edges_to_where_they_are_declared() {
        let with = |source: &str, expected: &str| {
            check(
                &format!(
                    "//- a/src/lib.rs uses b\n{source}\n//- b/src/lib.rs uses sqlx\npub mod deep {{ pub struct D; pub fn g() {{}} \
                     pub trait T {{}} pub const N: u8 = 1; pub struct r#type; }}\n\
                     pub mod prelude {{ pub use crate::deep::*; pub use sqlx::PgPool; pub struct Own; }}\n"
                ),
                &format!("1:5 b::prelude\n{expected}"),
            );
        };
        with("use b::prelude::*; fn f(x: D) {}", "1:28 ~b::deep");
        with("use b::prelude::*; fn f() { g() }", "1:29 ~b::deep");
        with("use b::prelude::*; impl T for u8 {}", "1:25 ~b::deep");
        with("use b::prelude::*; const M: u8 = N;", "1:34 ~b::deep");
        with("use b::prelude::*; #[derive(D)] struct S;", "1:29 ~b::deep");
        with("use b::prelude::*; type P = PgPool;", "1:29 ~sqlx::PgPool");
        with("use b::prelude::*; type P = (D, D);", "1:30 ~b::deep");
        with("use b::prelude::*; type P = Own;", "");
        with("use b::prelude::*; fn f(g: fn()) { g() }", "");
        with("use b::prelude::*; fn f() { let g = h; g(); x.g(); }", "");
        with("use b::prelude::*; fn f() { struct D; let x: D; }", "");
        with("use b::prelude::*; struct S<D>(D); enum E { D }", "");
        with("use b::prelude::*; fn g() {} fn f() { g() }", "");
        with(
            "use b::prelude::*; fn f() { b::prelude::g() }",
            "1:29 b::prelude\n1:29 ~b::deep",
        );
        with("use b::prelude::*; mod m { fn f(x: D) {} }", "");
        with(
            "use b::prelude::*; mod m { use super::*; fn f(x: D) {} }",
            "1:32 a\n1:50 ~b::deep",
        );
    }

    #[test]
    fn an_exported_macro_is_one_of_the_module_that_it_stands_in() {
        let with = |source: &str, expected: &str| {
            let b = "//- b/src/lib.rs\nmod deep { #[macro_export] macro_rules! m { () => {} } }\npub fn f() {}\n";
            check(&format!("//- a/src/lib.rs uses b\n{source}\n{b}"), expected);
        };
        with("fn f() { b::m!() }", "1:10 b\n1:10 ~b::deep");
        with("use b::m; fn f() { m!() }", "1:5 b\n1:5 ~b::deep");
        with("fn f() { b::f() }", "1:10 b");
        with(
            "mod x { fn f() { crate::n!() } } mod y { #[macro_export] macro_rules! n { () => {} } }",
            "1:18 a\n1:18 ~a::y",
        );
    }

    #[test]
    fn extern_crate_self_means_the_crate_in_each_module() {
        in_a(
            "pub mod m { pub mod n {} } mod o { extern crate self as me; fn f() { me::m::n::g() } }",
            "1:49 a\n1:77 a::m::n",
        );
    }

    #[test]
    fn local_names_hide_crates() {
        in_a("mod b { pub fn g() {} } fn f() { b::g() }", "1:34 a::b");
        in_a("fn f() { mod b { pub fn g() {} } b::g() }", "1:34 a::b");
        in_a("fn f<b>() { b::g() }", "");
        in_a(
            "use std::fmt as b; fn f() { b::g() }",
            "1:29 std::fmt::g\n1:5 std::fmt",
        );
        in_a("/// b::g\npub(in crate) fn f() { \"b::g\"; }", "");
        in_a("fn b() {} fn f() { b::g() }", "1:20 b");
    }

    /// The paths of the crate `a` that lead nowhere.
    fn nowhere(source: &str, expected: &[&str]) {
        let files = SourceFiles::fixture(&format!("//- a/src/lib.rs uses sqlx\n{source}\n"));
        let workspace = Workspace::load(&files).unwrap();
        let modules = Modules::load(&files, &workspace);
        let edges = Edges::collect(&workspace, &modules);
        let seen: Vec<&str> = edges.unresolved.iter().map(|it| it.text.as_str()).collect();
        let expected: Vec<String> = expected
            .iter()
            .map(|it| format!("`{it}` is not known here"))
            .collect();
        assert_eq!(seen, expected, "{source}");
    }

    #[test]
    fn a_beginning_that_nothing_explains_is_unknown() {
        nowhere("fn f() { gone::g() }", &["gone::g"]);
        nowhere("fn f() { m!(a => gone::g::<u8>()) }", &["gone::g"]);
        nowhere("use gone::g;", &["gone::g"]);
        nowhere("#[attr(gone::g)] fn f() {}", &["gone::g"]);
    }

    #[test]
    fn what_macros_and_other_crates_bring_is_not_unknown() {
        nowhere("#[allow(clippy::x)] #[rustfmt::skip] fn f() {}", &[]);
        nowhere("#[rstest] #[case::one(1)] fn f() {}", &[]);
        nowhere("fn f() { <[_; 2]>::from(x); let y: <[u8]>::Z; }", &[]);
        nowhere(
            "fn f() { quote! { #name::x(_serde::y, <A as ::gone::B>::c) } }",
            &[],
        );
        nowhere("macro_rules! m { () => { elsewhere::f() } }", &[]);
        nowhere("table! { users { id } } fn f() { users::id; }", &[]);
        nowhere("fn f() { table! { users { id } } users::id; }", &[]);
        nowhere("#[attr] fn tracked() {} fn g() { tracked::run(); }", &[]);
        nowhere(
            "use sqlx::*; mod m { use super::*; fn f() { thing::g() } }",
            &[],
        );
        nowhere("macro_rules! m { () => {} } pub(crate) use m;", &[]);
        nowhere("extern crate self as me; mod m { fn f() { me::g() } }", &[]);
        nowhere(
            "extern crate rustc_ast; mod m { fn f() { rustc_ast::g() } }",
            &[],
        );
        nowhere(
            "fn f() { m!(parent: ::std::a, any::<u8>() => x as ::std::b) }",
            &[],
        );
    }
}
