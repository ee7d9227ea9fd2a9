//! The till's side, which needs no home and no network: a snapshot is opened, carts are quoted by it, and sold of what it leases.
//!
//! What was sold is written to a journal, a line a sale, each an item as the home takes it later. What is left is what the snapshot
//! says less what its lines took, so a till that stops and begins again sells no more than it may.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use zhiyin_condition::LeafStates;
use zhiyin_decide::checkout::told::QuoteTold;
use zhiyin_decide::checkout::{Judged, Pools, bounds, judge, taken_of};
use zhiyin_decide::outcome::{Missing, Stop};
use zhiyin_decide::rules::Rules;
use zhiyin_decide::state::State;
use zhiyin_model::checkout::CartFacts;
use zhiyin_model::coupon::{CouponAccount, CouponCode, HeldCoupon, Tally};
use zhiyin_model::effect::Asset;
use zhiyin_model::event::{ITEM_BYTES_MAX, Identifier, Refusal, names};
use zhiyin_model::id::{CouponId, IdKey, MemberId};
use zhiyin_model::member::{Account, TagHeld};
use zhiyin_model::money::Currency;
use zhiyin_model::till::{CLOCK_LAG_US, Lease};
use zhiyin_model::time::{Day, Ts, Zone};
use zhiyin_reach::signed::is_signed;

use super::snapshot::{
    FORM, Snapshot, SnapshotFile, SnapshotMember, code_hash, damaged, name_hash, nobody, unhex,
};
use crate::identity::as_kept;
use crate::playbooks::read_source;

/// The most sales of a journal.
const SALES_MAX: usize = 100_000;

type Refused<T> = std::result::Result<T, Refusal>;

fn refused<T>(code: &'static str, field: &str, message: impl Into<String>) -> Refused<T> {
    Err(Refusal::new(code, field, message.into()))
}

/// A snapshot that was opened: its signature holds.
#[derive(Debug)]
pub struct Offline {
    snapshot: Snapshot,
    rules: Rules,
    lookup: IdKey,
}

/// What a till sold since its snapshot was made.
#[derive(Clone, Debug, Default)]
pub struct Journal {
    /// By the checkout's name: the item as it is told.
    sales: BTreeMap<String, Value>,
    /// What of the lease's pools was taken.
    taken: BTreeMap<String, i64>,
    coupons: BTreeSet<String>,
    /// Offers of which a member's use was taken.
    uses: BTreeSet<(String, String)>,
}

/// A sale.
#[derive(Clone, Debug, PartialEq)]
pub struct Sold {
    /// What it cost.
    pub quote: QuoteTold,
    /// The item that tells the home of it: a line of the journal. None where the journal has it already.
    pub item: Option<Value>,
}

impl Offline {
    /// Opens a snapshot that must be of the home whose key this is, in hex.
    pub fn open(text: &str, key: &str) -> Refused<Self> {
        let file: SnapshotFile = serde_json::from_str(text).map_err(|_| damaged())?;
        if file.zhiyin_till_snapshot != FORM {
            return refused("snapshot_forged", "snapshot", format!("this program reads form {FORM}"));
        }
        if !file.key.eq_ignore_ascii_case(key.trim()) {
            return refused("snapshot_of_another_brand", "snapshot", "another home's key signed it");
        }
        let public: [u8; 32] = unhex(&file.key).and_then(|key| key.try_into().ok()).ok_or_else(damaged)?;
        let signature = unhex(&file.signature).ok_or_else(damaged)?;
        if !is_signed(&public, file.body.as_bytes(), &signature) {
            return refused("snapshot_forged", "snapshot", "its signature is not that of what it says");
        }
        let snapshot: Snapshot = serde_json::from_str(&file.body).map_err(|_| damaged())?;
        let playbook = read_source(&snapshot.playbook).map_err(|_| damaged())?;
        let rules = Rules::compile(&playbook).map_err(|_| damaged())?.for_tills();
        let lookup: [u8; 32] =
            unhex(&snapshot.lookup).and_then(|key| key.try_into().ok()).ok_or_else(damaged)?;
        Ok(Self { snapshot, rules, lookup: IdKey::from_bytes(lookup) })
    }

