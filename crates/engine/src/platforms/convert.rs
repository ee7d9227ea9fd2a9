//! Who a member is on a platform, of whom only the owner's other names are known: asked one at a time, for whom it is needed, within what
//! the platform allows in an hour, a day and a month (fixed windows, shared by all processes; facts of the platform are dated
//! configuration). Who is nobody yet is known again when they come, for ninety days.

use serde::{Deserialize, Serialize};
use serde_json::json;
use zhiyin_model::id::MemberId;
use zhiyin_model::time::{DAY_US, Ts, Zone};
use zhiyin_reach::platform::{Answer, Converted, Trouble};

use super::looks::Look;
use super::ways::rest_us;
use super::{About, At, Kept, Put, Round};
use crate::accept::{Source, Ties};
use crate::sends::SOURCE;
use crate::{Engine, Result};

/// Rows of what is to be asked.
const ERRAND: &str = "convert";
/// How many are asked in one round, and for how long one process has them.
const AT_ONCE: usize = 50;
const LENT_US: i64 = 120_000_000;
/// Rows of whom was asked for, of who is expected, and of how often was asked.
const ASKED: &str = "converted";
const PENDING: &str = "pending";
const QUOTA: &str = "quota";
/// What the quota is of.
const SUBJECT: &str = "unionid.converted";
/// How long nobody is asked for again who is nobody.
const NOBODY_US: i64 = 7 * DAY_US;
/// How long a pending id is good where the platform does not say.
const PENDING_DAYS: u64 = 90;

/// Something to ask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Errand {
    /// Who somebody is there.
    Who { unionid: String, openid: String, fails: u32 },
    /// Whether somebody who came is expected.
    Came { customer: String, fails: u32 },
}

/// What was answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Asked {
    customer: Option<String>,
    pending: Option<String>,
    until: Option<Ts>,
}

/// Who is expected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Expected {
    unionid: String,
    until: Ts,
}

/// How often was asked in a window.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Used {
    n: u64,
}

/// The window of an instant: what it is called, and when it ends. Hours and days are those of China, where the platform counts.
fn window(kind: &str, wall: Ts) -> (String, Ts) {
    let zone = Zone::named("Asia/Shanghai").unwrap_or_else(Zone::utc);
    let day = zone.day(wall);
    match kind {
        "hour" => {
            let hour = wall.0.div_euclid(3_600_000_000);
            (format!("hour {hour}"), Ts((hour + 1).saturating_mul(3_600_000_000)))
        }
        "day" => (format!("day {day}"), zone.end(day)),
        _ => {
            let text = day.to_string();
            let (of_month, date) = (text.get(..7).unwrap_or_default().to_owned(), day.date());
            let last = zhiyin_model::time::Day::from_date(date.last_of_month());
            (format!("month {of_month}"), zone.end(last))
        }
    }
}

/// Takes one from each window; where one is used up, when it ends.
async fn take(at: &At, kept: &Kept<'_>, wall: Ts) -> Result<std::result::Result<(), Ts>> {
    let now_s = wall.0.div_euclid(1_000_000);
    for kind in ["month", "day", "hour"] {
        let Some(most) = at.desk.limit(SUBJECT, kind, now_s) else { continue };
        let (name, ends) = window(kind, wall);
        let id = kept.id(QUOTA, &[SUBJECT, &name]);
        loop {
            let row = kept.get::<Used>(vec![id]).await?.remove(&id);
            let (read, mut used) = row.map_or((0, Used::default()), |row| (row.version, row.what));
            if used.n >= most {
                return Ok(Err(ends));
            }
            used.n += 1;
            let part = kept.id(QUOTA, &[SUBJECT]);
            let due = Some(ends.plus_us(DAY_US));
            let put = Put { kind: QUOTA, id, part, read, due, about: About::Nobody, what: &used };
            if kept.put(vec![put]).await?.first() == Some(&true) {
                break;
            }
        }
    }
    Ok(Ok(()))
}

impl Engine {
    /// Wants to know who somebody is on the platform of one of the brand's accounts, of whom the owner's other names are known: for who is
    /// about to be reached there. It is asked once, as soon as the quota has room; the home is told when it is known.
    pub async fn want_customer(
        &self,
        account: &str,
        (unionid, openid): (&str, &str),
        wall: Ts,
    ) -> Result<()> {
        let errand = Errand::Who { unionid: unionid.to_owned(), openid: openid.to_owned(), fails: 0 };
        let shelf = self.shelf(account).await?;
        let row =
            (shelf.id(ERRAND, &["who", unionid]), shelf.id(ERRAND, &[]), About::Nobody, Some(wall), &errand);
        shelf.add(ERRAND, &[row]).await.map(drop)
    }

