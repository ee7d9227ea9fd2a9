//! A cart as programs send it, with what they know of whoever brings it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Deserialize;
use zhiyin_condition::{Birthday, ItemRow, LeafStates, Leaves, OrderRow};
use zhiyin_decide::checkout::{listed, scalars};
use zhiyin_decide::rules::Rules;
use zhiyin_model::checkout::{CartFacts, CartLine};
use zhiyin_model::id::{IdKey, MemberId};
use zhiyin_model::money::Money;
use zhiyin_model::playbook::Playbook;
use zhiyin_model::playbook::offer::Within;
use zhiyin_model::scalar::Scalar;
use zhiyin_model::time::Ts;
use zhiyin_offer::{Cart, CartProblem, Coupon, Left, Uses};

/// The most entries of lists beside lines: tags, coupons, orders.
const ENTRIES_MAX: usize = 10_000;

/// A cart, and who brings it.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CartAsked {
    /// The currency, where it is said: another than the brand's is refused.
    pub currency: Option<String>,
    /// The store.
    pub store: Option<String>,
    /// Its region.
    pub region: Option<String>,
    /// The store's time zone; the brand's where it is not said.
    pub timezone: Option<String>,
    /// Through which channel: `store`, `mini_program` …
    pub channel: Option<String>,
    /// How it will be paid: `wechat`, `alipay`, `cash` …
    pub payment: Option<String>,
    /// What shipping costs, in minor units.
    #[serde(default)]
    pub shipping: i64,
    /// Codes of partners that were shown.
    #[serde(default)]
    pub codes: Vec<String>,
    /// Exchanges for points that are asked for: offer and pieces.
    #[serde(default)]
    pub exchange: BTreeMap<String, u32>,
    /// The lines.
    pub lines: Vec<LineAsked>,
    /// Whoever brings it; nobody known where it is left out.
    pub member: Option<MemberAsked>,
    /// How often offers were used by all together, by offer.
    #[serde(default)]
    pub used: BTreeMap<String, UsesAsked>,
    /// What is left of offers, by offer.
    #[serde(default)]
    pub left: BTreeMap<String, LeftAsked>,
}

/// A line of a cart.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LineAsked {
    /// As whoever asks calls it; its place where it is left out.
    pub id: Option<String>,
    /// The product's id.
    pub product: String,
    /// Its category.
    pub category: Option<String>,
    /// Its department.
    pub department: Option<String>,
    /// Its brand.
    pub brand: Option<String>,
    /// Where in the shop it is.
    pub zone: Option<String>,
    /// What a piece costs, in minor units, taxes included.
    pub price: i64,
    /// How many pieces.
    pub quantity: u32,
    /// The least a piece may be sold for, in minor units.
    pub floor: Option<i64>,
    /// What else is known of it.
    #[serde(default)]
    pub properties: BTreeMap<String, serde_json::Value>,
}

/// Whoever brings a cart.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberAsked {
    /// Their id: what `bucket(…)` is reckoned from.
    pub id: Option<String>,
    /// The tier held; nobody without one is a member.
    pub tier: Option<String>,
    /// Their tags.
    #[serde(default)]
    pub tags: BTreeSet<String>,
    /// Their attributes, the birthday among them.
    #[serde(default)]
    pub attributes: BTreeMap<String, serde_json::Value>,
    /// Their birthday, `YYYY-MM-DD` or `MM-DD`: the attribute of that name.
    pub birthday: Option<String>,
    /// The stage of their lifecycle.
    pub lifecycle: Option<String>,
    /// Their home store.
    pub store: Option<String>,
    /// Points they may spend.
    #[serde(default)]
    pub points: i64,
    /// When they enrolled.
    pub enrolled_at: Option<String>,
    /// Uploaded lists they are on.
    #[serde(default)]
    pub lists: BTreeSet<String>,
    /// Orders of theirs that count.
    #[serde(default)]
    pub orders: Vec<OrderAsked>,
    /// Coupons they hold.
    #[serde(default)]
    pub coupons: Vec<CouponAsked>,
    /// How often they used offers, by offer.
    #[serde(default)]
    pub used: BTreeMap<String, UsesAsked>,
}

