//! What members see of themselves: coupons and whether they may be used, what may be claimed and why not, how points moved, who may see
//! them and who did something with their data.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use zhiyin_condition::holds;
use zhiyin_decide::state::View;
use zhiyin_model::coupon::{chance_of, stock_of};
use zhiyin_model::effect::Asset;
use zhiyin_model::event::names;
use zhiyin_model::id::MemberId;
use zhiyin_model::mask::Mask;
use zhiyin_model::playbook::Names;
use zhiyin_model::role::{Grant, Operation, Role, verdict};
use zhiyin_model::time::Ts;
use zhiyin_store::StoredMember;

use crate::audit::Target;
use crate::boxed;
use crate::draws::MemberDraw;
use crate::members::{Kind, NamesView, TimelineAsked};
use crate::sight::Page;
use crate::{Engine, Result, clock, rebuild};

/// How many lines of who did something are shown.
const SEEN_MAX: usize = 100;
/// How many pieces of a member's timeline a page of their points looks through.
const POINTS_PAGE: usize = 50;

/// A coupon of one's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "MyCoupon")]
pub struct MyCoupon {
    /// Its id.
    pub id: String,
    /// What is shown at the till.
    pub code: String,
    /// Of which offer.
    pub offer: String,
    /// What that is called.
    pub name: NamesView,
    /// What it gives.
    pub about: NamesView,
    /// `active`, `locked`, `redeemed`, `expired` or `withdrawn`.
    pub state: String,
    /// Whether it may be used now, of a cart that it is for.
    pub usable: bool,
    /// Why not: `locked`, `used`, `over`, `not_yet` or `offer_over`.
    pub why: Option<String>,
    /// From when on.
    pub valid_from: String,
    /// Until when; nothing, for ever.
    pub valid_until: Option<String>,
    /// The code of a partner that it bears.
    pub partner_code: Option<String>,
}

/// Something that may be claimed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "MyOffer")]
pub struct MyOffer {
    /// Its id: what a claim names.
    pub offer: String,
    /// What it is called.
    pub name: NamesView,
    /// What it gives.
    pub about: NamesView,
    /// What one costs in points; 0, nothing.
    pub points: i64,
    /// From when on.
    pub opens: Option<String>,
    /// Until when.
    pub closes: Option<String>,
    /// How many are left; nothing, where they are not counted.
    pub left: Option<i64>,
    /// `open`, `soon`, `over`, `sold_out`, `limit_reached`, `not_for_you` or `too_few_points`.
    pub state: String,
    /// How many points are missing.
    pub missing: Option<i64>,
}

/// A draw that one is in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "MyDraw")]
pub struct MyDraw {
    /// What it is called.
    pub name: NamesView,
    /// How one stands there.
    #[serde(flatten)]
    pub draw: MemberDraw,
}

/// How points moved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "MyPoints")]
pub struct MyPoints {
    /// When.
    pub at: String,
    /// `earn`, `spend`, `expire`…
    pub kind: String,
    /// How many: more, or fewer.
    pub points: i64,
    /// The event that moved them: `Order Completed`…
    pub event: String,
}

/// Who may see a member, and how much of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Sees {
    /// As what.
    pub role: String,
    /// What that is called.
    pub name: NamesView,
    /// `full`, `masked` or `hidden`.
    pub shows: String,
    /// `all`, `subtree` (of their store and those under it), `mine` (whom they look after) or `own_place`.
    pub whom: String,
}

/// Something that was done with a member's data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Did {
    /// When.
    pub at: String,
    /// As what.
    pub role: String,
    /// `member` for themselves, `staff`, `person`, `key` or `system`: who of them, the brand can say.
    pub who: String,
    /// What, by the name in the table of roles.
    pub operation: String,
}

fn both(zh: &str, en: &str) -> NamesView {
    NamesView { zh: Some(zh.to_owned()), en: Some(en.to_owned()) }
}

fn called(names: &Names, id: &str) -> NamesView {
    if names.zh.is_none() && names.en.is_none() {
        return both(id, id);
    }
    NamesView::from(names)
}

