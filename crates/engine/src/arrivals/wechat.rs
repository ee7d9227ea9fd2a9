//! What WeChat told an app: who follows it and who left (contacts, as those of staff are), codes that were scanned, menus, words, what
//! people allowed, and what became of messages.
//!
//! People are told of by the app's own name of them; who they are across apps is looked up later ([`crate::apps`]), and what is known
//! under both becomes one then.

use serde_json::{Map, Value, json};
use zhiyin_model::consent::ALL;
use zhiyin_model::event::names;
use zhiyin_model::time::Ts;
use zhiyin_reach::channel::Permit;
use zhiyin_reach::platform::Attachment;
use zhiyin_reach::wechat::CHANNEL;
use zhiyin_reach::wechat::news::{ANSWER_HOURS, Allowed, Receipt, WechatNews, What};
use zhiyin_store::campaigns::arrivals::{Arrival, ArrivalState};
use zhiyin_store::{Home, StoreError, seal};

use super::work::Outcome;
use crate::platforms::inbox::Heard;
use crate::sends::came_back::Bounce;
use crate::sends::permits::Word;
use crate::{Engine, Result};

/// A code of the brand's was scanned by somebody who follows already: `touchpoint`, `way`.
const CODE_SCANNED: &str = "Code Scanned";
/// Something of an account's menu was pressed: `key`, `page`.
const MENU_PRESSED: &str = "Menu Pressed";
/// Why what is told of a message waits: nobody knows it yet.
const MESSAGE_UNKNOWN: &str = "message_unknown";
/// Why a word waits: too much is said in its conversation right now.
const BUSY: &str = "conversation_busy";
/// How soon it is looked for again, in microseconds, and after how long it is not any more: a receipt may come before it is noted.
const AGAIN_US: i64 = 2_000_000;
const AGAIN_US_MAX: i64 = 30_000_000;
const GIVEN_UP_US: i64 = 120_000_000;

/// Something to put into the inbox.
struct Item {
    name: &'static str,
    id: String,
    properties: Map<String, Value>,
}

/// What was sent in place of a text, in the inbox's words.
fn attached(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "text" => return None,
        "image" => "picture",
        "voice" => "voice",
        "video" | "shortvideo" => "video",
        "location" => "place",
        "link" => "link",
        "miniprogrampage" => "page",
        _ => "other",
    })
}

fn map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn read(body: &str) -> Option<(String, WechatNews)> {
    let body: Value = serde_json::from_str(body).ok()?;
    let account = body.get("account")?.as_str()?.to_owned();
    Some((account, serde_json::from_value(body).ok()?))
}

impl Engine {
    /// Works on these.
    pub(super) async fn work_on_apps(&self, lent: &[Arrival], wall: Ts) -> Result<Vec<Outcome>> {
        let home = self.home().await?;
        let mut outcomes = Vec::with_capacity(lent.len());
        for arrival in lent {
            let over = |state, why: &str| (state, arrival.due, Some(why.to_owned()));
            outcomes.push(match seal::open(&arrival.body) {
                Err(StoreError::Erased) => over(ArrivalState::Dropped, "erased"),
                body => match read(&body?) {
                    None => over(ArrivalState::Failed, "unreadable"),
                    Some((account, news)) => {
                        self.work_on_app(&home, (&account, &news), (arrival, wall)).await?
                    }
                },
            });
        }
        Ok(outcomes)
    }

    async fn work_on_app(
        &self,
        home: &Home,
        (account, news): (&str, &WechatNews),
        (arrival, wall): (&Arrival, Ts),
    ) -> Result<Outcome> {
        let done = Ok((ArrivalState::Done, arrival.due, None));
        let (all, lasting) = match &news.what {
            What::Answered { all } => (all, false),
            What::Changed { all } => (all, true),
            What::Arrived { all } => return self.receipts(news, all, (arrival, wall)).await,
            _ => {
                let items = self.items_of_app(account, news, arrival)?;
                let items: Vec<Vec<u8>> = items.iter().map(|item| said(home, news, item)).collect();
                if let Some(refused) = self.put(CHANNEL, &items).await? {
                    return Ok((ArrivalState::Failed, arrival.due, Some(refused.to_owned())));
                }
                if !self.heard_in_app(account, news, arrival).await? {
                    return Ok((ArrivalState::Waiting, wall.plus_us(AGAIN_US), Some(BUSY.to_owned())));
                }
                if news.what != What::Left {
                    self.may_be_known_across(CHANNEL, account, (&news.namespace, &news.id), wall).await?;
                }
                return done;
            }
        };
        for (n, Allowed { template, yes }) in all.iter().enumerate() {
            let permit = Permit {
                account: account.to_owned(),
                whom: (news.namespace.clone(), news.id.clone()),
                template: template.clone(),
                once: true,
            };
            let id = format!("{}-{n}", arrival.id);
            let word = Word { id: &id, yes: *yes, lasting, at: news.at };
            self.hear_permit(&permit, &word).await?;
        }
        done
    }

