//! From the parser's events to the tree, within bounds.

use std::collections::BTreeMap;
use std::sync::Arc;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span};

use super::{Entry, Mark, Node, Scalar, Value, join};
use crate::playbook::problem::{Problem, Run};

/// The largest file, in bytes.
pub(in crate::playbook) const MAX_BYTES: usize = 1 << 20;
/// The deepest nesting of maps and lists.
const MAX_DEPTH: usize = 64;
/// The most keys and values one file may have.
pub(in crate::playbook) const MAX_NODES: usize = 50_000;
/// The most values that aliases may add.
const MAX_COPIED: usize = 2_000;

/// Reads one file. Problems are added; a tree is given where one could be read.
pub(in crate::playbook) fn read(file: &str, text: &str, problems: &mut Vec<Problem>) -> Option<Node> {
    let file: Arc<str> = file.into();
    let top = Mark { file: file.clone(), line: 1, column: 1 };
    if text.len() > MAX_BYTES {
        problems.push(top.problem("", "the file is too large", Some("at most 1 MiB".into())));
        return None;
    }
    let mut builder = Builder {
        file,
        lines: text.split('\n').map(|line| line.chars().collect()).collect(),
        open: Vec::new(),
        anchors: BTreeMap::new(),
        n_nodes: 0,
        n_copied: 0,
        n_documents: 0,
        root: None,
        problems,
    };
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        let went_on = match event {
            Ok((event, span)) => builder.take(event, span),
            Err(error) => Err(builder.unreadable(&error)),
        };
        if let Err(problem) = went_on {
            builder.problems.push(problem);
            return None;
        }
    }
    let root = builder.root.take();
    if root.is_none() {
        problems.push(top.problem("", "the file is empty", Some("a map of keys".into())));
    }
    root
}

/// A map or list whose end has not come yet.
struct Open {
    mark: Mark,
    anchor: usize,
    children: Children,
}

enum Children {
    List(Vec<Node>),
    Map {
        entries: Vec<Entry>,
        /// The line of each key.
        lines: BTreeMap<String, usize>,
        /// The key whose value has not come yet.
        key: Option<(String, Mark)>,
    },
}

struct Builder<'p> {
    file: Arc<str>,
    lines: Vec<Vec<char>>,
    open: Vec<Open>,
    anchors: BTreeMap<usize, Node>,
    n_nodes: usize,
    n_copied: usize,
    n_documents: usize,
    root: Option<Node>,
    problems: &'p mut Vec<Problem>,
}

