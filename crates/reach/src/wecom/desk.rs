//! WeCom as a [`Platform`]: its words said in those that name none. The way there is one file, so that whoever asks knows nothing of WeCom.

mod service;
mod words;

use std::collections::BTreeMap;

use async_trait::async_trait;
use hyper::body::Bytes;

use super::callback::{CallbackSettings, Callbacks};
use super::contacts::Remark;
use super::groups::Owners;
use super::ids::{Subject, Whom as Named};
use super::limits::{Window, day_of};
use super::mass::{ChatType, MassQuery, SendStatus};
use super::media::{File, Kind};
use super::moments::MomentMade;
use super::notify::{Card, Content, Notice as WecomNotice};
use super::settings::{Account, Served, Settings};
use super::tags::{NewTag, Place, Which};
use super::transfer::{Giver, Progress as Far};
use super::welcome::Welcome;
use super::{CHANNEL, Fault, NAMESPACE, Trouble as WecomTrouble, Wecom, checkup, pages};
use crate::platform::{
    Answer, Asker, Converted, Fate, Group, GroupWay, Handover, Helpdesk, MadeTask, MadeWay, Moment,
    MomentMaking, Notice, Part, Platform, Progress, Relation, Reply, Said, Session, SpokenPage, Step, Tag,
    Task, TaskResult, Trouble, Way, Whom, Whose,
};

use words::{
    attachments, contact_way, filled, giver, handover, join_way, made, mass, moment, part, relation, seat,
    text, why_not,
};

/// How long the same word to staff is heard once, in seconds: as long as the platform looks back.
const NOTICE_ONCE_SECONDS: u64 = 4 * 60 * 60;
/// The most pages of a list that is read whole.
const PAGES_MAX: usize = 1_000;
/// How much earlier than ours the platform's clock may be, in seconds, where something is looked for that was made since an instant.
const CLOCKS_APART: i64 = 60;
/// A month as far as lists of tasks go back, in seconds.
const LISTED: i64 = 29 * 86_400;

/// WeCom, as one app of one business, with who acts as whom.
#[derive(Clone, Debug)]
pub struct Desk {
    wecom: Wecom,
    accounts: Vec<Account>,
    service: Vec<Served>,
    callbacks: Option<Callbacks>,
}

impl Desk {
    /// Of a client and the settings that it was made of.
    pub fn new(wecom: Wecom, settings: &Settings) -> Self {
        let callbacks = settings.callback.as_ref().and_then(|callback| {
            let agent_id = settings.agent_id.and_then(|agent| i64::try_from(agent).ok());
            let (token, aes_key) = (callback.token.said().to_owned(), callback.aes_key.said().to_owned());
            Callbacks::new(&CallbackSettings { token, aes_key, corp_id: settings.corp_id.clone(), agent_id })
                .ok()
        });
        let (accounts, service) = (settings.accounts.clone(), settings.service.clone());
        Self { wecom, accounts, service, callbacks }
    }

    fn now(&self) -> i64 {
        self.wecom.now_ms().div_euclid(1_000)
    }

    /// From when to when something is looked for that was made from an instant on.
    fn since(&self, from: i64) -> (i64, i64) {
        let now = self.now();
        (from.saturating_sub(CLOCKS_APART).max(now - LISTED), now + CLOCKS_APART)
    }

    async fn mass_records(&self, task: &Task, from: i64) -> Answer<Vec<String>> {
        let send = mass(task);
        let chat_type = match task.to {
            Whom::Customers(_) => ChatType::Single,
            Whom::Groups(_) => ChatType::Group,
        };
        let (start_time, end_time) = self.since(from);
        let query = MassQuery { chat_type, start_time, end_time, creator: None };
        let records = pages::all(PAGES_MAX, async |at: Option<String>| {
            self.wecom.mass_sends(&query, at.as_deref()).await
        });
        let records = records.await.map_err(trouble)?;
        Ok(send.among(&records, start_time).into_iter().map(|record| record.msgid.clone()).collect())
    }
}

fn trouble(trouble: WecomTrouble) -> Trouble {
    match trouble {
        WecomTrouble::Input { field, message } => Trouble::Wrong { field, message },
        WecomTrouble::Refused { name, fault, .. } => Trouble::Never { why: name, whose: whose(fault) },
        WecomTrouble::Later { name, rest, .. } => Trouble::Later { why: name, rest },
        WecomTrouble::Unknown { name } => Trouble::Unknown { why: name },
    }
}

