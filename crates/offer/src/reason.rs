//! Why an offer does not apply, in words.

use serde::Serialize;
use zhiyin_model::money::{Currency, Money};
use zhiyin_model::playbook::Language;
use zhiyin_model::playbook::offer::Within;

/// What is wanting where a part of an offer's `when` does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanting {
    Day,
    Hour,
    Payment,
    Channel,
    Store,
    Cart,
    Member,
}

/// Why an offer does not apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It has not begun.
    NotYet,
    /// It is over.
    Over,
    /// It is for other members, or for members only.
    NotForMember,
    /// The tier held has no part in it.
    NotInTier,
    /// It is not on this day.
    WrongDay,
    /// It is not at this hour.
    WrongHour,
    /// It is for another payment method.
    WrongPayment,
    /// It is for another channel.
    WrongChannel,
    /// It is for other stores.
    WrongStore,
    /// It is for other carts.
    CartDoesNotFit,
    /// The partner's code was not shown.
    NoCode,
    /// The member holds no coupon of it.
    NoCoupon,
    /// The member's coupon has expired.
    CouponExpired,
    /// It was used as often as it may be.
    LimitUsed,
    /// Nothing of it is left.
    SoldOut,
    /// Its budget has no room for it.
    BudgetUsed,
    /// Nothing in the cart is of it.
    NothingOfIt,
    /// So many pieces more, and it applies.
    MorePieces,
    /// So much more, and it applies.
    SpendMore,
    /// So many points more, and it applies.
    MorePoints,
    /// It applies where the member asks for it.
    NotAsked,
    /// It may apply, but another combination leaves less to pay.
    BetterWithout,
    /// It does not go with one that applies.
    Excluded,
    /// It would take nothing off.
    NoEffect,
    /// There are too many offers for one cart.
    TooMany,
}

/// How much of what is wanting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// Money, in minor units.
    Money(Money),
    /// Pieces.
    Pieces(u64),
    /// Points.
    Points(i64),
}

impl Reason {
    /// In words.
    pub fn words(
        self,
        missing: Option<Missing>,
        within: Option<Within>,
        language: Language,
        currency: &Currency,
    ) -> String {
        let money = |money: Money| match currency.code.as_str() {
            "CNY" => format!("¥{}", currency.to_major(money).normalize()),
            code => format!("{code} {}", currency.to_major(money).normalize()),
        };
        let (zh, en) = match (self, missing) {
            (Self::SpendMore, Some(Missing::Money(more))) => {
                return match language {
                    Language::Zh => format!("再买 {} 即可使用", money(more)),
                    Language::En => format!("{} more and it applies", money(more)),
                };
            }
            (Self::MorePieces, Some(Missing::Pieces(n))) => {
                return match language {
                    Language::Zh => format!("再加 {n} 件即可使用"),
                    Language::En if n == 1 => "1 piece more and it applies".to_owned(),
                    Language::En => format!("{n} pieces more and it applies"),
                };
            }
            (Self::MorePoints, Some(Missing::Points(n))) => {
                return match language {
                    Language::Zh => format!("还差 {n} 积分"),
                    Language::En => format!("{n} points more and it applies"),
                };
            }
            (Self::LimitUsed, _) => match within {
                Some(Within::Day) => ("今天已经用过", "used as often as it may be today"),
                Some(Within::Week) => ("本周已经用过", "used as often as it may be this week"),
                Some(Within::Month) => ("本月已经用过", "used as often as it may be this month"),
                _ => ("使用次数已满", "used as often as it may be"),
            },
            (Self::NotYet, _) => ("尚未开始", "it has not begun"),
            (Self::Over, _) => ("已经结束", "it is over"),
            (Self::NotForMember, _) => ("不适用于该会员", "it is for other members"),
            (Self::NotInTier, _) => ("当前等级不适用", "not in this tier"),
            (Self::WrongDay, _) => ("今天不适用", "not on this day"),
            (Self::WrongHour, _) => ("当前时段不适用", "not at this hour"),
            (Self::WrongPayment, _) => ("支付方式不适用", "not by this payment method"),
            (Self::WrongChannel, _) => ("当前渠道不适用", "not through this channel"),
            (Self::WrongStore, _) => ("当前门店不适用", "not in this store"),
            (Self::CartDoesNotFit, _) => ("购物车不符合条件", "not for this cart"),
            (Self::NoCode, _) => ("未出示伙伴码", "no code of the partner was shown"),
            (Self::NoCoupon, _) => ("没有该优惠券", "no coupon of it is held"),
            (Self::CouponExpired, _) => ("优惠券已过期", "the coupon has expired"),
            (Self::SoldOut, _) => ("已经领完", "nothing of it is left"),
            (Self::BudgetUsed, _) => ("预算不足", "its budget has no room"),
            (Self::NothingOfIt, _) => ("没有适用的商品", "nothing in the cart is of it"),
            (Self::MorePieces, _) => ("件数不足", "more pieces are needed"),
            (Self::SpendMore, _) => ("金额不足", "more must be spent"),
            (Self::MorePoints, _) => ("积分不足", "more points are needed"),
            (Self::NotAsked, _) => ("可换购，需会员选择", "it can be asked for"),
            (Self::BetterWithout, _) => ("其他组合更优惠", "another combination leaves less to pay"),
            (Self::Excluded, _) => ("不与已用优惠同享", "it does not go with one that applies"),
            (Self::NoEffect, _) => ("没有可减的金额", "it would take nothing off"),
            (Self::TooMany, _) => ("可用优惠过多", "there are too many offers for one cart"),
        };
        match language {
            Language::Zh => zh.to_owned(),
            Language::En => en.to_owned(),
        }
    }
}

impl Wanting {
    pub(crate) const fn reason(self) -> Reason {
        match self {
            Self::Day => Reason::WrongDay,
            Self::Hour => Reason::WrongHour,
            Self::Payment => Reason::WrongPayment,
            Self::Channel => Reason::WrongChannel,
            Self::Store => Reason::WrongStore,
            Self::Cart => Reason::CartDoesNotFit,
            Self::Member => Reason::NotForMember,
        }
    }
}
