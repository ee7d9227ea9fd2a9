//! The smallest parts of a condition that are yes or no by themselves: what its `&&`, `||`, `!` and `? :` join, those of the
//! saved audiences it names included. When an answer turns, the atoms that changed say why.

use zhiyin_model::time::Ts;

use crate::condition::Condition;
use crate::evaluate::Part;
use crate::facts::Facts;
use crate::inline;
use crate::leaf::Leaves;
use crate::program::Node;
use crate::text;
use crate::tree::{Expr, Kind};
use crate::value::Value;

/// How many atoms of a condition are told apart: the first, as they are written.
pub const ATOMS_MAX: usize = 64;

/// A part of a condition that is a yes or no by itself.
#[derive(Clone, Copy, Debug)]
pub struct Atom<'c> {
    expr: &'c Expr,
    /// What it compiles to.
    pub node: &'c Node,
    /// Whether the condition asks that it does not hold: it stands under an odd number of `!`.
    pub negated: bool,
}

impl Atom<'_> {
    /// Its text.
    pub fn text(&self) -> String {
        text::write(self.expr)
    }
}

impl Condition {
    /// Its atoms, in the order in which they are written; at most [`ATOMS_MAX`].
    pub fn atoms(&self) -> Vec<Atom<'_>> {
        let mut atoms = Vec::new();
        self.split(self.tree(), self.root(), false, &mut atoms);
        atoms
    }

    fn split<'c>(&'c self, expr: &'c Expr, node: &'c Node, negated: bool, atoms: &mut Vec<Atom<'c>>) {
        let all = |exprs: &[&'c Expr], nodes: &'c [Node], atoms: &mut Vec<Atom<'c>>| {
            exprs.iter().zip(nodes).for_each(|(expr, node)| self.split(expr, node, negated, atoms));
        };
        match (&expr.kind, node) {
            (Kind::And(parts), Node::And(nodes)) | (Kind::Or(parts), Node::Or(nodes)) => {
                all(&parts.iter().collect::<Vec<_>>(), nodes, atoms);
            }
            (Kind::Not(of), Node::Not(node)) => self.split(of, node, !negated, atoms),
            (Kind::If { test, then, otherwise }, Node::If(nodes)) => {
                all(&[test, then, otherwise], &nodes[..], atoms);
            }
            (Kind::Call { .. }, node) if let Some(tree) = self.tree_named(expr) => {
                self.split(tree, node, negated, atoms);
            }
            _ if atoms.len() < ATOMS_MAX => atoms.push(Atom { expr, node, negated }),
            _ => {}
        }
    }

    /// The tree of the saved audience that an expression names.
    fn tree_named(&self, expr: &Expr) -> Option<&Expr> {
        self.inlined().get(inline::named(expr)?).map(|tree| &**tree)
    }

    /// Which of its atoms hold for a member at an instant: bit *n* for the *n*-th of [`Condition::atoms`].
    pub fn atoms_held(&self, leaves: &Leaves, facts: &dyn Facts, now: Ts) -> u64 {
        let held =
            |atom: &Atom<'_>| Part::new(self, atom.node, leaves, now).value(facts) == Value::Bool(true);
        self.atoms().iter().enumerate().filter(|(_, atom)| held(atom)).fold(0, |bits, (n, _)| bits | 1 << n)
    }
}
