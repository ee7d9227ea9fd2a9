//! The snapshot by which a till quotes and sells without a network: signed, and good for as long as its lease.
//!
//! It holds the playbook as it is live, what pools had when it was made, what the lease has, and of the members whom the lease names
//! what the playbook's offers ask of them, as sums: no names and no identifiers, but keyed hashes by which somebody who
//! shows theirs is found. Its key follows from the home's; what checks its signature can be read by anybody who may lease.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zhiyin_decide::checkout::bounds;
use zhiyin_decide::rules::Rules;
use zhiyin_decide::state::State;
use zhiyin_model::checkout::{Checkout, CheckoutState};
use zhiyin_model::consent::Consents;
use zhiyin_model::coupon::{CouponCode, Tally};
use zhiyin_model::dependant::Dependants;
use zhiyin_model::effect::Asset;
use zhiyin_model::event::{Identifier, Refusal};
use zhiyin_model::id::{IdKey, MemberId};
use zhiyin_model::member::{StageHeld, Term, Touches};
use zhiyin_model::personal::Personal;
use zhiyin_model::scalar::Scalar;
use zhiyin_model::till::{Lease, LeasedMember, holder};
use zhiyin_model::time::{Day, Ts};
use zhiyin_reach::signed::Signer;
use zhiyin_store::command::Fate;
use zhiyin_store::{StoreError, Wanted};

use super::{Refused, left_by_shared, lookup_key, refused, unknown};
use crate::boxed;
use crate::{Engine, Result, clock, rebuild};

/// What the number of a snapshot's form is. Another one is refused.
pub(super) const FORM: u32 = 1;

/// A snapshot as a file: what is signed is `body`, letter by letter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SnapshotFile {
    /// The number of its form: 1.
    pub zhiyin_till_snapshot: u32,
    /// The key that checks the signature, in hex.
    pub key: String,
    /// The Ed25519 signature of `body`, in hex.
    pub signature: String,
    /// The snapshot, as JSON in a text.
    pub body: String,
}

/// What a snapshot says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Snapshot {
    /// When it was made, in business time.
    pub(super) made_at: Ts,
    pub(super) lease: Lease,
    /// The playbook as it is live: a text that stands alone.
    pub(super) playbook: String,
    /// What was taken of pools when it was made, what the lease has left of them apart.
    pub(super) taken: BTreeMap<String, i64>,
    /// What the lease had left of them.
    pub(super) left: BTreeMap<String, i64>,
    /// The key of the hashes, in hex.
    pub(super) lookup: String,
    pub(super) members: Vec<SnapshotMember>,
}

/// What of a member offers ask, and what the lease holds of theirs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct SnapshotMember {
    /// As the lease names them.
    pub(super) leased_to: String,
    /// Who they are by now.
    pub(super) id: String,
    /// Hashes of what they are called.
    pub(super) names: BTreeSet<String>,
    pub(super) enrolled_at: Option<Ts>,
    pub(super) term: Option<Term>,
    pub(super) stage: Option<StageHeld>,
    pub(super) touches: Touches,
    pub(super) points: i64,
    pub(super) tags: BTreeSet<String>,
    pub(super) attributes: BTreeMap<String, Scalar>,
    pub(super) personal: Personal,
    /// Sums over their history that offers ask of, packed, in hex.
    pub(super) leaves: String,
    /// How often they used offers, what the lease holds apart: in all, and by day.
    pub(super) used: BTreeMap<String, (u32, Vec<(Day, u32)>)>,
    pub(super) coupons: Vec<SnapshotCoupon>,
    /// Offers of which the lease holds a use of theirs.
    pub(super) uses: Vec<String>,
}

/// A coupon that the lease holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct SnapshotCoupon {
    pub(super) id: String,
    /// A hash of its code.
    pub(super) code: String,
    pub(super) offer: String,
    pub(super) at: Ts,
    pub(super) valid_from: Ts,
    pub(super) valid_until: Ts,
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn unhex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let byte = |pair: &[u8; 2]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    if rest.is_empty() { pairs.iter().map(byte).collect() } else { None }
}

/// By what a snapshot finds somebody who is called so.
pub(super) fn name_hash(lookup: &IdKey, name: &Identifier) -> String {
    hex(&lookup.digest("till name", &[name.namespace.as_bytes(), name.value.as_bytes()]))
}

