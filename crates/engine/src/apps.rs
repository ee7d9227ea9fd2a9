//! The brand's own apps on platforms, in which people are known by ids of the app's: who they are across apps is looked up lazily, codes
//! are there for touchpoints that lead to an app, and who signs in there is somebody whom the home knows ([`sign_in`]).
//!
//! Work is done in rounds, each of which does a bounded part, and is told the time. Several processes may do all of it at once.

pub mod codes;
pub mod sign_in;

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;
use zhiyin_model::event::Identifier;
use zhiyin_model::event::names;
use zhiyin_model::identifier::normalise;
use zhiyin_model::time::{DAY_US, HOUR_US, Ts};
pub use zhiyin_reach::app::{App, PageSignature, Somebody};
use zhiyin_reach::platform::{Health, Step, Trouble};
use zhiyin_reach::wechat;
use zhiyin_store::campaigns::mirror::{Reflect, reflection_id};
use zhiyin_store::{StoreError, Wanted, seal};

use crate::accept::{REUSED, Source, Ties, Verdict};
use crate::platforms::Round;
use crate::sends::SOURCE;
use crate::sends::settings::Platforms;
use crate::{Engine, Result, boxed, clock};

/// Rows of people to look up.
const WHO: &str = "who";
/// How many are looked up in a round, and how long one process has them.
const AT_ONCE: usize = 50;
const LENT_US: i64 = 120_000_000;
/// How long somebody whom the platform does not tell of is left alone, twice as long each time.
const AGAIN_US: i64 = 60_000_000;
const TRIES_MAX: u32 = 8;
/// How soon somebody is looked up once more who was looked up for the first time, and how often from then on: so a callback that was lost
/// for good is made up for.
const FIRST_AGAIN_US: i64 = 600_000_000;
const EVERY_US: i64 = 7 * DAY_US;
/// How long nothing was there to do before it is looked again.
const REST: Duration = Duration::from_secs(1);

/// One app of the brand's.
#[derive(Clone)]
pub struct AppAt {
    /// What the brand calls it.
    pub account: String,
    /// The channel by which callbacks of it come.
    pub door: &'static str,
    /// The app.
    pub app: Arc<dyn App>,
}

impl fmt::Debug for AppAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AppAt({} {})", self.app.channel(), self.account)
    }
}

/// Apps by what the brand calls them.
pub type Apps = BTreeMap<String, AppAt>;

/// All apps that can ask.
pub fn all(platforms: &Platforms) -> Apps {
    let can_ask = platforms.wechat.iter().filter(|(_, app)| app.can_ask());
    let at = |(account, app): (&String, &wechat::Wechat)| {
        let app: Arc<dyn App> = Arc::new(app.clone());
        (account.clone(), AppAt { account: account.clone(), door: wechat::CHANNEL, app })
    };
    can_ask.map(at).collect()
}

/// Checks what the file says of apps of a channel: of each its name and the steps.
pub async fn check(platforms: &Platforms, address: impl Fn(&str) -> String) -> Vec<(String, Vec<Step>)> {
    let mut checked = Vec::new();
    for (name, app) in &platforms.wechat {
        checked.push((name.clone(), wechat::check(app, &address(name)).await));
    }
    checked
}

/// What the channel of apps is called that [`check`] checks.
pub const CHANNEL: &str = wechat::CHANNEL;

/// Whether a step is wrong.
pub fn is_wrong(step: &Step) -> bool {
    step.health == Health::Wrong
}

/// Somebody to look up.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Who {
    account: String,
    namespace: String,
    id: String,
    fails: u32,
    /// How often they were.
    #[serde(default)]
    looks: u32,
}

impl Engine {
    /// Notes that somebody may be known across apps of one owner: once for each person and app.
    pub(crate) async fn may_be_known_across(
        &self,
        door: &str,
        account: &str,
        (namespace, id): (&str, &str),
        wall: Ts,
    ) -> Result<()> {
        let (account, namespace) = (account.to_owned(), namespace.to_owned());
        let who = Who { account, namespace, id: id.to_owned(), fails: 0, looks: 0 };
        self.keep_who(door, &who, (0, Some(wall))).await.map(drop)
    }

