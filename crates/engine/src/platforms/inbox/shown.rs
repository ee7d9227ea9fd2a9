//! What people see of the inbox: lists of conversations, and what was said in one. What members said is masked like other personal text:
//! who may not see it sees that there is something.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use zhiyin_model::event::Identifier;
use zhiyin_model::id::MemberId;
use zhiyin_model::mask::Mask;
use zhiyin_model::member::Member;
use zhiyin_model::role::{Bound, Filter, Grant, Operation};
use zhiyin_model::time::Ts;
use zhiyin_store::campaigns::conversations::{Conversation, ConversationsAsked};
use zhiyin_store::campaigns::mirror::{ReflectionId, reflection_id};
use zhiyin_store::seal;

use super::hear::{DESK, Pulled};
use super::{By, Desk, Found, Rows, Stage, Talk, TalkState, Word, opened};
use crate::sight::{self, Cursors, Page, ReadProblem};
use crate::{Engine, Result, boxed, clock};

/// The most names of a member by which their conversations are looked for, and the most of these.
const NAMES_MAX: usize = 200;
const OF_MEMBER_MAX: usize = 1_000;

/// Which conversations are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InboxAsked {
    /// With a persona.
    pub persona: Option<String>,
    /// That somebody of the staff looks after.
    pub assignee: Option<String>,
    /// That stand so; all but closed ones, where neither this nor a member is said.
    pub state: Option<TalkState>,
    /// With this member, by their id.
    pub member: Option<String>,
    /// How many, 1 to 200.
    pub limit: usize,
    /// Where the page before ended.
    pub cursor: Option<String>,
}

/// A conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ConversationView {
    /// Its id.
    pub conversation: String,
    /// The persona that the member speaks to.
    pub persona: String,
    /// Where it stands.
    pub state: TalkState,
    /// How many words of the member's nobody has read.
    pub unread: u64,
    /// Who of the staff looks after it.
    pub assignee: Option<String>,
    /// The member; nothing, until their first word was decided.
    pub member: Option<String>,
    /// What they are called, masked where the role may not see it.
    pub name: Option<String>,
    /// The last word.
    pub last: Option<LastView>,
    /// Since when.
    pub since: String,
    /// Until when the member may be answered; nothing, where they may not be any more.
    pub reply_until: Option<String>,
    /// How often yet, until they say something.
    pub replies_left: u64,
    /// Why they cannot be answered now, as a reply would be refused: `reply_window_closed` or `replies_at_most`.
    pub cannot_reply: Option<String>,
    /// By which desks they spoke, the latest first.
    pub desks: Vec<DeskView>,
    /// The tag by which a complaint of theirs is open.
    pub complaint: Option<String>,
    /// Why the last answer did not arrive, by a name that stays; `unknown` where nobody knows whether it did.
    pub trouble: Option<String>,
}

/// How many conversations there are, by where they stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct InboxCounts {
    /// With words that nobody has read.
    pub unread: i64,
    /// Read, and not answered.
    pub open: i64,
    /// Answered.
    pub answered: i64,
    /// Over.
    pub closed: i64,
}

/// A page of conversations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct InboxPage {
    /// Conversations.
    pub items: Vec<ConversationView>,
    /// Where it goes on.
    pub next: Option<String>,
    /// How many there are in the home; nothing for roles that do not see all of them.
    pub counts: Option<InboxCounts>,
}

/// The last word of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LastView {
    /// When.
    pub at: String,
    /// Who said it.
    pub by: By,
    /// How it begins; nothing, where the role may not see what members said.
    pub words: Option<String>,
}

/// A desk by which a member spoke.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DeskView {
    /// On which channel.
    pub channel: String,
    /// Of which of the brand's accounts.
    pub account: String,
    /// Its id there.
    pub desk: String,
    /// What customers see it called, as far as the platform told.
    pub name: Option<String>,
    /// When they last spoke there.
    pub spoke: String,
    /// Who has them there, by a name: `staff` in the platform's own client, `over`; nothing, where nothing was told.
    pub session: Option<String>,
}

