//! What one version of a playbook changes of another: by id, in words, with whom it touches.

mod audience;
mod brand;
mod campaign;
mod consent;
mod draw;
mod earning;
mod identity;
mod link;
mod offer;
mod partner;
mod retention;
mod standing;
mod text;
mod way;

pub(in crate::playbook) use offer::gives;
use serde::Serialize;

use super::{ConditionText, Playbook};
use text::Said;

/// One change.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// What changes: `tiers.gold`, `tags.snack_lover`, `points.earn`.
    pub id: String,
    /// How.
    pub kind: ChangeKind,
    /// In Chinese, whole sentences.
    pub zh: String,
    /// In English, whole sentences.
    pub en: String,
    /// Whom it touches, for the engine to count.
    pub touches: Touches,
}

/// How something changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// It was not there before.
    Added,
    /// It is there no more.
    Removed,
    /// It is another.
    Changed,
}

/// Whom a change touches.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Touches {
    /// Every member.
    Everyone,
    /// Members who hold or would hold one of these levels, by the old or the new version.
    Tier(Vec<String>),
    /// Members who have the tag or would have it, by the old or the new version.
    Tag(String),
    /// Members who are in the standing audience or would be, by the old or the new version.
    Audience(String),
    /// Members whose stage the new version judges otherwise.
    Lifecycle,
    /// Members in a stage, which is only called otherwise.
    Stage(String),
    /// Members who earn by a rule: those for whom a condition holds, or all.
    Earners(Option<ConditionText>),
    /// Nobody.
    Nobody,
}

/// What `new` changes of `old`, in the order of the file. Empty if and only if they promise the same.
pub fn diff(old: &Playbook, new: &Playbook) -> Vec<Change> {
    let mut changes = Vec::new();
    brand::brand(old, new, &mut changes);
    brand::attributes(old, new, &mut changes);
    brand::touchpoints(old, new, &mut changes);
    partner::partners(old, new, &mut changes);
    earning::points(&old.points, &new.points, &mut changes);
    earning::growth(&old.growth, &new.growth, &mut changes);
    standing::tiers(&old.tiers, &new.tiers, &mut changes);
    standing::lifecycle(&old.lifecycle, &new.lifecycle, &mut changes);
    standing::tags(&old.tags, &new.tags, &mut changes);
    audience::audiences(&old.audiences, &new.audiences, &mut changes);
    offer::offering(old, new, &mut changes);
    draw::draws(old, new, &mut changes);
    campaign::campaigns(old, new, &mut changes);
    link::links(old, new, &mut changes);
    identity::identity(&old.identity, &new.identity, &mut changes);
    consent::consent(&old.consent, &new.consent, &mut changes);
    retention::retention(old, new, &mut changes);
    brand::alone(&old.alone, &new.alone, &mut changes);
    brand::tills(&old.tills, &new.tills, &mut changes);
    if changes.is_empty() && old != new {
        let mut said = Said::default();
        said.say("只调整了书写次序。".to_owned(), "Only the order of the file changes.".to_owned());
        changes.push(said.change("playbook", ChangeKind::Changed, Touches::Nobody));
    }
    changes
}