    /// Writes a row of somebody to look up, if it still is of this version.
    async fn keep_who(&self, door: &str, who: &Who, (read, due): (i64, Option<Ts>)) -> Result<bool> {
        let key = self.home().await?.id_key;
        let row = reflection_id(&key, (door, &who.account), WHO, &[&who.id]);
        let body = serde_json::to_string(who).map_err(|error| StoreError::Damaged(error.to_string()))?;
        let kind = format!("{door}:{WHO}");
        let about = match normalise(&who.namespace, &who.id) {
            Ok(value) => seal::lookup(&key, &Identifier { namespace: who.namespace.clone(), value }),
            Err(_) => key.digest("reflection", &[row.bytes()]),
        };
        let put = Reflect { id: row, read, kind, part: row, due, about, body: seal::seal(&body) };
        let written = self.store().coupons().campaigns().mirror().reflect(vec![put]).await?;
        Ok(written.first() == Some(&true))
    }

    /// Makes every round of all apps once. One that fails is logged and keeps no other from being made.
    #[boxed]
    pub async fn round_of_apps(&self, all: &Apps, wall: Ts) -> Round {
        let mut whole = Round::default();
        if all.is_empty() {
            return whole;
        }
        let mut doors: Vec<&'static str> = all.values().map(|at| at.door).collect();
        doors.sort_unstable();
        doors.dedup();
        for door in doors {
            match self.look_across(door, all, wall).await {
                Ok(done) => whole.done += done,
                Err(error) => tracing::warn!(%error, "apps: nobody is looked up for now"),
            }
        }
        if let Err(error) = self.forget_receipts(wall).await {
            tracing::warn!(%error, "apps: old receipts are not forgotten for now");
        }
        for at in all.values() {
            match self.replies_of_app(at, wall).await {
                Ok(round) => whole.done += round.done,
                Err(error) => tracing::warn!(?at, %error, "apps: nothing is answered for now"),
            }
        }
        match self.keep_codes(all, wall).await {
            Ok(done) => whole.done += done,
            Err(error) => tracing::warn!(%error, "apps: codes are not made for now"),
        }
        whole
    }

    /// Makes rounds of all apps until told to stop.
    pub async fn work_apps(&self, all: Apps, stop: impl Future) {
        let mut stop = pin!(stop);
        if all.is_empty() {
            drop(stop.await);
            return;
        }
        loop {
            let round = self.round_of_apps(&all, clock::wall()).await;
            tokio::select! {
                _ = &mut stop => return,
                () = tokio::time::sleep(if round.done > 0 { Duration::ZERO } else { REST }) => {}
            }
        }
    }

    /// Looks people up of whom it is not known who they are across apps.
    async fn look_across(&self, door: &'static str, all: &Apps, wall: Ts) -> Result<usize> {
        let mirror = self.store().coupons().campaigns().mirror();
        let kind = format!("{door}:{WHO}");
        let lent = mirror.lend_reflections(&kind, wall, wall.plus_us(LENT_US), AT_ONCE).await?;
        let mut done = 0;
        for row in lent {
            let body = match seal::open(&row.body) {
                Err(StoreError::Erased) => {
                    mirror.forget_reflections(vec![(row.id, row.version)]).await?;
                    continue;
                }
                body => body?,
            };
            let who: Who =
                serde_json::from_str(&body).map_err(|error| StoreError::Damaged(error.to_string()))?;
            let Some(at) = all.get(&who.account) else { continue };
            let found = at.app.who(&who.id).await;
            let due = match &found {
                Ok(found) => {
                    if let Some(somebody) = found {
                        self.identified(at, somebody, None).await?;
                    }
                    if who.looks > 0 {
                        self.put_right(at, &who, found.is_some(), wall).await?;
                    }
                    done += 1;
                    Some(wall.plus_us(if who.looks == 0 { FIRST_AGAIN_US } else { EVERY_US }))
                }
                Err(trouble) if who.fails + 1 < TRIES_MAX => {
                    let rest = match trouble {
                        Trouble::Later { rest, .. } => crate::sends::micros(*rest),
                        Trouble::Wrong { .. } | Trouble::Never { .. } | Trouble::Unknown { .. } => HOUR_US,
                    };
                    Some(wall.plus_us(rest.max(AGAIN_US << who.fails.min(6))))
                }
                Err(_) => Some(wall.plus_us(EVERY_US)),
            };
            let fails = if found.is_ok() { 0 } else { who.fails + 1 };
            let looks = who.looks.saturating_add(u32::from(found.is_ok()));
            self.keep_who(door, &Who { fails, looks, ..who }, (row.version, due)).await?;
        }
        Ok(done)
    }

