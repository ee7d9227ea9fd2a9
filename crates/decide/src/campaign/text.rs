//! What texts may say of their member, and what they decide themselves: not to be sent.

use std::collections::BTreeMap;

use zhiyin_condition::Facts as _;
use zhiyin_model::coupon::HeldCoupon;
use zhiyin_model::member::Member;
use zhiyin_model::scalar::Scalar;
use zhiyin_model::time::Ts;

use super::guard::{Ask, Verdict};
use super::rule::CampaignRule;
use crate::Scene;
use crate::outcome::Known;
use crate::state::{State, View};

/// What messages say of themselves: known to whoever reads texts. Each answer is a function of what it is asked.
pub trait Texts: std::fmt::Debug + Send + Sync {
    /// Whether a message says something of its run's coupon without asking before whether there is one.
    fn needs_coupon(&self, message: &str) -> bool;
    /// Whether what a message says, and whether it is said at all, depends on its member in more than words.
    fn decides(&self, message: &str) -> bool;
    /// Why a message is not for a member of whom these variables hold, where it is not.
    fn refuses(&self, message: &str, variables: &BTreeMap<String, String>) -> Option<String>;
}

/// The run that a text is of.
#[derive(Clone, Copy, Debug)]
pub struct Of<'a> {
    /// What it is about.
    pub key: &'a str,
    /// When it began.
    pub since: Ts,
    /// It speaks as if what the campaign gives were held: to look ahead, and for who is held out.
    pub as_if: bool,
}

impl Of<'static> {
    /// Of no run yet.
    pub const AHEAD: Self = Self { key: "", since: Ts::MIN, as_if: true };
}

/// The guard-rail: whether the text is one for its member.
pub(super) fn rail(scene: &Scene<'_>, state: &State, _: &Known, ask: &Ask<'_>) -> (String, Verdict) {
    let Some(texts) = &scene.rules.texts else { return ("as it is".to_owned(), Verdict::Send) };
    let of = ask.run.map_or(Of::AHEAD, |run| Of { key: &run.key, since: run.since, as_if: run.held });
    let gives = of.as_if && ask.rule.coupons().next().is_some();
    // What could not be given is not spoken of: it may have been out of stock, or be used by now.
    if texts.needs_coupon(ask.message) && !gives && coupon_of(&state.member, ask.rule, of.since).is_none() {
        return ("none is held of the coupon that it speaks of".to_owned(), Verdict::Never);
    }
    if !texts.decides(ask.message) {
        return ("as it is".to_owned(), Verdict::Send);
    }
    match refused(scene, ask.message, &variables(scene, state, ask.rule, of)) {
        None => ("for them".to_owned(), Verdict::Send),
        Some(reason) => (reason, Verdict::Never),
    }
}

/// Why a message is not for whom these variables are, where it decides so itself.
pub(super) fn refused(
    scene: &Scene<'_>,
    message: &str,
    variables: &BTreeMap<String, String>,
) -> Option<String> {
    let texts = scene.rules.texts.as_ref().filter(|texts| texts.decides(message));
    texts.and_then(|texts| texts.refuses(message, variables))
}

/// What a text may say of its member, and of a run.
pub fn variables(
    scene: &Scene<'_>,
    state: &State,
    rule: &CampaignRule,
    of: Of<'_>,
) -> BTreeMap<String, String> {
    let member = &state.member;
    let mut variables = of_member(state);
    variables.insert("key".to_owned(), of.key.to_owned());
    let held = coupon_of(member, rule, of.since).map(|held| (held.offer.as_str(), held.valid_until));
    let given = || {
        let offer = rule.coupons().next().filter(|_| of.as_if)?;
        Some((offer, scene.rules.coupons.get(offer)?.valid_until(&scene.rules.zone, scene.at)))
    };
    if let Some((offer, until)) = held.or_else(given) {
        variables.insert("coupon.offer".to_owned(), offer.to_owned());
        let last = scene.rules.zone.day(until.plus_us(-1));
        variables.insert("coupon.until".to_owned(), last.to_string());
    }
    variables
}

/// What a text may say of a member, whatever it is in.
pub fn of_member(state: &State) -> BTreeMap<String, String> {
    let view = View::of(state);
    let mut variables = BTreeMap::new();
    for (name, value) in &state.member.attributes {
        let text = match value {
            Scalar::Text(text) => text.clone(),
            Scalar::Number(number) => number.normalize().to_string(),
            Scalar::Bool(flag) => flag.to_string(),
            Scalar::Texts(texts) => texts.join(", "),
        };
        variables.insert(format!("member.{name}"), text);
    }
    variables.insert("tier".to_owned(), view.tier().unwrap_or_default().to_owned());
    variables.insert("points".to_owned(), view.points().to_string());
    variables.insert("store".to_owned(), view.store().unwrap_or_default().to_owned());
    variables
}

/// The last coupon that a campaign gave a member since a run began, and that they still hold.
fn coupon_of<'m>(member: &'m Member, rule: &CampaignRule, since: Ts) -> Option<&'m HeldCoupon> {
    let mine = member.holdings.coupons.values();
    let mine = mine.filter(|held| held.at >= since && rule.coupons().any(|offer| offer == held.offer));
    mine.max_by_key(|held| held.at)
}

/// Names of what texts may say, with examples: what a template is checked by.
pub const VARIABLES: [(&str, &str); 7] = [
    ("tier", "gold"),
    ("points", "100"),
    ("store", "330"),
    ("key", "o1"),
    ("coupon.offer", "welcome"),
    ("coupon.until", "2025-12-31"),
    ("member.name", "王小明"),
];
