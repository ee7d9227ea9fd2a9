//! What people allowed, where a channel sends nothing that nobody allowed and tells nobody how much is left: counted here.
//!
//! A row of the mirror for each person and form: when they said yes, each good for one message. One is taken before a message is handed
//! over, and given back where it was certainly not taken; of which nobody knows, it is gone. So nothing is sent without one, and none is
//! used twice. Where the platform says that there is none left it is believed.
//!
//! And receipts: what a channel tells later of a message is known by what it called it.

use serde::{Deserialize, Serialize};
use zhiyin_model::event::Identifier;
use zhiyin_model::id::{IdKey, NoteId};
use zhiyin_model::identifier::normalise;
use zhiyin_model::time::{DAY_US, Ts};
use zhiyin_reach::channel::{Handed, NOT_ALLOWED, Permit};
use zhiyin_store::campaigns::mirror::{Reflect, ReflectionId, reflection_id};
use zhiyin_store::campaigns::sends::{SendLog, SendRow, SendState};
use zhiyin_store::{StoreError, Wanted, seal};

use super::came_back::Bounce;
use crate::{Engine, Result};

/// The kinds of rows.
const PERMIT: &str = "permit";
const RECEIPT: &str = "receipt";
/// How often a row is read again that somebody else changed meanwhile.
const TRIES: usize = 32;
/// How many yeses of one person to one form are kept, how many messages that took one, and how many callbacks that told of some: the
/// newest.
const YESES_MAX: usize = 200;
const TAKEN_MAX: usize = 64;
const TOLD_MAX: usize = 64;
/// For how long it is kept by what the platform calls a message.
const RECEIPT_US: i64 = 3 * DAY_US;
/// How many messages to somebody are looked through of which nobody knows whether they were taken.
const UNKNOWN_MAX: usize = 50;
/// How many receipts are forgotten at a time.
const FORGOTTEN_AT_ONCE: usize = 500;

/// What somebody allowed of one form.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Yeses {
    /// When they said yes, of each that is not used, in seconds since 1970 UTC, the oldest first.
    yes: Vec<i64>,
    /// When they last said yes and when no: whether a standing yes stands.
    yes_at: Option<i64>,
    no_at: Option<i64>,
    /// Messages that took one and have not come to an end, each with when it was said.
    taken: Vec<(String, i64)>,
    /// What told of them last, so that nothing counts twice.
    told: Vec<String>,
}

/// What somebody said of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word<'a> {
    /// What it is known again by.
    pub(crate) id: &'a str,
    /// Whether they said yes.
    pub(crate) yes: bool,
    /// Whether it is of the settings, and so of all that they said before.
    pub(crate) lasting: bool,
    /// When, in seconds since 1970 UTC.
    pub(crate) at: i64,
}

impl Yeses {
    /// Whether a standing yes stands.
    fn stands(&self) -> bool {
        self.yes_at.is_some_and(|yes| self.no_at.is_none_or(|no| no < yes))
    }

    /// Takes one for a message; whether it has one. Asked again for the same message it has the same.
    fn take(&mut self, send: &str, once: bool) -> bool {
        if !once {
            return self.stands();
        }
        if self.taken.iter().any(|(of, _)| of == send) {
            return true;
        }
        if self.yes.is_empty() {
            return false;
        }
        let at = self.yes.remove(0);
        self.taken.push((send.to_owned(), at));
        let over = self.taken.len().saturating_sub(TAKEN_MAX);
        self.taken.drain(..over);
        true
    }

    /// A message that took one came to an end: it is used, or given back.
    fn came(&mut self, send: &str, is_used: bool) {
        let Some(i) = self.taken.iter().position(|(of, _)| of == send) else { return };
        let (_, at) = self.taken.remove(i);
        if !is_used && self.no_at.is_none_or(|no| no < at) {
            let place = self.yes.partition_point(|one| *one <= at);
            self.yes.insert(place, at);
        }
    }

