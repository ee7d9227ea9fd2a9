//! What is being taken in, held against what is known: which conversation each word is of, which words are new, what they make of it.

use std::collections::{BTreeMap, BTreeSet};

use zhiyin_model::time::Ts;
use zhiyin_reach::platform::{Asker, Session, Speaker, Spoken, SpokenWhat};
use zhiyin_store::campaigns::conversations::Conversation;
use zhiyin_store::campaigns::mirror::{Reflect, ReflectionId};

use super::super::{
    Attached, By, DESKS_MAX, Desk, Found, Rows, Stage, TALK, Talk, TalkState, WHOSE, WORD_CHARS_MAX, Whose,
    Word, cut, opened,
};
use super::Place;
use crate::Result;

/// How many of a conversation's latest words are looked through for one that is taken back.
const LOOKED_BACK: usize = 200;

/// What is being taken in, held against what is known.
pub(in super::super) struct Hearing<'h> {
    rows: &'h Rows<'h>,
    place: &'h Place<'h>,
    askers: &'h BTreeMap<String, Asker>,
    /// Of which conversation each customer is; whether that is new, with the version of what was there.
    whose: BTreeMap<String, (ReflectionId, Option<i64>)>,
    talks: BTreeMap<ReflectionId, (i64, Talk, bool)>,
    words: BTreeMap<ReflectionId, (i64, Word, bool)>,
}

impl<'h> Hearing<'h> {
    pub(in super::super) fn new(
        rows: &'h Rows<'h>,
        place: &'h Place<'h>,
        askers: &'h BTreeMap<String, Asker>,
    ) -> Self {
        let (whose, talks, words) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { rows, place, askers, whose, talks, words }
    }

    fn whose_id(&self, customer: &str) -> ReflectionId {
        self.rows.whose(self.place.persona, (self.place.namespace, customer))
    }

    /// Reads what is known of all who say something.
    pub(in super::super) async fn load(&mut self, items: &[Spoken]) -> Result<()> {
        let customers: BTreeSet<&str> = items.iter().map(|one| one.customer.as_str()).collect();
        let ids = customers.iter().map(|one| self.whose_id(one)).collect();
        let known = self.rows.found::<Whose>(ids).await?;
        let spoke = |customer: &str| {
            items.iter().any(|one| one.customer == customer && matches!(one.what, SpokenWhat::Word { .. }))
        };
        let mut new: Vec<(&str, i64)> = Vec::new();
        for customer in customers {
            match known.get(&self.whose_id(customer)) {
                Some(Found::There(row)) => {
                    self.whose.insert(customer.to_owned(), (row.what.talk, None));
                }
                // Whoever comes back after they were erased is somebody new.
                Some(Found::Erased(version)) if spoke(customer) => new.push((customer, *version)),
                None if spoke(customer) => new.push((customer, 0)),
                Some(Found::Erased(_)) | None => {}
            }
        }
        for (customer, version) in new {
            let elsewhere = self.known_elsewhere(customer).await?;
            let version_name = version.to_string();
            let fresh = || match self.place.namespace {
                usual if usual == self.rows.network.namespace => {
                    self.rows.id(TALK, &[self.place.persona, customer, &version_name])
                }
                namespace => self.rows.id(TALK, &[self.place.persona, namespace, customer, &version_name]),
            };
            let talk = elsewhere.unwrap_or_else(fresh);
            self.whose.insert(customer.to_owned(), (talk, Some(version)));
        }
        let talks: BTreeSet<ReflectionId> = self.whose.values().map(|(talk, _)| *talk).collect();
        for (id, found) in self.rows.found::<Talk>(talks.into_iter().collect()).await? {
            if let Found::There(row) = found {
                self.talks.insert(id, (row.version, row.what, false));
            }
        }
        let mut ids = Vec::new();
        for one in items {
            let Some((talk, _)) = self.whose.get(&one.customer) else { continue };
            match &one.what {
                SpokenWhat::Word { .. } => ids.push(self.word_id(*talk, one)),
                SpokenWhat::NotArrived { reply, .. } => ids.extend(ReflectionId::from_hex(reply)),
                SpokenWhat::TakenBack { word } => ids.extend(self.looked_back(*talk, word).await?),
                SpokenWhat::Session(_) => {}
            }
        }
        for (id, found) in self.rows.found::<Word>(ids).await? {
            if let Found::There(row) = found {
                self.words.insert(id, (row.version, row.what, false));
            }
        }
        Ok(())
    }

