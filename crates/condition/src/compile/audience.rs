//! `audience("name")`: the condition of a saved audience stands where it is named, by itself: it sees nothing of what stands
//! around its call. And `bucket("salt")`.

use super::Compiler;
use super::types::{Made, Type};
use crate::program::Node;
use crate::schema::{Scope, nearest};
use crate::tree::{Expr, Kind};

impl<'e> Compiler<'_, 'e> {
    /// A saved audience, or a list that was uploaded by hand.
    pub(super) fn audience(&mut self, expr: &Expr, name: &'e Expr) -> Option<Made> {
        let Kind::Text(id) = &name.kind else {
            return self.problem(name, "an audience is named as it is written: audience(\"evening\")");
        };
        if let Some(tree) = self.inlined.get(id) {
            return self.inline(expr, id, tree).map(|node| Made::Scalar(Type::Bool, node));
        }
        if self.schema.lists.contains(id) {
            if self.schema.decides {
                let message = format!(
                    "{id:?} is a list that was uploaded by hand: what the pipeline decides cannot ask it; \
                     put a tag on its members instead"
                );
                return self.problem(name, message);
            }
            return Some(Made::Scalar(Type::Bool, Node::Listed(id.as_str().into())));
        }
        let lists = self.schema.lists.iter().filter(|_| !self.schema.decides);
        let near = nearest(id, self.schema.audiences.keys().chain(lists).map(String::as_str));
        let near = near.map(str::to_owned);
        self.suggest(name, format!("no audience is called {id:?}"), near.as_deref())
    }

    /// Compiles a saved audience's tree as if nothing stood around it. What is wrong within it is said at its call.
    fn inline(&mut self, call: &Expr, id: &str, tree: &'e Expr) -> Option<Node> {
        let frames = std::mem::take(&mut self.frames);
        let asked = self.asked.take();
        let scope = std::mem::replace(&mut self.scope, Scope::Member);
        let (n_problems, n_notes) = (self.problems.len(), self.notes.len());
        let node = self.bool(tree);
        (self.frames, self.asked, self.scope) = (frames, asked, scope);
        let column = (call.at.0 as usize).max(1);
        for problem in &mut self.problems[n_problems..] {
            problem.message =
                format!("in the audience {id:?}, column {}: {}", problem.column, problem.message);
            problem.column = column;
        }
        for note in &mut self.notes[n_notes..] {
            note.message = format!("in the audience {id:?}, column {}: {}", note.column, note.message);
            note.column = column;
        }
        node
    }

    /// A number that is always the same for a member and a salt.
    pub(super) fn bucket(&mut self, salt: &Expr) -> Option<Made> {
        match &salt.kind {
            Kind::Text(salt) if !salt.is_empty() => {
                Some(Made::Scalar(Type::Number, Node::Bucket(salt.as_str().into())))
            }
            _ => self.problem(salt, "bucket needs a text as it is written: bucket(\"spring test\")"),
        }
    }
}
