//! What passed between a brand and its partners, in numbers.

use std::collections::BTreeMap;

use zhiyin_model::effect::PartnerDeed;
use zhiyin_model::id::MemberId;
use zhiyin_model::time::Ts;

/// What passed with one partner.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartnerSums {
    /// Members whom nobody knew before the partner's code brought them.
    pub brought_new: i64,
    /// Members who were here already when the partner's code brought them.
    pub brought_known: i64,
    /// Of the new ones, those who have ordered since.
    pub buyers: i64,
    /// Their orders since that counted.
    pub orders: i64,
    /// What was paid for these and did not come back, in minor units.
    pub paid: i64,
    /// Members whom we sent.
    pub sent: i64,
    /// How often we sent them.
    pub sent_times: i64,
    /// Members who used it there, as the partner says.
    pub redeemed: i64,
}

/// Counts from rows, one at a time.
#[derive(Debug, Default)]
pub struct Counting {
    /// Who somebody is who ended because they are another.
    roots: BTreeMap<MemberId, MemberId>,
    /// By partner and member: of each deed when it was first done, and how often.
    passed: BTreeMap<(String, MemberId), BTreeMap<PartnerDeed, (Ts, i64)>>,
    /// Whom a partner brought first, and when.
    brought: BTreeMap<MemberId, Vec<(String, Ts)>>,
    buyers: BTreeMap<(String, MemberId), (i64, i64)>,
}

impl Counting {
    /// Counting where these members are those others.
    pub fn new(roots: BTreeMap<MemberId, MemberId>) -> Self {
        Self { roots, ..Self::default() }
    }

    /// Something passed, so often, first at an instant.
    pub fn passed(&mut self, partner: &str, member: MemberId, deed: PartnerDeed, (at, times): (Ts, i64)) {
        let member = self.roots.get(&member).copied().unwrap_or(member);
        let deeds = self.passed.entry((partner.to_owned(), member)).or_default();
        let (first, n) = deeds.entry(deed).or_insert((at, 0));
        *first = at.min(*first);
        *n += times;
        if deed == PartnerDeed::BroughtNew {
            let brought = self.brought.entry(member).or_default();
            match brought.iter_mut().find(|(known, _)| known == partner) {
                Some((_, since)) => *since = at.min(*since),
                None => brought.push((partner.to_owned(), at)),
            }
        }
    }

    /// An order that counts, once all that passed is in.
    pub fn order(&mut self, member: MemberId, at: Ts, paid: i64) {
        let member = self.roots.get(&member).copied().unwrap_or(member);
        for (partner, since) in self.brought.get(&member).into_iter().flatten() {
            if at >= *since {
                let sums = self.buyers.entry((partner.clone(), member)).or_default();
                *sums = (sums.0 + 1, sums.1 + paid);
            }
        }
    }

    /// What it came to, by partner.
    pub fn sums(self) -> BTreeMap<String, PartnerSums> {
        let mut all: BTreeMap<String, PartnerSums> = BTreeMap::new();
        for ((partner, _), deeds) in self.passed {
            let sums = all.entry(partner).or_default();
            let has = |deed| i64::from(deeds.contains_key(&deed));
            let new = has(PartnerDeed::BroughtNew);
            sums.brought_new += new;
            sums.brought_known += has(PartnerDeed::BroughtKnown) * (1 - new);
            sums.sent += has(PartnerDeed::Sent);
            sums.sent_times += deeds.get(&PartnerDeed::Sent).map_or(0, |(_, n)| *n);
            sums.redeemed += has(PartnerDeed::Redeemed);
        }
        for ((partner, _), (orders, paid)) in self.buyers {
            let sums = all.entry(partner).or_default();
            sums.buyers += 1;
            sums.orders += orders;
            sums.paid += paid;
        }
        all
    }
}
