//! What people ask to be published, and how it stands.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use zhiyin_model::event::Refusal;
use zhiyin_model::id::IdKey;
use zhiyin_model::link::leads;
use zhiyin_model::role::{Grant, Operation, second_person};
use zhiyin_model::time::{DAY_US, Ts};
use zhiyin_store::campaigns::mirror::{Reflect, Reflection, ReflectionId, reflection_id};
use zhiyin_store::{StoreError, seal};

use super::{POST, Post, PostStage, Where};
use crate::audit::{self, Outcome, Target, detail};
use crate::boxed;
use crate::platforms::tasks::{CONFIRM_USUAL_US, Errand, Reaches, Stage, TASK, WAITING, Words};
use crate::{Engine, Result, approvals, clock};

/// The channel of accounts whose staff publish.
const CHANNEL: &str = zhiyin_model::playbook::campaign::WECOM;
/// The longest batch, account, id, name; in characters.
const NAME_CHARS_MAX: usize = 64;
/// The most groups, owners, accounts, tags that are named.
const NAMED_MAX: usize = 500;
/// The longest text, in bytes: what a platform takes.
const TEXT_BYTES_MAX: usize = 4_000;
/// The longest title of a card, in bytes.
const TITLE_BYTES_MAX: usize = 64;
/// For how long a moment may be published, where nobody says otherwise; and how many days at most anything may.
const MOMENT_USUAL_US: i64 = 3 * DAY_US;
const HOURS_MAX: u32 = 7 * 24;
/// As many customers as a group has at most, as far as one person decides alone.
const GROUP_CUSTOMERS: i64 = 500;
/// How many posts are shown, and how many tasks of one are looked at.
const SHOWN_MAX: usize = 200;

/// Into which groups.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupsAsked {
    /// These, by id.
    pub groups: Vec<String>,
    /// Those whose name has this in it.
    pub named: Option<String>,
    /// Those of these owners.
    pub owners: Vec<String>,
    /// Those into which the codes of these touchpoints lead, or led.
    pub touchpoints: Vec<String>,
    /// Those of whoever works at these stores.
    pub stores: Vec<String>,
}

/// By whom, and for whom.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MomentAsked {
    /// By these accounts; by all, where none is named.
    pub accounts: Vec<String>,
    /// For customers with one of these tags.
    pub tags: Vec<String>,
}

/// Something to be published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostAsked {
    /// What it is known by: asked again it is the same.
    pub batch: String,
    /// Through which of the brand's accounts in the file of channels.
    pub account: String,
    /// The text.
    pub text: String,
    /// A card: its title, and the address where it leads.
    pub card: Option<(String, String)>,
    /// Into groups; else as a moment.
    pub groups: Option<GroupsAsked>,
    /// As a moment.
    pub moment: Option<MomentAsked>,
    /// For how many hours staff may confirm it.
    pub confirm_hours: Option<u32>,
}

/// Something that is published, as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PostView {
    /// What it is known by.
    pub batch: String,
    /// Through which of the brand's accounts.
    pub account: String,
    /// `groups` or `moment`.
    pub into: String,
    /// The text.
    pub text: String,
    /// Who asked for it.
    pub asked_by: String,
    /// When, by the wall clock.
    pub asked_at: String,
    /// `asked` (it waits for a second person, or is about to begin), `publishing` or `over`.
    pub state: String,
    /// Why it came to nothing, where it did.
    pub why: Option<String>,
    /// The request for a second person, where it needs one.
    pub approval: Option<i64>,
    /// Who of the staff publishes it.
    pub staff: Vec<PostOfStaff>,
}

/// What of it one of the staff did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PostOfStaff {
    /// Who.
    pub account: String,
    /// `waiting`, `published` or `over` (it was not, and will not be).
    pub state: String,
    /// In how many groups what became of it: `waiting`, `sent`, or why not. Empty for a moment.
    pub groups: BTreeMap<String, usize>,
}

type Refused<T> = std::result::Result<T, Refusal>;

fn refused<T>(code: &'static str, field: &str, message: impl Into<String>) -> Refused<T> {
    Err(Refusal::new(code, field, message))
}