impl Engine {
    /// A member's coupons: those that may be used first, and of these the ones that end soonest.
    #[boxed]
    pub async fn my_coupons(&self, member: MemberId) -> Result<Vec<MyCoupon>> {
        let (live, home) = (self.live()?, self.home().await?);
        let now = clock::now(&home);
        let today = live.rules.zone.day(now);
        let chances: Vec<String> = live.playbook.draws.keys().map(|draw| chance_of(draw)).collect();
        let mut mine = Vec::new();
        for coupon in self.coupons_of_member(member).await? {
            // Chances in draws are shown with their draws.
            if chances.contains(&coupon.offer) {
                continue;
            }
            let offer = live.playbook.offering.offer(&coupon.offer);
            let ended = |until: &String| Ts::parse(until).is_some_and(|until| until <= now);
            let why = match coupon.state.as_str() {
                "locked" => Some("locked"),
                "redeemed" => Some("used"),
                "active" if coupon.valid_until.as_ref().is_some_and(ended) => Some("over"),
                "active" if Ts::parse(&coupon.valid_from).is_some_and(|from| from > now) => Some("not_yet"),
                "active" if offer.is_none_or(|offer| offer.until.is_some_and(|until| until < today)) => {
                    Some("offer_over")
                }
                "active" => None,
                _ => Some("over"),
            };
            let name = offer.map_or_else(|| both(&coupon.offer, &coupon.offer), |o| called(&o.name, &o.id));
            let about = offer.map(|offer| NamesView::from(&offer.gives(&live.playbook.currency)));
            mine.push(MyCoupon {
                id: coupon.id,
                code: coupon.code,
                offer: coupon.offer,
                name,
                about: about.unwrap_or_else(|| both("", "")),
                state: coupon.state,
                usable: why.is_none(),
                why: why.map(str::to_owned),
                valid_from: coupon.valid_from,
                valid_until: coupon.valid_until,
                partner_code: coupon.partner_code,
            });
        }
        // What never ends comes after all that does; instants of one form are in the order of their texts.
        let end = |one: &MyCoupon| one.valid_until.clone().unwrap_or_else(|| "~".to_owned());
        mine.sort_by(|one, other| {
            let by_end = if one.usable { end(one).cmp(&end(other)) } else { end(other).cmp(&end(one)) };
            other.usable.cmp(&one.usable).then(by_end)
        });
        Ok(mine)
    }

    /// What members may claim, and how a member stands to each: what they may have now comes first.
    #[boxed]
    pub async fn my_offers(&self, stored: StoredMember) -> Result<Vec<MyOffer>> {
        let (live, home) = (self.live()?, self.home().await?);
        let (now, store) = (clock::now(&home), self.store().as_ref());
        let state = rebuild::state(store, &live.rules, stored).await?;
        let today = live.rules.zone.day(now);
        // What is taken of all of them is asked for at once.
        let counted =
            live.rules.coupons.iter().filter(|(_, rule)| rule.claim.is_some() && rule.stock.is_some());
        let pools: Vec<String> = counted.map(|(offer, _)| stock_of(offer)).collect();
        let taken = match pools.is_empty() {
            true => BTreeMap::new(),
            false => self.store().coupons().pools(pools).await?,
        };
        let mut mine = Vec::new();
        for offer in &live.playbook.offering.offers {
            let Some(rule) = live.rules.coupons.get(&offer.id) else { continue };
            let Some(claim) = &rule.claim else { continue };
            let left = match rule.stock {
                Some(size) => Some(size - taken.get(&stock_of(&offer.id)).copied().unwrap_or(0)),
                None => self.codes_left(&offer.id).await?,
            };
            let begins = rule.from.map(|from| live.rules.zone.start(from)).max(claim.from);
            let ends = rule.until.map(|until| live.rules.zone.start(until.plus(1)));
            let ends = [ends, claim.until].into_iter().flatten().min();
            let shown = state.member.account(Asset::Points).shown();
            let missing = (claim.points - shown).max(0);
            let is_for = |who: &Option<zhiyin_condition::Condition>| {
                who.as_ref().is_none_or(|who| holds(who, &live.rules.leaves, &View::of(&state), now).0)
            };
            let stands = if ends.is_some_and(|ends| ends <= now) {
                "over"
            } else if !is_for(&rule.who) || !is_for(&claim.who) {
                "not_for_you"
            } else if left.is_some_and(|left| left <= 0) {
                "sold_out"
            } else if rule.limit_reached(&state.member.holdings, today, 1).is_some() {
                "limit_reached"
            } else if begins.is_some_and(|begins| begins > now) {
                "soon"
            } else if missing > 0 {
                "too_few_points"
            } else {
                "open"
            };
            mine.push(MyOffer {
                offer: offer.id.clone(),
                name: called(&offer.name, &offer.id),
                about: NamesView::from(&offer.gives(&live.playbook.currency)),
                points: claim.points,
                opens: begins.map(Ts::rfc3339),
                closes: ends.map(Ts::rfc3339),
                left: left.map(|left| left.max(0)),
                state: stands.to_owned(),
                missing: (stands == "too_few_points").then_some(missing),
            });
        }
        let order = ["open", "soon", "too_few_points", "limit_reached", "sold_out", "not_for_you", "over"];
        let place = |one: &MyOffer| order.iter().position(|state| *state == one.state);
        mine.sort_by_key(place);
        // Who may never have something is not told of it, nor what was once.
        mine.retain(|one| one.state != "not_for_you" && one.state != "over");
        Ok(mine)
    }

