//! What is known of one member, as audiences look at it.

use std::collections::BTreeMap;

use zhiyin_condition::{EventRow, OrderRow};
use zhiyin_model::consent::Consents;
use zhiyin_model::dependant::Dependants;
use zhiyin_model::id::MemberId;
use zhiyin_model::scalar::Scalar;
use zhiyin_model::time::Ts;

/// What is known of one member.
#[derive(Clone, Debug, PartialEq)]
pub struct Person {
    /// Who.
    pub id: MemberId,
    /// What is known about them.
    pub attributes: BTreeMap<String, Scalar>,
    /// Tags that hold.
    pub tags: Vec<String>,
    /// Lists that were uploaded by hand on which they are.
    pub lists: Vec<String>,
    /// Standing audiences in which the record has them.
    pub standing: Vec<String>,
    /// The tier held.
    pub tier: Option<String>,
    /// The stage of the lifecycle.
    pub lifecycle: Option<String>,
    /// The home store.
    pub store: Option<String>,
    /// Points shown.
    pub points: i64,
    /// When they enrolled.
    pub enrolled_at: Option<Ts>,
    /// What they said yes and no to.
    pub consents: Consents,
    /// Whom they care for.
    pub dependants: Dependants,
    /// Orders that count, in any order.
    pub orders: Vec<OrderRow>,
    /// Events, in any order.
    pub events: Vec<EventRow>,
}

impl Person {
    /// Somebody of whom nothing is known but that there was such a one.
    pub fn gone(id: MemberId) -> Self {
        Self {
            id,
            attributes: BTreeMap::new(),
            tags: Vec::new(),
            lists: Vec::new(),
            standing: Vec::new(),
            tier: None,
            lifecycle: None,
            store: None,
            points: 0,
            enrolled_at: None,
            consents: Consents::default(),
            dependants: Dependants::default(),
            orders: Vec::new(),
            events: Vec::new(),
        }
    }
}
