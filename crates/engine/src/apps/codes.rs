//! Codes that lead to an app: there for each touchpoint of the playbook that says whom whoever scans it comes to follow (C1). A lasting code
//! with the same scene is the same code, so one of which nobody knows whether it was made is made again.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zhiyin_model::time::{HOUR_US, Ts};
use zhiyin_reach::platform::Trouble;
use zhiyin_store::campaigns::mirror::{Reflect, Reflection, ReflectionId, reflection_id};
use zhiyin_store::{StoreError, seal};

use super::Apps;
use crate::{Engine, Result};

/// Rows of codes.
const CODE: &str = "code";
/// How many are made in one round.
const MADE_MAX: usize = 20;
/// How long one that cannot be made is left alone.
const WRONG_US: i64 = HOUR_US;

/// A code as it is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Code {
    /// Where its picture lies.
    picture: Option<String>,
    /// What whoever scans it opens.
    content: Option<String>,
    /// Why it could not be made, and until when that is left alone.
    trouble: Option<String>,
    rests: Option<Ts>,
}

/// The code of a touchpoint that leads to an app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CodeView {
    /// The touchpoint.
    pub touchpoint: String,
    /// The brand's account.
    pub account: String,
    /// Where its picture lies, once it was made.
    pub picture: Option<String>,
    /// What whoever scans it opens: what a code of one's own is drawn of.
    pub content: Option<String>,
    /// Why it could not be made, by a name.
    pub trouble: Option<String>,
}

fn opened(found: &Reflection) -> Result<Code> {
    let body = seal::open(&found.body)?;
    Ok(serde_json::from_str(&body).map_err(|error| StoreError::Damaged(format!("a code: {error}")))?)
}

impl Engine {
    /// Codes that the playbook wants: by row, the touchpoint and the account.
    async fn wanted_codes(&self) -> Result<BTreeMap<ReflectionId, (String, String)>> {
        let Ok(live) = self.live() else { return Ok(BTreeMap::new()) };
        let key = self.home().await?.id_key;
        let to_follow = live.playbook.touchpoints.iter();
        let to_follow = to_follow.filter_map(|(code, touchpoint)| Some((code, touchpoint.follow.as_ref()?)));
        let row = |(code, account): (&String, &String)| {
            (reflection_id(&key, ("apps", account), CODE, &[code]), (code.clone(), account.clone()))
        };
        Ok(to_follow.map(row).collect())
    }

    async fn known_codes(&self, ids: Vec<ReflectionId>) -> Result<BTreeMap<ReflectionId, (i64, Code)>> {
        let mut known = BTreeMap::new();
        for found in self.store().coupons().campaigns().mirror().reflections(ids).await? {
            drop(known.insert(found.id, (found.version, opened(&found)?)));
        }
        Ok(known)
    }

    /// Makes codes that are to be there and are not; how many.
    pub(super) async fn keep_codes(&self, all: &Apps, wall: Ts) -> Result<usize> {
        let mut wanted = self.wanted_codes().await?;
        wanted.retain(|_, (_, account)| all.get(account).is_some_and(|at| at.app.makes_codes()));
        if wanted.is_empty() {
            return Ok(0);
        }
        let key = self.home().await?.id_key;
        let mut known = self.known_codes(wanted.keys().copied().collect()).await?;
        let mut done = 0;
        for (id, (touchpoint, account)) in wanted {
            let (read, code) = known.remove(&id).unwrap_or_default();
            let rests = code.rests.is_some_and(|until| until > wall);
            if code.content.is_some() || rests || done >= MADE_MAX {
                continue;
            }
            let Some(at) = all.get(&account) else { continue };
            let code = match at.app.make_code(&touchpoint, None).await {
                Ok(made) => {
                    done += 1;
                    Code { picture: made.picture, content: made.content, ..Code::default() }
                }
                Err(trouble) => {
                    tracing::warn!(touchpoint, account, why = trouble.why(), "a code was not made");
                    let rest = match &trouble {
                        Trouble::Later { rest, .. } => crate::sends::micros(*rest),
                        Trouble::Wrong { .. } | Trouble::Never { .. } | Trouble::Unknown { .. } => WRONG_US,
                    };
                    let (trouble, rests) = (Some(trouble.why().to_owned()), Some(wall.plus_us(rest)));
                    Code { trouble, rests, ..code }
                }
            };
            let body = serde_json::to_string(&code)
                .map_err(|error| StoreError::Damaged(format!("a code: {error}")))?;
            let about = key.digest("reflection", &[id.bytes()]);
            let kind = format!("apps:{CODE}");
            let put = Reflect { id, read, kind, part: id, due: None, about, body: seal::seal(&body) };
            // Where somebody else was quicker, it is the same code.
            self.store().coupons().campaigns().mirror().reflect(vec![put]).await?;
        }
        Ok(done)
    }

    /// Codes of touchpoints that lead to an app, made or not.
    pub async fn app_codes(&self) -> Result<Vec<CodeView>> {
        let wanted = self.wanted_codes().await?;
        let mut known = self.known_codes(wanted.keys().copied().collect()).await?;
        let view = |(id, (touchpoint, account)): (ReflectionId, (String, String))| {
            let (_, Code { picture, content, trouble, .. }) = known.remove(&id).unwrap_or_default();
            CodeView { touchpoint, account, picture, content, trouble }
        };
        Ok(wanted.into_iter().map(view).collect())
    }
}