    /// The conversation with this persona that a member has by another name of theirs.
    async fn known_elsewhere(&self, customer: &str) -> Result<Option<ReflectionId>> {
        let own = (self.place.namespace, customer);
        let Some(member) = self.rows.members(&[own]).await?.remove(&0) else { return Ok(None) };
        let names = self.rows.engine.store().identifiers_of(vec![member]).await?;
        let others = names
            .iter()
            .map(|(_, namespace, value)| (namespace.as_str(), value.as_str()))
            .filter(|other| *other != own && self.rows.is_of_a_desk(other.0));
        let ids = others.map(|other| self.rows.whose(self.place.persona, other)).collect();
        let found = self.rows.found::<Whose>(ids).await?.into_values();
        let there = found.filter_map(|one| match one {
            Found::There(row) => Some(row.what.talk),
            Found::Erased(_) => None,
        });
        Ok(there.min())
    }

    fn word_id(&self, talk: ReflectionId, spoken: &Spoken) -> ReflectionId {
        let at = Ts(spoken.at.saturating_mul(1_000_000));
        self.rows.word_id(talk, at, &[self.place.of.1, self.place.desk, &spoken.id])
    }

    /// A word of the latest by what the platform calls it.
    async fn looked_back(&self, talk: ReflectionId, word: &str) -> Result<Option<ReflectionId>> {
        let mirror = self.rows.engine.store().coupons().campaigns().mirror();
        let kind = self.rows.words_of(self.place.of);
        for one in mirror.reflections_of(&kind, talk, None, LOOKED_BACK).await? {
            if let Some(row) = opened::<Word>(one)?.filter(|row| row.what.id == word) {
                return Ok(Some(row.id));
            }
        }
        Ok(None)
    }

    /// Takes one thing in.
    pub(in super::super) fn hear(&mut self, spoken: &Spoken) {
        let Some((id, _)) = self.whose.get(&spoken.customer).copied() else { return };
        match &spoken.what {
            SpokenWhat::Word { by, text, attached } => {
                let word_id = self.word_id(id, spoken);
                if self.words.contains_key(&word_id) {
                    return;
                }
                let when = Ts(spoken.at.saturating_mul(1_000_000));
                let (text, is_cut) = cut(text, WORD_CHARS_MAX);
                let attached = attached
                    .as_ref()
                    .map(|one| Attached { kind: one.kind.to_owned(), media: cut(&one.media, 500).0 });
                let (by, who) = match by {
                    Speaker::Customer => (By::Member, None),
                    Speaker::Staff(who) => (By::Staff, Some(who.clone())),
                };
                let n = self.speak(id, spoken, (when, by, &text, attached.as_ref()));
                let word = Word {
                    talk: id,
                    persona: self.place.persona.to_owned(),
                    desk: self.place.desk.to_owned(),
                    customer: spoken.customer.clone(),
                    namespace: self.place.namespace.to_owned(),
                    at: when,
                    by,
                    who,
                    text,
                    cut: is_cut,
                    attached,
                    id: spoken.id.clone(),
                    n,
                    stage: Stage::Heard,
                    taken_back: false,
                    tries: 0,
                };
                self.words.insert(word_id, (0, word, true));
            }
            SpokenWhat::NotArrived { reply, why } => {
                let of = ReflectionId::from_hex(reply);
                let Some((_, word, changed)) = of.and_then(|of| self.words.get_mut(&of)) else { return };
                if word.talk != id || matches!(word.stage, Stage::Failed(_)) {
                    return;
                }
                (word.stage, *changed) = (Stage::Failed((*why).to_owned()), true);
                if let Some((_, talk, changed)) = self.talks.get_mut(&id) {
                    *changed = true;
                    talk.trouble = Some((*why).to_owned());
                    if talk.state == TalkState::Answered {
                        talk.state = TalkState::Open;
                    }
                }
            }
            SpokenWhat::TakenBack { word } => {
                let mut of_talk = self.words.values_mut().filter(|(_, one, _)| one.talk == id);
                if let Some((_, one, changed)) = of_talk.find(|(_, one, _)| one.id == *word) {
                    (one.text, one.attached, one.taken_back) = (String::new(), None, true);
                    *changed = true;
                }
            }
            SpokenWhat::Session(session) => {
                let (account, desk) = (self.place.of.1, self.place.desk);
                if let Some((_, talk, changed)) = self.talks.get_mut(&id)
                    && let Some(one) = talk.desk_mut(account, desk)
                {
                    one.session = Some(session.name().to_owned());
                    *changed = true;
                }
            }
        }
    }

