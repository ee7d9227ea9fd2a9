//! What is wrong with a condition, and what is worth knowing about one that is right.

use std::fmt;

use serde::Serialize;

/// Why a text is no condition, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
pub struct Problem {
    /// The character at fault, counted from 1.
    pub column: usize,
    /// A sentence for people.
    pub message: String,
    /// What was probably meant.
    pub suggestion: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "column {}: {}", self.column, self.message)?;
        match &self.suggestion {
            Some(suggestion) => write!(f, "; did you mean `{suggestion}`?"),
            None => Ok(()),
        }
    }
}

/// Something worth knowing about a condition that is right: what it costs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Note {
    /// The character it is about, counted from 1.
    pub column: usize,
    /// A sentence for people.
    pub message: String,
}
