//! The table that AWS Cost Explorer writes: a row a day or month, a column a service, and totals in
//! the first row and in the last column. It is read as one row per period and service.

use crate::delimited::Result;
use crate::delimited::header::Header;
use crate::delimited::row::Row;
use crate::delimited::scan::{Quoting, Span};

/// Behind the name of each column that has costs.
const UNIT: &str = "($)";

/// What is left to hand out of such a table.
pub(super) struct CostExplorer {
    /// What the costs are grouped by (`Service`), the period, the cost.
    header: Header,
    /// The groups, in the order of the columns behind the first.
    groups: Vec<String>,
    line: u64,
    period: String,
    /// Group and cost of the rows that are still to come, the next one last.
    pending: Vec<(usize, String)>,
    text: String,
    cells: Vec<Span>,
}

impl CostExplorer {
    /// None where the header is of another table.
    pub(super) fn of(header: &Header) -> Result<Option<Self>> {
        let [by, groups @ .., total] = header.names() else {
            return Ok(None);
        };
        let is_total = total.eq_ignore_ascii_case("Total costs($)");
        let cut = |it: &String| Some(it.strip_suffix(UNIT)?.trim_end().to_owned());
        match groups.iter().map(cut).collect::<Option<Vec<_>>>() {
            Some(groups) if is_total && !groups.is_empty() => Ok(Some(Self {
                header: Header::new([by, "Period start", "Cost($)"].into_iter())?,
                groups,
                line: 0,
                period: String::new(),
                pending: Vec::new(),
                text: String::new(),
                cells: Vec::new(),
            })),
            _ => Ok(None),
        }
    }

    pub(super) fn header(&self) -> &Header {
        &self.header
    }

    /// Takes a row of the table apart. That of the totals has none, and neither has a service that
    /// cost nothing.
    pub(super) fn take(&mut self, row: Row<'_>) {
        let mut cells = row.cells().map(|it| it.text().trim().to_owned());
        self.line = row.line();
        self.period = cells.next().unwrap_or_default();
        if self.period.to_ascii_lowercase().ends_with(" total") {
            return;
        }
        let costs = cells.take(self.groups.len()).enumerate();
        self.pending = costs.filter(|it| !it.1.is_empty()).collect();
        self.pending.reverse();
    }

    pub(super) fn is_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// The next row of one period and service.
    pub(super) fn item(&mut self) -> Option<Row<'_>> {
        let (group, cost) = self.pending.pop()?;
        self.text.clear();
        self.cells.clear();
        for cell in [&self.groups[group], &self.period, &cost] {
            let comma = if self.cells.is_empty() { "" } else { "," };
            self.text.push_str(comma);
            self.text.push('"');
            let start = self.text.len() as u32;
            self.text.push_str(&cell.replace('"', "\"\""));
            let end = self.text.len() as u32;
            self.text.push('"');
            let quoting = Quoting::Doubled;
            self.cells.push(Span {
                start,
                end,
                quoting,
            });
        }
        Some(Row {
            line: self.line,
            text: &self.text,
            cells: &self.cells,
            header: &self.header,
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::delimited::{Item, Options, Reader};

    fn read(file: &str) -> (Vec<String>, Vec<String>) {
        let mut reader = Reader::new(Options::default());
        reader.push(file.as_bytes());
        reader.finish();
        let mut rows = Vec::new();
        while let Some(item) = reader.next().unwrap() {
            rows.push(match item {
                Item::Rejected(row) => format!("{}: {}", row.line, row.reason),
                Item::Row(row) => {
                    let mut json = Vec::new();
                    row.write_json(&mut json);
                    format!("{}: {}", row.line(), String::from_utf8(json).unwrap())
                }
            });
        }
        (rows, reader.notes())
    }

    #[test]
    fn each_service_of_a_period_is_a_row_of_its_own() {
        let file = "Service,\"S3($)\",\"EC2-Instances \"\"x\"\" ($)\",\"Total costs($)\"\n\
            Service total,3.5,0.25,3.75\n\
            2026-06-01,1.5,,1.5\n\
            2026-07-01,2,0.25,2.25\n\
            2026-08-01,2\n";
        let (rows, notes) = read(file);
        assert_eq!(
            rows,
            [
                r#"3: {"Service":"S3","Period start":"2026-06-01","Cost($)":"1.5"}"#,
                r#"4: {"Service":"S3","Period start":"2026-07-01","Cost($)":"2"}"#,
                r#"4: {"Service":"EC2-Instances \"x\"","Period start":"2026-07-01","Cost($)":"0.25"}"#,
                "5: row has 2 cells where the header has 4",
            ]
        );
        assert_eq!(
            notes,
            ["a table of Cost Explorer is read as a row per period and column, without its totals"]
        );
    }

    #[test]
    fn other_tables_with_costs_are_read_as_they_are() {
        for header in [
            "Service,Total costs($)",
            "Service,S3,Total costs($)",
            "a,S3($),b($)",
        ] {
            let row = ["1"; 3][..header.split(',').count()].join(",");
            let (rows, notes) = read(&format!("{header}\n{row}\n"));
            assert_eq!((rows.len(), notes.len()), (1, 0), "{header}");
        }
    }
}
