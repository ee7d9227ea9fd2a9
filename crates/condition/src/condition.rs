//! A checked condition: its text, its tree, and the program it compiles to.

use std::collections::BTreeMap;

use zhiyin_model::playbook::Consent;

use crate::compile::{self, Compiled};
use crate::inline::Inlined;
use crate::problem::{Note, Problem};
use crate::program::{LeafSpec, Node};
use crate::schema::{AttributeType, Schema};
use crate::tree::Expr;
use crate::{inline, parse, text};

/// A checked condition. Equal where the texts and what their names mean are.
#[derive(Clone, Debug)]
pub struct Condition {
    text: String,
    tree: Expr,
    compiled: Compiled,
    /// Tiers from the lowest to the highest, for the reference evaluator.
    tiers: Vec<String>,
    /// What consent is asked for, for the reference evaluator.
    consent: Consent,
    /// The saved audiences it names, and those they name.
    inlined: Inlined,
    /// The number of each leaf among [`crate::Leaves`]; empty until collected.
    bound: Vec<usize>,
}

impl Condition {
    /// Parses a text and checks it: every name is known, every kind fits, and the whole is a yes or no.
    pub fn check(text: &str, schema: &Schema) -> Result<Self, Vec<Problem>> {
        let tree = parse::parse(text).map_err(|problem| vec![problem])?;
        let inlined = inline::gather(&tree, schema).map_err(|problem| vec![problem])?;
        let compiled = compile::compile(&tree, schema, &inlined)?;
        let (tiers, consent) = (schema.tiers.clone(), schema.consent.clone());
        Ok(Self { text: text.to_owned(), tree, compiled, tiers, consent, inlined, bound: Vec::new() })
    }

    /// Checks a tree, as the console edits it. Columns of problems are those of its text.
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

    /// The text of a tree. A tree that was parsed is the tree of its text.
    pub fn to_text(tree: &Expr) -> String {
        text::write(tree)
    }

    /// What is worth knowing about it: leaves that must keep rows or days, and why.
    pub fn notes(&self) -> &[Note] {
        &self.compiled.notes
    }

    /// The attributes it reads (`birthday` for `age` and `is_birthday` apart), with their types.
    pub const fn attributes(&self) -> &BTreeMap<String, AttributeType> {
        &self.compiled.attributes
    }

    /// Whether it asks about history.
    pub fn asks_history(&self) -> bool {
        !self.compiled.leaves.is_empty()
    }

    /// What it compiles to.
    pub const fn root(&self) -> &Node {
        &self.compiled.root
    }

    /// The leaves of history that its program reads, by number.
    pub fn leaves(&self) -> &[LeafSpec] {
        &self.compiled.leaves
    }

    pub(crate) fn tiers(&self) -> &[String] {
        &self.tiers
    }

    pub(crate) const fn consent(&self) -> &Consent {
        &self.consent
    }

    /// The saved audiences it names, themselves or through others.
    pub fn audiences(&self) -> impl Iterator<Item = &str> {
        self.inlined.keys().map(String::as_str)
    }

    pub(crate) const fn inlined(&self) -> &Inlined {
        &self.inlined
    }

    pub(crate) fn bound(&self) -> &[usize] {
        &self.bound
    }

    pub(crate) fn bind(&mut self, bound: Vec<usize>) {
        self.bound = bound;
    }
}

impl PartialEq for Condition {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
            && self.compiled.root == other.compiled.root
            && self.compiled.leaves == other.compiled.leaves
    }
}
