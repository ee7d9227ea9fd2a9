//! Issues to many.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;
use zhiyin_decide::coupon::{NOT_ISSUED, is_chance};
use zhiyin_model::coupon::{ISSUED, issue_count};
use zhiyin_model::event::json::write_text;
use zhiyin_model::event::{Refusal, names};
use zhiyin_model::id::{IdKey, MemberId};
use zhiyin_model::playbook::Audience;
use zhiyin_model::role::{Grant, Limits, Operation, second_person};
use zhiyin_model::time::Ts;
use zhiyin_store::access::Approval;
use zhiyin_store::coupons::{Issue, NewIssue, PART_MEMBERS_MAX};
use zhiyin_store::{Append, Home, NewEvent, Progress, Ties, reading, seal};

use crate::audience::checked;
use crate::audit::{self, Outcome, Target, detail};
use crate::boxed;
use crate::{Engine, Live, Result, approvals, clock};

/// What the source of an issue's items is called, before its number.
pub const SOURCE: &str = zhiyin_decide::coupon::ISSUE_SOURCE;
/// The most bytes of a condition that says whom an issue is for.
const AUDIENCE_BYTES_MAX: usize = 8 * 1024;
/// How many of the latest requests for a second person are looked at.
const APPROVALS_LOOK_MAX: usize = 20_000;
/// How long one waits before looking again whether what was taken in is decided.
const LOOK: Duration = Duration::from_millis(50);

/// An issue to many, as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct IssueView {
    /// Its number.
    pub number: i64,
    /// What it is known by.
    pub batch: String,
    /// Of which offer.
    pub offer: String,
    /// To whom.
    pub audience: String,
    /// Who asked.
    pub asked_by: String,
    /// When, in business time.
    pub asked_at: String,
    /// `listing`, `waiting` (for a second person), `refused` (by them), `issuing` or `done`.
    pub state: String,
    /// The request for a second person, where it needs one.
    pub approval: Option<i64>,
    /// How many members it is for; nothing, while they are written down.
    pub members: Option<i64>,
    /// To how many it was issued.
    pub issued: i64,
    /// To how many it was not, by why.
    pub not_issued: BTreeMap<String, i64>,
}

/// What all items of an issue say, but for the member of each.
struct Items {
    key: IdKey,
    source: String,
    body_hash: [u8; 16],
    at: Ts,
    /// Before and behind the member.
    body: [String; 2],
}

impl Items {
    fn of(home: &Home, issue: &Issue) -> Self {
        let (no, offer, at) = (issue.no, &issue.asked.offer, issue.asked.at);
        let mut behind = String::with_capacity(160);
        behind.push_str("\",\"type\":\"member\"}]},\"event\":");
        write_text(names::COUPON_ISSUED, &mut behind);
        behind.push_str(",\"properties\":{\"batch\":");
        write_text(&no.to_string(), &mut behind);
        behind.push_str(",\"offer\":");
        write_text(offer, &mut behind);
        behind.push_str("},\"timestamp\":");
        write_text(&at.rfc3339(), &mut behind);
        behind.push_str(",\"type\":\"track\"}");
        Self {
            key: home.id_key.clone(),
            source: format!("{SOURCE}{no}"),
            body_hash: home.id_key.digest("body", &[offer.as_bytes()]),
            at,
            body: ["{\"context\":{\"externalIds\":[{\"id\":\"".to_owned(), behind],
        }
    }

    fn of_member(&self, member: MemberId) -> NewEvent {
        let message_id = member.to_string();
        let [before, behind] = &self.body;
        NewEvent {
            id: self.key.derive("event", &[self.source.as_bytes(), message_id.as_bytes()]),
            body_hash: self.body_hash,
            body: seal::seal(&[before, message_id.as_str(), behind].concat()),
            message_id,
            called: None,
            name: names::COUPON_ISSUED.to_owned(),
            time: self.at,
            names: Vec::new(),
            member,
            reach: None,
            ties: Ties::Keep,
            parts: Vec::new(),
        }
    }
}

/// How whoever runs the home at its machine is called, to begin with.
const OWNER: &str = "system:";