    /// Somebody is in contact with an app, or is not, as the platform shows it: where the home has it otherwise, no callback told of it.
    async fn put_right(&self, at: &AppAt, who: &Who, is_there: bool, wall: Ts) -> Result<()> {
        let home = self.home().await?;
        let Ok(value) = normalise(&who.namespace, &who.id) else { return Ok(()) };
        let wanted = seal::lookup(&home.id_key, &Identifier { namespace: who.namespace.clone(), value });
        let loaded = self.store().load(Wanted { identifiers: vec![wanted], ..Wanted::default() }).await?;
        let is_known = loaded.members.iter().any(|stored| {
            let mut contacts = stored.member.personal.contacts.iter();
            contacts.any(|(channel, account, of)| {
                channel == at.door && account == who.account && of.ended.is_none()
            })
        });
        if is_known == is_there {
            return Ok(());
        }
        let mut properties = json!({"channel": at.door, "account": who.account, "account_of": who.account});
        let name = if is_there { names::CONTACT_ADDED } else { names::CONTACT_LOST };
        let (key, value) = match is_there {
            true => ("touchpoint", self.met_by(at.door, None)?.0),
            false => ("by", "unknown".to_owned()),
        };
        if let Some(properties) = properties.as_object_mut() {
            drop(properties.insert(key.to_owned(), value.into()));
        }
        let item = json!({
            "type": "track", "event": name, "messageId": format!("seen-{}-{}-{}", who.account, who.id, wall.0),
            "timestamp": wall.plus_us(home.offset_us).rfc3339(),
            "context": {"externalIds": [{"id": who.id, "type": who.namespace}]}, "properties": properties,
        });
        // What is refused is looked at again next time.
        let _refused = self.put(at.door, &[item.to_string().into_bytes()]).await?;
        Ok(())
    }

    /// Takes in who somebody is: what is known under any of their names is known of one person from then on. Told again it changes nothing.
    pub(crate) async fn identified(
        &self,
        at: &AppAt,
        somebody: &Somebody,
        phone: Option<&str>,
    ) -> Result<bool> {
        let home = self.home().await?;
        let mut ids = vec![json!({"id": somebody.id, "type": at.app.namespace()})];
        ids.extend(somebody.across.iter().map(|id| json!({"id": id, "type": at.app.namespace_across()})));
        ids.extend(phone.iter().map(|phone| json!({"id": phone, "type": "phone"})));
        let told = [
            at.app.id(),
            &somebody.id,
            somebody.across.as_deref().unwrap_or_default(),
            phone.unwrap_or_default(),
        ];
        let parts = told.map(str::as_bytes);
        let id: String = home.id_key.digest("who", &parts).iter().map(|byte| format!("{byte:02x}")).collect();
        let item = json!({
            "type": "identify", "messageId": format!("who-{id}"), "timestamp": clock::now(&home).rfc3339(),
            "context": {"externalIds": ids}, "traits": {},
        });
        let source = Source {
            name: format!("{SOURCE}{}", at.door),
            user_namespace: "user".to_owned(),
            replay: false,
            // The platform answers for all of a person's names.
            ties: Ties::Merge,
        };
        let verdicts = self.accept(&source, &[item.to_string().into_bytes()], None).await?;
        Ok(verdicts.into_iter().all(|verdict| match verdict {
            Verdict::Refused(refusal) => refusal.code == REUSED,
            _ => true,
        }))
    }
}