    /// Takes note of what they said, once however often it is told and in whichever order; whether that was news.
    fn hear(&mut self, word: &Word<'_>) -> bool {
        if self.told.iter().any(|id| id == word.id) {
            return false;
        }
        self.told.push(word.id.to_owned());
        let over = self.told.len().saturating_sub(TOLD_MAX);
        self.told.drain(..over);
        if word.yes {
            self.yes_at = self.yes_at.max(Some(word.at));
            // A yes of the settings is none to a single message.
            if !word.lasting && self.no_at.is_none_or(|no| no < word.at) {
                let place = self.yes.partition_point(|one| *one <= word.at);
                self.yes.insert(place, word.at);
                let over = self.yes.len().saturating_sub(YESES_MAX);
                self.yes.drain(..over);
            }
        } else if word.lasting {
            self.no_at = self.no_at.max(Some(word.at));
            self.yes.retain(|at| *at > word.at);
        }
        true
    }

    /// The platform says that there is none.
    fn none_left(&mut self) {
        self.yes.clear();
        self.yes_at = None;
    }
}

#[derive(Serialize, Deserialize)]
struct OfReceipt {
    send: NoteId,
}

fn id_of(key: &IdKey, permit: &Permit) -> ReflectionId {
    let (namespace, value) = &permit.whom;
    reflection_id(key, (PERMIT, ""), PERMIT, &[namespace, value, &permit.template])
}

/// By what the names of which namespace tell an app from others, a message is called there.
fn receipt_id(key: &IdKey, namespace: &str, receipt: &str) -> ReflectionId {
    reflection_id(key, (RECEIPT, ""), RECEIPT, &[namespace, receipt])
}

impl Engine {
    /// Changes what somebody allowed; what came of it. Of whoever was erased there is nothing, and it begins anew where they say yes.
    async fn of_permit<T>(
        &self,
        permit: &Permit,
        mut change: impl FnMut(&mut Yeses) -> (T, bool),
    ) -> Result<T> {
        let key = self.home().await?.id_key;
        let id = id_of(&key, permit);
        let (namespace, value) = &permit.whom;
        let about = match normalise(namespace, value) {
            Ok(value) => seal::lookup(&key, &Identifier { namespace: namespace.clone(), value }),
            Err(_) => key.digest("reflection", &[id.bytes()]),
        };
        let mirror = self.store().coupons().campaigns().mirror();
        for _ in 0..TRIES {
            let found = mirror.reflections(vec![id]).await?.pop();
            let (read, mut yeses) = match found {
                None => (0, Yeses::default()),
                Some(found) => match seal::open(&found.body) {
                    Err(StoreError::Erased) => (found.version, Yeses::default()),
                    body => {
                        let read = serde_json::from_str(&body?);
                        (
                            found.version,
                            read.map_err(|error| StoreError::Damaged(format!("a permit: {error}")))?,
                        )
                    }
                },
            };
            let (came, is_changed) = change(&mut yeses);
            if !is_changed {
                return Ok(came);
            }
            let body = serde_json::to_string(&yeses)
                .map_err(|error| StoreError::Damaged(format!("a permit: {error}")))?;
            let kind = PERMIT.to_owned();
            let put = Reflect { id, read, kind, part: id, due: None, about, body: seal::seal(&body) };
            if mirror.reflect(vec![put]).await?.first() == Some(&true) {
                return Ok(came);
            }
        }
        Err(StoreError::Unreachable("a permit was changed again and again".to_owned()).into())
    }

    /// Takes one of what somebody allowed for a message; whether there was one.
    pub(super) async fn take_permit(&self, permit: &Permit, send: NoteId) -> Result<bool> {
        let send = send.to_string();
        self.of_permit(permit, |yeses| {
            let before = yeses.clone();
            let has = yeses.take(&send, permit.once);
            (has, *yeses != before)
        })
        .await
    }