/// By what it finds a coupon.
pub(super) fn code_hash(lookup: &IdKey, code: &CouponCode) -> String {
    hex(&lookup.digest("till code", &[code.to_string().as_bytes()]))
}

/// What of members the offers of a playbook ask beside sums.
struct Asks {
    attributes: BTreeSet<String>,
    /// Where a condition may ask what its text does not show, all of it is taken along.
    tags: bool,
    consents: bool,
    dependants: bool,
}

impl Asks {
    fn of(rules: &Rules) -> Self {
        let mut asks = Self { attributes: BTreeSet::new(), tags: false, consents: false, dependants: false };
        let offers = rules.offers.conditions().map(|(_, condition)| condition);
        for condition in offers.chain(rules.offers.floors()) {
            let says = |word: &str| condition.text().contains(word) || condition.audiences().next().is_some();
            asks.attributes.extend(condition.attributes().keys().cloned());
            if says("birthday") || says("age") {
                asks.attributes.insert("birthday".to_owned());
            }
            asks.tags |= says("tag");
            asks.consents |= says("consent");
            asks.dependants |= says("dependant");
        }
        asks
    }
}

impl SnapshotMember {
    fn of(state: &State, asks: &Asks, leased_to: &str, held: Option<&Checkout>) -> Self {
        let member = &state.member;
        let mut used: BTreeMap<String, Tally> = member.holdings.used.clone();
        let uses = held.map(|held| held.takes.uses.as_slice()).unwrap_or_default();
        for (offer, day) in uses {
            if let Some(tally) = used.get_mut(offer) {
                tally.take_back(*day, 1);
            }
        }
        let kept = |name: &String| asks.attributes.contains(name);
        let attributes = member.attributes.iter().filter(|(name, _)| kept(name));
        Self {
            leased_to: leased_to.to_owned(),
            id: member.id.to_string(),
            names: BTreeSet::new(),
            enrolled_at: member.enrolled_at,
            term: member.term.clone(),
            stage: member.stage.clone(),
            touches: Touches { store: member.touches.store.clone(), ..Touches::default() },
            points: member.account(Asset::Points).shown(),
            tags: if asks.tags { member.tags.keys().cloned().collect() } else { BTreeSet::new() },
            attributes: attributes.map(|(name, value)| (name.clone(), value.clone())).collect(),
            personal: Personal {
                consents: if asks.consents { member.personal.consents.clone() } else { Consents::default() },
                dependants: match asks.dependants {
                    true => member.personal.dependants.unnamed(),
                    false => Dependants::default(),
                },
                // Nothing is sent from a till, and nobody there is asked with whom they are in contact.
                ..Personal::default()
            },
            leaves: hex(&state.leaves.pack()),
            used: used.into_iter().map(|(offer, tally)| (offer, (tally.total, tally.days))).collect(),
            coupons: Vec::new(),
            uses: uses.iter().map(|(offer, _)| offer.clone()).collect(),
        }
    }
}

impl Engine {
    /// The key that signs snapshots: it follows from the home's.
    async fn till_signer(&self) -> Result<Signer> {
        Ok(Signer::of(&self.home().await?.id_key.digest_wide("till key", &[])))
    }

    /// What checks the signature of snapshots, in hex.
    #[boxed]
    pub async fn till_key(&self) -> Result<String> {
        Ok(hex(&self.till_signer().await?.public()))
    }

