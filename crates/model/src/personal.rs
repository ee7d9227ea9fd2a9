//! What a person told about themselves beside attributes: what they consent to, and whom they care for.

use serde::{Deserialize, Serialize};

use crate::consent::Consents;
use crate::dependant::Dependants;

/// What a person told about themselves beside attributes. Most have told nothing: nothing is kept of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Personal {
    /// What they said yes and no to.
    #[serde(default, skip_serializing_if = "Consents::is_empty")]
    pub consents: Consents,
    /// Whom they care for.
    #[serde(default, skip_serializing_if = "Dependants::is_empty")]
    pub dependants: Dependants,
}

impl Personal {
    /// Whether they told nothing.
    pub fn is_empty(&self) -> bool {
        self.consents.is_empty() && self.dependants.is_empty()
    }

    /// All of it in words that no key changes, for the digest.
    pub fn canonical(&self) -> String {
        format!("{}|{}", self.consents.canonical(), self.dependants.canonical())
    }
}
