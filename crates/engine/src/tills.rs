//! Tills that sell without a network (docs/tills.md): what is bounded is leased to one for a while, a signed snapshot lets it quote
//! and sell of that, and what it sold is told afterwards.
//!
//! A lease is taken of the pools in one transaction, and comes back in one. What it holds of members is decided like anything
//! else about them: it sends each an item of its own source, named by the member, so that nobody's is held twice.

mod offline;
mod sales;
mod snapshot;
mod told;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::json;
use zhiyin_decide::checkout::{bounds, pieces_most};
use zhiyin_decide::rules::Rules;
use zhiyin_model::coupon::PoolTake;
use zhiyin_model::event::{Refusal, names};
use zhiyin_model::id::{CouponId, EventId, IdKey, MemberId};
use zhiyin_model::place::Code;
use zhiyin_model::playbook::Playbook;
use zhiyin_model::playbook::offer::OfferEffect;
use zhiyin_model::role::{Filter, Grant, Operation};
use zhiyin_model::till::{
    LEASED_COUPONS_MAX, LEASED_OFFERS_MAX, Lease, LeasedMember, LeasedOffer, LeasedPool, PoolOf, TillLimits,
    pool_of,
};
use zhiyin_model::time::{Day, HOUR_US, Ts};
use zhiyin_store::command::Fate;
use zhiyin_store::tills::{LeasedTo, StoredLease};
use zhiyin_store::{Append, Home, NewEvent, StoreError, Ties, seal};

use crate::audit::{self, Outcome, Target, detail};
use crate::boxed;
use crate::{Engine, Result, clock};

pub use offline::{Journal, Offline, Sold};
pub use sales::{SaleTold, TOLD_MAX};
pub use snapshot::SnapshotFile;
pub use told::{LeaseView, LeasedView};

/// What the source of a lease's items is called, before its name.
pub const SOURCE: &str = "lease:";
/// How often what is left is tried to be given back, while sales take of it.
const TRIES: usize = 16;
/// How many leases are ended at once.
const ENDED_AT_ONCE: usize = 100;
/// The most leases that are listed.
pub const LISTED_MAX: usize = 200;

type Refused<T> = std::result::Result<T, Refusal>;

fn refused<T>(
    code: &'static str,
    field: impl Into<String>,
    message: impl Into<String>,
) -> Result<Refused<T>> {
    Ok(Err(Refusal::new(code, field.into(), message.into())))
}

fn unknown() -> Refusal {
    Refusal::new("lease_unknown", "lease", "there is no such lease")
}

/// What is asked of an offer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LeaseOf {
    /// How often it may be used.
    pub uses: Option<i64>,
    /// How much it may take off, in minor units.
    pub money: Option<i64>,
    /// How many pieces it may give.
    pub pieces: Option<i64>,
}

/// A lease that is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LeaseAsked {
    /// Its name: one lease in the home.
    pub lease: String,
    /// The till.
    pub till: String,
    /// The store where it stands.
    pub store: String,
    /// For how many hours; as long as the playbook lets it, where it does not say.
    pub hours: Option<u32>,
    /// What of which offers.
    pub offers: BTreeMap<String, LeaseOf>,
    /// Members whom it expects: whose coupons, and which; all that they can use, where none is named.
    pub members: Vec<(MemberId, Vec<CouponId>)>,
}

/// An item by which a lease speaks of a member.
fn item(home: &Home, lease: &str, of: &LeasedMember, (member, back): (MemberId, bool), at: Ts) -> NewEvent {
    let name = if back { names::TILL_RETURNED } else { names::TILL_LEASED };
    let mut properties = json!({"lease": lease, "leased_to": of.id});
    if !back && !of.coupons.is_empty() {
        properties["coupons"] = of.coupons.join("\n").into();
    }
    let body = json!({
        "context": {"externalIds": [{"id": member.to_string(), "type": "member"}]},
        "event": name,
        "properties": properties,
        "timestamp": at.rfc3339(),
        "type": "track",
    });
    let (source, message_id) = (format!("{SOURCE}{lease}"), message_id(&of.id, back));
    let id: EventId = home.id_key.derive("event", &[source.as_bytes(), message_id.as_bytes()]);
    NewEvent {
        id,
        body_hash: home.id_key.digest("body", &[source.as_bytes(), message_id.as_bytes()]),
        message_id,
        called: None,
        name: name.to_owned(),
        time: at,
        body: seal::seal(&body.to_string()),
        names: Vec::new(),
        member,
        reach: None,
        ties: Ties::Keep,
        parts: Vec::new(),
    }
}

