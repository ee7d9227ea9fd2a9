//! Finding a member by what people call them, and reading one whole.

use zhiyin_model::event::Identifier;
use zhiyin_model::id::MemberId;
use zhiyin_store::read::MemberWhole;
use zhiyin_store::{StoreError, Wanted};

use crate::boxed;
use crate::identity::as_kept;
use crate::{Engine, Result};

/// What a search for a member found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// This one.
    One(MemberId),
    /// Nobody.
    Nobody,
    /// The value is known in these namespaces, for different members.
    Several(Vec<String>),
}

impl Engine {
    /// Finds a member by `NAMESPACE:VALUE`, by a value that is unique among all namespaces, or by id.
    #[boxed]
    pub async fn find(&self, text: &str) -> Result<Found> {
        let text = text.trim();
        let namespaces = self.store().namespaces().await?;
        let mut asked: Vec<Identifier> = Vec::new();
        // A namespace may have a colon of its own, and so may a value.
        for (namespace, value) in text.split_once(':').into_iter().chain(text.rsplit_once(':')) {
            asked.extend(as_asked(namespace, value));
        }
        for namespace in &namespaces {
            asked.extend(as_asked(namespace, text));
        }
        let mut found: Vec<(String, MemberId)> = Vec::new();
        for (n, member) in self.borne(&asked).await? {
            let wanted = Wanted { members: vec![member], ..Wanted::default() };
            // A name may be settled for somebody about whom nothing was decided yet, or all was refused.
            if !self.store().load(wanted).await?.members.is_empty() {
                found.push((asked[n].namespace.clone(), member));
            }
        }
        let mut members: Vec<MemberId> = found.iter().map(|(_, member)| *member).collect();
        members.sort_unstable();
        members.dedup();
        match members.as_slice() {
            [one] => Ok(Found::One(*one)),
            [] => self.find_by_id(text).await,
            _ => Ok(Found::Several(found.into_iter().map(|(namespace, _)| namespace).collect())),
        }
    }

    /// Whom `NAMESPACE:VALUE` names, decided about or not; or whom an id does.
    #[boxed]
    pub async fn named(&self, text: &str) -> Result<Option<MemberId>> {
        let text = text.trim();
        let mut asked: Vec<Identifier> = Vec::new();
        for (namespace, value) in text.split_once(':').into_iter().chain(text.rsplit_once(':')) {
            asked.extend(as_asked(namespace, value));
        }
        if let Some((_, member)) = self.borne(&asked).await?.into_iter().next() {
            return Ok(Some(member));
        }
        let Some(id) = MemberId::from_hex(text) else { return Ok(None) };
        Ok(self.store().member_whole(id).await?.map(|_| id))
    }

    async fn find_by_id(&self, text: &str) -> Result<Found> {
        let Some(id) = MemberId::from_hex(text) else { return Ok(Found::Nobody) };
        let known = self.store().member_whole(id).await?.is_some();
        Ok(if known { Found::One(id) } else { Found::Nobody })
    }

    /// One member whole.
    #[boxed]
    pub async fn whole(&self, member: MemberId) -> Result<MemberWhole> {
        let whole = self.store().member_whole(member).await?;
        Ok(whole.ok_or_else(|| StoreError::Damaged(format!("no member {member}")))?)
    }
}

/// A name as it is kept; and as it was written, for homes of a time when that was what was kept.
fn as_asked(namespace: &str, value: &str) -> Vec<Identifier> {
    let written = Identifier { namespace: namespace.to_owned(), value: value.to_owned() };
    let mut asked: Vec<Identifier> = as_kept(&written, "identifier").into_iter().collect();
    if !asked.contains(&written) {
        asked.push(written);
    }
    asked
}
