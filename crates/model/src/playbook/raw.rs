//! The playbook as it is written, before it is checked: the grammar of the file and its JSON Schema.
//!
//! Every key is optional here, because a file that extends another may leave it out; what must be there in
//! the end is said where it is checked.

pub(super) mod campaign;
pub(super) mod draw;
pub(super) mod link;
pub(super) mod offer;
pub(super) mod way;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Deserialize;

use super::names::Language;
use super::touchpoint::TouchpointKind;
use super::words::{
    Blocked, ById, ChangesPhrase, Condition, DayPhrase, DaysPhrase, ExpiryPhrase, LimitPhrase, MostPhrase,
    RawAims, RawEarn, RawNames, Version, WorthPhrase,
};
use super::{AttributeKind, Combine, Debt, PaidRule, Phase};

/// What a brand promises its members.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a map of keys")]
#[schemars(title = "Zhiyin playbook", rename = "Playbook")]
pub(super) struct RawPlaybook {
    /// The name of this playbook.
    pub playbook: Option<String>,
    /// The playbook this one differs from: a shipped one by name, or a file by path.
    #[serde(rename = "extends")]
    pub _extends: Option<String>,
    /// The brand's time zone, by its IANA name. Days, years and birthdays are its.
    #[schemars(example = &"Asia/Shanghai", example = &"UTC")]
    pub timezone: Option<String>,
    /// The brand's currency, by its ISO 4217 code.
    #[schemars(regex(pattern = "^[A-Z]{3}$"), example = &"CNY", example = &"USD")]
    pub currency: Option<String>,
    /// Languages the brand speaks, the first before the others.
    pub languages: Option<Vec<Language>>,
    /// Attributes of members, which conditions name as `attr.NAME`.
    pub attributes: Option<ById<RawAttribute>>,
    /// Known touchpoints by code.
    pub touchpoints: Option<ById<RawTouchpoint>>,
    /// Partners with whom guests are exchanged, by the code that an item carries as its touchpoint.
    pub partners: Option<ById<RawPartner>>,
    /// What of an order counts.
    pub orders: Option<RawOrders>,
    /// The points account.
    pub points: Option<RawPoints>,
    /// The growth value that tiers are judged by.
    pub growth: Option<RawGrowth>,
    /// The levels and how long one holds.
    pub tiers: Option<RawTiers>,
    /// Stages of a member's life with the brand; a member is in the first that holds, the last is `true`.
    pub lifecycle: Option<ById<RawStage>>,
    /// Tags by id.
    pub tags: Option<ById<RawTag>>,
    /// Saved audiences by id, which conditions name as `audience("ID")`.
    pub audiences: Option<ById<RawAudience>>,
    /// Lanes, in the order in which offers apply.
    pub lanes: Option<ById<offer::RawLane>>,
    /// The least that products may be sold for, by id.
    pub floors: Option<ById<offer::RawFloor>>,
    /// Offers by id, in the order in which a till that cannot look for the best tries them.
    pub offers: Option<ById<offer::RawOffer>>,
    /// Draws by id.
    pub draws: Option<ById<draw::RawDraw>>,
    /// Texts that are sent, by id.
    pub messages: Option<ById<campaign::RawMessage>>,
    /// Where short links lead, and from where.
    pub links: Option<link::RawLinks>,
    /// Posters by id.
    pub posters: Option<ById<link::RawPoster>>,
    /// Campaigns by id.
    pub campaigns: Option<ById<campaign::RawCampaign>>,
    /// What bounds everything that is sent.
    pub sending: Option<campaign::RawSending>,
    /// Which names of people count, and how far.
    pub identity: Option<RawIdentity>,
    /// What consent is asked for.
    pub consent: Option<RawConsent>,
    /// After how many days the bodies of events are let go, by event name.
    pub retention: Option<ById<DaysPhrase>>,
    /// Up to where one person decides alone.
    pub alone: Option<RawAlone>,
    /// What one lease of a till that sells without a network may have.
    pub tills: Option<RawTills>,
}

/// What one lease of a till that sells without a network may have.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a map of keys")]
#[schemars(rename = "Tills")]
pub(super) struct RawTills {
    /// For how many hours at most.
    pub hours: Option<i64>,
    /// How many hours after its end what is left comes back.
    pub grace_hours: Option<i64>,
    /// For how many members at most.
    pub members: Option<i64>,
    /// Uses, or pieces, of one offer at most.
    pub uses: Option<i64>,
    /// Money of one offer's budget at most, in whole major units.
    pub budget: Option<i64>,
}

