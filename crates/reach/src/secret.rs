//! Secrets of settings: they are not in the file, which says where they are; and they show nothing of themselves.

use std::fmt;

/// Where a secret is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretAt {
    /// In a variable of the environment.
    Environment(String),
    /// In a file.
    File(String),
}

/// A secret; it shows nothing of itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Of what it is.
    pub const fn new(said: String) -> Self {
        Self(said)
    }

    /// What it is.
    pub fn said(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}