fn plain(field: &str, text: &str) -> Refused<()> {
    let n = text.chars().count();
    if n == 0 || n > NAME_CHARS_MAX || text.chars().any(char::is_control) {
        return refused("bad_text", field, format!("1 to {NAME_CHARS_MAX} visible characters"));
    }
    Ok(())
}

fn several(field: &str, all: &[String]) -> Refused<()> {
    if all.len() > NAMED_MAX {
        return refused("too_many", field, format!("at most {NAMED_MAX}"));
    }
    all.iter().try_for_each(|one| plain(field, one))
}

impl PostAsked {
    /// What is published; refused by its field where it cannot be.
    fn post(&self, by: &Grant, hosts: &[String], wall: Ts) -> Refused<Post> {
        plain("batch", &self.batch)?;
        plain("account", &self.account)?;
        let text = self.text.trim();
        if text.is_empty() || text.len() > TEXT_BYTES_MAX || text.chars().any(|c| c.is_control() && c != '\n')
        {
            return refused("bad_text", "text", format!("1 to {TEXT_BYTES_MAX} bytes that can be seen"));
        }
        if let Some((title, url)) = &self.card {
            plain("card.title", title)?;
            if title.len() > TITLE_BYTES_MAX {
                return refused("text_too_long", "card.title", format!("at most {TITLE_BYTES_MAX} bytes"));
            }
            if let Err(why) = leads(url, hosts) {
                return refused("link_leads_nowhere", "card.url", why);
            }
        }
        let into = match (&self.groups, &self.moment) {
            (Some(GroupsAsked { groups, named, owners, touchpoints, stores }), None) => {
                for (field, all) in
                    [("groups", groups), ("owners", owners), ("touchpoints", touchpoints), ("stores", stores)]
                {
                    several(field, all)?;
                }
                if let Some(named) = named {
                    plain("named", named)?;
                }
                let lists = [groups, owners, touchpoints, stores];
                if lists.iter().all(|all| all.is_empty()) && named.is_none() {
                    return refused("group_missing", "groups", "into which groups?");
                }
                Where::Groups {
                    groups: groups.clone(),
                    named: named.clone(),
                    owners: owners.clone(),
                    touchpoints: touchpoints.clone(),
                    stores: stores.clone(),
                }
            }
            (None, Some(MomentAsked { accounts, tags })) => {
                several("accounts", accounts)?;
                several("tags", tags)?;
                if self.card.is_some() {
                    return refused("bad_text", "card", "a moment has none");
                }
                Where::Moment { accounts: accounts.clone(), tags: tags.clone() }
            }
            _ => return refused("group_missing", "groups", "into groups, or as a moment: one of both"),
        };
        let usual = if self.moment.is_some() { MOMENT_USUAL_US } else { CONFIRM_USUAL_US };
        let confirm_us = match self.confirm_hours {
            None => usual,
            Some(hours @ 1..=HOURS_MAX) => i64::from(hours) * zhiyin_model::time::HOUR_US,
            Some(_) => return refused("bad_number", "confirm_hours", format!("1 to {HOURS_MAX}")),
        };
        Ok(Post {
            batch: self.batch.clone(),
            words: Words { text: text.to_owned(), picture: None, card: self.card.clone() },
            into,
            stage: PostStage::Asked,
            confirm_us,
            by: by.who.clone(),
            asked: wall,
            approval: None,
            published: BTreeMap::new(),
            tries: 0,
        })
    }
}

/// How many customers see it at most.
fn customers_most(into: &Where) -> i64 {
    match into {
        Where::Groups { groups, named: None, owners, touchpoints, stores }
            if owners.is_empty() && touchpoints.is_empty() && stores.is_empty() =>
        {
            i64::try_from(groups.len()).unwrap_or(i64::MAX).saturating_mul(GROUP_CUSTOMERS)
        }
        _ => i64::MAX,
    }
}

fn kind(account: &str, kind: &str) -> String {
    format!("{CHANNEL}:{account}:{kind}")
}

fn id_of(key: &IdKey, account: &str, kind: &str, names: &[&str]) -> ReflectionId {
    reflection_id(key, (CHANNEL, account), kind, names)
}