/// Up to where one person decides alone; more of it needs a second one.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a map of keys")]
#[schemars(rename = "Alone")]
pub(super) struct RawAlone {
    /// Points that one adjustment may add or take.
    pub points: Option<i64>,
    /// To how many members one person issues a coupon.
    pub members: Option<i64>,
    /// Money that one person sends to a member, in whole major units.
    pub payouts: Option<i64>,
    /// Whether one person makes a playbook live over the interface.
    pub playbook: Option<bool>,
    /// Hours within which a second person must answer.
    pub answer_hours: Option<i64>,
}

/// An attribute of members.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "an attribute such as `{ type: text }`")]
#[schemars(rename = "Attribute")]
pub(super) struct RawAttribute {
    /// What people call it.
    pub name: Option<RawNames>,
    /// The type of its values.
    #[serde(rename = "type")]
    pub kind: Option<AttributeKind>,
    /// How often it may change.
    pub changes: Option<ChangesPhrase>,
}

/// A touchpoint.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a touchpoint such as `{ kind: store }`")]
#[schemars(rename = "Touchpoint")]
pub(super) struct RawTouchpoint {
    /// What people call it.
    pub name: Option<RawNames>,
    /// What kind of place it is.
    pub kind: Option<TouchpointKind>,
    /// The code there that leads to staff.
    pub way: Option<way::RawWay>,
    /// The code there that leads into groups.
    pub group_way: Option<way::RawGroupWay>,
    /// The official account, as the file of channels calls it, that whoever scans the code there comes to follow.
    pub follow: Option<String>,
}

/// A partner with whom guests are exchanged.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a partner such as `{ name: { zh: 音乐学校, en: Music school } }`")]
#[schemars(rename = "Partner")]
pub(super) struct RawPartner {
    /// What people call them.
    pub name: Option<RawNames>,
    /// What we give to whom they bring.
    pub ours: Option<RawNames>,
    /// What they give to whom we send.
    pub theirs: Option<RawNames>,
}

/// What of an order counts.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a map of keys")]
#[schemars(rename = "Orders")]
pub(super) struct RawOrders {
    /// What "paid" means.
    pub paid: Option<PaidRule>,
    /// Members whose orders earn neither points nor growth.
    pub earn_nothing: Option<Condition>,
}

/// The points account.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a map of keys")]
#[schemars(rename = "Points")]
pub(super) struct RawPoints {
    /// What members call them.
    pub name: Option<RawNames>,
    /// When what was earned is lost.
    pub expire: Option<ExpiryPhrase>,
    /// Whether a refund may take back what was spent already.
    pub debt: Option<Debt>,
    /// How long what was earned is held back before it may be spent.
    pub hold: Option<DaysPhrase>,
    /// What happens when several multipliers hold.
    pub combine: Option<Combine>,
    /// What is earned, and multipliers of it.
    pub earn: Option<Vec<RawEarn>>,
    /// What points are worth: major units of money per points.
    pub worth: Option<WorthPhrase>,
    /// The most that a member's orders of one day earn.
    pub most: Option<MostPhrase>,
}

/// The growth value.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a map of keys")]
#[schemars(rename = "Growth")]
pub(super) struct RawGrowth {
    /// What members call it.
    pub name: Option<RawNames>,
    /// What is earned.
    pub earn: Option<Vec<RawEarn>>,
}

/// What tiers are judged by.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum JudgedBy {
    /// The growth value.
    Growth,
}

/// The levels and how long one holds.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a map of keys")]
#[schemars(rename = "Tiers")]
pub(super) struct RawTiers {
    /// What tiers are judged by.
    #[serde(rename = "by")]
    pub _by: Option<JudgedBy>,
    /// The days over which growth counts, and after which a tier is judged again.
    pub over: Option<DaysPhrase>,
    /// From the lowest, which begins at 0, upwards.
    pub levels: Option<ById<RawLevel>>,
}

/// A level.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a level such as `{ from: 3000 }`")]
#[schemars(rename = "Level")]
pub(super) struct RawLevel {
    /// The least growth that holds it.
    #[schemars(range(min = 0))]
    pub from: Option<i64>,
    /// What members call it.
    pub name: Option<RawNames>,
    /// What its benefits are for.
    pub aim: Option<RawAims>,
    /// What it gives, as members read it.
    #[schemars(length(max = 12))]
    pub benefits: Option<Vec<RawNames>>,
}