/// Something that was sent with a word; it lies at the platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AttachedView {
    /// `picture`, `voice`, `video`, `file`, `place`, `link`, `page` or `other`.
    pub kind: String,
    /// By what the platform knows it, or an address; nothing, where the role may not see it.
    pub media: Option<String>,
}

/// A word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct WordView {
    /// Its id.
    pub message: String,
    /// When it was said, or is to be.
    pub at: String,
    /// Who said it.
    pub by: By,
    /// Who of the brand's: who replied here, or which of the staff in the platform's own client.
    pub who: Option<String>,
    /// What it says; nothing, where the role may not see it.
    pub text: Option<String>,
    /// Whether the role may not see what it says.
    pub masked: bool,
    /// Whether there was more of it than is kept.
    pub cut: bool,
    /// What was sent with it.
    pub attached: Option<AttachedView>,
    /// By which desk.
    pub desk: String,
    /// `heard`; of a reply `waiting`, `handed`, `delivered`, `failed` or `unknown`.
    pub state: String,
    /// Why it failed, by a name that stays.
    pub why: Option<String>,
    /// Whether whoever said it took it back.
    pub taken_back: bool,
}

/// A conversation with what was said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ConversationWhole {
    /// It.
    pub conversation: ConversationView,
    /// What was said, the latest first.
    pub messages: Page<WordView>,
}

/// A conversation that somebody may see, with the member.
pub(super) struct Seen {
    pub(super) id: ReflectionId,
    pub(super) version: i64,
    pub(super) talk: Talk,
    pub(super) member: Option<Member>,
    pub(super) mask: Mask,
    /// What desks are called, by account and id.
    pub(super) called: BTreeMap<(String, String), String>,
}

impl Seen {
    pub(super) fn view(&self, wall: Ts) -> ConversationView {
        let Self { talk, mask, .. } = self;
        let cannot_reply = talk.at_desk().and_then(|desk| cannot_reply(desk, wall));
        let desk = talk.at_desk().filter(|_| cannot_reply.is_none());
        let called = self.member.as_ref().and_then(|member| sight::called(*mask, member));
        let own = || talk.name.as_ref().and_then(|name| mask.name(name));
        let words = |words: &String| (*mask == Mask::Full).then(|| words.clone());
        let mut desks: Vec<_> = talk.desks.iter().collect();
        desks.sort_by_key(|one| std::cmp::Reverse(one.spoke));
        ConversationView {
            conversation: self.id.to_string(),
            persona: talk.persona.clone(),
            state: talk.state,
            unread: talk.unread,
            assignee: talk.assignee.clone(),
            member: self.member.as_ref().map(|member| member.id.to_string()),
            name: called.or_else(own),
            last: talk.last.as_ref().map(|last| LastView {
                at: last.at.rfc3339(),
                by: last.by,
                words: words(&last.words),
            }),
            since: talk.since.rfc3339(),
            reply_until: desk.map(|desk| desk.closes.rfc3339()),
            replies_left: desk.map_or(0, |desk| desk.left),
            cannot_reply: cannot_reply.map(str::to_owned),
            desks: desks
                .into_iter()
                .map(|one| DeskView {
                    channel: one.channel.clone(),
                    account: one.account.clone(),
                    desk: one.desk.clone(),
                    name: self.called.get(&(one.account.clone(), one.desk.clone())).cloned(),
                    spoke: one.spoke.rfc3339(),
                    session: one.session.clone(),
                })
                .collect(),
            complaint: talk.complaint.clone(),
            trouble: talk.trouble.clone(),
        }
    }
}

/// Why nothing may be said at a desk now, by the name with which a reply is refused.
pub(super) fn cannot_reply(desk: &Desk, wall: Ts) -> Option<&'static str> {
    match (desk.closes <= wall, desk.left == 0) {
        (true, _) => Some("reply_window_closed"),
        (false, true) => Some("replies_at_most"),
        (false, false) => None,
    }
}