/// The condition that says whom an issue is for, and the saved audience that it is, if it is one.
fn told_of<'l>(live: &'l Live, audience: &str) -> (String, Option<&'l Audience>) {
    let text = audience.trim();
    let saved = live.playbook.audiences.get(text);
    (if saved.is_some() { format!("@{text}") } else { text.to_owned() }, saved)
}

/// Whether one person decides it alone: it is for few, or asked for by whoever runs the home at its machine.
fn is_alone(issue: &Issue, limits: &Limits) -> bool {
    let members = issue.listed.map_or(0, |(members, _)| members);
    let by_two = second_person(Operation::CouponsIssueMany, members, limits);
    !by_two || issue.asked.by.starts_with(OWNER)
}

fn is_approved(approval: &Approval) -> bool {
    approval.answer.as_ref().is_some_and(|answer| answer.approved)
}

fn progress_of(no: i64) -> String {
    format!("issue/{no}")
}

impl Engine {
    /// Begins an issue of an offer's coupon to an audience (a saved one by its name, or a condition), or takes up the one of
    /// this name, and writes down whom it is for.
    #[boxed]
    pub async fn begin_issue(
        &self,
        grant: &Grant,
        (name, offer, audience): (&str, &str, &str),
    ) -> Result<std::result::Result<Issue, Refusal>> {
        let live = self.live()?;
        // Chances come with orders: nobody gives them otherwise.
        if !live.rules.coupons.contains_key(offer) || is_chance(offer) {
            let message = "the playbook has no offer with a coupon of this id";
            return Ok(Err(Refusal::new("offer_unknown", "offer", message)));
        }
        if name.is_empty() || name.len() > 255 || name.chars().any(char::is_control) {
            return Ok(Err(Refusal::new("bad_text", "batch", "1 to 255 visible characters")));
        }
        if audience.len() > AUDIENCE_BYTES_MAX {
            let message = format!("at most {AUDIENCE_BYTES_MAX} bytes");
            return Ok(Err(Refusal::new("text_too_long", "audience", message)));
        }
        // A condition that does not read takes no name.
        checked(&live, &told_of(&live, audience).0)?;
        let filter = self.filter(grant, Operation::CouponsIssueMany).await?;
        let home = self.home().await?;
        let asked = NewIssue {
            name: name.to_owned(),
            offer: offer.to_owned(),
            audience: audience.to_owned(),
            by: grant.who.clone(),
            at: clock::now(&home),
        };
        let issue = self.store().coupons().begin_issue(asked).await?;
        if issue.asked.offer != offer || issue.asked.audience != audience {
            let message = "a batch of this name was of something else";
            return Ok(Err(Refusal::new("batch_reused", "batch", message)));
        }
        if issue.listed.is_some() {
            return Ok(Ok(issue));
        }
        let noted = detail(serde_json::json!({"issue": issue.no, "offer": offer}));
        let target = Target::code(offer);
        let store = self.store().as_ref();
        audit::note(store, grant, Operation::CouponsIssueMany, &target, Outcome::Begun, &noted).await?;
        let (mut parts, mut listed) = (0, BTreeSet::new());
        // Who was interrupted goes on behind what is written down: that stays.
        while let Some(part) = self.store().coupons().issue_part(issue.no, parts).await? {
            listed.extend(part);
            parts += 1;
        }
        let mut ids = self.issued_to(&filter, audience).await?;
        ids.retain(|member| !listed.contains(member));
        let members = i64::try_from(listed.len() + ids.len()).unwrap_or(i64::MAX);
        for part in ids.chunks(PART_MEMBERS_MAX) {
            self.store().coupons().put_issue_part(issue.no, parts, part.to_vec()).await?;
            parts += 1;
        }
        self.store().coupons().issue_listed(issue.no, members, parts).await?;
        Ok(Ok(Issue { listed: Some((members, parts)), ..issue }))
    }