    /// A message that took one was handed over, or was not.
    pub(super) async fn permit_came(&self, permit: &Permit, send: NoteId, handed: &Handed) -> Result<()> {
        let send = send.to_string();
        let is_used = match handed {
            Handed::Taken { .. } | Handed::Unknown { .. } => true,
            Handed::Refused { .. } | Handed::Later { .. } => false,
        };
        let none = matches!(handed, Handed::Refused { code, .. } if code == NOT_ALLOWED);
        self.of_permit(permit, |yeses| {
            let before = yeses.clone();
            yeses.came(&send, is_used);
            if none {
                yeses.none_left();
            }
            ((), *yeses != before)
        })
        .await
    }

    /// Takes note of what somebody said of a form; whether that was news.
    pub(crate) async fn hear_permit(&self, permit: &Permit, word: &Word<'_>) -> Result<bool> {
        self.of_permit(permit, |yeses| {
            let is_new = yeses.hear(word);
            (is_new, is_new)
        })
        .await
    }

    /// How many messages of a form somebody allowed that were not sent yet.
    pub async fn permits_left(&self, permit: &Permit) -> Result<usize> {
        self.of_permit(permit, |yeses| (yeses.yes.len(), false)).await
    }

    /// Keeps what a channel calls a message.
    pub(super) async fn keep_receipt(
        &self,
        (namespace, receipt): (&str, &str),
        send: NoteId,
        now: Ts,
    ) -> Result<()> {
        if receipt.is_empty() {
            return Ok(());
        }
        let key = self.home().await?.id_key;
        let id = receipt_id(&key, namespace, receipt);
        let body = serde_json::to_string(&OfReceipt { send })
            .map_err(|error| StoreError::Damaged(format!("a receipt: {error}")))?;
        let (kind, about) = (RECEIPT.to_owned(), key.digest("reflection", &[id.bytes()]));
        let due = Some(now.plus_us(RECEIPT_US));
        let put = Reflect { id, read: 0, kind, part: id, due, about, body: seal::seal(&body) };
        self.store().coupons().campaigns().mirror().reflect(vec![put]).await?;
        Ok(())
    }

    /// Whether a message is known by what a channel calls it.
    pub(crate) async fn is_receipt(&self, (namespace, receipt): (&str, &str)) -> Result<bool> {
        let id = receipt_id(&self.home().await?.id_key, namespace, receipt);
        Ok(!self.store().coupons().campaigns().mirror().reflections(vec![id]).await?.is_empty())
    }

    /// A channel tells that a message of a form arrived which nobody knows by that: if there is one to whoever got it of which nobody knows
    /// whether it was taken, it was. One for each receipt.
    pub(crate) async fn arrived_after_all(
        &self,
        (namespace, value): (&str, &str),
        template: &str,
        (receipt, at): (&str, i64),
        wall: Ts,
    ) -> Result<()> {
        let key = self.home().await?.id_key;
        let Ok(value) = normalise(namespace, value) else { return Ok(()) };
        let wanted = seal::lookup(&key, &Identifier { namespace: namespace.to_owned(), value });
        let loaded = self.store().load(Wanted { identifiers: vec![wanted], ..Wanted::default() }).await?;
        let Some((_, member)) = loaded.identifiers.into_iter().find(|(hash, _)| *hash == wanted) else {
            return Ok(());
        };
        let campaigns = self.store().coupons().campaigns();
        let log = SendLog {
            member: Some(member),
            channel: None,
            state: Some(SendState::Unknown),
            before: None,
            limit: UNKNOWN_MAX,
        };
        let mut open: Vec<SendRow> = campaigns.sends().log(log).await?;
        // The one that was tried last before it arrived is the likeliest.
        let at = Ts(at.saturating_add(1).saturating_mul(1_000_000));
        open.retain(|row| row.tried_at.is_some_and(|tried| tried <= at && at.0 - tried.0 <= RECEIPT_US));
        open.sort_by_key(|row| std::cmp::Reverse(row.tried_at));
        for row in open {
            let Some(note) = campaigns.note(row.id).await? else { continue };
            let body = match seal::open(&note.body) {
                Err(StoreError::Erased) => continue,
                body => body?,
            };
            let body: serde_json::Value = serde_json::from_str(&body).unwrap_or_default();
            if body["form"]["template"] == template {
                self.keep_receipt((namespace, receipt), row.id, wall).await?;
                let (from, to) = (SendState::Unknown, SendState::Sent);
                campaigns.sends().moved(row.id, from, to, None, false).await?;
                return Ok(());
            }
        }
        Ok(())
    }

