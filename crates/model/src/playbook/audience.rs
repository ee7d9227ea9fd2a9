//! Saved audiences: who somebody is asked about by name, in the console, in campaigns and in other conditions.

use serde::Serialize;

use super::ConditionText;
use super::names::Names;

/// A saved audience.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Audience {
    /// What people call it.
    pub name: Names,
    /// Whom it is made of; without one it is a list of members that is uploaded by hand.
    pub who: Option<ConditionText>,
    /// Whether it is kept current, member by member, and tells who entered and who left.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub standing: bool,
}
