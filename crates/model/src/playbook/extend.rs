//! `extends:` one playbook says only what differs from another.
//!
//! Files are merged by key: maps merge, lists and scalars replace, a key without a value (or `~`) removes.
//! Each value keeps pointing into the file it came from.

use std::collections::BTreeMap;

use super::nearest::nearest;
use super::problem::Problem;
use super::yaml::{self, Entry, Node, Value};

/// Fetches a playbook: from its name as written after `extends:` and the file that says so to what the file
/// is to be called in problems, and its text; or why it cannot be had.
pub type Loader<'a> = dyn Fn(&str, &str) -> Result<(String, String), String> + 'a;

/// The longest chain of playbooks.
const MAX_CHAIN: usize = 8;

/// A playbook's files as one tree.
pub(super) struct Loaded {
    pub tree: Node,
    /// Whether another file was merged into it.
    pub extended: bool,
}

/// Reads a file and all it extends.
pub(super) fn load(
    file: &str,
    text: &str,
    loader: &Loader<'_>,
    problems: &mut Vec<Problem>,
) -> Option<Loaded> {
    let mut chain = vec![file.to_owned()];
    let mut trees = vec![read_map(file, text, problems)?];
    while let Some(parent) = take_extends(trees.last_mut()?) {
        let Some(name) = parent.scalar().map(|scalar| scalar.text.clone()) else {
            problems.push(parent.problem("expected the name of a playbook", Some("a name or a path".into())));
            return None;
        };
        let (label, text) = match loader(&name, chain.last()?) {
            Ok(found) => found,
            Err(reason) => {
                problems.push(parent.problem(format!("cannot be had: {reason}"), None));
                return None;
            }
        };
        if chain.contains(&label) {
            let circle = format!("{} → {label}", chain.join(" → "));
            problems.push(parent.problem(format!("extends itself: {circle}"), None));
            return None;
        }
        if chain.len() > MAX_CHAIN {
            let allowed = Some(format!("at most {MAX_CHAIN}"));
            problems.push(parent.problem("too many playbooks extend one another", allowed));
            return None;
        }
        trees.push(read_map(&label, &text, problems)?);
        chain.push(label);
    }
    let extended = trees.len() > 1;
    let base = strip(trees.pop()?);
    let mut tree = trees.into_iter().rev().fold(base, |base, child| merge(base, child, "", problems));
    yaml::set_paths(&mut tree, String::new());
    Some(Loaded { tree, extended })
}

fn read_map(file: &str, text: &str, problems: &mut Vec<Problem>) -> Option<Node> {
    let node = yaml::read(file, text, problems)?;
    if matches!(node.value, Value::Map(_)) {
        return Some(node);
    }
    problems.push(node.problem("a playbook is a map of keys", Some("`playbook: my-brand` and more".into())));
    None
}

/// Takes the `extends` of a file out of it.
fn take_extends(tree: &mut Node) -> Option<Node> {
    let Value::Map(entries) = &mut tree.value else {
        return None;
    };
    let position = entries.iter().position(|entry| entry.key == "extends")?;
    let mut parent = entries.remove(position).node;
    parent.path = "extends".into();
    (!parent.is_null()).then_some(parent)
}

/// A tree without the keys that have no value.
fn strip(mut node: Node) -> Node {
    match &mut node.value {
        Value::Scalar(_) => {}
        Value::List(elements) => *elements = std::mem::take(elements).into_iter().map(strip).collect(),
        Value::Map(entries) => {
            *entries = std::mem::take(entries)
                .into_iter()
                .filter(|entry| !entry.node.is_null())
                .map(|entry| Entry { node: strip(entry.node), ..entry })
                .collect();
        }
    }
    node
}

/// What `child` says over `base`. Keys keep the base's order; a new key stands before the next key of the
/// child that the base has too, else at the end, so that a stage or a level can be put between two others.
fn merge(base: Node, child: Node, path: &str, problems: &mut Vec<Problem>) -> Node {
    let (ours, theirs) = match (base.value, child.value) {
        (Value::Map(ours), Value::Map(theirs)) => (ours, theirs),
        (_, value) => return strip(Node { value, ..child }),
    };
    let n_ours = ours.len();
    let places: BTreeMap<String, usize> =
        ours.iter().enumerate().map(|(i, entry)| (entry.key.clone(), i)).collect();
    let mut said: BTreeMap<usize, Entry> = BTreeMap::new();
    let mut new: BTreeMap<usize, Vec<Entry>> = BTreeMap::new();
    let mut unknown = Vec::new();
    let mut next = n_ours;
    // From the last to the first, so that the place of the neighbour that follows is known.
    for entry in theirs.into_iter().rev() {
        match places.get(&entry.key) {
            Some(place) => {
                if !entry.node.is_null() {
                    next = *place;
                }
                said.insert(*place, entry);
            }
            None if entry.node.is_null() => unknown.push(entry),
            None => new.entry(next).or_default().push(Entry { node: strip(entry.node), ..entry }),
        }
    }
    for entry in unknown {
        problems.push(nothing_to_remove(&entry, &yaml::join(path, &entry.key), &ours));
    }
    let mut merged = Vec::new();
    for (i, ours) in ours.into_iter().enumerate() {
        merged.extend(new.remove(&i).into_iter().flat_map(|entries| entries.into_iter().rev()));
        match said.remove(&i) {
            None => merged.push(ours),
            Some(theirs) if theirs.node.is_null() => {}
            Some(theirs) => {
                let path = yaml::join(path, &theirs.key);
                let node = merge(ours.node, theirs.node, &path, problems);
                merged.push(Entry { node, ..theirs });
            }
        }
    }
    merged.extend(new.remove(&n_ours).into_iter().flat_map(|entries| entries.into_iter().rev()));
    Node::new(Value::Map(merged), child.mark)
}

fn nothing_to_remove(entry: &Entry, path: &str, ours: &[Entry]) -> Problem {
    let keys: Vec<&str> = ours.iter().map(|entry| entry.key.as_str()).collect();
    let hint = nearest(&entry.key, keys.iter().copied()).map(|key| format!("; did you mean `{key}`?"));
    let message =
        format!("a key without a value removes it, but there is none to remove{}", hint.unwrap_or_default());
    entry.key_mark.problem(path, message, (!keys.is_empty()).then(|| keys.join(", ")))
}
