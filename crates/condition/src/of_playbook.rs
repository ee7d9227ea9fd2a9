//! The schema of a playbook: what the names of its conditions mean.

use zhiyin_model::playbook::{AttributeKind, ConditionText, Playbook, Problem};

use crate::condition::Condition;
use crate::schema::{AttributeType, Schema, Scope};

impl Schema {
    /// Everything that may be asked about a member: what audiences are checked by. Others say less, or more, of it.
    pub fn of(playbook: &Playbook) -> Self {
        let attributes = playbook.attributes.iter();
        let saved = playbook.audiences.iter();
        let uploaded = saved.clone().filter(|(_, one)| one.who.is_none());
        Self {
            attributes: attributes.map(|(id, attribute)| (id.clone(), attribute.kind.into())).collect(),
            tags: playbook.tags.keys().cloned().collect(),
            tiers: playbook.tiers.levels.iter().map(|level| level.id.clone()).collect(),
            stages: playbook.lifecycle.iter().map(|stage| stage.id.clone()).collect(),
            consent: playbook.consent.clone(),
            audiences: saved
                .filter_map(|(id, one)| Some((id.clone(), one.who.as_ref()?.text.clone())))
                .collect(),
            lists: uploaded.map(|(id, _)| id.clone()).collect(),
            decides: false,
            scope: Scope::Member,
        }
    }
}

impl Condition {
    /// Checks a condition of a playbook; what is wrong with it is a problem of the playbook, with its file, line and column.
    pub fn check_text(text: &ConditionText, schema: &Schema) -> Result<Self, Vec<Problem>> {
        Self::check(&text.text, schema).map_err(|problems| {
            let found = problems.into_iter().map(|problem| {
                let allowed = problem.suggestion.map(|name| format!("did you mean {name}"));
                text.at.problem(problem.column, problem.message, allowed)
            });
            found.collect()
        })
    }
}

impl From<AttributeKind> for AttributeType {
    fn from(kind: AttributeKind) -> Self {
        match kind {
            AttributeKind::Bool => Self::Bool,
            AttributeKind::Number => Self::Number,
            AttributeKind::Text => Self::Text,
            AttributeKind::Texts => Self::Texts,
            AttributeKind::Date => Self::Date,
        }
    }
}