    /// The snapshot of a lease.
    #[boxed]
    pub async fn till_snapshot(&self, name: &str) -> Result<Refused<SnapshotFile>> {
        let Some(stored) = self.store().tills().lease(name).await? else { return Ok(Err(unknown())) };
        let (lease, to) = (stored.lease()?, stored.to()?);
        let home = self.home().await?;
        let made_at = clock::now(&home);
        if lease.ended.is_some() || made_at > lease.until {
            return refused("lease_over", "lease", "the time of this lease is over");
        }
        let live = self.live()?;
        if live.version.version != lease.version {
            let message = "another playbook is live than the lease was made under: return it, and lease anew";
            return refused("playbook_changed", "lease", message);
        }
        let lookup = IdKey::from_bytes(lookup_key(&home.id_key, name));
        let rules = live.rules.clone().for_tills();
        let asks = Asks::of(&rules);
        let mut members = Vec::with_capacity(to.members.len());
        for of in &to.members {
            match self.snapshot_member((&lease, of), (&rules, &asks), (&home.id_key, &lookup)).await? {
                Ok(member) => members.extend(member),
                Err(refusal) => return Ok(Err(refusal)),
            }
        }
        let (taken, left) = self.snapshot_pools(&lease, &rules).await?;
        let snapshot = Snapshot {
            made_at,
            lease,
            playbook: live.version.source.clone(),
            taken,
            left,
            lookup: hex(&lookup_key(&home.id_key, name)),
            members,
        };
        let body =
            serde_json::to_string(&snapshot).map_err(|error| StoreError::Damaged(error.to_string()))?;
        let signer = self.till_signer().await?;
        Ok(Ok(SnapshotFile {
            zhiyin_till_snapshot: FORM,
            key: hex(&signer.public()),
            signature: hex(&signer.sign(body.as_bytes())),
            body,
        }))
    }

    /// What is taken of pools beside what the lease has left of them, and that.
    async fn snapshot_pools(
        &self,
        lease: &Lease,
        rules: &Rules,
    ) -> Result<(BTreeMap<String, i64>, BTreeMap<String, i64>)> {
        let mut pools: Vec<String> = lease.pools().map(|(own, _)| own).collect();
        let all = rules.offer_terms.values().flat_map(|terms| bounds(terms, lease.day));
        pools.extend(all.map(|bound| bound.pool));
        let mut taken = self.store().coupons().pools(pools).await?;
        let left = left_by_shared(lease, &taken);
        taken.retain(|pool, _| zhiyin_model::till::pool_leased(pool).is_none());
        for (pool, left) in &left {
            if let Some(taken) = taken.get_mut(pool) {
                *taken -= left;
            }
        }
        Ok((taken, left))
    }

    /// What a snapshot has of a member; nothing of somebody who is nobody any more.
    async fn snapshot_member(
        &self,
        (lease, of): (&Lease, &LeasedMember),
        (rules, asks): (&Rules, &Asks),
        (key, lookup): (&IdKey, &IdKey),
    ) -> Result<Refused<Option<SnapshotMember>>> {
        let Some(named) = of.member() else { return Ok(Ok(None)) };
        if matches!(self.fate_of(&lease.name, of).await?, None | Some(Fate::Waits)) {
            let message = "what it holds of members is not all decided yet; ask again in a moment";
            return refused("lease_pending", "lease", message);
        }
        let root = self.store().reading().root(named).await?.unwrap_or(named);
        let wanted = Wanted { members: vec![root], ..Wanted::default() };
        let loaded =
            self.store().load(wanted).await?.members.into_iter().find(|found| found.member.id == root);
        let Some(stored) = loaded.filter(|found| !found.member.audiences.closed) else { return Ok(Ok(None)) };
        let state = rebuild::state(self.store().as_ref(), rules, stored).await?;
        let held = self.store().coupons().checkout(holder(key, &lease.name, named)).await?;
        let held = held.map(|held| held.checkout);
        let held = held.filter(|held| held.state == CheckoutState::Locked && held.member == root);
        let mut member = SnapshotMember::of(&state, asks, &of.id, held.as_ref());
        for (_, namespace, value) in self.store().identifiers_of(vec![root]).await? {
            member.names.insert(name_hash(lookup, &Identifier { namespace, value }));
        }
        for taken in held.iter().flat_map(|held| &held.takes.coupons) {
            let Some(coupon) = self.store().coupons().coupon(taken.id).await? else { continue };
            member.coupons.push(SnapshotCoupon {
                id: taken.id.to_string(),
                code: code_hash(lookup, &coupon.code(key)),
                offer: taken.offer.clone(),
                at: taken.at,
                valid_from: taken.valid_from,
                valid_until: taken.valid_until,
            });
        }
        Ok(Ok(Some(member)))
    }
}

/// Somebody whom a snapshot does not know.
pub(super) fn nobody(rules: &Rules, at: Ts) -> State {
    State::new(rules, MemberId::from_bytes([0; 16]), at)
}

/// The refusal of a snapshot that is not whole.
pub(super) fn damaged() -> Refusal {
    Refusal::new("snapshot_forged", "snapshot", "this is no snapshot, or not all of it")
}
