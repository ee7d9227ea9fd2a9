//! What a person told about themselves beside attributes: what they consent to, whom they care for, with whom they are in contact.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::{Deserialize, Serialize};

use crate::consent::Consents;
use crate::contact::Contacts;
use crate::dependant::Dependants;
use crate::group::Groups;
use crate::time::Ts;

/// What a person told about themselves beside attributes. Most have told nothing: nothing is kept of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Personal {
    /// What they said yes and no to.
    #[serde(default, skip_serializing_if = "Consents::is_empty")]
    pub consents: Consents,
    /// Whom they care for.
    #[serde(default, skip_serializing_if = "Dependants::is_empty")]
    pub dependants: Dependants,
    /// Channels on which nothing reaches them any more.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unreachable: BTreeMap<String, Unreachable>,
    /// With whom of the brand's staff they are in contact.
    #[serde(default, skip_serializing_if = "Contacts::is_empty")]
    pub contacts: Contacts,
    /// In which groups they are.
    #[serde(default, skip_serializing_if = "Groups::is_empty")]
    pub groups: Groups,
}

/// Since when nothing reaches somebody on a channel, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Unreachable {
    /// Since when.
    pub since: Ts,
    /// Why, by a name.
    pub why: String,
}

impl Personal {
    /// Whether they told nothing.
    pub fn is_empty(&self) -> bool {
        let told = [self.consents.is_empty(), self.dependants.is_empty()];
        told == [true; 2] && self.unreachable.is_empty() && self.contacts.is_empty() && self.groups.is_empty()
    }

    /// What another's is too, once the two turn out to be one: of a channel on which either is not reached the later word.
    pub fn join_unreachable(&mut self, other: &Self) {
        for (channel, theirs) in &other.unreachable {
            let own = self.unreachable.entry(channel.clone()).or_insert_with(|| theirs.clone());
            if *theirs > *own {
                own.clone_from(theirs);
            }
        }
    }

    /// All of it in words that no key changes, for the digest.
    pub fn canonical(&self) -> String {
        let mut said = format!("{}|{}", self.consents.canonical(), self.dependants.canonical());
        for (channel, Unreachable { since, why }) in &self.unreachable {
            // Writing to a text cannot fail.
            let _written = write!(said, "|unreachable {channel} {} {why}", since.0);
        }
        said.push_str(&self.contacts.canonical());
        said.push_str(&self.groups.canonical());
        said
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gone(since: i64) -> Personal {
        let gone = Unreachable { since: Ts(since), why: "unreachable: bounced 5.1.1".to_owned() };
        Personal { unreachable: [("email".to_owned(), gone)].into(), ..Personal::default() }
    }

    #[test]
    fn whom_nothing_reaches_is_told_and_of_two_the_later_word_stays_whoever_joins_whom() {
        let (first, later) = (gone(1), gone(2));
        for (mut own, other) in
            [(first.clone(), later.clone()), (later.clone(), first), (Personal::default(), later)]
        {
            own.join_unreachable(&other);
            assert_eq!(own, gone(2));
        }
        assert!(
            !gone(1).is_empty()
                && gone(1).canonical().ends_with("|unreachable email 1 unreachable: bounced 5.1.1")
        );
        assert_eq!(Personal::default().canonical(), "|", "who told nothing has the digest that they had");
    }

    #[test]
    fn what_a_program_of_before_wrote_is_read_and_nothing_more_is_written_of_who_is_reached() {
        assert_eq!(serde_json::from_str::<Personal>("{}").unwrap(), Personal::default());
        assert_eq!(serde_json::to_string(&Personal::default()).unwrap(), "{}");
        let text = serde_json::to_string(&gone(1)).unwrap();
        assert_eq!(serde_json::from_str::<Personal>(&text).unwrap(), gone(1));
    }
}