fn message_id(member: &str, back: bool) -> String {
    if back { format!("{member}/back") } else { member.to_owned() }
}

/// All offers that a sale may have, with what of them is leased.
fn offers(
    (playbook, rules): (&Playbook, &Rules),
    asked: &BTreeMap<String, LeaseOf>,
    day: Day,
) -> Refused<BTreeMap<String, LeasedOffer>> {
    let limits = &playbook.tills;
    let mut offers = BTreeMap::new();
    for (id, terms) in &rules.offer_terms {
        // What points are spent for is sold where they are known.
        if matches!(terms.effect, OfferEffect::Exchange { .. }) {
            continue;
        }
        // What an order gives is given, and counted, when it is placed: a sale takes nothing for it.
        if matches!(terms.effect, OfferEffect::Give { .. }) {
            offers.insert(id.clone(), LeasedOffer::default());
            continue;
        }
        let wanted = asked.get(id).copied().unwrap_or_default();
        let mut offer = LeasedOffer {
            coupon: terms.coupon.is_some(),
            pieces_most: pieces_most(terms),
            points_times: match terms.effect {
                OfferEffect::Points { times, .. } => Some(times.thousandths()),
                _ => None,
            },
            ..LeasedOffer::default()
        };
        if terms.coupon.is_none() {
            let own = terms.limits.iter().filter(|limit| limit.per_member);
            offer.per_member = own.map(|limit| (limit.times, limit.within)).collect();
        }
        for bound in bounds(terms, day) {
            let (amount, most, field) = match bound.of {
                PoolOf::Uses => (wanted.uses, limits.uses, "uses"),
                PoolOf::Pieces => (wanted.pieces, limits.uses, "pieces"),
                PoolOf::Money => (wanted.money, budget_minor(playbook, limits), "money"),
            };
            let amount = amount.unwrap_or(0);
            if !(0..=most).contains(&amount) {
                let message = format!("a lease has 0 to {most} of it");
                return Err(Refusal::new("lease_too_large", format!("offers.{id}.{field}"), message));
            }
            offer.pools.push(LeasedPool { pool: bound.pool, of: bound.of, size: bound.size, amount });
        }
        offers.insert(id.clone(), offer);
    }
    for (id, wanted) in asked {
        let field = format!("offers.{id}");
        let Some(offer) = offers.get(id) else {
            return Err(Refusal::new("offer_unknown", field, "there is no such offer that a till may sell"));
        };
        let terms = &rules.offer_terms[id];
        if terms.from.is_some_and(|from| day < from) || terms.until.is_some_and(|until| day > until) {
            return Err(Refusal::new("offer_not_running", field, "the offer runs at another time"));
        }
        let has = |of: PoolOf| offer.pools.iter().any(|pool| pool.of == of);
        let said =
            [(wanted.uses, PoolOf::Uses), (wanted.money, PoolOf::Money), (wanted.pieces, PoolOf::Pieces)];
        if said.into_iter().any(|(amount, of)| amount.is_some() && !has(of)) {
            let message = "nothing bounds the offer so: a till may sell of it without a lease";
            return Err(Refusal::new("offer_not_bounded", field, message));
        }
    }
    Ok(offers)
}

fn budget_minor(playbook: &Playbook, limits: &TillLimits) -> i64 {
    limits.budget.saturating_mul(10i64.saturating_pow(playbook.currency.exponent))
}