/// An order of the past.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderAsked {
    /// When.
    pub time: String,
    /// What was paid, in minor units.
    #[serde(default)]
    pub paid: i64,
    /// Where.
    pub store: Option<String>,
    /// Through which channel.
    pub channel: Option<String>,
    /// What was bought.
    #[serde(default)]
    pub items: Vec<ItemAsked>,
}

/// An item of an order of the past.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ItemAsked {
    /// The product.
    pub product: String,
    /// Its category.
    pub category: Option<String>,
    /// Its department.
    pub department: Option<String>,
    /// Pieces.
    #[serde(default)]
    pub quantity: u32,
    /// What was paid for it, in minor units.
    #[serde(default)]
    pub paid: i64,
}

/// A coupon that is held.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CouponAsked {
    /// Its code or id.
    pub id: String,
    /// The offer it is of.
    pub offer: String,
    /// It may be used before this instant (RFC 3339).
    pub expires: String,
}

/// How often an offer was used, within the day, the week … that the quote falls into.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UsesAsked {
    /// Today.
    #[serde(default)]
    pub day: u64,
    /// This week.
    #[serde(default)]
    pub week: u64,
    /// This month.
    #[serde(default)]
    pub month: u64,
    /// Since the offer began.
    #[serde(default)]
    pub campaign: u64,
    /// In all.
    #[serde(default)]
    pub ever: u64,
}

/// What is left of an offer.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LeftAsked {
    /// Uses.
    pub stock: Option<u64>,
    /// Money, in minor units.
    pub money: Option<i64>,
    /// Pieces.
    pub pieces: Option<u64>,
}

/// Whoever brings a cart, ready to be asked.
#[derive(Clone, Debug)]
pub struct Shopper {
    pub(super) id: MemberId,
    pub(super) tier: Option<String>,
    pub(super) tags: BTreeSet<String>,
    pub(super) attributes: BTreeMap<String, Scalar>,
    pub(super) lifecycle: Option<String>,
    pub(super) store: Option<String>,
    pub(super) points: i64,
    pub(super) enrolled_at: Option<Ts>,
    pub(super) lists: BTreeSet<String>,
    pub(super) states: LeafStates,
    pub(super) coupons: Vec<Coupon>,
    pub(super) uses: BTreeMap<String, Uses>,
    pub(super) left: BTreeMap<String, Left>,
}

fn problem<T>(field: impl Into<String>, message: impl Into<String>) -> Result<T, CartProblem> {
    Err(CartProblem { field: field.into(), message: message.into() })
}

fn instant(field: String, text: &str) -> Result<Ts, CartProblem> {
    match Ts::parse(text) {
        Some(at) => Ok(at),
        None => problem(field, "a time is written like 2020-05-23T19:30:00+08:00"),
    }
}

impl CartAsked {
    /// The cart, checked.
    pub fn cart(&self, rules: &Rules) -> Result<Cart, CartProblem> {
        zhiyin_decide::checkout::cart(&self.facts(), rules)
    }

    /// The cart alone.
    fn facts(&self) -> CartFacts {
        let line = |line: &LineAsked| CartLine {
            id: line.id.clone(),
            product: line.product.clone(),
            category: line.category.clone(),
            department: line.department.clone(),
            brand: line.brand.clone(),
            zone: line.zone.clone(),
            price: line.price,
            quantity: line.quantity,
            floor: line.floor,
            properties: line.properties.clone(),
        };
        CartFacts {
            currency: self.currency.clone(),
            store: self.store.clone(),
            region: self.region.clone(),
            timezone: self.timezone.clone(),
            channel: self.channel.clone(),
            payment: self.payment.clone(),
            shipping: self.shipping,
            codes: self.codes.clone(),
            exchange: self.exchange.clone(),
            coupons: None,
            lines: self.lines.iter().map(line).collect(),
        }
    }