    /// A channel tells that a message did not arrive after all; nothing, where no message is known by that (yet).
    pub(crate) async fn receipt_failed(
        &self,
        (namespace, receipt): (&str, &str),
        bounce: &Bounce<'_>,
    ) -> Result<Option<bool>> {
        let key = self.home().await?.id_key;
        let id = receipt_id(&key, namespace, receipt);
        let campaigns = self.store().coupons().campaigns();
        let Some(found) = campaigns.mirror().reflections(vec![id]).await?.pop() else { return Ok(None) };
        let OfReceipt { send } = serde_json::from_str(&seal::open(&found.body)?)
            .map_err(|error| StoreError::Damaged(format!("a receipt: {error}")))?;
        let Some(row) = campaigns.sends().sent(send).await? else { return Ok(Some(false)) };
        Ok(Some(self.bounced_by_channel(&row, bounce).await?))
    }

    /// Forgets receipts of long ago.
    pub(crate) async fn forget_receipts(&self, wall: Ts) -> Result<usize> {
        let mirror = self.store().coupons().campaigns().mirror();
        let old = mirror.lend_reflections(RECEIPT, wall, wall.plus_us(DAY_US), FORGOTTEN_AT_ONCE).await?;
        if old.is_empty() {
            return Ok(0);
        }
        Ok(mirror.forget_reflections(old.into_iter().map(|one| (one.id, one.version)).collect()).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(id: &str, yes: bool, lasting: bool, at: i64) -> Word<'_> {
        Word { id, yes, lasting, at }
    }

    #[test]
    fn each_yes_is_good_for_one_message_and_counts_once_however_often_it_is_told() {
        let mut yeses = Yeses::default();
        assert!(!yeses.take("m0", true));
        for id in ["a", "b", "a"] {
            yeses.hear(&word(id, true, false, 10));
        }
        assert_eq!(yeses.yes.len(), 2);
        assert!(yeses.take("m1", true) && yeses.take("m1", true), "asked again it is the same one");
        assert_eq!(yeses.yes.len(), 1);
        yeses.came("m1", false);
        yeses.came("m1", false);
        assert_eq!(yeses.yes.len(), 2, "what was not taken is given back once");
        assert!(yeses.take("m2", true) && yeses.take("m3", true) && !yeses.take("m4", true));
        yeses.came("m2", true);
        yeses.came("m3", true);
        assert!(yeses.yes.is_empty() && yeses.taken.is_empty());
    }

    #[test]
    fn a_no_of_the_settings_takes_back_what_was_said_before_it_in_whichever_order_it_is_told() {
        let said = [word("a", true, false, 10), word("b", false, true, 20), word("c", true, false, 30)];
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let mut yeses = Yeses::default();
            for i in order {
                yeses.hear(&said[i]);
            }
            assert_eq!((yeses.yes.as_slice(), yeses.stands()), (&[30][..], true), "{order:?}");
        }
        let mut yeses = Yeses::default();
        yeses.hear(&word("a", true, false, 10));
        assert!(yeses.take("m", false) && yeses.stands(), "a standing yes is not used up");
        assert!(yeses.take("once", true));
        yeses.hear(&word("b", false, true, 20));
        yeses.came("once", false);
        assert!(yeses.yes.is_empty() && !yeses.stands(), "nor does one come back that was taken back");
        yeses.hear(&word("d", false, false, 40));
        assert_eq!(yeses.no_at, Some(20), "who says no to one request takes nothing back");
    }
}