/// A stage.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a stage such as `{ phase: win, when: size(orders) == 0 }`")]
#[schemars(rename = "Stage")]
pub(super) struct RawStage {
    /// What people call it.
    pub name: Option<RawNames>,
    /// What the brand does in it.
    pub phase: Option<Phase>,
    /// Members for whom it holds.
    pub when: Option<Condition>,
}

/// A tag.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a tag such as `{ who: size(orders) >= 10 }`")]
#[schemars(rename = "Tag")]
pub(super) struct RawTag {
    /// What people call it.
    pub name: Option<RawNames>,
    /// The group it is listed in.
    pub group: Option<String>,
    /// The rule that gives and takes it; without one it is given by hand.
    pub who: Option<Condition>,
    /// How long a tag given by hand lasts.
    pub valid: Option<DaysPhrase>,
    /// The first day of the tag.
    pub from: Option<DayPhrase>,
    /// The last day of the tag.
    pub until: Option<DayPhrase>,
    /// The group of tags on platforms in which it is made and kept, for staff to see; it belongs to the brand's playbook then.
    #[schemars(length(min = 1, max = 30), example = &"会员")]
    pub platform: Option<String>,
}

/// A saved audience.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "an audience such as `{ who: size(orders) >= 10 }`")]
#[schemars(rename = "Audience")]
pub(super) struct RawAudience {
    /// What people call it.
    pub name: Option<RawNames>,
    /// Whom it is made of; without one it is a list of members that is uploaded by hand.
    pub who: Option<Condition>,
    /// Whether it is kept current, member by member, and tells who entered and who left: false unless said otherwise.
    pub standing: Option<bool>,
}

/// Which names of people count, and how far.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a map of keys")]
#[schemars(rename = "Identity")]
pub(super) struct RawIdentity {
    /// Rules of namespaces: of a kind (`phone`), or of one of its namespaces (`openid:wx123`).
    pub namespaces: Option<ById<RawNamespace>>,
    /// When two members are made one.
    pub merge: Option<RawMerge>,
    /// How many names one person may have, of all namespaces together; 1,500 unless said otherwise.
    #[schemars(range(min = 1, max = 10_000))]
    pub names: Option<i64>,
}

/// The rule of a namespace; what is not said is as the house has it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a rule such as `{ limit: 3 ever }`")]
#[schemars(rename = "Namespace")]
pub(super) struct RawNamespace {
    /// How many of them a person may have, and within which time.
    pub limit: Option<LimitPhrase>,
    /// The lower, the more telling.
    #[schemars(range(min = 1, max = 1000))]
    pub priority: Option<i64>,
    /// How long a name that is not seen again is believed.
    pub valid: Option<DaysPhrase>,
    /// Whether one value stands for exactly one person.
    pub unique: Option<bool>,
    /// Values that name nobody.
    pub blocked: Option<Vec<Blocked>>,
}

/// When two members are made one.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a map of keys")]
#[schemars(rename = "Merge")]
pub(super) struct RawMerge {
    /// Sources whose word is taken that two names are of one person.
    pub trusted_sources: Option<Vec<String>>,
}

/// What consent is asked for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a map of keys")]
#[schemars(rename = "Consent")]
pub(super) struct RawConsent {
    /// Purposes by id.
    pub purposes: Option<ById<RawPurpose>>,
    /// Members of fewer years than this have a guardian who speaks for them; 14 unless said otherwise.
    #[schemars(range(min = 0, max = 21))]
    pub minors_under: Option<i64>,
}

/// One thing that consent may be needed for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a purpose such as `{ channels: [sms, email] }`")]
#[schemars(rename = "Purpose")]
pub(super) struct RawPurpose {
    /// What people call it.
    pub name: Option<RawNames>,
    /// The channels it is carried out on.
    pub channels: Option<Vec<String>>,
    /// What members agree to, in the newest version.
    pub text: Option<RawNames>,
    /// Versions of its text a consent to which holds.
    pub versions: Option<Vec<Version>>,
    /// Whether nothing may be done without consent: true unless said otherwise.
    pub needed: Option<bool>,
    /// What a consent management platform calls it.
    pub category: Option<String>,
}

/// The JSON Schema (draft 2020-12) of a playbook's file, for editors.
pub fn json_schema() -> serde_json::Value {
    let schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<RawPlaybook>();
    schema.to_value()
}