/// A word as it may be shown.
pub(super) fn word_view(id: ReflectionId, word: &Word, mask: Mask) -> WordView {
    let masked = mask != Mask::Full;
    let (state, why) = match &word.stage {
        Stage::Heard => ("heard", None),
        Stage::Waiting => ("waiting", None),
        Stage::Handed => ("handed", None),
        Stage::Delivered { .. } => ("delivered", None),
        Stage::Failed(why) => ("failed", Some(why.clone())),
        Stage::Unknown => ("unknown", None),
    };
    WordView {
        message: id.to_string(),
        at: word.at.rfc3339(),
        by: word.by,
        who: word.who.clone(),
        text: (!masked).then(|| word.text.clone()),
        masked,
        cut: word.cut,
        attached: word.attached.as_ref().map(|one| AttachedView {
            kind: one.kind.clone(),
            media: Some(one.media.clone()).filter(|media| !masked && !media.is_empty()),
        }),
        desk: word.desk.clone(),
        state: state.to_owned(),
        why,
        taken_back: word.taken_back,
    }
}

/// Whether somebody may see a conversation: with the member of it, or since they look after it.
fn admits(filter: &Filter, grant: &Grant, talk: &Talk, member: Option<&Member>) -> bool {
    let is_theirs = talk.assignee.is_some() && talk.assignee == grant.staff;
    let all = filter.bound == Bound::Everything;
    all || is_theirs || member.is_some_and(|member| sight::admits(filter, member))
}

impl Rows<'_> {
    /// What the desks of conversations are called, as far as the platform told.
    async fn called(&self, talks: &[&Talk]) -> Result<BTreeMap<(String, String), String>> {
        let desks: BTreeSet<(&str, &str)> = talks
            .iter()
            .flat_map(|talk| &talk.desks)
            .map(|desk| (desk.account.as_str(), desk.desk.as_str()))
            .collect();
        let ids: BTreeMap<ReflectionId, (&str, &str)> = desks
            .into_iter()
            .map(|(account, desk)| {
                (reflection_id(&self.key, (self.network.channel, account), DESK, &[desk]), (account, desk))
            })
            .collect();
        let found = self.found::<Pulled>(ids.keys().copied().collect()).await?;
        let called = found.into_iter().filter_map(|(id, row)| match row {
            Found::There(row) if !row.what.name.is_empty() => {
                let (account, desk) = ids.get(&id)?;
                Some((((*account).to_owned(), (*desk).to_owned()), row.what.name))
            }
            Found::There(_) | Found::Erased(_) => None,
        });
        Ok(called.collect())
    }

    /// Members of conversations, by the places of those.
    async fn members_of(&self, talks: &[&Talk]) -> Result<BTreeMap<usize, Member>> {
        let customers: Vec<_> =
            talks.iter().map(|talk| (talk.namespace.as_str(), talk.customer.as_str())).collect();
        let ids = self.members(&customers).await?;
        let wanted: Vec<MemberId> = ids.values().copied().collect();
        let members = self.engine.store().reading().members(wanted).await?;
        let members: BTreeMap<MemberId, Member> = members.into_iter().map(|one| (one.id, one)).collect();
        let of = ids.into_iter().filter_map(|(place, id)| Some((place, members.get(&id)?.clone())));
        Ok(of.collect())
    }
}

impl Engine {
    /// A conversation, if somebody may see it for an operation; else as if there were none.
    pub(super) async fn seen_talk(
        &self,
        rows: &Rows<'_>,
        grant: &Grant,
        operation: Operation,
        id: &str,
    ) -> Result<Option<Seen>> {
        let filter = self.filter(grant, operation).await?;
        let Some(id) = ReflectionId::from_hex(id) else { return Ok(None) };
        // What has this id may be another thing of the mirror.
        let mirror = self.store().coupons().campaigns().mirror();
        let Some(found) = mirror.reflections(vec![id]).await?.pop() else { return Ok(None) };
        if found.kind != rows.kind(super::TALK) {
            return Ok(None);
        }
        let Some(row) = opened::<Talk>(found)? else { return Ok(None) };
        let member = rows.members_of(&[&row.what]).await?.into_values().next();
        let called = rows.called(&[&row.what]).await?;
        let seen = Seen { id, version: row.version, talk: row.what, member, mask: filter.mask, called };
        Ok(Some(seen).filter(|seen| admits(&filter, grant, &seen.talk, seen.member.as_ref())))
    }

