//! What a platform showed becomes items of the channel's own source. Each has an id that comes from what happened, not from when it was
//! noticed or by which way: so what a callback tells and what somebody sees who looks is one item, in whichever order and however often.

use serde_json::{Map, Value, json};
use zhiyin_model::event::names;
use zhiyin_model::time::Ts;

use super::came::Came;
use super::{At, Kept};
use crate::accept::{REUSED, Source, Ties, Verdict};
use crate::sends::SOURCE;
use crate::{Engine, Result, clock};

/// Something that happened to a customer.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Word {
    /// What it is called, as an event.
    pub(super) name: &'static str,
    /// To whom.
    pub(super) customer: String,
    /// Who they are across apps of one owner, where that is known.
    pub(super) unionid: Option<String>,
    /// Its id within the channel.
    pub(super) id: String,
    /// When, by the wall clock, in seconds.
    pub(super) at: i64,
    /// What more there is to say.
    pub(super) more: Map<String, Value>,
}

impl Kept<'_> {
    /// Puts items into the inbox, durably when this returns; of each the name of what is wrong with it, if anything.
    pub(super) async fn say(&self, words: &[Word]) -> Result<Vec<Option<&'static str>>> {
        if words.is_empty() {
            return Ok(Vec::new());
        }
        let home = self.engine.home().await?;
        let At { account, desk } = self.at;
        let source = Source {
            name: format!("{SOURCE}{}", desk.channel()),
            user_namespace: "user".to_owned(),
            replay: false,
            // The platform answers for both of a customer's names.
            ties: Ties::Merge,
        };
        // Ids of long ago may be forgotten, and what is ahead of business time is refused: what was found is dated within.
        let (from, to) = (home.remembers_from.unwrap_or(Ts::MIN), clock::now(&home));
        let item = |word: &Word| {
            let mut ids = vec![json!({"id": word.customer, "type": desk.namespace()})];
            ids.extend(word.unionid.iter().map(|unionid| json!({"id": unionid, "type": "unionid"})));
            let mut properties = word.more.clone();
            drop(properties.insert("channel".to_owned(), desk.channel().into()));
            drop(properties.insert("account_of".to_owned(), account.as_str().into()));
            let at = Ts(word.at.saturating_mul(1_000_000)).plus_us(home.offset_us).min(to).max(from);
            json!({
                "type": "track", "event": word.name, "messageId": word.id, "timestamp": at.rfc3339(),
                "context": {"externalIds": ids}, "properties": properties,
            })
            .to_string()
            .into_bytes()
        };
        let items: Vec<Vec<u8>> = words.iter().map(item).collect();
        let refused = |verdict: Verdict| match verdict {
            // The same id is the same news, though it was told in other words.
            Verdict::Refused(refusal) if refusal.code != REUSED => Some(refusal.code),
            _ => None,
        };
        let refused = self.engine.accept(&source, &items, None).await?.into_iter().map(refused).collect();
        for word in words.iter().filter(|word| word.name == names::CONTACT_ADDED) {
            if word.unionid.is_none() {
                self.engine.may_be_expected(account, &word.customer, clock::wall()).await?;
            }
            let text = |name: &str| word.more.get(name).and_then(Value::as_str);
            let is_half = word.more.get("half").and_then(Value::as_bool).unwrap_or(false);
            if let (Some(way), Some(staff), false) = (text("way"), text("account"), is_half) {
                let at = Ts(word.at.saturating_mul(1_000_000)).plus_us(home.offset_us);
                let came = Came::new(way, staff.to_owned(), word.customer.clone(), at);
                self.engine.came_by(account, &came, clock::wall()).await?;
            }
        }
        Ok(refused)
    }
}

impl Engine {
    /// Where somebody was met who came by a way of a channel, and of which campaign that is. A way is called `TOUCHPOINT` or
    /// `TOUCHPOINT~CAMPAIGN`, by the playbook's names; by any other they came by the channel itself.
    pub(crate) fn met_by(&self, channel: &str, way: Option<&str>) -> Result<(String, Option<String>)> {
        let live = self.live()?;
        let (touchpoint, campaign) = match way.map(|way| way.split_once('~').unwrap_or((way, ""))) {
            Some((touchpoint, campaign)) if live.playbook.touchpoints.contains_key(touchpoint) => (
                touchpoint,
                Some(campaign).filter(|campaign| live.playbook.campaigns.contains_key(*campaign)),
            ),
            _ => (channel, None),
        };
        Ok((touchpoint.to_owned(), campaign.map(str::to_owned)))
    }
}