    /// What somebody said is a word of their conversation with the app's persona; whether that is written down.
    async fn heard_in_app(&self, account: &str, news: &WechatNews, arrival: &Arrival) -> Result<bool> {
        let What::Said { kind, text, media, persona, answers, .. } = &news.what else { return Ok(true) };
        let attached =
            attached(kind).map(|kind| Attachment { kind, media: media.clone().unwrap_or_default() });
        let id = arrival.id.to_string();
        let heard = Heard {
            of: (CHANNEL, account),
            app: &news.app,
            persona: persona.as_deref().unwrap_or(account),
            whom: (&news.namespace, &news.id),
            id: &id,
            at: news.at,
            text,
            attached,
            window: (ANSWER_HOURS, *answers),
        };
        self.hear_in_app(&heard).await
    }

    /// What became of messages: what did not arrive goes on as what came back does.
    async fn receipts(
        &self,
        news: &WechatNews,
        all: &[Receipt],
        (arrival, wall): (&Arrival, Ts),
    ) -> Result<Outcome> {
        for Receipt { receipt, template, failed } in all {
            let known = match failed {
                Some(why) => {
                    let bounce = Bounce { why, unreachable: why == "blocked_by_person" };
                    self.receipt_failed((&news.namespace, receipt), &bounce).await?.is_some()
                }
                None => self.is_receipt((&news.namespace, receipt)).await?,
            };
            let age_us = wall.0 - arrival.at.0;
            if !known && age_us < GIVEN_UP_US {
                let again = wall.plus_us((age_us / 2).clamp(AGAIN_US, AGAIN_US_MAX));
                return Ok((ArrivalState::Waiting, again, Some(MESSAGE_UNKNOWN.to_owned())));
            }
            if let (false, None, Some(template)) = (known, failed, template) {
                let whom = (news.namespace.as_str(), news.id.as_str());
                self.arrived_after_all(whom, template, (receipt, news.at), wall).await?;
            }
        }
        Ok((ArrivalState::Done, arrival.due, None))
    }

    /// The items that something comes to.
    fn items_of_app(&self, account: &str, news: &WechatNews, arrival: &Arrival) -> Result<Vec<Item>> {
        let of = |more: Value| {
            let mut properties = map(more);
            drop(properties.insert("channel".to_owned(), CHANNEL.into()));
            drop(properties.insert("account_of".to_owned(), account.into()));
            properties
        };
        let met = |way: Option<&str>| -> Result<Map<String, Value>> {
            let (touchpoint, campaign) = self.met_by(CHANNEL, way)?;
            let mut met = map(json!({ "touchpoint": touchpoint }));
            campaign
                .into_iter()
                .for_each(|campaign| drop(met.insert("campaign".to_owned(), campaign.into())));
            way.into_iter().for_each(|way| drop(met.insert("way".to_owned(), way.into())));
            Ok(met)
        };
        let mut items = Vec::new();
        let mut item = |name, properties| {
            items.push(Item { name, id: format!("{}-{}", arrival.id, items.len()), properties });
        };
        match &news.what {
            What::Followed { way } => {
                let mut properties = of(json!({"account": account, "half": false}));
                properties.extend(met(way.as_deref())?);
                item(names::CONTACT_ADDED, properties);
            }
            What::Left => item(names::CONTACT_LOST, of(json!({"account": account, "by": "customer"}))),
            What::Scanned { way } => {
                let mut properties = of(json!({"account": account}));
                properties.extend(met(Some(way))?);
                item(CODE_SCANNED, properties);
            }
            What::Pressed { key, page } => {
                item(MENU_PRESSED, of(json!({"account": account, "key": key, "page": page})));
            }
            What::Said { kind, text, media, stop, .. } => {
                let mut properties = of(json!({"desk": account, "kind": kind}));
                if !text.is_empty() {
                    drop(properties.insert("text".to_owned(), text.as_str().into()));
                }
                media
                    .iter()
                    .for_each(|media| drop(properties.insert("media".to_owned(), media.as_str().into())));
                item(names::MESSAGE_RECEIVED, properties);
                if *stop {
                    let more = json!({"purpose": ALL, "source": "said"});
                    item(names::CONSENT_WITHDRAWN, of(more));
                }
            }
            What::Answered { .. } | What::Changed { .. } | What::Arrived { .. } | What::Other => {}
        }
        Ok(items)
    }
}

/// An item as it is put in.
fn said(home: &Home, news: &WechatNews, item: &Item) -> Vec<u8> {
    let at = Ts(news.at.saturating_mul(1_000_000)).plus_us(home.offset_us);
    json!({
        "type": "track", "event": item.name, "messageId": item.id, "timestamp": at.rfc3339(),
        "context": {"externalIds": [{"id": news.id, "type": news.namespace}]}, "properties": item.properties,
    })
    .to_string()
    .into_bytes()
}