    /// Whom a condition, or a saved audience, holds for, by id.
    async fn issued_to(&self, filter: &zhiyin_model::role::Filter, audience: &str) -> Result<Vec<MemberId>> {
        let live = self.live()?;
        let (text, saved) = told_of(&live, audience);
        let condition = checked(&live, &text)?;
        let all = matches!(filter.bound, zhiyin_model::role::Bound::Everything);
        let mut ids = Vec::new();
        match saved {
            // Who is in a standing audience says their row.
            Some(one) if one.standing && all => {
                let name = text.trim_start_matches('@').to_owned();
                let which = reading::Which { audience: Some(name), ..reading::Which::default() };
                ids = self.listed_whole(&which).await?;
            }
            _ if all && text == "true" => loop {
                // Everybody: of every version before the last that there could be.
                let after = ids.last().copied();
                let part = self.store().members_behind(None, i64::MAX, after, PART_MEMBERS_MAX).await?;
                let whole = part.len() == PART_MEMBERS_MAX;
                ids.extend(part);
                if !whole {
                    break;
                }
            },
            _ => {
                let asking = self.asking(self.moment(None).await?, filter).await?;
                ids = asking.aside(move |asking| Ok(asking.ids(&asking.find(&condition)))).await?;
            }
        }
        ids.sort_unstable();
        ids.dedup();
        Ok(ids)
    }

    async fn listed_whole(&self, which: &reading::Which) -> Result<Vec<MemberId>> {
        let (mut ids, mut after) = (Vec::new(), None);
        loop {
            let part = self.store().reading().list(which.clone(), after, PART_MEMBERS_MAX).await?;
            ids.extend(part.members.into_iter().map(|(_, member)| member));
            match part.next {
                Some(next) => after = Some(next),
                None => return Ok(ids),
            }
        }
    }

    /// Takes the items of an issue in, part by part, from where it stopped; tells how many members are in after each part.
    pub async fn take_in_issue(&self, issue: &Issue, mut told: impl FnMut(i64) + Send) -> Result<()> {
        let Some((members, parts)) = issue.listed else { return Ok(()) };
        let home = self.home().await?;
        let known = self.store().progress(&progress_of(issue.no)).await?;
        let items = Items::of(&home, issue);
        let part_members = i64::try_from(PART_MEMBERS_MAX).unwrap_or(i64::MAX);
        let mut position = known.map_or(0, |progress| progress.position);
        // Whoever took in a part has its members in, whole.
        for part in position / part_members..parts {
            let listed = self.store().coupons().issue_part(issue.no, part).await?.unwrap_or_default();
            let events: Vec<NewEvent> = listed.iter().map(|member| items.of_member(*member)).collect();
            position = (part * part_members + i64::try_from(listed.len()).unwrap_or(0)).min(members);
            let done = part + 1 == parts;
            let append = Append {
                source: items.source.clone(),
                user_namespace: "user".to_owned(),
                events,
                identity: self.identity(),
                now: clock::now(&self.home().await?),
                replay: false,
                progress: Some(Progress { name: progress_of(issue.no), position, done }),
                erasures: 0,
            };
            self.store().append(append).await?;
            self.wake();
            told(position);
        }
        Ok(())
    }

    /// The request for a second person that an issue waits, or waited, for.
    async fn asked_of(&self, issue: &Issue) -> Result<Option<Approval>> {
        if issue.asked.by.starts_with(OWNER) {
            return Ok(None);
        }
        let asked = self.store().access().approvals(APPROVALS_LOOK_MAX).await?;
        let of_it = |approval: &Approval| {
            let request: serde_json::Value = serde_json::from_str(&approval.request).unwrap_or_default();
            approval.operation == Operation::CouponsIssueMany && request["issue"].as_i64() == Some(issue.no)
        };
        Ok(asked.into_iter().find(of_it))
    }

    /// Whether an issue may be taken in; where it needs a second person and none was asked yet, one is asked.
    #[boxed]
    pub async fn may_take_in(&self, grant: &Grant, issue: &Issue) -> Result<bool> {
        // Once somebody was asked it is they who decide, whatever the limit is by now.
        if let Some(approval) = self.asked_of(issue).await? {
            return Ok(is_approved(&approval));
        }
        if is_alone(issue, &self.alone()) {
            return Ok(true);
        }
        let members = issue.listed.map_or(0, |(members, _)| members);
        let request = serde_json::json!({
            "command": "coupons/issue", "issue": issue.no, "offer": issue.asked.offer, "members": members,
        });
        let (store, limits) = (self.store().as_ref(), self.alone());
        approvals::ask(store, grant, Operation::CouponsIssueMany, &request, &limits).await?;
        Ok(false)
    }