    /// Conversations, those with the latest words first.
    #[boxed]
    pub async fn inbox(&self, grant: &Grant, asked: &InboxAsked) -> Result<InboxPage> {
        let limit = sight::limit(asked.limit)?;
        sight::bounded(&[("persona", asked.persona.as_deref()), ("assignee", asked.assignee.as_deref())])?;
        let counts = self.inbox_counts(grant).await?;
        let (filter, rows) = (self.filter(grant, Operation::InboxRead).await?, self.inbox_rows().await?);
        let list = json!({
            "list": "inbox", "member": asked.member, "persona": asked.persona, "assignee": asked.assignee, "state": asked.state.map(TalkState::name),
        });
        let cursors = Cursors::of(&rows.key, list);
        let before = match cursors.spot(asked.cursor.as_deref())? {
            None => None,
            Some(spot) => Some(spot_of(&spot).ok_or(ReadProblem::Cursor)?),
        };
        let states: Vec<TalkState> = match asked.state {
            Some(state) => vec![state],
            None => TalkState::ALL.into_iter().filter(|state| *state != TalkState::Closed).collect(),
        };
        let store = self.store().coupons().campaigns().conversations();
        let mut listed: Vec<Conversation> = Vec::new();
        if let Some(member) = &asked.member {
            listed = self.listed_of(&rows, member, asked, before).await?;
        }
        for state in states.into_iter().filter(|_| asked.member.is_none()) {
            let (persona, assignee) = (asked.persona.clone(), asked.assignee.clone());
            let wanted = ConversationsAsked { state: state.number(), persona, assignee, before, limit };
            listed.extend(store.conversations(wanted).await?);
        }
        listed.sort_unstable_by_key(|one| std::cmp::Reverse((one.at, one.id)));
        let more = listed.len() >= limit;
        listed.truncate(limit);
        let next = listed.last().filter(|_| more).map(|one| {
            let at = one.at.0.to_be_bytes();
            cursors.text(&[at.as_slice(), one.id.bytes().as_slice()].concat())
        });
        let mut talks = rows.found::<Talk>(listed.iter().map(|one| one.id).collect()).await?;
        let there: Vec<(ReflectionId, i64, Talk)> = listed
            .iter()
            .filter_map(|one| match talks.remove(&one.id)? {
                Found::There(row) => Some((row.id, row.version, row.what)),
                Found::Erased(_) => None,
            })
            .collect();
        let talks: Vec<&Talk> = there.iter().map(|(.., talk)| talk).collect();
        let (members, called) = (rows.members_of(&talks).await?, rows.called(&talks).await?);
        let wall = clock::wall();
        let mut items = Vec::new();
        for (place, (id, version, talk)) in there.into_iter().enumerate() {
            let member = members.get(&place).cloned();
            if admits(&filter, grant, &talk, member.as_ref()) {
                let called = called.clone();
                items.push(Seen { id, version, talk, member, mask: filter.mask, called }.view(wall));
            }
        }
        Ok(InboxPage { items, next, counts })
    }

    /// How many conversations there are, for whoever sees all of them.
    async fn inbox_counts(&self, grant: &Grant) -> Result<Option<InboxCounts>> {
        if self.filter(grant, Operation::InboxRead).await?.bound != Bound::Everything {
            return Ok(None);
        }
        let counted = self.store().coupons().campaigns().conversations().count_conversations().await?;
        let n = |state: TalkState| {
            counted.iter().find(|(number, _)| *number == state.number()).map_or(0, |(_, n)| *n)
        };
        Ok(Some(InboxCounts {
            unread: n(TalkState::Unread),
            open: n(TalkState::Open),
            answered: n(TalkState::Answered),
            closed: n(TalkState::Closed),
        }))
    }