    /// A member is to be reached on one of these and is known there by no name: where a unionid and an openid of theirs are known it is
    /// asked who they are.
    pub(crate) async fn want_to_know(&self, all: &[At], member: MemberId, wall: Ts) -> Result<()> {
        let names = self.store().identifiers_of(vec![member]).await?;
        let of = |is: &dyn Fn(&str) -> bool| {
            names.iter().find(|(_, namespace, _)| is(namespace)).map(|(_, _, value)| value.as_str())
        };
        let (unionid, openid) =
            (of(&|namespace| namespace == "unionid"), of(&|namespace| namespace.starts_with("openid")));
        let (Some(unionid), Some(openid)) = (unionid, openid) else { return Ok(()) };
        for at in all {
            if of(&|namespace| namespace == at.desk.namespace()).is_none() {
                self.want_customer(&at.account, (unionid, openid), wall).await?;
            }
        }
        Ok(())
    }

    /// Somebody came of whom the platform did not say who they are elsewhere: they may be expected.
    pub(super) async fn may_be_expected(&self, account: &str, customer: &str, wall: Ts) -> Result<()> {
        let shelf = self.shelf(account).await?;
        if shelf.all::<Expected>(PENDING, shelf.id(PENDING, &[]), 1).await?.is_empty() {
            return Ok(());
        }
        let errand = Errand::Came { customer: customer.to_owned(), fails: 0 };
        let (id, part) = (shelf.id(ERRAND, &["came", customer]), shelf.id(ERRAND, &[]));
        shelf.add(ERRAND, &[(id, part, About::Customer(customer), Some(wall), &errand)]).await.map(drop)
    }

    /// Asks what is to be asked.
    pub(super) async fn convert_round(&self, at: &At, wall: Ts) -> Result<Round> {
        let kept = self.kept(at).await?;
        let old = kept.lend::<Used>(QUOTA, wall, wall.plus_us(LENT_US), AT_ONCE).await?;
        if !old.is_empty() {
            kept.forget(old.iter().map(|row| (row.id, row.version)).collect()).await?;
        }
        let rows = kept.lend::<Errand>(ERRAND, wall, wall.plus_us(LENT_US), AT_ONCE).await?;
        let done = rows.len();
        for mut row in rows {
            let answer = match &row.what {
                Errand::Who { unionid, openid, .. } => {
                    self.customer_of(at, (unionid, openid), wall).await?.map(drop)
                }
                Errand::Came { customer, .. } => {
                    self.match_expected(at, std::slice::from_ref(customer), wall).await?.map(drop)
                }
            };
            let trouble = match answer {
                Err(trouble @ (Trouble::Later { .. } | Trouble::Unknown { .. })) => trouble,
                Err(trouble) => {
                    tracing::warn!(why = trouble.why(), "who somebody is on the platform cannot be asked");
                    kept.forget(vec![(row.id, row.version)]).await?;
                    continue;
                }
                Ok(()) => {
                    kept.forget(vec![(row.id, row.version)]).await?;
                    continue;
                }
            };
            let (about, fails) = match &mut row.what {
                Errand::Who { fails, .. } => (None, fails),
                Errand::Came { customer, fails } => (Some(customer.clone()), fails),
            };
            *fails += 1;
            let due = wall.plus_us(rest_us(&trouble, *fails, row.id.bytes()));
            let about = about.as_deref().map_or(About::Nobody, About::Customer);
            let what = &row.what;
            kept.put(vec![Put {
                kind: ERRAND,
                id: row.id,
                part: row.part,
                read: row.version,
                due: Some(due),
                about,
                what,
            }])
            .await?;
        }
        Ok(Round { done, next: kept.next(ERRAND).await? })
    }

