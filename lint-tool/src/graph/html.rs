//! A page that needs nothing else: packages as boxes, those that use nobody at the bottom.

use std::collections::{BTreeMap, BTreeSet};

const WIDTH: usize = 190;
const HEIGHT: usize = 110;

/// The page of a graph: each pair uses the second one, with the number of places.
pub(super) fn page(uses: &BTreeMap<(String, String), usize>) -> String {
    let places = places(uses);
    let wide = places.values().map(|it| it.0).max().unwrap_or(0) + WIDTH;
    let high = places.values().map(|it| it.1).max().unwrap_or(0) + HEIGHT;
    let lines: String = uses
        .iter()
        .filter_map(|((from, to), count)| {
            let ((x, y), (u, v)) = (places.get(from.as_str())?, places.get(to.as_str())?);
            let (x, y, u, v) = (x + 80, y + 36, u + 80, *v);
            let middle = (y + v) / 2;
            Some(format!(
                "<path class=\"edge\" data-from=\"{from}\" data-to=\"{to}\" d=\"M{x} {y} C{x} {middle} {u} {middle} {u} {v}\"><title>{from} uses {to} in {count} places</title></path>\n"
            ))
        })
        .collect();
    let boxes: String = places
        .iter()
        .map(|(name, (x, y))| {
            let (middle, base) = (x + 80, y + 23);
            format!(
                "<g class=\"box\" data-name=\"{name}\"><rect x=\"{x}\" y=\"{y}\" width=\"160\" height=\"36\" rx=\"6\"/><text x=\"{middle}\" y=\"{base}\">{name}</text></g>\n"
            )
        })
        .collect();
    PAGE.replace("{wide}", &wide.to_string())
        .replace("{high}", &high.to_string())
        .replace("{lines}", &lines)
        .replace("{boxes}", &boxes)
}

/// The corner of each box: rows by the longest way down, columns by name.
fn places(uses: &BTreeMap<(String, String), usize>) -> BTreeMap<&str, (usize, usize)> {
    let names: BTreeSet<&str> = uses
        .keys()
        .flat_map(|(from, to)| [from.as_str(), to])
        .collect();
    let mut heights: BTreeMap<&str, usize> = names.iter().map(|it| (*it, 0)).collect();
    // Rounds are bounded, so that a circle ends.
    for _ in 0..names.len() {
        for (from, to) in uses.keys() {
            let above = (heights[to.as_str()] + 1).min(names.len() - 1);
            if let Some(height) = heights.get_mut(from.as_str()) {
                *height = (*height).max(above);
            }
        }
    }
    let top = heights.values().copied().max().unwrap_or(0);
    let mut filled: BTreeMap<usize, usize> = BTreeMap::new();
    heights
        .into_iter()
        .map(|(name, height)| {
            let column = filled.entry(height).or_default();
            let place = (15 + *column * WIDTH, 15 + (top - height) * HEIGHT);
            *column += 1;
            (name, place)
        })
        .collect()
}

const PAGE: &str = r##"<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Who uses whom</title>
<style>
body { font: 14px system-ui, sans-serif; margin: 1rem; color: #1b1f24; background: #fff; }
rect { fill: #eef3f8; stroke: #5b7a99; }
text { text-anchor: middle; }
.edge { fill: none; stroke: #9aa7b4; stroke-width: 1.5; marker-end: url(#tip); }
.dim { opacity: .12; }
.box { cursor: pointer; }
</style>
<p>A line leads from a package to one that it uses. Point at a package to see its own lines.</p>
<svg role="img" aria-label="packages and who uses whom" width="{wide}" height="{high}" viewBox="0 0 {wide} {high}">
<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="#9aa7b4"/></marker></defs>
{lines}{boxes}</svg>
<script>
const edges = [...document.querySelectorAll(".edge")];
for (const box of document.querySelectorAll(".box")) {
  const name = box.dataset.name;
  const show = on => edges.forEach(it =>
    it.classList.toggle("dim", on && it.dataset.from !== name && it.dataset.to !== name));
  box.addEventListener("mouseenter", () => show(true));
  box.addEventListener("mouseleave", () => show(false));
}
</script>
</html>
"##;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_whole_and_names_everything() {
        let uses = [(("a", "b"), 2), (("b", "c"), 1), (("c", "b"), 1)];
        let uses = uses.map(|((from, to), count)| ((from.to_owned(), to.to_owned()), count));
        let page = page(&uses.into());
        assert_eq!(page.matches("class=\"edge\"").count(), 3);
        assert_eq!(page.matches("class=\"box\"").count(), 3);
        assert!(!page.contains("http") && !page.contains("{lines}"));
    }
}
