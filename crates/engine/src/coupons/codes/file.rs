//! Files of codes: one a line, or CSV with a head that has a column `code`. Read as a stream, each line bounded.

use std::io::{BufRead, Read};

use zhiyin_model::id::IdKey;
use zhiyin_store::coupons::codes::PART_CODES_MAX;

use super::checked;
use crate::lists::file::{Lines, cells};

/// What an upload is called whose name nobody said: the same for the same file in the same home. By the home's key, since a file of a few
/// short codes could be found by its plain hash.
pub fn name_of(mut file: impl Read, key: &IdKey) -> std::io::Result<String> {
    let mut hasher = blake3::Hasher::new();
    let mut part = vec![0; 64 * 1024];
    loop {
        match file.read(&mut part)? {
            0 => break,
            n => hasher.update(&part[..n]),
        };
    }
    let hash = key.digest("codes file", &[hasher.finalize().as_bytes()]);
    let hex: String = hash[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("file-{hex}"))
}

/// A line that is no code, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadLine {
    /// Its number, from 1 on.
    pub line: u64,
    /// `empty`, `bad_text`, `text_too_long` or `bad_cell`.
    pub why: &'static str,
}

/// A part of a file: codes with their lines, and lines that are none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FilePart {
    /// Codes, as many as a part holds.
    pub codes: Vec<(u64, String)>,
    /// What is none.
    pub bad: Vec<BadLine>,
}

/// A file, part by part: memory holds one of them.
pub struct Parts<R> {
    lines: Lines<R>,
    /// The column of codes, and that the first line was read: it says whether this is CSV.
    column: Option<Option<usize>>,
}

impl<R: BufRead> Parts<R> {
    /// Reads a file.
    pub const fn new(from: R) -> Self {
        Self { lines: Lines::new(from, None), column: None }
    }

    /// The next part; `None` at the end.
    pub fn part(&mut self) -> std::io::Result<Option<FilePart>> {
        let mut part = FilePart::default();
        while part.codes.len() < PART_CODES_MAX && part.bad.len() < PART_CODES_MAX {
            let Some(read) = self.lines.next() else { break };
            match read? {
                Ok(line) => match self.code(&line.value) {
                    Some(Ok(code)) => part.codes.push((line.no, code)),
                    Some(Err(why)) => part.bad.push(BadLine { line: line.no, why }),
                    None => {}
                },
                Err((line, why)) => {
                    self.column.get_or_insert(None);
                    part.bad.push(BadLine { line, why });
                }
            }
        }
        Ok(Some(part).filter(|part| !part.codes.is_empty() || !part.bad.is_empty()))
    }

    /// The code of a line; `None` of a head.
    fn code(&mut self, text: &str) -> Option<Result<String, &'static str>> {
        let Some(column) = self.column else {
            let head = cells(text).unwrap_or_default();
            let column = head.iter().position(|cell| cell.eq_ignore_ascii_case("code"));
            self.column = Some(column);
            return if column.is_some() { None } else { self.code(text) };
        };
        let Some(column) = column else { return Some(checked(text).map(str::to_owned)) };
        let cell =
            cells(text).and_then(|mut cells| (column < cells.len()).then(|| cells.swap_remove(column)));
        Some(cell.ok_or("bad_cell").and_then(|cell| checked(&cell).map(str::to_owned)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> Vec<FilePart> {
        let mut parts = Parts::new(text);
        std::iter::from_fn(|| parts.part().unwrap()).collect()
    }

    #[test]
    fn a_file_has_a_code_a_line_or_a_column_of_them() {
        let codes = |all: &[(u64, &str)]| {
            all.iter().map(|(line, code)| (*line, (*code).to_owned())).collect::<Vec<_>>()
        };
        let long = format!("A1\n{}\nA2\n", "x".repeat(300));
        for (text, good, bad) in [
            ("A1\r\n\n A2 \nA1", codes(&[(1, "A1"), (3, "A2"), (4, "A1")]), vec![]),
            ("\u{feff}Code\nA1\n", codes(&[(2, "A1")]), vec![]),
            (
                "shop,code,until\nx,\"A,1\",y\nx\nx,,y\n",
                codes(&[(2, "A,1")]),
                vec![(3, "bad_cell"), (4, "empty")],
            ),
            ("A1,B\n", codes(&[(1, "A1,B")]), vec![]),
            (long.as_str(), codes(&[(1, "A1"), (3, "A2")]), vec![(2, "text_too_long")]),
        ] {
            let [part] = <[FilePart; 1]>::try_from(read(text.as_bytes())).unwrap();
            let said: Vec<_> = part.bad.iter().map(|bad| (bad.line, bad.why)).collect();
            assert_eq!((part.codes, said), (good, bad), "{:?}", &text[..text.len().min(60)]);
        }
        assert_eq!(read(b""), []);
        assert_eq!(read(b"\n\n"), []);
    }

    #[test]
    fn a_large_file_comes_part_by_part_and_has_one_name() {
        let text: String = (0..2 * PART_CODES_MAX + 1).map(|n| format!("C{n}\n")).collect();
        let parts = read(text.as_bytes());
        let sizes: Vec<usize> = parts.iter().map(|part| part.codes.len()).collect();
        assert_eq!(sizes, [PART_CODES_MAX, PART_CODES_MAX, 1]);
        let of = |text: &[u8], key: u8| name_of(text, &IdKey::from_bytes([key; 32])).unwrap();
        let name = of(text.as_bytes(), 7);
        assert_eq!((name.len(), &name), (21, &of(text.as_bytes(), 7)));
        assert_ne!(name, of(&text.as_bytes()[1..], 7));
        assert_ne!(name, of(text.as_bytes(), 8), "the key is the home's");
    }
}
