//! Coupons as people ask for them: whose they are, what a code is, and issues to many.
//!
//! An issue to many is asked for once, by a name. First all whom it is for are written down, part by part, so that whoever
//! takes it up after a stop issues to the same; then each part goes through the door as items of the issue's own source, in one
//! transaction with how far it has come, and is decided like any other. An item bears the member's id as its message id, so
//! nobody is issued to twice. Memory holds a part, and ids while they are written down.

pub mod codes;
mod door;
mod many;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use zhiyin_model::coupon::{Coupon, CouponCode};
use zhiyin_model::event::Refusal;
use zhiyin_model::id::{CouponId, IdKey, MemberId};
use zhiyin_model::mask::Mask;
use zhiyin_model::role::Filter;
use zhiyin_model::time::Ts;

use crate::boxed;
use crate::command::Whom;
use crate::{Engine, Result};

pub(crate) use door::Seen;
pub use many::{IssueView, SOURCE};

/// The most coupons of a member that are shown.
pub const SHOWN_MAX: usize = 500;

/// A coupon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CouponView {
    /// Its id: what a withdrawal names.
    pub id: String,
    /// What people show or type.
    pub code: String,
    /// The partner's code that it bears, for whoever may see it: masked for others; nothing, where it bears none.
    pub partner_code: Option<String>,
    /// Whose it is.
    pub member: String,
    /// Of which offer.
    pub offer: String,
    /// `active`, `locked`, `redeemed`, `expired` or `withdrawn`.
    pub state: String,
    /// From when it can be used.
    pub valid_from: String,
    /// From when it no longer can; nothing, where it always can.
    pub valid_until: Option<String>,
    /// When it was issued, in business time.
    pub issued_at: String,
}

impl CouponView {
    fn of(key: &IdKey, coupon: &Coupon) -> Self {
        let until = Some(coupon.valid_until).filter(|until| *until < Ts::FOREVER);
        Self {
            id: coupon.id.to_string(),
            code: coupon.code(key).to_string(),
            partner_code: None,
            member: coupon.member.to_string(),
            offer: coupon.offer.clone(),
            state: coupon.account.name().to_owned(),
            valid_from: coupon.valid_from.rfc3339(),
            valid_until: until.map(Ts::rfc3339),
            issued_at: coupon.at.rfc3339(),
        }
    }
}

/// A coupon with how it moved and what it is under.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CouponWhole {
    /// The coupon.
    #[serde(flatten)]
    pub coupon: CouponView,
    /// The terms under which it was issued, as the playbook had them.
    pub terms: serde_json::Value,
    /// How it moved, oldest first.
    pub moves: Vec<CouponMoveView>,
}

/// How a coupon moved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CouponMoveView {
    /// `issue`, `lock`, `unlock`, `redeem`, `return`, `lapse`, `expire` or `withdraw`.
    pub kind: String,
    /// When, in business time.
    pub at: String,
    /// Under which version of the playbook.
    pub version: i64,
}

/// The refusal of a code or an id that is no coupon's, or of one whose member one may not reach: nobody learns which.
fn unknown(field: &str) -> Refusal {
    Refusal::new("coupon_unknown", field, "there is no such coupon")
}

impl Engine {
    /// A member's coupons, newest first, as far as a filter reaches.
    #[boxed]
    pub async fn coupons_of(
        &self,
        filter: &Filter,
        whom: &Whom,
        field: &str,
    ) -> Result<std::result::Result<Vec<CouponView>, Refusal>> {
        let member = match self.reachable(filter, whom, field).await? {
            Ok(stored) => stored.member.id,
            Err(refusal) => return Ok(Err(refusal)),
        };
        Ok(Ok(self.coupons_shown(member, filter.mask).await?))
    }

    /// The same of somebody who was looked up, with all that their coupons bear.
    #[boxed]
    pub async fn coupons_of_member(&self, member: MemberId) -> Result<Vec<CouponView>> {
        self.coupons_shown(member, Mask::Full).await
    }

    async fn coupons_shown(&self, member: MemberId, mask: Mask) -> Result<Vec<CouponView>> {
        let key = self.home().await?.id_key;
        let coupons = self.store().coupons().coupons_of(member, SHOWN_MAX).await?;
        self.with_codes(&key, mask, &coupons).await
    }

    /// Coupons with the partners' codes that they bear, as far as a mask shows them.
    async fn with_codes(&self, key: &IdKey, mask: Mask, coupons: &[Coupon]) -> Result<Vec<CouponView>> {
        let mut views: Vec<CouponView> = coupons.iter().map(|coupon| CouponView::of(key, coupon)).collect();
        let ids = coupons.iter().map(|coupon| coupon.id).collect();
        let found = self.store().coupons().codes_of_coupons(ids).await?;
        let codes: BTreeMap<CouponId, String> = found.into_iter().collect();
        for (view, coupon) in views.iter_mut().zip(coupons) {
            view.partner_code = codes.get(&coupon.id).and_then(|code| mask.identifier("code", code));
        }
        Ok(views)
    }

    /// The id of the coupon of a code, whether there is one or not.
    #[boxed]
    pub async fn coupon_of_code(&self, code: &CouponCode) -> Result<CouponId> {
        Ok(code.id(&self.home().await?.id_key))
    }

    /// A coupon by its code or its id, however typed, if a filter reaches its member.
    #[boxed]
    pub async fn coupon(
        &self,
        filter: &Filter,
        typed: &str,
        field: &str,
    ) -> Result<std::result::Result<CouponWhole, Refusal>> {
        let key = self.home().await?.id_key;
        let by_code = CouponCode::typed(typed).map(|code| code.id(&key));
        let Some(id) = by_code.or_else(|| CouponId::from_hex(typed.trim())) else {
            return Ok(Err(unknown(field)));
        };
        let Some(coupon) = self.store().coupons().coupon(id).await? else { return Ok(Err(unknown(field))) };
        if self.reachable(filter, &Whom::Id(coupon.member), field).await?.is_err() {
            return Ok(Err(unknown(field)));
        }
        let terms = self.store().coupons().coupon_terms(coupon.terms).await?.unwrap_or_default();
        let moves = self.store().coupons().coupon_moves(id).await?;
        let moves = moves.into_iter().map(|line| CouponMoveView {
            kind: line.kind.name().to_owned(),
            at: line.at.rfc3339(),
            version: line.version,
        });
        let mut shown = self.with_codes(&key, filter.mask, std::slice::from_ref(&coupon)).await?;
        Ok(Ok(CouponWhole {
            coupon: shown.pop().unwrap_or_else(|| CouponView::of(&key, &coupon)),
            terms: serde_json::from_str(&terms).unwrap_or_default(),
            moves: moves.collect(),
        }))
    }
}
