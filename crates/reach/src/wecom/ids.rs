//! Whom a unionid is: one at a time, when it is needed. The platform counts by hour, day and month (`unionid.converted` of
//! [`super::limits`]) and forbids converting in bulk; whoever calls keeps the count and what came of it.

use serde::Deserialize;
use serde_json::json;

use super::trouble::Trouble;
use super::{Wecom, apis, bounds};

/// Whose app the unionid and the openid are from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The business's own.
    Business,
    /// A service provider's.
    Provider,
}

/// Who somebody is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whom {
    /// This customer.
    Customer(String),
    /// Nobody's customer yet, or of somebody whom the app may not see: an id for 90 days, by which they are known when they come.
    Pending(String),
    /// Nobody knows.
    Nobody,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Converted {
    external_userid: String,
    pending_id: String,
}

impl Converted {
    fn whom(self) -> Whom {
        match (self.external_userid.is_empty(), self.pending_id.is_empty()) {
            (false, _) => Whom::Customer(self.external_userid),
            (true, false) => Whom::Pending(self.pending_id),
            (true, true) => Whom::Nobody,
        }
    }
}

/// How many customers one call takes (path/95900).
pub const PENDING_MAX: usize = 100;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Known {
    external_userid: String,
    pending_id: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct AllKnown {
    result: Vec<Known>,
}

impl Wecom {
    /// By which pending ids customers were known before they came (path/95900), as (customer, pending id); those who were not are left out.
    pub async fn pending_of(&self, customers: &[String]) -> Result<Vec<(String, String)>, Trouble> {
        bounds::ids("external_userid", customers, 1, PENDING_MAX as u64)?;
        let known: AllKnown = self.post(&apis::PENDING, &json!({"external_userid": customers})).await?;
        let is_known = |one: &Known| !one.pending_id.is_empty() && !one.external_userid.is_empty();
        Ok(known
            .result
            .into_iter()
            .filter(is_known)
            .map(|one| (one.external_userid, one.pending_id))
            .collect())
    }

    /// Whom a unionid is (path/95900). Both ids are from one official account or mini program of the same verified business.
    pub async fn whom(&self, unionid: &str, openid: &str, subject: Subject) -> Result<Whom, Trouble> {
        bounds::id("unionid", unionid)?;
        bounds::id("openid", openid)?;
        let subject_type = match subject {
            Subject::Business => 0,
            Subject::Provider => 1,
        };
        let body = json!({"unionid": unionid, "openid": openid, "subject_type": subject_type});
        let converted: Converted = self.post(&apis::UNIONID, &body).await?;
        Ok(converted.whom())
    }

    /// The same by the old call, which knows customers only (path/93274).
    pub async fn whom_by_old(&self, unionid: &str, openid: &str) -> Result<Whom, Trouble> {
        bounds::id("unionid", unionid)?;
        bounds::id("openid", openid)?;
        let body = json!({"unionid": unionid, "openid": openid});
        let converted: Converted = self.post(&apis::UNIONID_OLD, &body).await?;
        Ok(converted.whom())
    }
}
