//! Which names of people count for a brand, and how far: the house's rules with what the playbook says otherwise.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::identifier::{self, NamespaceRule, Window};

/// The most names of one namespace that a limit may allow.
pub(super) const LIMIT_MAX: u32 = 10_000;
/// How many names one person may have in all, unless a playbook says otherwise: room for the cookies that the house allows,
/// and for all else.
pub(super) const NAMES: u32 = 1_500;

/// Which names of people count, and how far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Identity {
    /// What the playbook says of namespaces, by kind (`phone`) or whole (`openid:wx123`).
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub namespaces: BTreeMap<String, NamespaceSaid>,
    /// Sources whose word is taken that two names are of one person.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub trusted_sources: BTreeSet<String>,
    /// How many names one person may have, of all namespaces together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub names: Option<u32>,
}

/// What a playbook says of a namespace; what it does not say is as the house has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct NamespaceSaid {
    /// How many of them a person may have, and within which time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<(u32, Window)>,
    /// The lower, the more telling.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<u16>,
    /// Days until a name that is not seen again names nobody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_days: Option<u32>,
    /// Whether one value stands for exactly one person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unique: Option<bool>,
    /// Values that name nobody, normalised.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub blocked: BTreeSet<String>,
}

impl Identity {
    /// Whether the playbook says nothing of it.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// How many names one person may have, of all namespaces together.
    pub fn names_max(&self) -> u32 {
        self.names.unwrap_or(NAMES)
    }

    /// The rule of a namespace: the house's, with what is said of its kind, then of itself.
    pub fn rule(&self, namespace: &str) -> NamespaceRule {
        self.said(namespace).fold(identifier::rule(namespace), |rule, said| said.over(rule))
    }

    /// Whether a normalised value names nobody, by the house or by the playbook.
    pub fn is_blocked(&self, namespace: &str, value: &str) -> bool {
        identifier::is_blocked(namespace, value)
            || self.said(namespace).any(|said| said.blocked.contains(value))
    }

    /// Whether a source's word is taken that two names are of one person.
    pub fn is_trusted(&self, source: &str) -> bool {
        self.trusted_sources.contains(source)
    }

    fn said(&self, namespace: &str) -> impl Iterator<Item = &NamespaceSaid> {
        let kind = identifier::kind(namespace);
        let whole = (kind != namespace).then(|| self.namespaces.get(namespace)).flatten();
        self.namespaces.get(kind).into_iter().chain(whole)
    }
}

impl NamespaceSaid {
    fn over(&self, rule: NamespaceRule) -> NamespaceRule {
        let (limit, window) = self.limit.unwrap_or((rule.limit, rule.window));
        NamespaceRule {
            limit,
            window,
            priority: self.priority.unwrap_or(rule.priority),
            valid_days: self.valid_days.or(rule.valid_days),
            unique: self.unique.unwrap_or(rule.unique),
        }
    }
}
