//! The saved audiences that a condition names, themselves and through others: read before it is compiled, so that circles and
//! what is too large are found at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::bounds::{DEPTH_MAX, NODES_MAX};
use crate::parse;
use crate::problem::Problem;
use crate::schema::Schema;
use crate::tree::{Expr, Kind};

/// The trees of saved audiences, by name.
pub(crate) type Inlined = BTreeMap<String, Arc<Expr>>;

/// The saved audience that an expression names, if it calls one.
pub(crate) fn named(expr: &Expr) -> Option<&str> {
    match &expr.kind {
        Kind::Call { function, arguments } if function == "audience" => match arguments.as_slice() {
            [Expr { kind: Kind::Text(name), .. }] => Some(name),
            _ => None,
        },
        _ => None,
    }
}

/// Reads every saved audience that a tree names. A name that is none is left to the compiler.
pub(crate) fn gather(tree: &Expr, schema: &Schema) -> Result<Inlined, Problem> {
    let mut gathering =
        Gathering { schema, found: Inlined::new(), around: Vec::new(), n_nodes: 0, column: None };
    gathering.descend(tree, 1)?;
    Ok(gathering.found)
}

struct Gathering<'s> {
    schema: &'s Schema,
    found: Inlined,
    /// The audiences around the present place, the outermost first.
    around: Vec<String>,
    /// Parts so far; what is named twice counts twice.
    n_nodes: usize,
    /// Where the outermost call stands.
    column: Option<usize>,
}

impl Gathering<'_> {
    fn descend(&mut self, expr: &Expr, depth: usize) -> Result<(), Problem> {
        self.n_nodes += 1;
        if !self.around.is_empty() && (self.n_nodes > NODES_MAX || depth > DEPTH_MAX) {
            let what = if depth > DEPTH_MAX {
                format!("nest {DEPTH_MAX} levels deep")
            } else {
                format!("have {NODES_MAX} parts")
            };
            return Err(
                self.problem(format!("a condition may {what}, those of the audiences it names included"))
            );
        }
        if let Some(name) = named(expr)
            && self.schema.audiences.contains_key(name)
        {
            let outermost = self.column.is_none();
            if outermost {
                self.column = Some((expr.at.0 as usize).max(1));
            }
            self.enter(name, depth)?;
            if outermost {
                self.column = None;
            }
        }
        // As for the condition's own text, a field does not deepen what people read.
        let inner = if matches!(expr.kind, Kind::Field { .. }) { depth } else { depth + 1 };
        expr.parts().into_iter().try_for_each(|part| self.descend(part, inner))
    }

    fn enter(&mut self, name: &str, depth: usize) -> Result<(), Problem> {
        if let Some(first) = self.around.iter().position(|around| around == name) {
            let circle: Vec<&str> = self.around[first..].iter().map(String::as_str).chain([name]).collect();
            return Err(self.problem(format!("audiences turn in a circle: {}", circle.join(" → "))));
        }
        let tree = match self.found.get(name) {
            Some(tree) => Arc::clone(tree),
            None => {
                let text = self.schema.audiences.get(name).map_or("", String::as_str);
                let tree = parse::parse(text).map_err(|problem| {
                    self.problem(format!(
                        "in the audience {name:?}, column {}: {}",
                        problem.column, problem.message
                    ))
                })?;
                let tree = Arc::new(tree);
                self.found.insert(name.to_owned(), Arc::clone(&tree));
                tree
            }
        };
        self.around.push(name.to_owned());
        self.descend(&tree, depth + 1)?;
        self.around.pop();
        Ok(())
    }

    fn problem(&self, message: String) -> Problem {
        Problem { column: self.column.unwrap_or(1), message, suggestion: None }
    }
}
