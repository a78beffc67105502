//! Numbers of a workspace: how large each package is and how it is coupled.

use std::collections::BTreeSet;

use crate::check::Analysis;

/// A row for each package; `used by` and `uses` count packages of the workspace.
pub fn text(analysis: &Analysis) -> String {
    let head = [
        "package",
        "files",
        "lines",
        "functions",
        "uses",
        "used by",
        "instability",
    ];
    let mut rows = vec![head.map(str::to_owned)];
    rows.extend((0..analysis.workspace.packages.len()).map(|it| row(analysis, it)));
    let widths: Vec<usize> = (0..head.len())
        .map(|at| {
            rows.iter()
                .map(|it| it[at].chars().count())
                .max()
                .unwrap_or(0)
        })
        .collect();
    let line = |row: &[String; 7]| {
        let cells = row.iter().zip(&widths).enumerate();
        let cells: Vec<String> = cells
            .map(|(at, (it, width))| {
                if at == 0 {
                    format!("{it:<width$}")
                } else {
                    format!("{it:>width$}")
                }
            })
            .collect();
        cells.join("  ") + "\n"
    };
    let edges = &analysis.edges;
    let rows: String = rows.iter().map(line).collect();
    format!(
        "{rows}\n{} of {} paths not resolved\n",
        edges.unresolved.len(),
        edges.paths
    )
}

fn row(analysis: &Analysis, index: usize) -> [String; 7] {
    let package = &analysis.workspace.packages[index];
    let files: BTreeSet<&str> = analysis
        .modules
        .files()
        .filter(|(_, it, _)| it.package == index)
        .map(|(_, it, _)| it.file.as_str())
        .collect();
    let facts = || {
        files
            .iter()
            .filter_map(|it| analysis.modules.facts.get(*it))
    };
    let (uses, used_by) = coupling(analysis, &package.ident);
    // Robert Martin's: 0 is used and uses nobody, 1 the reverse.
    let instability = match uses + used_by {
        0 => "-".to_owned(),
        all => format!("{:.2}", uses as f64 / all as f64),
    };
    [
        package.name.clone(),
        files.len().to_string(),
        facts().map(|it| it.lines).sum::<u32>().to_string(),
        facts()
            .map(|it| it.functions.len())
            .sum::<usize>()
            .to_string(),
        uses.to_string(),
        used_by.to_string(),
        instability,
    ]
}

/// How many packages it uses, and how many use it.
fn coupling(analysis: &Analysis, ident: &str) -> (usize, usize) {
    let (mut uses, mut used_by) = (BTreeSet::new(), BTreeSet::new());
    for edge in analysis
        .edges
        .all
        .iter()
        .filter(|it| !it.to.file.is_empty())
    {
        let (from, to) = (edge.from.root(), edge.to.root());
        if from == ident && to != ident {
            uses.insert(to);
        } else if to == ident && from != ident {
            used_by.insert(from);
        }
    }
    (uses.len(), used_by.len())
}

#[cfg(test)]
mod tests {
    use crate::check::analyse;
    use crate::files::SourceFiles;

    #[test]
    fn a_package_has_one_row() {
        let fixture =
            "//- a/src/lib.rs uses b\nuse b::f;\nfn g() {}\n//- b/src/lib.rs\npub fn f() {}\n";
        let text = super::text(&analyse(&SourceFiles::fixture(fixture)).unwrap());
        let rows: Vec<Vec<&str>> = text
            .lines()
            .map(|it| it.split_whitespace().collect())
            .collect();
        assert_eq!(rows[1], ["a", "1", "2", "1", "1", "0", "1.00"]);
        assert_eq!(rows[2], ["b", "1", "1", "1", "0", "1", "0.00"]);
    }
}