    /// The brand's currency.
    pub fn currency(&self) -> &Currency {
        &self.rules.currency
    }

    /// The lease.
    pub fn lease(&self) -> &Lease {
        &self.snapshot.lease
    }

    /// Refuses an instant at which the snapshot is not good.
    fn is_good(&self, at: Ts) -> Refused<()> {
        let (from, until) = (self.snapshot.made_at, self.snapshot.lease.until);
        if at > until {
            return refused("snapshot_expired", "snapshot", format!("it was good until {}", until.rfc3339()));
        }
        if at.plus_us(CLOCK_LAG_US) < from {
            let message = format!("it was made at {}: the till's clock is behind", from.rfc3339());
            return refused("snapshot_expired", "snapshot", message);
        }
        Ok(())
    }

    /// The member of this name, if the lease names them.
    fn member(&self, name: &Identifier) -> Refused<Option<&SnapshotMember>> {
        let hash = name_hash(&self.lookup, &as_kept(name, "member.value")?);
        Ok(self.snapshot.members.iter().find(|member| member.names.contains(&hash)))
    }

    /// What a cart costs somebody now: as the home quoted when the snapshot was made, what it sold since apart.
    pub fn quote(
        &self,
        cart: &CartFacts,
        member: Option<&Identifier>,
        journal: &Journal,
        at: Ts,
    ) -> Refused<QuoteTold> {
        self.is_good(at)?;
        let member = member.map(|name| self.member(name)).transpose()?.flatten();
        Ok(self.judged(&self.placed(cart), member, journal, at, &Narrow::default())?.quote)
    }

    /// The cart where the till stands.
    fn placed(&self, cart: &CartFacts) -> CartFacts {
        let lease = &self.snapshot.lease;
        let mut cart = cart.clone();
        let store = cart.store.get_or_insert_with(|| lease.store.clone());
        if *store == lease.store {
            cart.timezone.get_or_insert_with(|| lease.zone.clone());
        }
        cart
    }

    /// A member as decisions hold them, as far as the snapshot knows; what was sold of theirs since is theirs no more.
    fn state(&self, member: &SnapshotMember, journal: &Journal, at: Ts) -> Refused<State> {
        let mut state = nobody(&self.rules, at);
        let own = &mut state.member;
        own.id = MemberId::from_hex(&member.id).ok_or_else(damaged)?;
        own.enrolled_at = member.enrolled_at;
        own.term.clone_from(&member.term);
        own.stage.clone_from(&member.stage);
        own.touches.clone_from(&member.touches);
        own.personal.clone_from(&member.personal);
        own.attributes.clone_from(&member.attributes);
        own.accounts.insert(Asset::Points, Account { active: member.points, ..Account::default() });
        let held = TagHeld { since: self.snapshot.made_at, by_rule: true };
        own.tags = member.tags.iter().map(|tag| (tag.clone(), held.clone())).collect();
        for (offer, (total, days)) in &member.used {
            own.holdings.used.insert(offer.clone(), Tally { total: *total, days: days.clone() });
        }
        for (whose, offer) in &journal.uses {
            if *whose == member.leased_to {
                own.holdings.used.entry(offer.clone()).or_default().add(self.snapshot.lease.day, 1);
            }
        }
        for coupon in member.coupons.iter().filter(|coupon| !journal.coupons.contains(&coupon.id)) {
            let id = CouponId::from_hex(&coupon.id).ok_or_else(damaged)?;
            let held = HeldCoupon {
                offer: coupon.offer.clone(),
                at: coupon.at,
                account: CouponAccount::Held,
                valid_from: coupon.valid_from,
                valid_until: coupon.valid_until,
                locked_until: None,
                remind: Vec::new(),
                gives_back: false,
                paid: None,
                order: None,
            };
            // A coupon whose time is over is nobody's, as at home.
            if coupon.valid_until > at {
                own.holdings.coupons.insert(id, held);
            }
        }
        let leaves = unhex(&member.leaves).ok_or_else(damaged)?;
        state.leaves = LeafStates::unpack(&leaves).map_err(|_| damaged())?;
        if state.leaves.fits(&self.rules.leaves) { Ok(state) } else { Err(damaged()) }
    }

