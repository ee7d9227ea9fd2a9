//! From the change feed to messages: what batches wrote is read entry by entry, and messages for whoever wants them are
//! written in one transaction with how far that came. Whatever ends in the middle is read again and comes to the same.

use std::collections::BTreeMap;

use serde_json::Value;
use zhiyin_model::id::MemberId;
use zhiyin_model::time::Ts;
use zhiyin_store::webhooks::{Endpoint, Moved, NewMessage, message_id};
use zhiyin_store::{Store, Wanted};

use super::derive::{NAMES, News};
use crate::boxed;
use crate::{Engine, Result, clock};

/// Entries that are read at once: one may name some thousand events.
const ENTRIES_AT_ONCE: usize = 4;

/// What one step of the pump did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pumped {
    /// Entries that are done.
    pub entries: usize,
    /// Messages that are new.
    pub messages: usize,
}

impl Engine {
    /// Makes messages of the next entries of the change feed. Where there is no endpoint, nothing is read.
    #[boxed]
    pub async fn pump(&self, now: Ts) -> Result<Pumped> {
        let hooks = self.store().webhooks();
        let Some(from) = hooks.pumped().await? else { return Ok(Pumped::default()) };
        let entries = self.store().feed(from, ENTRIES_AT_ONCE).await?;
        let Some(last) = entries.last() else { return Ok(Pumped::default()) };
        let (to, n) = (last.position, entries.len());
        let endpoints = hooks.endpoints().await?;
        let home = self.home().await?;
        if home.version > 0 {
            self.live_at(home.version).await?;
        }
        let happened = hooks.happened(entries, NAMES).await?;
        let news = News::read(&happened, &home.id_key, home.live_since);
        let wanted = Wanted { orders: news.orders.iter().copied().collect(), ..Wanted::default() };
        let orders = match wanted.orders.is_empty() {
            true => BTreeMap::new(),
            false => {
                let loaded = self.store().load(wanted).await?.orders;
                loaded.into_iter().map(|order| (order.id, order)).collect()
            }
        };
        let live = self.live().ok();
        let rules = live.as_ref().map(|live| &live.rules);
        let mut messages = Vec::new();
        for one in news.said(&home.id_key, rules, home.live_since, &orders) {
            let data = Value::Object(one.data).to_string();
            for endpoint in endpoints.iter().filter(|endpoint| endpoint.settings.wants(one.kind)) {
                messages.push(NewMessage {
                    endpoint: endpoint.id.clone(),
                    id: one.id,
                    kind: one.kind.to_owned(),
                    at: one.at,
                    member: Some(one.member),
                    data: data.clone(),
                });
            }
        }
        // Where somebody else was faster, what they wrote is the same.
        let made = hooks.put(messages, Some(Moved { from, to }), now).await?.unwrap_or(0);
        self.measures.webhooks().made(made);
        Ok(Pumped { entries: n, messages: made })
    }
}

/// Tells that what is personal of a member was erased. Said again it is the same message.
pub(crate) async fn erased(store: &dyn Store, member: MemberId, now: Ts) -> Result<()> {
    const KIND: &str = "member.erased";
    let hooks = store.webhooks();
    let endpoints = hooks.endpoints().await?;
    let wants = |endpoint: &&Endpoint| endpoint.settings.wants(KIND);
    if endpoints.iter().all(|endpoint| !wants(&endpoint)) {
        return Ok(());
    }
    let home = store.home().await?;
    let message = |endpoint: &Endpoint| NewMessage {
        endpoint: endpoint.id.clone(),
        id: message_id(&home.id_key, KIND, member.bytes()),
        kind: KIND.to_owned(),
        at: clock::now(&home),
        member: Some(member),
        data: serde_json::json!({"member": member.to_string()}).to_string(),
    };
    hooks.put(endpoints.iter().filter(wants).map(message).collect(), None, now).await?;
    Ok(())
}
