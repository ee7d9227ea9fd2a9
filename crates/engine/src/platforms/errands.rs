//! Whoever asks platforms on behalf of what came from them ([`Errands`]): welcomes are said at once; news is held against the mirror; what
//! only the platform can say is written down to be looked at, once however often it is asked for.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use zhiyin_model::time::Ts;
use zhiyin_reach::arrival::{Ask, News, Welcome};
use zhiyin_reach::platform::Trouble;

use super::contacts::{Told, ToldOf};
use super::groups::Came;
use super::looks::Look;
use super::{At, Kept};
use crate::arrivals::{Errand, Errands, Heard};
use crate::{Engine, Result, clock};

/// How soon a welcome is tried again that was not said, in microseconds: its time is short.
const AGAIN_US: i64 = 500_000;
/// The same, at the latest.
const AGAIN_US_MAX: i64 = 2_000_000;
/// How soon something is written down again that could not be.
const LATER_US: i64 = 2_000_000;

/// Whoever asks the platforms of one home.
pub struct Asking {
    engine: Arc<Engine>,
    all: BTreeMap<String, At>,
}

/// Whoever asks these; nobody, where there are none.
pub fn errands(engine: &Arc<Engine>, all: &[At]) -> Option<Arc<dyn Errands>> {
    if all.is_empty() {
        return None;
    }
    let all = all.iter().map(|at| (at.account.clone(), at.clone())).collect();
    Some(Arc::new(Asking { engine: Arc::clone(engine), all }))
}

impl Asking {
    async fn look(&self, at: &At, ask: &Ask) -> Result<()> {
        let kept = self.engine.kept(at).await?;
        let now = clock::wall();
        let look = match ask {
            Ask::Customer { customer, .. } => Look::Customer(customer.clone()),
            Ask::Tags => Look::Tags,
            Ask::Spoken { desk, token } => {
                return kept.spoken_at(desk.as_deref(), token.as_deref(), now).await;
            }
            Ask::Group { group, version, .. } => {
                // Who knows the state that is announced has nothing to look at.
                if version.is_some() && kept.group_version(group).await? == *version {
                    return Ok(());
                }
                Look::Group { group: group.clone(), wanted: version.clone() }
            }
        };
        kept.look_at(vec![(look, now)], true).await
    }

    /// Takes in what one piece of news says of groups, and what is to be looked at.
    async fn hear_one(&self, kept: &Kept<'_>, at: &At, heard: &Heard) -> Result<Option<&'static str>> {
        for one in &heard.news {
            match one {
                News::Group { group, customers, joined, how } => {
                    let came = Came { group, customers, joined: *joined, how: *how, at: heard.at };
                    if let Some(why) = kept.hear_group(&came).await? {
                        return Ok(Some(why));
                    }
                }
                News::Ask(ask) => self.look(at, ask).await?,
                News::ContactBegun { .. } | News::ContactEnded { .. } | News::NotHandedOver { .. } => {}
            }
        }
        Ok(None)
    }
}

/// What is told of contacts, with which piece of news it is of.
fn of_contacts(heard: &[Heard]) -> Vec<(usize, ToldOf)> {
    let mut told = Vec::new();
    for (i, one) in heard.iter().enumerate() {
        for news in &one.news {
            let (account, customer, what) = match news {
                News::ContactBegun { account, customer, half, way } => {
                    (account, customer, Told::Begun { half: *half, way: way.clone() })
                }
                News::ContactEnded { account, customer, by } => (account, customer, Told::Ended(*by)),
                News::NotHandedOver { account, customer, reason } => {
                    (account, customer, Told::NotHandedOver(reason.clone()))
                }
                News::Group { .. } | News::Ask(_) => continue,
            };
            let (account, customer) = (account.clone(), customer.clone());
            told.push((i, ToldOf { account, customer, at: one.at, what }));
        }
    }
    told
}

#[async_trait]
impl Errands for Asking {
    async fn welcome(&self, of: &str, welcome: &Welcome, again: bool) -> Errand {
        let Some(at) = self.all.get(of) else { return Errand::Nothing("nobody_welcomes") };
        let said = match self.engine.welcome_of(at, welcome.way.as_deref(), clock::wall()).await {
            Ok(Some(said)) => said,
            Ok(None) => return Errand::Nothing("no_welcome_written"),
            Err(error) => {
                tracing::warn!(%error, "a welcome waits: the playbook cannot be read");
                return Errand::Later(clock::wall().plus_us(AGAIN_US), "no_playbook");
            }
        };
        let now = clock::wall();
        match at.desk.welcome(&welcome.code, &said, again).await {
            Ok(()) => Errand::Done,
            Err(Trouble::Later { why, rest }) => {
                let rest = i64::try_from(rest.as_micros()).unwrap_or(AGAIN_US_MAX);
                Errand::Later(now.plus_us(rest.clamp(AGAIN_US, AGAIN_US_MAX)), why)
            }
            Err(Trouble::Unknown { .. }) => Errand::Unknown(now.plus_us(AGAIN_US)),
            Err(Trouble::Never { why, .. }) => Errand::Never(why),
            Err(trouble @ Trouble::Wrong { .. }) => {
                tracing::warn!(%trouble, "a welcome is not said");
                Errand::Never("input")
            }
        }
    }

    async fn ask(&self, of: &str, ask: &Ask) -> Errand {
        let Some(at) = self.all.get(of) else { return Errand::Never("account_unknown") };
        match self.look(at, ask).await {
            Ok(()) => Errand::Done,
            Err(error) => {
                tracing::warn!(%error, "what is to be looked at is not written down for now");
                Errand::Later(clock::wall().plus_us(LATER_US), "store")
            }
        }
    }

    async fn hear(&self, of: &str, heard: &[Heard], wall: Ts) -> Result<Option<Vec<Errand>>> {
        let Some(at) = self.all.get(of) else { return Ok(None) };
        let kept = self.engine.kept(at).await?;
        let (of_which, told): (Vec<usize>, Vec<ToldOf>) = of_contacts(heard).into_iter().unzip();
        let mut errands = vec![Errand::Done; heard.len()];
        let wrong = kept.hear_contacts(&told).await?;
        // Who came or went is looked at: what they are called, which tags they bear and who they are elsewhere no callback says.
        let looks = told.iter().map(|told| (Look::Customer(told.customer.clone()), wall));
        kept.look_at(looks.collect(), true).await?;
        for (i, why) in of_which.into_iter().zip(wrong) {
            if let (Some(why), Some(errand)) = (why, errands.get_mut(i)) {
                *errand = Errand::Never(why);
            }
        }
        for (one, errand) in heard.iter().zip(&mut errands) {
            if let Some(why) = self.hear_one(&kept, at, one).await? {
                *errand = Errand::Never(why);
            }
        }
        Ok(Some(errands))
    }
}