    /// A cart with its coupons named by their ids: a snapshot knows codes by their hashes.
    fn with_ids(&self, cart: &CartFacts, member: Option<&SnapshotMember>) -> Refused<CartFacts> {
        let Some(named) = &cart.coupons else { return Ok(cart.clone()) };
        let mut ids = Vec::with_capacity(named.len());
        for (i, typed) in named.iter().enumerate() {
            let hash = CouponCode::typed(typed).map(|code| code_hash(&self.lookup, &code));
            let is_it = |id: &str, code: &String| hash.as_ref() == Some(code) || id == typed.trim();
            let held = member.and_then(|member| member.coupons.iter().find(|one| is_it(&one.id, &one.code)));
            match held {
                Some(held) => ids.push(held.id.clone()),
                None => {
                    let message = "the lease has no such coupon of the member";
                    return refused("coupon_not_leased", &format!("cart.coupons[{i}]"), message);
                }
            }
        }
        Ok(CartFacts { coupons: Some(ids), ..cart.clone() })
    }

    fn judged(
        &self,
        cart: &CartFacts,
        member: Option<&SnapshotMember>,
        journal: &Journal,
        at: Ts,
        narrow: &Narrow,
    ) -> Refused<Judged> {
        let cart = self.with_ids(cart, member)?;
        let mut state = match member {
            Some(member) => self.state(member, journal, at)?,
            None => nobody(&self.rules, at),
        };
        for offer in &narrow.shut {
            // As often as anybody may, on the day at hand.
            let used = Tally { total: u32::MAX, days: vec![(self.day(&cart, at), u32::MAX)] };
            state.member.holdings.used.insert(offer.clone(), used);
        }
        let mut taken = self.snapshot.taken.clone();
        for (pool, amount) in journal.taken.iter().chain(&narrow.more) {
            *taken.entry(pool.clone()).or_default() += amount;
        }
        loop {
            // Coupons are named by their ids, so the key of their codes is not asked for.
            let pools = Pools { taken: &taken, own: &[] };
            match judge(&self.rules, &self.lookup, &state, pools, &cart, at) {
                Ok(judged) => return Ok(judged),
                Err(Stop::Refused(mut refusal)) => {
                    if let Some(field) = refusal.field.strip_prefix("properties.") {
                        refusal.field = field.to_owned();
                    }
                    return Err(refusal);
                }
                // Of a pool that the home did not know of nothing was taken.
                Err(Stop::Missing(Missing::Pools(pools))) => {
                    taken.extend(pools.into_iter().map(|pool| (pool, 0)))
                }
                Err(Stop::Missing(_)) => return Err(damaged()),
            }
        }
    }

    /// What the lease has left of a pool.
    fn left(&self, pool: &str, journal: &Journal) -> i64 {
        let left = self.snapshot.left.get(pool).copied().unwrap_or(0);
        left - journal.taken.get(pool).copied().unwrap_or(0)
    }

