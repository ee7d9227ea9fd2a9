//! A lease as programs read it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use zhiyin_model::till::{Lease, PoolOf, pool_of};

/// A lease as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LeaseView {
    /// Its name.
    pub lease: String,
    /// The till it is for.
    pub till: String,
    /// The store where the till stands.
    pub store: String,
    /// `open`, or `ended`: then what was left came back.
    pub state: String,
    /// From when.
    pub from: String,
    /// Until when the till may sell under it.
    pub until: String,
    /// When what is left comes back by itself.
    pub back_at: String,
    /// When it came back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<String>,
    /// The version of the playbook under which it was made.
    pub playbook: i64,
    /// What it has of offers.
    pub offers: Vec<LeasedView>,
    /// How many members it names.
    pub members: usize,
    /// For how many of them what it holds was not decided yet. Not told in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting: Option<usize>,
    /// Of how many of them it could hold nothing. Not told in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<usize>,
}

/// What a lease has of an offer's bound.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LeasedView {
    /// The offer.
    pub offer: String,
    /// `uses`, `money` (in minor units) or `pieces`.
    pub of: String,
    /// How much was leased.
    pub leased: i64,
    /// How much of it was neither told as sold nor came back.
    pub left: i64,
}

impl LeaseView {
    pub(super) fn of(
        lease: &Lease,
        members: usize,
        counted: Option<(usize, usize)>,
        left: &BTreeMap<String, i64>,
    ) -> Self {
        let mut offers = Vec::new();
        for (id, offer) in &lease.offers {
            for pool in offer.pools.iter().filter(|pool| pool.amount > 0) {
                let of = match pool.of {
                    PoolOf::Uses => "uses",
                    PoolOf::Money => "money",
                    PoolOf::Pieces => "pieces",
                };
                offers.push(LeasedView {
                    offer: id.clone(),
                    of: of.to_owned(),
                    leased: pool.amount,
                    left: left.get(&pool_of(&lease.name, &pool.pool)).copied().unwrap_or(0),
                });
            }
        }
        Self {
            lease: lease.name.clone(),
            till: lease.till.clone(),
            store: lease.store.clone(),
            state: if lease.ended.is_some() { "ended" } else { "open" }.to_owned(),
            from: lease.from.rfc3339(),
            until: lease.until.rfc3339(),
            back_at: lease.back_at.rfc3339(),
            ended_at: lease.ended.map(zhiyin_model::time::Ts::rfc3339),
            playbook: lease.version,
            offers,
            members,
            waiting: counted.map(|(waiting, _)| waiting),
            refused: counted.map(|(_, refused)| refused),
        }
    }
}