fn read<T: serde::de::DeserializeOwned>(row: &Reflection) -> Result<T> {
    let body = seal::open(&row.body)?;
    let what = serde_json::from_str(&body);
    Ok(what.map_err(|error| StoreError::Damaged(format!("what is published: {error}")))?)
}

impl Engine {
    /// Asks for something to be published, or tells how what was asked for by this name stands.
    #[boxed]
    pub async fn ask_post(&self, grant: &Grant, asked: &PostAsked) -> Result<Refused<PostView>> {
        grant.may(Operation::CampaignsManage)?;
        let live = self.live()?;
        if let Some(of) = &asked.groups {
            let is_touchpoint = |touchpoint: &String| live.playbook.touchpoints.contains_key(touchpoint);
            if !of.touchpoints.iter().all(is_touchpoint) {
                return Ok(refused(
                    "touchpoint_unknown",
                    "touchpoints",
                    "the playbook has no such touchpoint",
                ));
            }
            let tree = self.places().await?;
            if !of.stores.iter().all(|store| tree.get(store).is_some()) {
                return Ok(refused("place_unknown", "stores", "there is no such place"));
            }
        }
        let mut post = match asked.post(grant, &live.playbook.links.hosts, clock::wall()) {
            Ok(post) => post,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let mirror = self.store().coupons().campaigns().mirror();
        let begins = kind(&asked.account, "");
        if !mirror.reflection_kinds().await?.iter().any(|kind| kind.starts_with(&begins)) {
            return Ok(refused("account_unknown", "account", "this home asks no platform as this account"));
        }
        let key = self.home().await?.id_key;
        let id = id_of(&key, &asked.account, POST, &[&asked.batch]);
        if let Some(row) = mirror.reflections(vec![id]).await?.first() {
            return self.same_post(&asked.account, row, &post).await;
        }
        let limits = self.alone();
        let most = customers_most(&post.into);
        let is_owner = grant.who.starts_with("system:");
        if second_person(Operation::CouponsIssueMany, most, &limits) && !is_owner {
            let request = json!({
                "command": "posts", "post": id.to_string(), "account": asked.account, "batch": asked.batch,
                "into": into_name(&post.into),
            });
            let store = self.store().as_ref();
            post.approval =
                Some(approvals::ask(store, grant, Operation::CampaignsManage, &request, &limits).await?);
        }
        let body = serde_json::to_string(&post).map_err(|error| StoreError::Damaged(error.to_string()))?;
        let reflect = Reflect {
            id,
            read: 0,
            kind: kind(&asked.account, POST),
            part: id_of(&key, &asked.account, POST, &[]),
            due: Some(Ts(0)),
            about: key.digest("reflection", &[id.bytes()]),
            body: seal::seal(&body),
        };
        let noted =
            detail(json!({"post": asked.batch, "into": into_name(&post.into), "approval": post.approval}));
        let target = Target::code(&asked.batch);
        let store = self.store().as_ref();
        audit::note(store, grant, Operation::CampaignsManage, &target, Outcome::Begun, &noted).await?;
        mirror.reflect(vec![reflect]).await?;
        match mirror.reflections(vec![id]).await?.first() {
            Some(row) => self.same_post(&asked.account, row, &post).await,
            None => Ok(refused("post_unknown", "batch", "nothing of this name is published")),
        }
    }

    /// How something stands that was asked for before.
    async fn same_post(&self, account: &str, row: &Reflection, asked: &Post) -> Result<Refused<PostView>> {
        let post: Post = read(row)?;
        if post.words != asked.words || post.into != asked.into {
            return Ok(refused("batch_reused", "batch", "a post of this name was of something else"));
        }
        Ok(Ok(self.post_view(account, &post).await?))
    }

    /// Posts of an account, in no order that says anything.
    #[boxed]
    pub async fn posts(&self, account: &str) -> Result<Refused<Vec<PostView>>> {
        if let Err(refusal) = plain("account", account) {
            return Ok(Err(refusal));
        }
        let key = self.home().await?.id_key;
        let part = id_of(&key, account, POST, &[]);
        let mirror = self.store().coupons().campaigns().mirror();
        let rows = mirror.reflections_of(&kind(account, POST), part, None, SHOWN_MAX).await?;
        let mut views = Vec::with_capacity(rows.len());
        for row in &rows {
            views.push(self.post_view(account, &read(row)?).await?);
        }
        views.sort_by(|one, other| other.asked_at.cmp(&one.asked_at));
        Ok(Ok(views))
    }

    async fn post(&self, account: &str, batch: &str) -> Result<Refused<Post>> {
        if let Err(refusal) = plain("account", account).and_then(|()| plain("batch", batch)) {
            return Ok(Err(refusal));
        }
        let key = self.home().await?.id_key;
        let id = id_of(&key, account, POST, &[batch]);
        let found = self.store().coupons().campaigns().mirror().reflections(vec![id]).await?;
        match found.first() {
            Some(row) => Ok(Ok(read(row)?)),
            None => Ok(refused("post_unknown", "batch", "nothing of this name is published")),
        }
    }

    /// How one stands.
    #[boxed]
    pub async fn post_of(&self, account: &str, batch: &str) -> Result<Refused<PostView>> {
        match self.post(account, batch).await? {
            Ok(post) => Ok(Ok(self.post_view(account, &post).await?)),
            Err(refusal) => Ok(Err(refusal)),
        }
    }

    /// A second person answers.
    #[boxed]
    pub async fn answer_post(
        &self,
        grant: &Grant,
        (account, batch): (&str, &str),
        approved: bool,
    ) -> Result<Refused<PostView>> {
        let post = match self.post(account, batch).await? {
            Ok(post) => post,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let Some(no) = post.approval else {
            return Ok(refused("post_waits_for_nobody", "batch", "it waits for no second person"));
        };
        let store = self.store().as_ref();
        if approved {
            approvals::approve(store, grant, no).await?;
        } else {
            approvals::refuse(store, grant, no).await?;
        }
        Ok(Ok(self.post_view(account, &post).await?))
    }

    async fn post_view(&self, account: &str, post: &Post) -> Result<PostView> {
        let (state, why) = match &post.stage {
            PostStage::Asked => ("asked", None),
            PostStage::Over(why) => ("over", why.clone()),
            _ => ("publishing", None),
        };
        let mut view = PostView {
            batch: post.batch.clone(),
            account: account.to_owned(),
            into: into_name(&post.into).to_owned(),
            text: post.words.text.clone(),
            asked_by: post.by.clone(),
            asked_at: post.asked.rfc3339(),
            state: state.to_owned(),
            why,
            approval: post.approval,
            staff: Vec::new(),
        };
        let is_over = matches!(post.stage, PostStage::Over(_));
        for (account, done) in &post.published {
            let state = if *done {
                "published"
            } else if is_over {
                "over"
            } else {
                "waiting"
            };
            view.staff.push(PostOfStaff {
                account: account.clone(),
                state: state.to_owned(),
                groups: BTreeMap::new(),
            });
        }
        if post.stage != PostStage::Tasks {
            return Ok(view);
        }
        let key = self.home().await?.id_key;
        let part = id_of(&key, account, POST, &[&post.batch]);
        let mirror = self.store().coupons().campaigns().mirror();
        let rows = mirror.reflections_of(&kind(account, TASK), part, None, SHOWN_MAX * 10).await?;
        for row in &rows {
            let errand: Errand = read(row)?;
            let Reaches::Groups(groups) = &errand.to else { continue };
            let mut counted: BTreeMap<String, usize> = BTreeMap::new();
            groups.values().for_each(|fate| *counted.entry(fate.clone()).or_default() += 1);
            let state = match &errand.stage {
                Stage::Over(_) if counted.contains_key("sent") => "published",
                Stage::Over(_) => "over",
                _ if counted.contains_key(WAITING) => "waiting",
                _ => "published",
            };
            view.staff.push(PostOfStaff {
                account: errand.account,
                state: state.to_owned(),
                groups: counted,
            });
        }
        if !view.staff.is_empty() && view.staff.iter().all(|one| one.state != "waiting") {
            view.state = "over".to_owned();
        }
        Ok(view)
    }
}

fn into_name(into: &Where) -> &'static str {
    match into {
        Where::Groups { .. } => "groups",
        Where::Moment { .. } => "moment",
    }
}
