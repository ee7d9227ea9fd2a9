//! What a brand asks consent for: purposes, the channels they are carried out on, and the texts that people said yes to.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::Names;

/// Below which age a guardian's word is needed, unless the playbook says otherwise: 14 years (PIPL, article 31).
pub(super) const MINORS_UNDER: u8 = 14;

/// What a brand asks consent for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Consent {
    /// Purposes by id.
    pub purposes: BTreeMap<String, Purpose>,
    /// Members of fewer years than this have a guardian who speaks for them.
    pub minors_under: u8,
}

/// One thing that consent may be needed for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Purpose {
    /// What people call it.
    pub name: Names,
    /// The channels it is carried out on; none where it has nothing to do with channels.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub channels: BTreeSet<String>,
    /// What members agree to, in the newest version; in no language where the playbook does not say it.
    #[serde(skip_serializing_if = "Names::is_nothing")]
    pub text: Names,
    /// Versions of its text a consent to which holds; none where its text has no versions.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub versions: BTreeSet<String>,
    /// True where nothing may be done without consent; false where all may be done until somebody says no.
    pub needed: bool,
    /// What a consent management platform calls it: the category of Segment's `context.consent.categoryPreferences`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
}

impl Default for Consent {
    fn default() -> Self {
        Self { purposes: BTreeMap::new(), minors_under: MINORS_UNDER }
    }
}

impl Consent {
    /// Whether the playbook says nothing of it.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// All channels of all purposes.
    pub fn channels(&self) -> BTreeSet<&str> {
        self.purposes.values().flat_map(|purpose| &purpose.channels).map(String::as_str).collect()
    }
}