    /// Who a member is there of whom a unionid and an openid of the owner's other apps are known. What was answered before is not asked
    /// again while it holds. Where they are a customer the home is told that both names are one person's.
    pub(crate) async fn customer_of(
        &self,
        at: &At,
        (unionid, openid): (&str, &str),
        wall: Ts,
    ) -> Result<Answer<Converted>> {
        let kept = self.kept(at).await?;
        let id = kept.id(ASKED, &[unionid]);
        let row = kept.get::<Asked>(vec![id]).await?.remove(&id);
        let read = row.as_ref().map_or(0, |row| row.version);
        if let Some(known) =
            row.map(|row| row.what).filter(|known| known.until.is_none_or(|until| until > wall))
        {
            return Ok(Ok(match (known.customer, known.pending) {
                (Some(customer), _) => Converted::Customer(customer),
                (None, Some(pending)) => Converted::Pending(pending),
                (None, None) => Converted::Nobody,
            }));
        }
        if let Err(until) = take(at, &kept, wall).await? {
            let rest = u64::try_from((until.0 - wall.0).max(1)).unwrap_or(1);
            let rest = std::time::Duration::from_micros(rest);
            return Ok(Err(Trouble::Later { why: "conversions_at_most", rest }));
        }
        let converted = match at.desk.convert(unionid, openid).await {
            Ok(converted) => converted,
            Err(trouble) => return Ok(Err(trouble)),
        };
        let now_s = wall.0.div_euclid(1_000_000);
        let days = at.desk.limit("unionid.pending_days", "each", now_s).unwrap_or(PENDING_DAYS);
        let pending_until = wall.plus_us(i64::try_from(days).unwrap_or(90) * DAY_US);
        let asked = match &converted {
            Converted::Customer(customer) => {
                self.are_one(at, (unionid, customer), wall).await?;
                // With whom of the staff they are in contact is seen by looking.
                kept.look_at(vec![(Look::Customer(customer.clone()), wall)], true).await?;
                Asked { customer: Some(customer.clone()), pending: None, until: None }
            }
            Converted::Pending(pending) => {
                let row = kept.id(PENDING, &[pending]);
                let before = kept.get::<Expected>(vec![row]).await?.remove(&row).map_or(0, |row| row.version);
                let expected = Expected { unionid: unionid.to_owned(), until: pending_until };
                let about = About::Nobody;
                let put = Put {
                    kind: PENDING,
                    id: row,
                    part: kept.id(PENDING, &[]),
                    read: before,
                    due: None,
                    about,
                    what: &expected,
                };
                kept.put(vec![put]).await?;
                Asked { customer: None, pending: Some(pending.clone()), until: Some(pending_until) }
            }
            Converted::Nobody => {
                Asked { customer: None, pending: None, until: Some(wall.plus_us(NOBODY_US)) }
            }
        };
        let part = kept.id(ASKED, &[]);
        let put = Put { kind: ASKED, id, part, read, due: None, about: About::Nobody, what: &asked };
        kept.put(vec![put]).await?;
        Ok(Ok(converted))
    }

    /// Whether customers who came are some of those who are expected: then the home is told who they are. How many were.
    pub(crate) async fn match_expected(
        &self,
        at: &At,
        customers: &[String],
        wall: Ts,
    ) -> Result<Answer<usize>> {
        let kept = self.kept(at).await?;
        let (some, _) = kept.list::<Expected>(PENDING, kept.id(PENDING, &[]), None, 1).await?;
        if some.is_empty() || customers.is_empty() {
            return Ok(Ok(0));
        }
        let pending = match at.desk.pending_of(customers).await {
            Ok(pending) => pending,
            Err(trouble) => return Ok(Err(trouble)),
        };
        let mut matched = 0;
        for (customer, pending) in pending {
            let id = kept.id(PENDING, &[&pending]);
            let Some(row) = kept.get::<Expected>(vec![id]).await?.remove(&id) else { continue };
            if row.what.until > wall {
                self.are_one(at, (&row.what.unionid, &customer), wall).await?;
                matched += 1;
                let asked = kept.id(ASKED, &[&row.what.unionid]);
                let before =
                    kept.get::<Asked>(vec![asked]).await?.remove(&asked).map_or(0, |row| row.version);
                let known = Asked { customer: Some(customer), pending: None, until: None };
                let (part, about) = (kept.id(ASKED, &[]), About::Nobody);
                kept.put(vec![Put {
                    kind: ASKED,
                    id: asked,
                    part,
                    read: before,
                    due: None,
                    about,
                    what: &known,
                }])
                .await?;
            }
            kept.forget(vec![(id, row.version)]).await?;
        }
        Ok(Ok(matched))
    }

    /// Tells the home that two names are one person's.
    async fn are_one(&self, at: &At, (unionid, customer): (&str, &str), wall: Ts) -> Result<()> {
        let now = wall.plus_us(self.home().await?.offset_us);
        let kept = self.kept(at).await?;
        let item = json!({
            "type": "identify",
            "messageId": format!("convert-{}", kept.id(ASKED, &[unionid, customer])),
            "timestamp": now.rfc3339(),
            "context": {"externalIds": [
                {"id": unionid, "type": "unionid"},
                {"id": customer, "type": at.desk.namespace()},
            ]},
        });
        let name = format!("{SOURCE}{}", at.desk.channel());
        let source = Source { name, user_namespace: "user".to_owned(), replay: false, ties: Ties::Keep };
        drop(self.accept(&source, &[item.to_string().into_bytes()], None).await?);
        Ok(())
    }
}