    /// What a new word makes of its conversation; its number there.
    fn speak(
        &mut self,
        id: ReflectionId,
        spoken: &Spoken,
        (when, by, text, attached): (Ts, By, &str, Option<&Attached>),
    ) -> u64 {
        let fresh = || Talk {
            persona: self.place.persona.to_owned(),
            customer: spoken.customer.clone(),
            namespace: self.place.namespace.to_owned(),
            name: None,
            state: TalkState::Open,
            unread: 0,
            assignee: None,
            last: None,
            heard: None,
            since: when,
            desks: Vec::new(),
            complaint: None,
            trouble: None,
            n: 0,
        };
        let (_, talk, changed) = self.talks.entry(id).or_insert_with(|| (0, fresh(), true));
        *changed = true;
        let asker = self.askers.get(&spoken.customer).map(|asker| asker.name.clone());
        talk.name = asker.filter(|name| !name.is_empty()).or_else(|| talk.name.take());
        let words = match attached {
            Some(one) => format!("[{}] {text}", one.kind),
            None => text.to_owned(),
        };
        let n = talk.said(when, by, words.trim());
        let ((channel, account), desk) = (self.place.of, self.place.desk);
        if talk.desk_mut(account, desk).is_none() {
            talk.desks.push(Desk {
                channel: channel.to_owned(),
                namespace: self.place.namespace.to_owned(),
                account: account.to_owned(),
                desk: desk.to_owned(),
                customer: spoken.customer.clone(),
                spoke: Ts(0),
                closes: Ts(0),
                left: 0,
                session: None,
            });
            if talk.desks.len() > DESKS_MAX {
                talk.desks.sort_by_key(|one| std::cmp::Reverse((one.spoke == Ts(0), one.spoke)));
                talk.desks.truncate(DESKS_MAX);
            }
        }
        match by {
            By::Staff => {
                if talk.heard.is_none_or(|heard| heard <= when) && talk.state != TalkState::Closed {
                    (talk.state, talk.unread) = (TalkState::Answered, 0);
                }
            }
            By::Member => {
                (talk.state, talk.unread) = (TalkState::Unread, talk.unread.saturating_add(1));
                talk.heard = talk.heard.max(Some(when));
                let (closes, left) = (self.place.window)(when);
                if let Some(one) = talk.desk_mut(account, desk).filter(|one| one.spoke <= when) {
                    (one.spoke, one.closes, one.left) = (when, closes, left);
                    one.customer.clone_from(&spoken.customer);
                    if one.session.as_deref() == Some(Session::Over.name()) {
                        one.session = None;
                    }
                }
            }
        }
        n
    }

    pub(in super::super) fn things(&self) -> Result<Vec<Reflect>> {
        let mut things = Vec::new();
        for (customer, (talk, new)) in &self.whose {
            let (Some(version), true) = (new, self.talks.contains_key(talk)) else { continue };
            let (id, kind) = (self.whose_id(customer), self.rows.kind(WHOSE));
            let whom = (self.place.namespace, customer.as_str());
            things.push(self.rows.reflect(
                kind,
                (id, *talk, *version),
                None,
                whom,
                &Whose { talk: *talk },
            )?);
        }
        for (id, (version, talk, _)) in self.talks.iter().filter(|(_, (.., changed))| *changed) {
            things.push(self.rows.talk(*id, *version, talk)?);
        }
        for (id, (version, word, _)) in self.words.iter().filter(|(_, (.., changed))| *changed) {
            things.push(self.rows.word(self.place.of, (*id, *version), None, word)?);
        }
        Ok(things)
    }

    pub(in super::super) fn listed(&self) -> Vec<Conversation> {
        let changed = self.talks.iter().filter(|(_, (.., changed))| *changed);
        changed.map(|(id, (_, talk, _))| talk.listed(*id)).collect()
    }
}