    /// The draws that a member is in, with what they are called.
    #[boxed]
    pub async fn my_draws(&self, member: MemberId) -> Result<Vec<MyDraw>> {
        let live = self.live()?;
        let whom = crate::command::Whom::Id(member);
        let Ok(draws) = self.draws_of(&super::own(), &whom, "").await? else { return Ok(Vec::new()) };
        let named = |draw: MemberDraw| {
            let terms = live.playbook.draws.get(&draw.draw);
            let name =
                terms.map_or_else(|| both(&draw.draw, &draw.draw), |one| called(&one.name, &draw.draw));
            MyDraw { name, draw }
        };
        Ok(draws.into_iter().map(named).collect())
    }

    /// A page of how a member's points moved, the latest first.
    #[boxed]
    pub async fn my_points(&self, member: MemberId, cursor: Option<String>) -> Result<Page<MyPoints>> {
        let kinds = vec![Kind::Order, Kind::Points, Kind::Timer, Kind::Identity, Kind::Other];
        let asked = TimelineAsked { kinds, limit: POINTS_PAGE, cursor };
        let page = self.member_timeline(&reader(), &member.to_string(), &asked).await?;
        let mut items = Vec::new();
        for entry in page.items {
            let points = entry.transfers.iter().filter(|one| one.asset == "points" && one.moved != 0);
            items.extend(points.map(|one| MyPoints {
                at: one.at.clone(),
                kind: one.kind.clone(),
                points: one.moved,
                event: if entry.event == names::TIMER_DUE { String::new() } else { entry.event.clone() },
            }));
        }
        Ok(Page { items, next: page.next })
    }

    /// Who may see members, and how much of them; and what was done with this one's data, the latest first.
    #[boxed]
    pub async fn who_sees(&self, member: MemberId) -> Result<(Vec<Sees>, Vec<Did>)> {
        let roles = Role::ALL.iter().filter_map(|role| {
            let found = verdict(*role, Operation::MemberRead);
            let zhiyin_model::role::Verdict::Allowed(scope, mask) = found else { return None };
            let whom = match scope {
                zhiyin_model::role::Scope::All => "all",
                zhiyin_model::role::Scope::Subtree => "subtree",
                zhiyin_model::role::Scope::Mine => "mine",
                zhiyin_model::role::Scope::OwnPlace => "own_place",
            };
            let shows = match mask {
                Mask::Full => "full",
                Mask::Masked => "masked",
                Mask::Hidden => "hidden",
            };
            let name = both(role.zh(), &role.name().replace('_', " "));
            Some(Sees { role: role.to_string(), name, shows: shows.to_owned(), whom: whom.to_owned() })
        });
        let target = Target::member(&self.home().await?.id_key, member);
        let lines = self.store().access().audit_about(target.text(), SEEN_MAX).await?;
        let did = lines.into_iter().map(|line| Did {
            at: line.note.at.rfc3339(),
            role: line.note.role,
            who: line.note.who.split(':').next().unwrap_or_default().to_owned(),
            operation: line.note.operation,
        });
        Ok((roles.collect(), did.collect()))
    }
}

/// Reads what is the member's own, whole.
pub fn reader() -> Grant {
    Grant::system("me")
}