impl Engine {
    /// Leases to a till what is asked for, all of it or nothing; asked again by the same name it is the same lease.
    #[boxed]
    pub async fn lease_till(&self, grant: &Grant, asked: &LeaseAsked) -> Result<Refused<LeaseView>> {
        for (field, code) in [("lease", &asked.lease), ("till", &asked.till), ("store", &asked.store)] {
            if let Err(refusal) = Code::read(field, code) {
                return Ok(Err(refusal));
            }
        }
        self.end_leases().await?;
        let home = self.home().await?;
        let request = serde_json::to_vec(asked).map_err(|error| StoreError::Damaged(error.to_string()))?;
        let hash: String =
            home.id_key.digest("till lease", &[&request]).iter().map(|byte| format!("{byte:02x}")).collect();
        if let Some(stored) = self.store().tills().lease(&asked.lease).await? {
            return self.leased_before(&stored, &hash).await;
        }
        let (lease, to) = match self.draft(grant, asked, hash.clone(), &home).await? {
            Ok(drafted) => drafted,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let noted = json!({"act": "lease", "till": lease.till, "members": to.members.len()});
        self.note_lease(grant, &lease.name, noted).await?;
        let takes: Vec<PoolTake> = lease
            .pools()
            .flat_map(|(own, pool)| {
                let shared = PoolTake { pool: pool.pool.clone(), amount: pool.amount, size: Some(pool.size) };
                [shared, PoolTake { pool: own, amount: pool.amount, size: None }]
            })
            .collect();
        match self.store().tills().put(&StoredLease::of(&lease, &to, 0)?, &takes).await {
            Ok(true) => {}
            Ok(false) => {
                let Some(stored) = self.store().tills().lease(&asked.lease).await? else {
                    return Ok(Err(unknown()));
                };
                return self.leased_before(&stored, &hash).await;
            }
            Err(StoreError::Short) => return self.not_enough(&lease).await,
            Err(error) => return Err(error.into()),
        }
        self.send_leased(&lease.name, &to, false).await?;
        self.view_lease(&asked.lease).await
    }

    /// A lease of this name that is there already: whatever of it was not sent is sent.
    async fn leased_before(&self, stored: &StoredLease, hash: &str) -> Result<Refused<LeaseView>> {
        let to = stored.to()?;
        if to.asked != hash {
            return refused("lease_reused", "lease", "this lease was asked for with something else");
        }
        if stored.due.is_some() {
            self.send_leased(&stored.name, &to, false).await?;
        }
        self.view_lease(&stored.name).await
    }

    async fn draft(
        &self,
        grant: &Grant,
        asked: &LeaseAsked,
        hash: String,
        home: &Home,
    ) -> Result<Refused<(Lease, LeasedTo)>> {
        let live = self.live()?;
        let limits = live.playbook.tills;
        let hours = asked.hours.unwrap_or(limits.hours);
        if !(1..=limits.hours).contains(&hours) {
            return refused("lease_too_large", "hours", format!("a lease has 1 to {} hours", limits.hours));
        }
        if asked.members.len() > limits.members as usize {
            return refused(
                "lease_too_large",
                "members",
                format!("a lease has at most {} members", limits.members),
            );
        }
        if asked.offers.len() > LEASED_OFFERS_MAX {
            return refused(
                "lease_too_large",
                "offers",
                format!("a lease has at most {LEASED_OFFERS_MAX} offers"),
            );
        }
        let mut seen = BTreeSet::new();
        for (i, (member, coupons)) in asked.members.iter().enumerate() {
            if !seen.insert(*member) {
                return refused("bad_number", format!("members[{i}]"), "each member is named once");
            }
            if coupons.len() > LEASED_COUPONS_MAX {
                let message = format!("a lease has at most {LEASED_COUPONS_MAX} coupons of a member");
                return refused("lease_too_large", format!("members[{i}].coupons"), message);
            }
        }
        let now = clock::now(home);
        let zone = self.zone_of_store(&asked.store).await?;
        let day = zone.day(now);
        let offers = match offers((&live.playbook, &live.rules), &asked.offers, day) {
            Ok(offers) => offers,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let until = now.plus_us(i64::from(hours) * HOUR_US);
        let lease = Lease {
            name: asked.lease.clone(),
            till: asked.till.clone(),
            store: asked.store.clone(),
            zone: zone.name().to_owned(),
            from: now,
            until,
            back_at: until.plus_us(i64::from(limits.grace_hours) * HOUR_US),
            day,
            version: live.version.version,
            by: grant.who.clone(),
            offers,
            ended: None,
        };
        let members = asked.members.iter().map(|(member, coupons)| LeasedMember {
            id: member.to_string(),
            coupons: coupons.iter().map(ToString::to_string).collect(),
        });
        Ok(Ok((lease, LeasedTo { asked: hash, members: members.collect() })))
    }

    /// The first pool that has not as much left as was asked for.
    async fn not_enough<T>(&self, lease: &Lease) -> Result<Refused<T>> {
        let pools: Vec<String> = lease.pools().map(|(_, pool)| pool.pool.clone()).collect();
        let taken = self.store().coupons().pools(pools).await?;
        for (id, offer) in &lease.offers {
            for pool in &offer.pools {
                let left = pool.size - taken.get(&pool.pool).copied().unwrap_or(0);
                if pool.amount > left {
                    let message = format!("{} is left of it", left.max(0));
                    return refused("not_enough_left", format!("offers.{id}"), message);
                }
            }
        }
        refused("not_enough_left", "offers", "others were faster; ask again")
    }

    /// Sends each member of a lease what it says of them, and waits a while until that was decided.
    async fn send_leased(&self, lease: &str, to: &LeasedTo, back: bool) -> Result<()> {
        if to.members.is_empty() {
            return Ok(());
        }
        let home = self.home().await?;
        let now = clock::now(&home);
        let mut events = Vec::with_capacity(to.members.len());
        for of in &to.members {
            let Some(member) = of.member() else { continue };
            // Who was merged since is who they are by now.
            let member = self.store().reading().root(member).await?.unwrap_or(member);
            events.push(item(&home, lease, of, (member, back), now));
        }
        let source = format!("{SOURCE}{lease}");
        let append = Append {
            source: source.clone(),
            user_namespace: "user".to_owned(),
            events,
            identity: self.identity(),
            now,
            replay: false,
            progress: None,
            erasures: 0,
        };
        self.store().append(append).await?;
        self.wake();
        Ok(())
    }

    /// Waits a while until all that a lease holds of members is held.
    #[boxed]
    pub async fn lease_held(&self, name: &str) -> Result<()> {
        let Some(stored) = self.store().tills().lease(name).await? else { return Ok(()) };
        for of in &stored.to()?.members {
            if self.once_decided(&format!("{SOURCE}{name}"), &message_id(&of.id, false)).await?.is_none() {
                break;
            }
        }
        Ok(())
    }

    /// A till is back: what it did not sell is there for others again.
    #[boxed]
    pub async fn return_lease(&self, grant: &Grant, name: &str) -> Result<Refused<LeaseView>> {
        let Some(stored) = self.store().tills().lease(name).await? else { return Ok(Err(unknown())) };
        self.note_lease(grant, name, json!({"act": "return"})).await?;
        self.end_lease(name).await?;
        self.send_leased(name, &stored.to()?, true).await?;
        self.view_lease(name).await
    }

    /// Gives back what is left of a lease, once.
    async fn end_lease(&self, name: &str) -> Result<()> {
        for _ in 0..TRIES {
            let Some(stored) = self.store().tills().lease(name).await? else { return Ok(()) };
            let mut lease = stored.lease()?;
            if lease.ended.is_some() {
                return Ok(());
            }
            let pools: Vec<(String, String)> =
                lease.pools().map(|(own, pool)| (own, pool.pool.clone())).collect();
            let left =
                self.store().coupons().pools(pools.iter().map(|(own, _)| own.clone()).collect()).await?;
            let takes = pools.into_iter().flat_map(|(own, shared)| {
                let amount = -left.get(&own).copied().unwrap_or(0);
                [own, shared].map(|pool| PoolTake { pool, amount, size: None })
            });
            let takes: Vec<PoolTake> = takes.collect();
            lease.ended = Some(clock::now(&self.home().await?));
            let ended =
                StoredLease { due: None, ..StoredLease::of(&lease, &LeasedTo::default(), stored.revision)? };
            match self.store().tills().put(&ended, &takes).await {
                // Somebody else ended it, or a sale took of it meanwhile.
                Ok(true) => return Ok(()),
                Ok(false) | Err(StoreError::Short) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Gives back what is left of every lease whose grace is over; how many there were. What they held of members lets go by
    /// itself.
    #[boxed]
    pub async fn end_leases(&self) -> Result<usize> {
        let now = clock::now(&self.home().await?);
        let due = self.store().tills().due(now, ENDED_AT_ONCE).await?;
        for stored in &due {
            self.end_lease(&stored.name).await?;
        }
        Ok(due.len())
    }

    /// A lease that a filter reaches, by the store where its till stands.
    #[boxed]
    pub async fn lease_within(&self, filter: &Filter, name: &str) -> Result<Refused<Lease>> {
        let Some(stored) = self.store().tills().lease(name).await? else { return Ok(Err(unknown())) };
        let lease = stored.lease()?;
        Ok(if filter.admits(Some(&lease.store), None) { Ok(lease) } else { Err(unknown()) })
    }

    /// How a lease stands.
    #[boxed]
    pub async fn view_lease(&self, name: &str) -> Result<Refused<LeaseView>> {
        let Some(stored) = self.store().tills().lease(name).await? else { return Ok(Err(unknown())) };
        Ok(Ok(self.told_lease(&stored, true).await?))
    }

    /// How leases stand that a filter reaches, the open ones first.
    #[boxed]
    pub async fn view_leases(&self, filter: &Filter) -> Result<Vec<LeaseView>> {
        let mut views = Vec::new();
        for stored in self.store().tills().leases(LISTED_MAX).await? {
            if filter.admits(Some(&stored.lease()?.store), None) {
                views.push(self.told_lease(&stored, false).await?);
            }
        }
        Ok(views)
    }

    async fn told_lease(&self, stored: &StoredLease, counts: bool) -> Result<LeaseView> {
        let (lease, to) = (stored.lease()?, stored.to()?);
        let pools = lease.pools().map(|(own, _)| own).collect();
        let left = self.store().coupons().pools(pools).await?;
        let (mut waiting, mut refused) = (0, 0);
        if counts && lease.ended.is_none() {
            for of in &to.members {
                match self.fate_of(&lease.name, of).await? {
                    None | Some(Fate::Waits) => waiting += 1,
                    Some(Fate::Refused { .. }) => refused += 1,
                    Some(Fate::Decided { .. }) => {}
                }
            }
        }
        let counted = counts.then_some((waiting, refused));
        Ok(LeaseView::of(&lease, to.members.len(), counted, &left))
    }

    async fn fate_of(&self, lease: &str, of: &LeasedMember) -> Result<Option<Fate>> {
        let came = self.store().fate(&format!("{SOURCE}{lease}"), &message_id(&of.id, false)).await?;
        Ok(came.map(|came| came.fate))
    }

    async fn note_lease(&self, grant: &Grant, lease: &str, noted: serde_json::Value) -> Result<()> {
        let (store, target) = (self.store().as_ref(), Target::code(lease));
        audit::note(store, grant, Operation::TillsLease, &target, Outcome::Begun, &detail(noted)).await?;
        Ok(())
    }
}

/// What of a lease's pools is left, by the pool that all share.
fn left_by_shared(lease: &Lease, left: &BTreeMap<String, i64>) -> BTreeMap<String, i64> {
    let left = |pool: &LeasedPool| left.get(&pool_of(&lease.name, &pool.pool)).copied().unwrap_or(0);
    lease.pools().map(|(_, pool)| (pool.pool.clone(), left(pool))).collect()
}

/// By what members, coupons and names are found in a snapshot of a lease.
fn lookup_key(key: &IdKey, lease: &str) -> [u8; 32] {
    key.digest_wide("till lookup", &[lease.as_bytes()])
}
