//! What changes and is no event of a member: the tree of places and who works there, the playbook, pairs that may be one person.

mod duplicates;
mod places;
mod playbooks;

use super::caller::Caller;
use super::endpoint::Endpoint;

/// All of them.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    [places::endpoints(), playbooks::endpoints(), duplicates::endpoints()].into_iter().flatten().collect()
}
