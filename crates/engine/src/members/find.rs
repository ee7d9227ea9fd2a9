//! One member by their id.

use zhiyin_model::id::MemberId;
use zhiyin_model::member::Member;
use zhiyin_model::role::{Filter, Grant, Operation};

use crate::sight::{ReadProblem, admits};
use crate::{Engine, Result};

impl Engine {
    /// The member of an id, or who they are by now, if somebody may see them for an operation.
    pub(super) async fn seen(
        &self,
        grant: &Grant,
        operation: Operation,
        id: &str,
    ) -> Result<(Filter, Member)> {
        let filter = self.filter(grant, operation).await?;
        let id = MemberId::from_hex(id).ok_or(ReadProblem::Nobody)?;
        let reading = self.store().reading();
        let mut found = reading.members(vec![id]).await?.pop();
        if found.is_none()
            && let Some(root) = reading.root(id).await?
        {
            found = reading.members(vec![root]).await?.pop();
        }
        let member = found.filter(|member| admits(&filter, member)).ok_or(ReadProblem::Nobody)?;
        Ok((filter, member))
    }
}
