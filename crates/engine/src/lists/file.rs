//! Files of identifiers: one a line, or CSV with the head `namespace,value`. Read as a stream, each line bounded.

use std::io::{BufRead, Read as _};

use super::Line;

/// The most bytes of a line.
pub const LINE_BYTES_MAX: usize = 4_096;

/// A line of a file, or one that cannot be read: its number, and why.
pub type Given = Result<Line, (u64, &'static str)>;

/// Lines of a file, blank ones passed over.
pub struct Lines<R> {
    from: R,
    no: u64,
    namespace: Option<String>,
    /// Whether it is CSV, as its first line says.
    csv: Option<bool>,
}

impl<R: BufRead> Lines<R> {
    /// Reads a file; values that say no namespace are of this one.
    pub const fn new(from: R, namespace: Option<String>) -> Self {
        Self { from, no: 0, namespace, csv: None }
    }

    /// The next line's text, or that it is too long or no text; `None` at the end.
    fn text(&mut self) -> std::io::Result<Option<Result<String, &'static str>>> {
        let mut bytes = Vec::new();
        let most = LINE_BYTES_MAX as u64 + 2;
        if (&mut self.from).take(most).read_until(b'\n', &mut bytes)? == 0 {
            return Ok(None);
        }
        self.no += 1;
        if bytes.last() != Some(&b'\n') && bytes.len() as u64 == most {
            // The rest of it is passed over, a part at a time.
            let mut rest = bytes;
            while rest.last() != Some(&b'\n') {
                rest.clear();
                if (&mut self.from).take(most).read_until(b'\n', &mut rest)? == 0 {
                    break;
                }
            }
            return Ok(Some(Err("text_too_long")));
        }
        let text = String::from_utf8(bytes).map_err(|_| "bad_text");
        Ok(Some(text.map(|text| {
            let text = if self.no == 1 { text.trim_start_matches('\u{feff}') } else { &text };
            text.trim().to_owned()
        })))
    }

    fn line(&mut self, text: &str) -> Option<Given> {
        let is_head = self.csv.is_none()
            && cells(text).is_some_and(|cells| {
                cells.iter().map(|cell| cell.to_ascii_lowercase()).eq(["namespace", "value"])
            });
        let csv = *self.csv.get_or_insert(is_head);
        if is_head || text.is_empty() {
            return None;
        }
        let (no, namespace) = (self.no, self.namespace.clone());
        if !csv {
            return Some(Ok(Line { no, namespace, value: text.to_owned() }));
        }
        let Some(Ok([said, value])) = cells(text).map(<[String; 2]>::try_from) else {
            return Some(Err((no, "bad_cell")));
        };
        let namespace = Some(said).filter(|said| !said.is_empty()).or(namespace);
        Some(Ok(Line { no, namespace, value }))
    }
}

/// The cells of a line of CSV, without blanks around them.
pub(crate) fn cells(text: &str) -> Option<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    let record = reader.records().next()?.ok()?;
    Some(record.iter().map(|cell| cell.trim().to_owned()).collect())
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = std::io::Result<Given>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let read = match self.text() {
                Err(error) => return Some(Err(error)),
                Ok(None) => return None,
                Ok(Some(Err(why))) => Some(Err((self.no, why))),
                Ok(Some(Ok(text))) => self.line(&text),
            };
            if let Some(read) = read {
                return Some(Ok(read));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, namespace: Option<&str>) -> Vec<String> {
        let said = |read: std::io::Result<Given>| match read.unwrap() {
            Ok(Line { no, namespace, value }) => format!("{no} {}={value}", namespace.unwrap_or_default()),
            Err((no, why)) => format!("{no} {why}"),
        };
        Lines::new(text.as_bytes(), namespace.map(str::to_owned)).map(said).collect()
    }

    #[test]
    fn a_file_has_an_identifier_a_line_or_namespaces_beside() {
        let long = format!("a\n{}\nb\n", "x".repeat(20_000));
        let just = "y".repeat(LINE_BYTES_MAX);
        let rows: [(&str, Option<&str>, &[&str]); 9] = [
            ("", None, &[]),
            ("1001\r\n\n 1002 \n", Some("card"), &["1 card=1001", "3 card=1002"]),
            ("\u{feff}1001", None, &["1 =1001"]),
            ("a,b\nnamespace,value\n", None, &["1 =a,b", "2 =namespace,value"]),
            ("\u{feff}Namespace ,\"value\"\ncard,1001\n,1002\n", Some("crm"), &["2 card=1001", "3 crm=1002"]),
            (
                "namespace,value\ncard,\"10,01\"\ncard\na,b,c\n",
                None,
                &["2 card=10,01", "3 bad_cell", "4 bad_cell"],
            ),
            (&long, None, &["1 =a", "2 text_too_long", "3 =b"]),
            ("namespace,value\n", None, &[]),
            ("\n\nx", None, &["3 =x"]),
        ];
        for (text, namespace, expected) in rows {
            assert_eq!(read(text, namespace), expected, "{:?}", &text[..text.len().min(60)]);
        }
        assert_eq!(read(&format!("{just}\n"), None), [format!("1 ={just}")]);
        let no_text = Lines::new(&b"a\n\xff\nb"[..], None).map(|read| read.unwrap().is_ok());
        assert_eq!(no_text.collect::<Vec<_>>(), [true, false, true]);
    }
}