impl Builder<'_> {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Problem> {
        let mark = self.mark(span);
        let tagged = matches!(
            event,
            Event::Scalar(_, _, _, Some(_))
                | Event::SequenceStart(_, Some(_))
                | Event::MappingStart(_, Some(_))
        );
        if tagged {
            return Err(self.problem(&mark, "tags such as `!!str` are not used in a playbook", None));
        }
        match event {
            Event::DocumentStart(_) => {
                self.n_documents += 1;
                if self.n_documents > 1 {
                    return Err(self.problem(
                        &mark,
                        "a file holds one playbook; this begins a second document",
                        None,
                    ));
                }
            }
            Event::Scalar(text, style, anchor, _) => {
                let plain = style == ScalarStyle::Plain;
                let runs = self.runs(&text, style, span);
                let value = Value::Scalar(Scalar { text: text.into_owned(), plain, runs });
                return self.close(Node::new(value, mark), anchor);
            }
            Event::SequenceStart(anchor, _) => return self.begin(mark, anchor, Children::List(Vec::new())),
            Event::MappingStart(anchor, _) => {
                return self.begin(
                    mark,
                    anchor,
                    Children::Map { entries: Vec::new(), lines: BTreeMap::new(), key: None },
                );
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(open) = self.open.pop() else {
                    return Ok(());
                };
                let value = match open.children {
                    Children::List(elements) => Value::List(elements),
                    Children::Map { entries, .. } => Value::Map(entries),
                };
                let node = Node::new(value, open.mark);
                return self.close(node, open.anchor);
            }
            Event::Alias(anchor) => return self.alias(anchor, &mark),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        Ok(())
    }

    fn begin(&mut self, mark: Mark, anchor: usize, children: Children) -> Result<(), Problem> {
        if self.open.len() >= MAX_DEPTH {
            return Err(self.too_deep(&mark));
        }
        if let Some(Open { children: Children::Map { key: None, .. }, .. }) = self.open.last() {
            return Err(self.problem(&mark, "a key is a text, not a map or a list", None));
        }
        self.open.push(Open { mark, anchor, children });
        Ok(())
    }

    fn alias(&mut self, anchor: usize, mark: &Mark) -> Result<(), Problem> {
        let Some(node) = self.anchors.get(&anchor) else {
            return Err(self.problem(mark, "an alias inside the value it names", None));
        };
        self.n_copied += node.n_nodes();
        if self.n_copied > MAX_COPIED {
            let allowed = format!("at most {MAX_COPIED} values in all");
            return Err(self.problem(mark, "aliases repeat too much", Some(allowed)));
        }
        let node = node.clone();
        self.close(node, 0)
    }

    fn close(&mut self, node: Node, anchor: usize) -> Result<(), Problem> {
        self.n_nodes += 1;
        if self.n_nodes > MAX_NODES {
            let allowed = Some(format!("at most {MAX_NODES}"));
            return Err(self.problem(&node.mark, "the file has too many values", allowed));
        }
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut().map(|open| &mut open.children) {
            None => self.root = Some(node),
            Some(Children::List(elements)) => elements.push(node),
            Some(Children::Map { key: key @ None, .. }) => match node.value {
                Value::Scalar(scalar) => *key = Some((scalar.text, node.mark)),
                _ => return Err(self.problem(&node.mark, "a key is a text, not a map or a list", None)),
            },
            Some(Children::Map { entries, lines, key }) => {
                let Some((key, key_mark)) = key.take() else {
                    return Ok(());
                };
                match lines.get(&key) {
                    None => {
                        lines.insert(key.clone(), key_mark.line);
                        entries.push(Entry { key, key_mark, node });
                    }
                    Some(line) => {
                        let message = format!("the key is given twice; first on line {line}");
                        let path = join(&self.path_of_open(), &key);
                        self.problems.push(key_mark.problem(&path, message, None));
                    }
                }
            }
        }
        Ok(())
    }

    /// The path of what is being read.
    fn path_of_open(&self) -> String {
        let inner = self.open.iter().skip(1).zip(&self.open).map(|(_, parent)| parent);
        inner.fold(String::new(), |path, open| match &open.children {
            Children::List(elements) => format!("{path}[{}]", elements.len()),
            Children::Map { key: Some((key, _)), .. } => join(&path, key),
            Children::Map { key: None, .. } => path,
        })
    }

    fn problem(&self, mark: &Mark, message: &str, allowed: Option<String>) -> Problem {
        // Deep paths would be longer than what they help to find.
        let path = if self.open.len() > 8 { String::new() } else { self.path_here() };
        mark.problem(&path, message, allowed)
    }

    fn path_here(&self) -> String {
        let path = self.path_of_open();
        match self.open.last().map(|open| &open.children) {
            Some(Children::List(elements)) => format!("{path}[{}]", elements.len()),
            Some(Children::Map { key: Some((key, _)), .. }) => join(&path, key),
            _ => path,
        }
    }

    fn mark(&self, span: Span) -> Mark {
        Mark { file: self.file.clone(), line: span.start.line().max(1), column: span.start.col() + 1 }
    }

    fn too_deep(&self, mark: &Mark) -> Problem {
        self.problem(mark, "maps and lists are nested too deep", Some(format!("at most {MAX_DEPTH} levels")))
    }

    fn unreadable(&self, error: &ScanError) -> Problem {
        let line = error.marker().line().clamp(1, self.lines.len());
        let mark = Mark { file: self.file.clone(), line, column: error.marker().col() + 1 };
        // The scanner stops at a tab or soon after it; the tab is what a person can mend.
        for line in [line, line.saturating_sub(1)] {
            let indent = self.lines.get(line.wrapping_sub(1)).map_or(&[][..], Vec::as_slice);
            let tab = indent.iter().take_while(|c| c.is_whitespace()).position(|c| *c == '\t');
            if let Some(tab) = tab {
                let mark = Mark { file: self.file.clone(), line, column: tab + 1 };
                return self.problem(&mark, "a tab indents this line", Some("spaces".into()));
            }
        }
        if error.info().contains("recursion limit") {
            return self.too_deep(&mark);
        }
        self.problem(&mark, &format!("this is not YAML: {}", error.info()), None)
    }

    /// Where the characters of a scalar stand: the source is walked beside the text, past what only
    /// the writing needs (quotes, folds, indents). An escape that hides a character ends the walk.
    fn runs(&self, text: &str, style: ScalarStyle, span: Span) -> Vec<Run> {
        let (mut line, mut column) = match style {
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => {
                (span.start.line(), span.start.col() + 1)
            }
            // The parser's span of a block begins at its first character, not at `|` or `>`.
            ScalarStyle::Plain | ScalarStyle::Literal | ScalarStyle::Folded => {
                (span.start.line(), span.start.col())
            }
        };
        let mut runs: Vec<Run> = Vec::new();
        let mut expected = None;
        for (offset, c) in text.chars().enumerate() {
            loop {
                let Some(chars) = self.lines.get(line.wrapping_sub(1)) else {
                    return runs;
                };
                match chars.get(column) {
                    Some(written) if *written == c => break,
                    // A fold wrote this space as a line's end, or the other way round.
                    _ if c.is_whitespace() => break,
                    Some(written) if written.is_whitespace() || matches!(written, '\\' | '\'' | '"') => {
                        column += 1
                    }
                    Some(_) => return runs,
                    None => (line, column) = (line + 1, 0),
                }
            }
            let there = self.lines.get(line - 1).and_then(|chars| chars.get(column)) == Some(&c);
            if there {
                if expected != Some((line, column)) || runs.is_empty() {
                    runs.push(Run { offset, line, column: column + 1 });
                }
                column += 1;
                expected = Some((line, column));
            } else {
                expected = None;
            }
        }
        runs
    }
}