    /// Whoever brings it, their history looked back on.
    pub fn shopper(&self, playbook: &Playbook, leaves: &Leaves) -> Result<Shopper, CartProblem> {
        let nobody = MemberAsked::default();
        let member = self.member.as_ref().unwrap_or(&nobody);
        if [member.orders.len(), member.coupons.len(), member.tags.len()].into_iter().any(|n| n > ENTRIES_MAX)
        {
            return problem("member", format!("at most {ENTRIES_MAX} orders, coupons and tags"));
        }
        let levels = || playbook.tiers.levels.iter().map(|level| &level.id);
        if let Some(tier) = member.tier.as_ref().filter(|tier| levels().all(|known| known != *tier)) {
            let shown: String = tier.chars().take(64).collect();
            return problem("member.tier", format!("there is no tier `{shown}`{}", listed(levels())));
        }
        let mut attributes = scalars("member.attributes", &member.attributes)?;
        if let Some(birthday) = &member.birthday {
            if Birthday::parse(birthday).is_none() {
                return problem("member.birthday", "a birthday is written like 1990-05-13 or 05-13");
            }
            attributes.insert("birthday".to_owned(), Scalar::Text(birthday.clone()));
        }
        let mut coupons = Vec::with_capacity(member.coupons.len());
        for (i, coupon) in member.coupons.iter().enumerate() {
            let expires = instant(format!("member.coupons[{i}].expires"), &coupon.expires)?;
            coupons.push(Coupon { id: coupon.id.clone(), offer: coupon.offer.clone(), expires });
        }
        let enrolled_at = member.enrolled_at.as_ref();
        let enrolled_at =
            enrolled_at.map(|text| instant("member.enrolled_at".to_owned(), text)).transpose()?;
        let mut uses: BTreeMap<String, Uses> = BTreeMap::new();
        for (offer, own) in &member.used {
            uses.entry(offer.clone()).or_default().member = own.by_time();
        }
        for (offer, all) in &self.used {
            uses.entry(offer.clone()).or_default().all = all.by_time();
        }
        let left = self.left.iter().map(|(offer, left)| {
            (offer.clone(), Left { stock: left.stock, money: left.money, pieces: left.pieces })
        });
        // No secret: the key only makes an id of whatever the member is called by.
        let key = IdKey::from_bytes([0; 32]);
        let id = member.id.as_deref().unwrap_or("");
        let mut shopper = Shopper {
            id: MemberId::from_hex(id).unwrap_or_else(|| key.derive("shopper", &[id.as_bytes()])),
            tier: member.tier.clone(),
            tags: member.tags.clone(),
            attributes,
            lifecycle: member.lifecycle.clone(),
            store: member.store.clone(),
            points: member.points,
            enrolled_at,
            lists: member.lists.clone(),
            states: LeafStates::default(),
            coupons,
            uses,
            left: left.collect(),
        };
        let text = |text: &Option<String>| text.as_deref().map(Arc::from);
        let mut orders = Vec::with_capacity(member.orders.len());
        for (i, order) in member.orders.iter().enumerate() {
            let items = order.items.iter().map(|item| ItemRow {
                product: Arc::from(item.product.as_str()),
                category: text(&item.category),
                department: text(&item.department),
                quantity: Decimal::from(item.quantity),
                paid: Money(item.paid),
            });
            orders.push(OrderRow {
                time: instant(format!("member.orders[{i}].time"), &order.time)?,
                paid: Money(order.paid),
                store: text(&order.store),
                channel: text(&order.channel),
                items: items.collect(),
            });
        }
        shopper.look_back(leaves, &orders);
        Ok(shopper)
    }
}

impl UsesAsked {
    fn by_time(self) -> BTreeMap<Within, u64> {
        BTreeMap::from([
            (Within::Day, self.day),
            (Within::Week, self.week),
            (Within::Month, self.month),
            (Within::Campaign, self.campaign),
            (Within::Ever, self.ever),
        ])
    }
}
