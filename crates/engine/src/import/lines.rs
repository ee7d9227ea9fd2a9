//! JSON Lines: one Segment item a line, lines bounded.

use std::io::{BufRead, BufReader, Read};

use zhiyin_model::event::{ITEM_BYTES_MAX, Refusal};

use super::Given;

/// Items of a JSON Lines input. Empty lines are passed over; a line beyond the limit of an item is refused without
/// being held in memory.
pub fn items(input: impl Read + Send + 'static) -> Box<dyn Iterator<Item = Given> + Send> {
    Box::new(Lines { input: BufReader::with_capacity(1 << 16, input), line: 0, ended: false })
}

struct Lines<R> {
    input: BufReader<R>,
    line: u64,
    ended: bool,
}

impl<R: Read> Lines<R> {
    /// The next line without its end, cut one byte beyond the limit; `None` at the end of the input.
    fn next_line(&mut self) -> std::io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        let mut any = false;
        loop {
            let buffer = self.input.fill_buf()?;
            if buffer.is_empty() {
                return Ok(any.then_some(line));
            }
            any = true;
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let n = end.unwrap_or(buffer.len());
            let room = (ITEM_BYTES_MAX + 2).saturating_sub(line.len());
            line.extend_from_slice(&buffer[..n.min(room)]);
            self.input.consume(end.map_or(n, |end| end + 1));
            if end.is_some() {
                return Ok(Some(line));
            }
        }
    }
}

impl<R: Read> Iterator for Lines<R> {
    type Item = Given;

    fn next(&mut self) -> Option<Given> {
        while !self.ended {
            self.line += 1;
            let mut line = match self.next_line() {
                Ok(Some(line)) => line,
                Ok(None) => return None,
                Err(error) => {
                    self.ended = true;
                    let item = Err(Refusal::new("unreadable", "", error.to_string()));
                    return Some(Given { line: self.line, item, raw: Vec::new() });
                }
            };
            if line.last() == Some(&b'\r') {
                line.pop();
            }
            if self.line == 1 && line.starts_with(b"\xef\xbb\xbf") {
                line.drain(..3);
            }
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            return Some(Given::of(self.line, line));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_bounded_counted_and_empty_ones_passed_over() {
        let long = "x".repeat(100_000);
        let text = format!("\u{feff}{{}}\r\n\n{long}\nlast");
        let got: Vec<_> = items(std::io::Cursor::new(text.into_bytes()))
            .map(|given| (given.line, given.item.unwrap().len()))
            .collect();
        assert_eq!(got, [(1, 2), (3, ITEM_BYTES_MAX + 2), (4, 4)]);
    }
}
