//! Partners: brands with whom guests are exchanged (C5).

use serde::Serialize;

use super::names::Names;

/// A partner, known by a code: an item that carries it as its touchpoint was brought by them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Partner {
    /// What people call them.
    pub name: Names,
    /// What we give to whom they bring.
    pub ours: Names,
    /// What they give to whom we send.
    pub theirs: Names,
}