    /// A second person approves an issue; `None` if none waits for one.
    #[boxed]
    pub async fn approve_issue(&self, grant: &Grant, no: i64) -> Result<Option<Issue>> {
        let Some(issue) = self.store().coupons().issue(no).await? else { return Ok(None) };
        let Some(approval) = self.asked_of(&issue).await? else { return Ok(None) };
        approvals::approve(self.store().as_ref(), grant, approval.no).await?;
        Ok(Some(issue))
    }

    /// Resolves when all of an issue is decided; tells how it stands meanwhile.
    pub async fn issue_decided(&self, no: i64, mut told: impl FnMut(&IssueView) + Send) -> Result<()> {
        loop {
            match self.issue_view(no).await? {
                Some(view) if view.state == "done" => return Ok(()),
                Some(view) => told(&view),
                None => return Ok(()),
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Takes up every issue that was written down and not taken in to its end.
    pub async fn take_up_issues(self: &Arc<Self>) -> Result<()> {
        for issue in self.store().coupons().issues(1_000).await? {
            let known = self.store().progress(&progress_of(issue.no)).await?;
            let approved = match self.asked_of(&issue).await? {
                Some(asked) => is_approved(&asked),
                None => is_alone(&issue, &self.alone()),
            };
            if issue.listed.is_some() && approved && known.is_none_or(|progress| !progress.done) {
                self.take_in_issue(&issue, |_| ()).await?;
            }
        }
        Ok(())
    }

    /// An issue by its number, as it stands.
    #[boxed]
    pub async fn issue_view(&self, no: i64) -> Result<Option<IssueView>> {
        let Some(issue) = self.store().coupons().issue(no).await? else { return Ok(None) };
        Ok(Some(self.viewed(issue).await?))
    }

    /// Issues, newest first.
    #[boxed]
    pub async fn issue_views(&self, limit: usize) -> Result<Vec<IssueView>> {
        let mut views = Vec::new();
        for issue in self.store().coupons().issues(limit).await? {
            views.push(self.viewed(issue).await?);
        }
        Ok(views)
    }

    async fn viewed(&self, issue: Issue) -> Result<IssueView> {
        let codes = NOT_ISSUED.iter().chain([&ISSUED]).map(|code| (issue_count(issue.no, code), *code));
        let codes: BTreeMap<String, &str> = codes.collect();
        let counts = self.store().coupons().pools(codes.keys().cloned().collect()).await?;
        let mut by_code: BTreeMap<String, i64> =
            counts.into_iter().filter_map(|(pool, n)| Some(((*codes.get(&pool)?).to_owned(), n))).collect();
        let issued = by_code.remove(ISSUED).unwrap_or(0);
        let decided = issued + by_code.values().sum::<i64>();
        let members = issue.listed.map(|(members, _)| members);
        let asked = self.asked_of(&issue).await?;
        let waits = match &asked {
            Some(asked) => !is_approved(asked),
            None => !is_alone(&issue, &self.alone()),
        };
        let refused = asked.as_ref().and_then(|asked| asked.answer.as_ref()).is_some_and(|is| !is.approved);
        let state = match members {
            None => "listing",
            Some(_) if refused => "refused",
            Some(_) if waits => "waiting",
            Some(members) if decided >= members => "done",
            Some(_) => "issuing",
        };
        Ok(IssueView {
            number: issue.no,
            batch: issue.asked.name,
            offer: issue.asked.offer,
            audience: issue.asked.audience,
            asked_by: issue.asked.by,
            asked_at: issue.asked.at.rfc3339(),
            state: state.to_owned(),
            approval: asked.map(|asked| asked.no),
            members,
            issued,
            not_issued: by_code,
        })
    }
}
