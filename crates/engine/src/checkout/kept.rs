//! Checkouts of the home: what a cart costs a member by what the home knows of them, and checkouts as they stand.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use zhiyin_decide::checkout::body::{Body, Changed, ReturnDone};
use zhiyin_decide::checkout::told::QuoteTold;
use zhiyin_decide::checkout::{Judged, Pools, judge};
use zhiyin_decide::outcome::{Missing, Stop};
use zhiyin_decide::rules::Rules;
use zhiyin_decide::state::State;
use zhiyin_model::checkout::{self, CartFacts, Checkout, CheckoutState};
use zhiyin_model::event::Refusal;
use zhiyin_model::id::{IdKey, MemberId};
use zhiyin_model::member::Term;
use zhiyin_model::role::Filter;
use zhiyin_model::time::{Day, Ts};
use zhiyin_store::checkouts::StoredCheckout;
use zhiyin_store::{Store, StoreError, seal};

use crate::boxed;
use crate::command::Whom;
use crate::{Engine, Result, clock, rebuild};

/// A checkout as it stands. Amounts are whole minor units.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct CheckoutView {
    /// Its id.
    pub id: String,
    /// Its name, as whoever began it calls it.
    pub checkout: String,
    /// Whose naming it is; left out where nobody says.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    /// Whose it is.
    pub member: String,
    /// `locked`, `redeemed`, `returned`, `cancelled` or `released`.
    pub state: String,
    /// When it was last judged, paid or let go of, in business time.
    pub at: String,
    /// Until when it holds what it takes, while it is locked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// The order that was made of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderNamed>,
    /// The lease under which a till sold it without a network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lease: Option<String>,
    /// What it costs, and why.
    #[serde(flatten)]
    pub quote: QuoteTold,
    /// What judging it again changed, where it was judged before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed: Option<Changed>,
    /// What was given back for what came back, in all.
    pub refunded: i64,
    /// Points of exchanges that came back, in all.
    pub points_back: i64,
    /// Each return, the first first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub returns: Vec<ReturnDone>,
}

/// An order as its source calls it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OrderNamed {
    /// Whose numbering it is.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    /// Its number.
    pub number: String,
}

/// What a cart would cost a member now.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct CheckoutQuoted {
    /// For whom; left out where nobody is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub member: Option<String>,
    /// What it costs, and why. Nothing is held.
    #[serde(flatten)]
    pub quote: QuoteTold,
}

impl CheckoutView {
    fn of(checkout: &Checkout, body: Body) -> Self {
        let mut quote = body.quote;
        for applied in &mut quote.applied {
            let taken = checkout.takes.coupons.iter().find(|coupon| coupon.offer == applied.offer);
            applied.coupon = taken.map(|coupon| coupon.id.to_string());
        }
        let locked = checkout.state == CheckoutState::Locked;
        Self {
            id: checkout.id.to_string(),
            checkout: body.name,
            namespace: body.namespace,
            member: checkout.member.to_string(),
            state: checkout.state.name().to_owned(),
            at: checkout.at.rfc3339(),
            until: locked.then(|| checkout.until.rfc3339()),
            order: body.order.map(|(namespace, number)| OrderNamed { namespace, number }),
            lease: body.lease,
            quote,
            changed: body.changed,
            refunded: body.refunded,
            points_back: body.points_back,
            returns: body.returns,
        }
    }
}

/// The refusal of a name that is no checkout's, or of one whose member one may not reach: nobody learns which.
fn unknown() -> Refusal {
    Refusal::new("checkout_unknown", "checkout", "there is no such checkout")
}

impl Engine {
    /// What a cart costs a member now by what the home knows of them; somebody nobody knows, where none is named. Nothing is held.
    #[boxed]
    pub async fn checkout_quote(
        &self,
        member: Option<MemberId>,
        cart: &CartFacts,
    ) -> Result<std::result::Result<CheckoutQuoted, Refusal>> {
        let (home, live) = (self.home().await?, self.live()?);
        let now = clock::now(&home);
        let store = self.store().as_ref();
        let state = match member {
            Some(member) => {
                let wanted = zhiyin_store::Wanted { members: vec![member], ..Default::default() };
                match store.load(wanted).await?.members.into_iter().next() {
                    Some(stored) => rebuild::state(store, &live.rules, stored).await?,
                    None => return Ok(Err(crate::command::unknown("member"))),
                }
            }
            None => State::new(&live.rules, MemberId::from_bytes([0; 16]), now),
        };
        let by = (&live.rules, &home.id_key, now);
        let judged = match judged(store, by, &state, cart).await? {
            Ok(judged) => judged,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let mut quote = judged.quote;
        if state.member.term.is_none()
            && let Some(lowest) = live.playbook.tiers.levels.first()
        {
            let mut member = state.clone();
            member.member.term = Some(Term { level: lowest.id.clone(), from: now, ends: Day(i32::MAX) });
            if let Ok(as_member) = self::judged(store, by, &member, cart).await? {
                quote.membership_saves = Some((quote.payable - as_member.quote.payable).max(0));
            }
        }
        Ok(Ok(CheckoutQuoted { member: member.map(|member| member.to_string()), quote }))
    }

    /// A checkout by its name, with whose it is.
    #[boxed]
    pub async fn checkout_named(&self, namespace: &str, name: &str) -> Result<Option<StoredCheckout>> {
        let key = self.home().await?.id_key;
        Ok(self.store().coupons().checkout(checkout::id(&key, namespace, name)).await?)
    }

    /// A checkout as it stands, if a filter reaches its member.
    #[boxed]
    pub async fn checkout_view(
        &self,
        filter: &Filter,
        namespace: &str,
        name: &str,
    ) -> Result<std::result::Result<CheckoutView, Refusal>> {
        let Some(stored) = self.checkout_named(namespace, name).await? else { return Ok(Err(unknown())) };
        if self.reachable(filter, &Whom::Id(stored.checkout.member), "checkout").await?.is_err() {
            return Ok(Err(unknown()));
        }
        let body = match seal::open(&stored.body) {
            Err(StoreError::Erased) => {
                return Ok(Err(Refusal::new("erased", "checkout", "what was bought was erased")));
            }
            body => body?,
        };
        let body =
            Body::read(&body).ok_or_else(|| StoreError::Damaged("the body of a checkout".to_owned()))?;
        Ok(Ok(CheckoutView::of(&stored.checkout, body)))
    }
}

/// Judges a cart by what pools have now.
async fn judged(
    store: &dyn Store,
    (rules, key, at): (&Rules, &IdKey, Ts),
    state: &State,
    cart: &CartFacts,
) -> Result<std::result::Result<Judged, Refusal>> {
    let mut taken: BTreeMap<String, i64> = BTreeMap::new();
    loop {
        match judge(rules, key, state, Pools { taken: &taken, own: &[] }, cart, at) {
            Ok(judged) => return Ok(Ok(judged)),
            Err(Stop::Refused(mut refusal)) => {
                if let Some(field) = refusal.field.strip_prefix("properties.") {
                    refusal.field = field.to_owned();
                }
                return Ok(Err(refusal));
            }
            Err(Stop::Missing(Missing::Pools(pools))) => {
                let found = store.coupons().pools(pools.clone()).await?;
                taken.extend(
                    pools.into_iter().map(|pool| (pool.clone(), found.get(&pool).copied().unwrap_or(0))),
                );
            }
            Err(Stop::Missing(missing)) => {
                return Err(StoreError::Damaged(format!("a quote asks for {missing:?}")).into());
            }
        }
    }
}