    /// Sells a cart to a member of what is leased, or says what of it is not; with `only_leased`, offers of which nothing is leased
    /// any more do not apply instead. Sold again by the same name it is the same sale.
    pub fn sell(
        &self,
        (checkout, order): (&str, Option<&str>),
        cart: &CartFacts,
        member: &Identifier,
        journal: &Journal,
        (at, only_leased): (Ts, bool),
    ) -> Refused<Sold> {
        self.is_good(at)?;
        if checkout.trim().is_empty() || checkout.chars().count() > 90 {
            return refused("checkout_unknown", "checkout", "a sale has a name of 1 to 90 characters");
        }
        let kept = as_kept(member, "member.value")?;
        let found = self.member(member)?;
        let cart = self.placed(cart);
        if cart.store.as_ref() != Some(&self.snapshot.lease.store) {
            return refused("outside_scope", "cart.store", "the lease is another store's");
        }
        if let Some(sold) = journal.sales.get(checkout) {
            let same = sold["properties"]["cart"] == json!(cart);
            let quote = serde_json::from_value(sold["properties"]["quote"].clone()).map_err(|_| damaged())?;
            let message = "the journal has a sale of this name, of another cart";
            return if same {
                Ok(Sold { quote, item: None })
            } else {
                refused("checkout_redeemed", "checkout", message)
            };
        }
        let mut quote = self.fitting(&cart, found, journal, (at, only_leased))?;
        if let Some(line) = quote.lines.iter().position(|line| !line.not_yet_for.is_empty()) {
            return refused("not_on_sale_yet", &format!("cart.lines[{line}]"), "it may not be bought yet");
        }
        if quote.points_spent != 0 {
            let message = "points are spent where the home knows how many there are";
            return refused("points_not_leased", "cart.exchange", message);
        }
        self.leaves_enough(&quote, found, journal)?;
        // Why others do not apply is the till's to show; what is told is what was sold.
        quote.not_applied.clear();
        let mut properties = json!({
            "checkout": checkout,
            "lease": self.snapshot.lease.name,
            "cart": cart,
            "quote": quote,
            "payable": quote.payable,
            "touchpoint": self.snapshot.lease.till,
            "store_id": cart.store,
        });
        if let Some(found) = found {
            properties["leased_to"] = found.leased_to.clone().into();
        }
        if let Some(order) = order {
            properties["order_id"] = order.into();
        }
        let item = json!({
            "type": "track",
            "event": names::CHECKOUT_REDEEMED,
            "messageId": checkout,
            "timestamp": at.rfc3339(),
            "context": {"externalIds": [{"id": kept.value, "type": kept.namespace}]},
            "properties": properties,
        });
        if item.to_string().len() > ITEM_BYTES_MAX {
            return refused("item_too_large", "cart", format!("a sale has at most {ITEM_BYTES_MAX} bytes"));
        }
        Ok(Sold { quote, item: Some(item) })
    }

    /// The quote that is sold by: as quoted, or without what the lease cannot cover.
    fn fitting(
        &self,
        cart: &CartFacts,
        member: Option<&SnapshotMember>,
        journal: &Journal,
        (at, only_leased): (Ts, bool),
    ) -> Refused<QuoteTold> {
        let narrow = if only_leased { self.narrowed(cart, member, journal, at) } else { Narrow::default() };
        Ok(self.judged(cart, member, journal, at, &narrow)?.quote)
    }

    /// All but what the lease has left is others'; whose use it does not hold, or has sold, has none.
    fn narrowed(
        &self,
        cart: &CartFacts,
        member: Option<&SnapshotMember>,
        journal: &Journal,
        at: Ts,
    ) -> Narrow {
        let (mut narrow, day) = (Narrow::default(), self.day(cart, at));
        let known = |pool: &str| self.snapshot.taken.get(pool).copied().unwrap_or(0);
        for (id, offer) in &self.snapshot.lease.offers {
            let Some(terms) = self.rules.offer_terms.get(id) else { continue };
            // The same bounds, of the lease's day and of the day at hand.
            for (pool, now) in offer.pools.iter().zip(bounds(terms, day)) {
                let others = if pool.pool == now.pool {
                    pool.size - known(&pool.pool) - self.snapshot.left.get(&pool.pool).copied().unwrap_or(0)
                } else {
                    now.size - known(&now.pool) - self.left(&pool.pool, journal)
                };
                narrow.more.insert(now.pool, others.max(0));
            }
            if !offer.coupon && !offer.per_member.is_empty() && !has_use(member, id, journal) {
                narrow.shut.insert(id.clone());
            }
        }
        narrow
    }

    /// The day at hand, where the cart is bought.
    fn day(&self, cart: &CartFacts, at: Ts) -> Day {
        let zone = cart.timezone.as_deref().and_then(Zone::named);
        zone.as_ref().unwrap_or(&self.rules.zone).day(at)
    }