    /// A member's conversations as they are listed, under whichever of their names on the platform or in an app each is; cut like any others.
    async fn listed_of(
        &self,
        rows: &Rows<'_>,
        member: &str,
        asked: &InboxAsked,
        before: Option<(Ts, ReflectionId)>,
    ) -> Result<Vec<Conversation>> {
        let given = MemberId::from_hex(member).ok_or(ReadProblem::Nobody)?;
        let member = self.store().reading().root(given).await?.unwrap_or(given);
        let names = self.store().identifiers_of(vec![member]).await?;
        let theirs = names.into_iter().filter(|(_, namespace, _)| rows.is_of_a_desk(namespace));
        let abouts = theirs.take(NAMES_MAX).map(|(_, namespace, value)| {
            seal::lookup(&rows.key, &Identifier { namespace: namespace.to_string(), value })
        });
        let store = self.store().coupons().campaigns().conversations();
        let mut listed = store.conversations_of(abouts.collect(), OF_MEMBER_MAX).await?;
        listed.retain(|one| {
            before.is_none_or(|before| (one.at, one.id) < before)
                && asked.state.is_none_or(|state| one.state == state.number())
                && asked.persona.as_ref().is_none_or(|persona| one.persona == *persona)
                && asked.assignee.as_ref().is_none_or(|whose| one.assignee.as_ref() == Some(whose))
        });
        Ok(listed)
    }

    /// One conversation, with what was said in it, the latest first.
    #[boxed]
    pub async fn conversation(
        &self,
        grant: &Grant,
        id: &str,
        limit: usize,
        cursor: Option<&str>,
    ) -> Result<ConversationWhole> {
        let (limit, rows) = (sight::limit(limit)?, self.inbox_rows().await?);
        let seen = self.seen_talk(&rows, grant, Operation::InboxRead, id).await?;
        let seen = seen.ok_or(ReadProblem::Nothing)?;
        let cursors = Cursors::of(&rows.key, json!({"list": "conversation", "of": id}));
        let after = match cursors.spot(cursor)? {
            None => None,
            Some(spot) => Some(ReflectionId::from_slice(&spot).ok_or(ReadProblem::Cursor)?),
        };
        let of = |desk: &'_ super::Desk| (desk.channel.clone(), desk.account.clone());
        let mut accounts: Vec<(String, String)> = seen.talk.desks.iter().map(of).collect();
        accounts.sort_unstable();
        accounts.dedup();
        let mirror = self.store().coupons().campaigns().mirror();
        let mut found = Vec::new();
        for (channel, account) in accounts {
            let kind = rows.words_of((&channel, &account));
            found.extend(mirror.reflections_of(&kind, seen.id, after, limit).await?);
        }
        found.sort_unstable_by_key(|one| one.id);
        let more = found.len() >= limit;
        found.truncate(limit);
        let next = found.last().filter(|_| more).map(|one| cursors.text(one.id.bytes()));
        let mut words = Vec::with_capacity(found.len());
        for one in found {
            words.extend(opened::<Word>(one)?);
        }
        // What was said in one second comes in the order in which it was heard.
        words.sort_by_key(|row| std::cmp::Reverse((row.what.at, row.what.n)));
        let items = words.iter().map(|row| word_view(row.id, &row.what, seen.mask)).collect();
        Ok(ConversationWhole { conversation: seen.view(clock::wall()), messages: Page { items, next } })
    }
}

fn spot_of(spot: &[u8]) -> Option<(Ts, ReflectionId)> {
    let (at, id) = spot.split_at_checked(8)?;
    Some((Ts(i64::from_be_bytes(at.try_into().ok()?)), ReflectionId::from_slice(id)?))
}