const fn whose(fault: Fault) -> Whose {
    match fault {
        Fault::Settings => Whose::Settings,
        Fault::Staff => Whose::Account,
        Fault::Customer => Whose::Customer,
        Fault::Content => Whose::Content,
        Fault::Thing => Whose::Thing,
        Fault::Spent => Whose::Spent,
        Fault::Already => Whose::Already,
        Fault::Ours | Fault::Unnamed => Whose::Ours,
    }
}

/// What is not there is nothing, and no trouble.
fn or_nothing<T>(answer: Result<T, WecomTrouble>) -> Answer<Option<T>> {
    match answer.map_err(trouble) {
        Ok(there) => Ok(Some(there)),
        Err(trouble) if trouble.is_gone() => Ok(None),
        Err(trouble) => Err(trouble),
    }
}

/// Where it was done already, or what it is about is gone, nothing is left to do.
fn or_done(answer: Result<(), WecomTrouble>) -> Answer<()> {
    match answer.map_err(trouble) {
        Err(trouble) if trouble.is_gone() || trouble.is_done_already() => Ok(()),
        other => other,
    }
}

#[async_trait]
impl Platform for Desk {
    fn channel(&self) -> &'static str {
        CHANNEL
    }

    fn namespace(&self) -> &'static str {
        NAMESPACE
    }

    fn persona(&self, account: &str) -> Option<&str> {
        let found = self.accounts.iter().find(|one| one.userid.eq_ignore_ascii_case(account));
        // Ids of desks tell small letters from capitals.
        let served = || self.service.iter().find(|one| one.open_kfid == account).map(|one| &one.persona);
        found.map(|one| &one.persona).or_else(served).map(String::as_str)
    }

    fn accounts_of(&self, persona: &str) -> Vec<String> {
        self.accounts.iter().filter(|one| one.persona == persona).map(|one| one.userid.clone()).collect()
    }

    fn limit(&self, subject: &str, window: &str, at: i64) -> Option<u64> {
        self.wecom.limits().number(subject, Window::named(window)?, day_of(at.saturating_mul(1_000)))
    }

    fn window(&self, window: &str, at: i64) -> Option<i64> {
        Window::named(window)?.nth(at)
    }

    async fn enter(&self) -> Answer<()> {
        self.wecom.sign_in().await.map_err(trouble)
    }

    async fn check(&self, home: Option<&str>) -> Vec<Step> {
        let accounts: Vec<&str> = self.accounts.iter().map(|one| one.userid.as_str()).collect();
        checkup::steps(&self.wecom, &accounts, self.callbacks.as_ref(), home).await
    }

    async fn accounts(&self) -> Answer<Vec<String>> {
        self.wecom.follow_users().await.map_err(trouble)
    }

    async fn friends(&self, account: &str) -> Answer<usize> {
        match self.wecom.customers_of(account).await.map_err(trouble) {
            Ok(customers) => Ok(customers.len()),
            Err(Trouble::Never { whose: Whose::Customer, .. }) => Ok(0),
            Err(trouble) => Err(trouble),
        }
    }

    async fn seats(&self) -> Answer<usize> {
        let all = pages::all(PAGES_MAX, async |at: Option<String>| self.wecom.staff_ids(at.as_deref()).await);
        let mut all: Vec<String> = all.await.map_err(trouble)?.into_iter().map(|one| one.userid).collect();
        all.sort_unstable();
        all.dedup();
        Ok(all.len())
    }

    async fn welcome(&self, code: &str, said: &Said, again: bool) -> Answer<()> {
        let attachments = attachments(&said.attached);
        let welcome = Welcome { welcome_code: code.to_owned(), text: text(said), attachments };
        self.wecom.welcome(&welcome, again).await.map(drop).map_err(trouble)
    }

    async fn relations_of(&self, customer: &str) -> Answer<Vec<Relation>> {
        match self.wecom.customer(customer).await.map_err(trouble) {
            Ok(found) => {
                let contact = found.contact;
                Ok(found.followers.into_iter().map(|follower| relation(&contact, follower)).collect())
            }
            Err(Trouble::Never { whose: Whose::Customer, .. }) => Ok(Vec::new()),
            Err(trouble) => Err(trouble),
        }
    }

    async fn roster(&self, accounts: &[String], at: Option<&str>) -> Answer<Part<Relation>> {
        let page = self.wecom.customers_of_many(accounts, at).await.map_err(trouble)?;
        Ok(part(page, |one| relation(&one.external_contact, one.follow_info)))
    }

    async fn remark(&self, account: &str, customer: &str, remark: &str) -> Answer<()> {
        let remark = Remark {
            userid: account.to_owned(),
            external_userid: customer.to_owned(),
            remark: Some(remark.to_owned()),
            ..Remark::default()
        };
        self.wecom.remark(&remark).await.map_err(trouble)
    }

    async fn tags(&self) -> Answer<Vec<Tag>> {
        let groups = self.wecom.tags(Which::All).await.map_err(trouble)?;
        let mut tags = Vec::new();
        for group in groups.into_iter().filter(|group| !group.deleted) {
            tags.extend(group.tag.into_iter().filter(|tag| !tag.deleted).map(|tag| Tag {
                tag: tag.id,
                name: tag.name,
                group: group.group_id.clone(),
                group_name: group.group_name.clone(),
            }));
        }
        Ok(tags)
    }

    async fn make_tags(&self, group_name: &str, names: &[String]) -> Answer<()> {
        let tags: Vec<NewTag> = names.iter().map(|name| NewTag { name: name.clone(), order: 0 }).collect();
        or_done(self.wecom.add_tags(Place::Named(group_name), &tags).await.map(drop))
    }

    async fn drop_tags(&self, tags: &[String]) -> Answer<()> {
        or_done(self.wecom.delete_tags(tags, &[]).await)
    }

    async fn mark(&self, account: &str, customer: &str, add: &[String], remove: &[String]) -> Answer<()> {
        self.wecom.mark_tags(account, customer, add, remove).await.map_err(trouble)
    }

    async fn groups(&self, owners: &[String], at: Option<&str>) -> Answer<Part<String>> {
        let page = self.wecom.groups(Owners::Any, owners, at).await.map_err(trouble)?;
        Ok(part(page, |group| group.chat_id))
    }

    async fn group(&self, group: &str) -> Answer<Option<Group>> {
        let Some(found) = or_nothing(self.wecom.group(group).await)? else { return Ok(None) };
        Ok(Some(Group {
            group: found.chat_id,
            name: found.name,
            owner: found.owner,
            since: found.create_time,
            version: found.member_version,
            seats: found.member_list.into_iter().map(seat).collect(),
        }))
    }

    async fn hand_over_groups(
        &self,
        groups: &[String],
        to: &str,
        has_left: bool,
    ) -> Answer<BTreeMap<String, &'static str>> {
        let from = if has_left { Giver::Left } else { Giver::Here };
        let failed = self.wecom.transfer_groups(from, groups, to).await.map_err(trouble)?;
        let why = |one: super::transfer::FailedChat| Some((one.chat_id, why_not(one.errcode)?));
        Ok(failed.into_iter().filter_map(why).collect())
    }

    async fn make_way(&self, way: &Way) -> Answer<MadeWay> {
        self.wecom.add_contact_way(&contact_way(way)).await.map(made).map_err(trouble)
    }

    async fn find_way(&self, name: &str, from: i64) -> Answer<Option<MadeWay>> {
        let (start, end) = (from.saturating_sub(CLOCKS_APART), self.now() + CLOCKS_APART);
        let ids = pages::all(PAGES_MAX, async |at: Option<String>| {
            self.wecom.contact_ways(start, end, at.as_deref()).await
        });
        for id in ids.await.map_err(trouble)? {
            let shown = or_nothing(self.wecom.contact_way(&id).await)?;
            if let Some(shown) = shown.filter(|shown| shown.way.state == name) {
                return Ok(Some(MadeWay { id, picture: filled(shown.qr_code) }));
            }
        }
        Ok(None)
    }

    async fn way(&self, id: &str) -> Answer<Option<Way>> {
        let shown = or_nothing(self.wecom.contact_way(id).await)?;
        Ok(shown.map(|shown| Way {
            name: shown.way.state,
            note: shown.way.remark,
            accounts: shown.way.user,
            asks: !shown.way.skip_verify,
        }))
    }

    async fn change_way(&self, id: &str, way: &Way) -> Answer<()> {
        self.wecom.update_contact_way(id, &contact_way(way)).await.map_err(trouble)
    }

    async fn drop_way(&self, id: &str) -> Answer<()> {
        or_done(self.wecom.delete_contact_way(id).await)
    }

    async fn make_group_way(&self, way: &GroupWay) -> Answer<MadeWay> {
        self.wecom.add_join_way(&join_way(way)).await.map(made).map_err(trouble)
    }

    async fn group_way(&self, id: &str) -> Answer<Option<GroupWay>> {
        let shown = or_nothing(self.wecom.join_way(id).await)?;
        Ok(shown.map(|shown| {
            let way = shown.way;
            let makes =
                (way.auto_create_room == 1).then(|| (way.room_base_name, way.room_base_id.unwrap_or(1)));
            GroupWay { name: way.state, note: way.remark, groups: way.chat_id_list, makes }
        }))
    }

    async fn change_group_way(&self, id: &str, way: &GroupWay) -> Answer<()> {
        self.wecom.update_join_way(id, &join_way(way)).await.map_err(trouble)
    }

    async fn drop_group_way(&self, id: &str) -> Answer<()> {
        or_done(self.wecom.delete_join_way(id).await)
    }

    async fn hand_in(&self, name: &str, png: &[u8]) -> Answer<(String, i64)> {
        let file = File { name: name.to_owned(), bytes: Bytes::copy_from_slice(png) };
        let uploaded = self.wecom.upload_media(Kind::Image, &file).await.map_err(trouble)?;
        Ok((uploaded.media_id, uploaded.expires_at))
    }

    async fn make_task(&self, task: &Task) -> Answer<MadeTask> {
        let made = self.wecom.mass_send(&mass(task)).await.map_err(trouble)?;
        Ok(MadeTask { id: made.msgid, left_out: made.fail_list })
    }

    async fn find_task(&self, task: &Task, from: i64) -> Answer<Vec<String>> {
        self.mass_records(task, from).await
    }

    async fn task_results(&self, id: &str, account: &str, at: Option<&str>) -> Answer<Part<TaskResult>> {
        let page = self.wecom.mass_results(id, account, at).await.map_err(trouble)?;
        Ok(part(page, |one| TaskResult {
            whom: if one.chat_id.is_empty() { one.external_userid } else { one.chat_id },
            account: one.userid,
            fate: match one.status {
                SendStatus::Waiting => Fate::Waiting,
                SendStatus::Sent => Fate::Sent(one.send_time),
                SendStatus::NotFriend => Fate::NotTheirs,
                SendStatus::OverLimit => Fate::OverLimit,
                SendStatus::Other(_) => Fate::Other,
            },
        }))
    }

    async fn cancel_task(&self, id: &str) -> Answer<()> {
        or_done(self.wecom.cancel_mass_send(id).await)
    }

    async fn remind_task(&self, id: &str) -> Answer<()> {
        self.wecom.remind_mass_send(id).await.map_err(trouble)
    }

    async fn make_moment(&self, given: &Moment) -> Answer<String> {
        self.wecom.add_moment(&moment(given)).await.map_err(trouble)
    }

    async fn moment_making(&self, job: &str) -> Answer<MomentMaking> {
        Ok(match self.wecom.moment_made(job).await.map_err(trouble)? {
            MomentMade::Making => MomentMaking::default(),
            MomentMade::Made { moment_id, invalid_staff, .. } => {
                MomentMaking { moment: Some(moment_id), unknown_accounts: invalid_staff }
            }
        })
    }

    async fn find_moment(&self, moment: &Moment, from: i64) -> Answer<Vec<String>> {
        let (start, end) = self.since(from);
        let records = pages::all(PAGES_MAX, async |at: Option<String>| {
            self.wecom.moments(start, end, at.as_deref()).await
        });
        let is_this = |record: &super::moments::MomentRecord| {
            record.create_type == 0 && record.create_time >= start && record.text.content == moment.said.text
        };
        let records = records.await.map_err(trouble)?;
        Ok(records.into_iter().filter(is_this).map(|record| record.moment_id).collect())
    }

    async fn moment_results(&self, moment: &str) -> Answer<Vec<(String, bool)>> {
        let tasks = pages::all(PAGES_MAX, async |at: Option<String>| {
            self.wecom.moment_tasks(moment, at.as_deref()).await
        });
        let tasks = tasks.await.map_err(trouble)?;
        Ok(tasks.into_iter().map(|task| (task.userid, task.publish_status == 1)).collect())
    }

    async fn cancel_moment(&self, moment: &str) -> Answer<()> {
        or_done(self.wecom.cancel_moment(moment).await)
    }

    async fn hand_over(
        &self,
        how: &Handover,
        customers: &[String],
    ) -> Answer<BTreeMap<String, &'static str>> {
        let word = how.word.as_deref().filter(|_| !how.has_left);
        let asked =
            self.wecom.transfer(giver(how), &handover(how), customers, word).await.map_err(trouble)?;
        let why = |one: super::transfer::Asked| Some((one.external_userid, why_not(one.errcode)?));
        Ok(asked.into_iter().filter_map(why).collect())
    }

    async fn handed_over(&self, how: &Handover, at: Option<&str>) -> Answer<Part<(String, Progress)>> {
        let page = self.wecom.transferred(giver(how), &handover(how), at).await.map_err(trouble)?;
        Ok(part(page, |one| {
            let progress = match one.status {
                Far::Done => Progress::Done,
                Far::Waiting => Progress::Waiting,
                Far::Refused => Progress::Refused,
                Far::Full => Progress::Full,
                Far::None => Progress::None,
                Far::Other(_) => Progress::Other,
            };
            (one.external_userid, progress)
        }))
    }

    async fn left_behind(&self, at: Option<&str>) -> Answer<Part<(String, String)>> {
        let page = self.wecom.unassigned(at).await.map_err(trouble)?;
        Ok(part(page, |one| (one.handover_userid, one.external_userid)))
    }

    async fn convert(&self, unionid: &str, openid: &str) -> Answer<Converted> {
        match self.wecom.whom(unionid, openid, Subject::Business).await.map_err(trouble) {
            Ok(Named::Customer(customer)) => Ok(Converted::Customer(customer)),
            Ok(Named::Pending(pending)) => Ok(Converted::Pending(pending)),
            Ok(Named::Nobody) | Err(Trouble::Never { whose: Whose::Customer, .. }) => Ok(Converted::Nobody),
            Err(trouble) => Err(trouble),
        }
    }

    async fn pending_of(&self, customers: &[String]) -> Answer<Vec<(String, String)>> {
        let mut all = Vec::new();
        for some in customers.chunks(super::ids::PENDING_MAX) {
            all.extend(self.wecom.pending_of(some).await.map_err(trouble)?);
        }
        Ok(all)
    }

    async fn helpdesks(&self) -> Answer<Vec<Helpdesk>> {
        self.all_helpdesks().await
    }

    async fn spoken(
        &self,
        desk: &str,
        token: Option<&str>,
        at: Option<&str>,
        limit: usize,
    ) -> Answer<SpokenPage> {
        self.said_there(desk, token, at, limit).await
    }

    async fn reply(&self, reply: &Reply) -> Answer<()> {
        self.replied(reply).await
    }

    async fn session(&self, desk: &str, customer: &str) -> Answer<Session> {
        self.session_of(desk, customer).await
    }

    async fn askers(&self, customers: &[String]) -> Answer<Vec<Asker>> {
        self.asked_who(customers).await
    }

    async fn notify(&self, accounts: &[String], notice: &Notice) -> Answer<Vec<String>> {
        let said = match &notice.url {
            Some(url) => WecomNotice::TextCard {
                textcard: Card {
                    title: notice.title.clone(),
                    description: notice.text.clone(),
                    url: url.clone(),
                    btntxt: None,
                },
            },
            None => {
                let content = [notice.title.as_str(), notice.text.as_str()].join("\n");
                WecomNotice::Text { text: Content { content: content.trim().to_owned() } }
            }
        };
        let told = self.wecom.notify(accounts, &said, NOTICE_ONCE_SECONDS).await.map_err(trouble)?;
        Ok([told.invalid, told.unlicensed].concat())
    }
}
