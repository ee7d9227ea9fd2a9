//! One member, by what they show or by their id.

use zhiyin_model::event::Identifier;
use zhiyin_model::id::MemberId;
use zhiyin_model::member::Member;
use zhiyin_model::role::{Filter, Grant, Operation};

use super::{MemberBrief, brief, identifiers};
use crate::identity::as_kept;
use crate::sight::{ReadProblem, admits};
use crate::{Engine, Result};

impl Engine {
    /// The member who shows this identifier; nobody, where it is not known or they may not be seen.
    pub async fn member_by(&self, grant: &Grant, identifier: &Identifier) -> Result<MemberBrief> {
        let filter = self.sight(grant, Operation::MemberLookup).await?;
        let Ok(kept) = as_kept(identifier, "identifier") else { return Err(ReadProblem::NotFound.into()) };
        let mut asked = vec![kept];
        if !asked.contains(identifier) {
            // As it was written: homes of before kept it so.
            asked.push(identifier.clone());
        }
        for (_, id) in self.borne(&asked).await? {
            if let Some(member) = self.store().reading().members(vec![id]).await?.pop()
                && admits(&filter, &member)
            {
                return self.brief_of(&filter, &member).await;
            }
        }
        Err(ReadProblem::NotFound.into())
    }

    pub(super) async fn brief_of(&self, filter: &Filter, member: &Member) -> Result<MemberBrief> {
        let named = self.store().identifiers_of(vec![member.id]).await?;
        let mut shown = identifiers(filter.mask, named);
        Ok(brief(filter.mask, member, shown.remove(&member.id).unwrap_or_default()))
    }

    /// The member of an id, or who they are by now, if somebody may see them for an operation.
    pub(super) async fn seen(
        &self,
        grant: &Grant,
        operation: Operation,
        id: &str,
    ) -> Result<(Filter, Member)> {
        let filter = self.sight(grant, operation).await?;
        let id = MemberId::from_hex(id).ok_or(ReadProblem::NotFound)?;
        let reading = self.store().reading();
        let mut found = reading.members(vec![id]).await?.pop();
        if found.is_none()
            && let Some(root) = reading.root(id).await?
        {
            found = reading.members(vec![root]).await?.pop();
        }
        let member = found.filter(|member| admits(&filter, member)).ok_or(ReadProblem::NotFound)?;
        Ok((filter, member))
    }
}
