//! What is wrong with a playbook, and where.

use std::fmt;

use serde::{Serialize, Serializer};

/// How many problems are told at once.
pub(super) const MAX_PROBLEMS: usize = 50;

/// A place in a playbook's files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Location {
    /// The file, as the caller or the loader named it.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// The path of keys: `points.earn[1].who`.
    pub path: String,
    /// Where the characters of the text at this place are written; empty if it is no text.
    pub(super) runs: Vec<Run>,
}

/// A run of a text's characters that stand side by side in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    /// The first character's index in the text.
    pub offset: usize,
    /// Its line in the file, from 1.
    pub line: usize,
    /// Its column in the file, from 1.
    pub column: usize,
}

/// One thing that is wrong, with its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The file, as the caller or the loader named it.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// The path of keys: `points.earn[1].who`; empty for the file as a whole.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed: Option<String>,
}

impl std::error::Error for Problem {}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: ", self.file, self.line, self.column)?;
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)?;
        match &self.allowed {
            Some(allowed) => write!(f, " (allowed: {allowed})"),
            None => Ok(()),
        }
    }
}

impl Location {
    /// A problem at a column of the text that stands here, counted in characters from 1.
    pub fn problem(
        &self,
        column_in_text: usize,
        message: impl Into<String>,
        allowed: Option<String>,
    ) -> Problem {
        let (line, column) = self.at(column_in_text);
        Problem {
            file: self.file.clone(),
            line,
            column,
            path: self.path.clone(),
            message: message.into(),
            allowed,
        }
    }

    fn at(&self, column_in_text: usize) -> (usize, usize) {
        let offset = column_in_text.saturating_sub(1);
        match self.runs.iter().rfind(|run| run.offset <= offset) {
            Some(run) => (run.line, run.column + (offset - run.offset)),
            None => (self.line, self.column),
        }
    }
}

/// The text of a condition and where it stands. Equality is of the text alone.
#[derive(Clone, Debug)]
pub struct ConditionText {
    /// The condition as written.
    pub text: String,
    /// Where.
    pub at: Location,
}

impl PartialEq for ConditionText {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}
impl Eq for ConditionText {}

impl Serialize for ConditionText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

/// Problems in the order of files (as met) and lines, without repetition, at most [`MAX_PROBLEMS`].
pub(super) fn in_order(problems: Vec<Problem>) -> Vec<Problem> {
    let mut files: Vec<String> = Vec::new();
    for problem in &problems {
        if !files.contains(&problem.file) {
            files.push(problem.file.clone());
        }
    }
    let mut sorted = problems;
    sorted.sort_by_key(|problem| {
        (files.iter().position(|file| *file == problem.file), problem.line, problem.column)
    });
    sorted.dedup();
    sorted.truncate(MAX_PROBLEMS);
    sorted
}