    fn leaves_enough(
        &self,
        quote: &QuoteTold,
        member: Option<&SnapshotMember>,
        journal: &Journal,
    ) -> Refused<()> {
        let lease = &self.snapshot.lease;
        for (offer, pool, amount) in taken_of(lease, quote)? {
            let left = self.left(&pool.pool, journal);
            if amount > left {
                let message =
                    format!("{offer} would take {amount}, and {} is leased of it still", left.max(0));
                return refused("lease_exhausted", offer, message);
            }
        }
        for applied in &quote.applied {
            let Some(offer) = lease.offers.get(&applied.offer) else { continue };
            if offer.coupon || offer.per_member.is_empty() {
                continue;
            }
            if !has_use(member, &applied.offer, journal) {
                let message = format!("no use of {} is leased of this member", applied.offer);
                return refused("lease_exhausted", &applied.offer, message);
            }
        }
        Ok(())
    }

    /// Reads a journal: a line a sale, as [`Offline::sell`] made them.
    pub fn journal(&self, text: &str) -> Refused<Journal> {
        let mut journal = Journal::default();
        for (n, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let bad =
                || Refusal::new("bad_journal", format!("line {}", n + 1), "this is no sale under this lease");
            let item: Value = serde_json::from_str(line).map_err(|_| bad())?;
            let sold_at = item["timestamp"].as_str().and_then(Ts::parse).ok_or_else(bad)?;
            if sold_at.plus_us(CLOCK_LAG_US) < self.snapshot.made_at {
                let message = "it was sold before this snapshot was made: tell it, and begin a new journal";
                return refused("bad_journal", &format!("line {}", n + 1), message);
            }
            journal.note(self.lease(), item).ok_or_else(bad)?;
            if journal.sales.len() > SALES_MAX {
                return refused("bad_journal", "journal", format!("a journal has at most {SALES_MAX} sales"));
            }
        }
        Ok(journal)
    }
}

/// Whether the lease holds a member's use of an offer that was not sold yet.
fn has_use(member: Option<&SnapshotMember>, offer: &str, journal: &Journal) -> bool {
    member.is_some_and(|member| {
        let sold = journal.uses.contains(&(member.leased_to.clone(), offer.to_owned()));
        !sold && member.uses.iter().any(|of| of == offer)
    })
}

/// What does not apply for want of a lease.
#[derive(Clone, Debug, Default)]
struct Narrow {
    /// How much more of pools counts as taken.
    more: BTreeMap<String, i64>,
    /// Offers that the member has no use of.
    shut: BTreeSet<String>,
}

impl Journal {
    /// Takes note of a sale; a line that is there twice counts once. None where it is no sale under this lease.
    pub fn note(&mut self, lease: &Lease, item: Value) -> Option<()> {
        let properties = &item["properties"];
        if item["event"] != names::CHECKOUT_REDEEMED || properties["lease"] != lease.name.as_str() {
            return None;
        }
        let checkout = properties["checkout"].as_str()?.to_owned();
        if self.sales.contains_key(&checkout) {
            return Some(());
        }
        let quote: QuoteTold = serde_json::from_value(properties["quote"].clone()).ok()?;
        for (_, pool, amount) in taken_of(lease, &quote).ok()? {
            *self.taken.entry(pool.pool.clone()).or_default() += amount;
        }
        for applied in &quote.applied {
            self.coupons.extend(applied.coupon.clone());
            let offer = lease.offers.get(&applied.offer)?;
            if let (false, false, Some(whose)) =
                (offer.coupon, offer.per_member.is_empty(), properties["leased_to"].as_str())
            {
                self.uses.insert((whose.to_owned(), applied.offer.clone()));
            }
        }
        self.sales.insert(checkout, item);
        Some(())
    }

    /// How many sales there are.
    pub fn len(&self) -> usize {
        self.sales.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.sales.is_empty()
    }

    /// The sales, as items.
    pub fn items(&self) -> impl Iterator<Item = &Value> {
        self.sales.values()
    }
}
