//! Members at the till: looked up, enrolled, brought up to date, tagged, asked for consent.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value, json};
use zhiyin_engine::EngineError;
use zhiyin_engine::accept::Ties;
use zhiyin_engine::command::{Act, Whom};
use zhiyin_engine::sight;
use zhiyin_model::effect::Asset;
use zhiyin_model::event::{Identifier, names};
use zhiyin_model::id::MemberId;
use zhiyin_model::role::Operation;

use super::{Account, Caller, CommandDone, Endpoint, IdentifierRef, MemberRef, text};
use crate::problem::Problem;

/// The most identifiers that a member is given at once.
const IDENTIFIERS_MAX: usize = 20;
/// The most attributes at once.
const ATTRIBUTES_MAX: usize = 100;

macro_rules! refusals {
    ($($more:literal),*) => {
        &["bad_identifier", "identifier_blocked", "identifier_empty", "phone_malformed", "email_malformed", "bad_text",
          "text_too_long", $($more),*]
    };
}

pub(crate) fn endpoints() -> Vec<Endpoint> {
    let member = json!({"namespace": "phone", "value": "13912345678"});
    vec![
        Endpoint::change(axum::http::Method::POST, "members_lookup", "/v1/commands/members/lookup", Operation::MemberLookup, lookup)
            .says(
                "Look a member up",
                "查找会员",
                "By an identifier that they show. What it is looked up by is in the body, so that it stays out of logs of addresses.",
            )
            .refuses(refusals!("member_unknown"))
            .example(json!({"member": member})),
        Endpoint::command("members_enrol", "/v1/commands/members/enrol", Operation::MemberEnrol, enrol)
            .says(
                "Enrol a member",
                "会员入会",
                "Makes a member of these identifiers, or finds the one who bears them; then whatever is new is added. What is known of \
                 a member already is changed only by who may update them.",
            )
            .refuses(refusals!(
                "member_unknown",
                "outside_scope", "several_members", "too_many_identifiers", "too_many", "bad_attribute", "erased"
            ))
            .example(json!({
                "identifiers": [member, {"namespace": "card", "value": "6001000234"}],
                "attributes": {"name": "张伟", "gender": "male"},
                "touchpoint": "store-qr/330",
                "store": "330",
            })),
        Endpoint::command("members_update", "/v1/commands/members/update", Operation::MemberUpdate, update)
            .says(
                "Change attributes and add identifiers",
                "更新会员资料",
                "An attribute that is `null` is taken away. Identifiers that somebody else bears are refused: merge the two instead.",
            )
            .refuses(refusals!(
                "member_unknown", "several_members", "too_many_identifiers", "too_many", "bad_attribute", "erased"
            ))
            .example(json!({"member": member, "attributes": {"city": "上海", "nickname": null}})),
        Endpoint::command("members_tag", "/v1/commands/members/tag", Operation::MemberTag, tag)
            .says(
                "Put a tag on, or take it off",
                "打上或去掉标签",
                "Tags that the playbook gives by a rule come and go with it, and are refused here.",
            )
            .refuses(refusals!("member_unknown", "tag_unknown", "tag_by_rule", "tag_not_held", "erased"))
            .example(json!({"member": member, "tag": "taster", "on": true})),
        Endpoint::command("consents_set", "/v1/commands/consents/set", Operation::ConsentWrite, consent)
            .says(
                "Note consent, or its withdrawal",
                "记录同意或撤回",
                "What somebody said yes or no to, where, and to which version of the text.",
            )
            .refuses(refusals!(
                "member_unknown", "outside_scope", "consent_not_declared", "consent_purpose_unknown",
                "consent_channel_unknown", "consent_version_missing", "consent_version_unknown", "bad_consent", "erased"
            ))
            .example(json!({"member": member, "given": true, "purpose": "marketing", "channel": "sms", "version": "2025-01"})),
    ]
}

/// Whom to look up.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Lookup {
    /// Who it is.
    member: MemberRef,
}

/// A member in short: as much as a till needs, and as the role may see.
#[derive(Serialize, JsonSchema)]
struct MemberBrief {
    /// Their id.
    id: String,
    /// Their name, masked as the role says.
    name: Option<String>,
    /// When they enrolled.
    enrolled_at: Option<String>,
    /// Their tier.
    tier: Option<String>,
    /// Their lifecycle stage.
    stage: Option<String>,
    /// Their tags.
    tags: Vec<String>,
    /// Their points.
    points: Account,
    /// Their growth.
    growth: Account,
}

async fn lookup(caller: Caller, asked: Lookup) -> Result<MemberBrief, Problem> {
    let member = caller.member(&asked.member.whom("member")?, "member").await?.member;
    Ok(MemberBrief {
        id: member.id.to_string(),
        name: sight::called(caller.filter.mask, &member),
        enrolled_at: member.enrolled_at.map(zhiyin_model::time::Ts::rfc3339),
        tier: member.term.as_ref().map(|term| term.level.clone()),
        stage: member.stage.as_ref().map(|held| held.stage.clone()),
        tags: member.tags.keys().cloned().collect(),
        points: Account::of(&member, Asset::Points),
        growth: Account::of(&member, Asset::Growth),
    })
}

/// A value of an attribute.
#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum AttributeValue {
    /// A text.
    Text(#[schemars(length(max = 4096))] String),
    /// True or false.
    Bool(bool),
    /// A number; a whole one of at most 64 bits stays exact.
    Number(#[schemars(with = "f64")] Number),
    /// Takes the attribute away.
    Nothing,
}

pub(crate) type Attributes = BTreeMap<String, AttributeValue>;

pub(crate) fn traits(attributes: Attributes) -> Result<Map<String, Value>, Problem> {
    if attributes.len() > ATTRIBUTES_MAX {
        return Err(Problem::of("too_many").at("attributes").says(format!("at most {ATTRIBUTES_MAX}")));
    }
    let value = |(name, said): (String, AttributeValue)| {
        let value = match said {
            AttributeValue::Text(text) => Value::from(text),
            AttributeValue::Bool(flag) => Value::from(flag),
            // A long number was rounded when it was read: it would be kept as another one.
            AttributeValue::Number(number) if number.is_f64() && !is_exact(&number) => {
                let detail = "this number has more digits than are kept exact: say it as a text".to_owned();
                return Err(Problem::of("bad_attribute").at(&format!("attributes.{name}")).says(detail));
            }
            AttributeValue::Number(number) => Value::Number(number),
            AttributeValue::Nothing => Value::Null,
        };
        Ok((name, value))
    };
    attributes.into_iter().map(value).collect()
}

/// Whether a double is below where whole numbers are no longer told apart.
fn is_exact(number: &Number) -> bool {
    number.as_f64().is_some_and(|number| number.abs() < 9_007_199_254_740_992.0)
}

/// Somebody to enrol.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Enrol {
    /// By what they are known; the first is enough.
    #[schemars(length(min = 1, max = IDENTIFIERS_MAX))]
    identifiers: Vec<IdentifierRef>,
    /// What is known of them.
    #[serde(default)]
    attributes: Attributes,
    /// The touchpoint through which they came.
    #[schemars(length(max = 255))]
    touchpoint: Option<String>,
    /// The code of the store where it is done; where the key is, if it says nothing.
    #[schemars(length(max = 255))]
    store: Option<String>,
    /// The code of who does it, where the key names nobody.
    #[schemars(length(max = 255))]
    staff: Option<String>,
}

async fn enrol(caller: Arc<Caller>, asked: Enrol) -> Result<CommandDone, Problem> {
    let names = identifiers(&asked.identifiers, 1)?;
    let bearer = one_of(&caller, &names, "identifiers").await?;
    let mut act = Act::new(Operation::MemberEnrol, "identify", names);
    act.traits = traits(asked.attributes)?;
    if let Some(bearer) = bearer
        && !caller.may_update(bearer).await?
    {
        only_new(&caller, bearer, &mut act.traits).await?;
    }
    act.store = caller.store(asked.store.as_deref())?;
    act.touchpoint = asked.touchpoint.as_deref().map(|code| text("touchpoint", code, 255)).transpose()?;
    if let Some(staff) = caller.staff(asked.staff.as_deref())? {
        act.properties.insert("staff".to_owned(), staff.into());
    }
    act.noted = json!({"identifiers": act.names.len(), "attributes": act.traits.len(), "store": act.store});
    caller.done(&act, bearer).await
}

impl Caller {
    /// Whether a member's attributes are theirs to change.
    async fn may_update(&self, member: MemberId) -> Result<bool, Problem> {
        match self.engine().filter(&self.grant, Operation::MemberUpdate).await {
            Ok(filter) => Ok(self.engine().reachable(&filter, &Whom::Id(member), "").await?.is_ok()),
            Err(EngineError::Denied(_)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

/// Leaves of attributes what is not known of a member yet. Whom they are looked after by is left as it is, too: it decides who
/// sees them, and whoever stands at a till would make anybody their own.
async fn only_new(caller: &Caller, member: MemberId, traits: &mut Map<String, Value>) -> Result<(), Problem> {
    let known = caller.member(&Whom::Id(member), "identifiers").await?.member.attributes;
    traits.retain(|name, _| name != sight::ADVISOR && !known.contains_key(name));
    Ok(())
}

fn identifiers(said: &[IdentifierRef], at_least: usize) -> Result<Vec<Identifier>, Problem> {
    if said.len() < at_least || said.len() > IDENTIFIERS_MAX {
        let detail = format!("{at_least} to {IDENTIFIERS_MAX} identifiers");
        return Err(Problem::of("too_many_identifiers").at("identifiers").says(detail));
    }
    Ok(said.iter().map(IdentifierRef::identifier).collect())
}

/// The one member that bears any of these names; refused where they are several.
async fn one_of(caller: &Caller, names: &[Identifier], field: &str) -> Result<Option<MemberId>, Problem> {
    let members = caller.engine().bearers(names, field).await??;
    match members.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(*one)),
        _ => Err(Problem::of("several_members").at(field)),
    }
}

/// What is new of a member.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Update {
    /// Who it is.
    member: MemberRef,
    /// New values of attributes; `null` takes one away.
    #[serde(default)]
    attributes: Attributes,
    /// Identifiers that are theirs from now on.
    #[serde(default)]
    #[schemars(length(max = IDENTIFIERS_MAX))]
    identifiers: Vec<IdentifierRef>,
    /// The code of who does it, where the key names nobody.
    #[schemars(length(max = 255))]
    staff: Option<String>,
}

async fn update(caller: Arc<Caller>, asked: Update) -> Result<CommandDone, Problem> {
    let (member, name) = caller.named(&asked.member, "member").await?;
    let added = identifiers(&asked.identifiers, 0)?;
    if one_of(&caller, &added, "identifiers").await?.is_some_and(|bearer| bearer != member) {
        return Err(Problem::of("several_members").at("identifiers"));
    }
    let names = [vec![name], added].concat();
    let mut act = Act::new(Operation::MemberUpdate, "identify", names);
    act.traits = traits(asked.attributes)?;
    if let Some(staff) = caller.staff(asked.staff.as_deref())? {
        act.properties.insert("staff".to_owned(), staff.into());
    }
    act.noted = json!({"identifiers": act.names.len() - 1, "attributes": act.traits.len()});
    caller.done(&act, Some(member)).await
}

/// A tag that is put on or taken off.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Tag {
    /// Who it is.
    member: MemberRef,
    /// The tag's id in the playbook.
    #[schemars(length(min = 1, max = 255))]
    tag: String,
    /// True puts it on, false takes it off.
    on: bool,
    /// The code of who does it, where the key names nobody.
    #[schemars(length(max = 255))]
    staff: Option<String>,
}

async fn tag(caller: Arc<Caller>, asked: Tag) -> Result<CommandDone, Problem> {
    let (member, name) = caller.named(&asked.member, "member").await?;
    let event = if asked.on { names::TAG_PUT_ON } else { names::TAG_TAKEN_OFF };
    let mut act = Act::new(Operation::MemberTag, event, vec![name]);
    let tag = text("tag", &asked.tag, 255)?;
    // What the playbook does not declare may be anything, a person's name as well: the log keeps none of it.
    let declared = caller.engine().live().is_ok_and(|live| live.playbook.tags.contains_key(&tag));
    act.noted = json!({"tag": declared.then_some(&tag), "on": asked.on});
    act.properties.insert("tag".to_owned(), tag.into());
    if let Some(staff) = caller.staff(asked.staff.as_deref())? {
        act.properties.insert("staff".to_owned(), staff.into());
    }
    caller.done(&act, Some(member)).await
}

/// A yes or a no.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Consent {
    /// Who says so.
    member: MemberRef,
    /// Yes, or no.
    given: bool,
    /// To what: a purpose of the playbook.
    #[schemars(length(min = 1, max = 255))]
    purpose: String,
    /// On which channel; all of the purpose's, if it says nothing.
    #[schemars(length(max = 255))]
    channel: Option<String>,
    /// To which version of the text.
    #[schemars(length(max = 255))]
    version: Option<String>,
    /// Who says it for a minor.
    #[schemars(length(max = 255))]
    guardian: Option<String>,
    /// The code of the store where it is said.
    #[schemars(length(max = 255))]
    store: Option<String>,
}

impl Consent {
    /// What a member says themselves.
    pub(crate) const fn by(
        member: MemberRef,
        given: bool,
        purpose: String,
        channel: Option<String>,
        version: Option<String>,
    ) -> Self {
        Self { member, given, purpose, channel, version, guardian: None, store: None }
    }
}

pub(crate) async fn consent(caller: Arc<Caller>, asked: Consent) -> Result<CommandDone, Problem> {
    let whom: Whom = asked.member.whom("member")?;
    let member = caller.member(&whom, "member").await?.member.id;
    let name = caller.engine().name_of(&whom, member, "member").await??;
    let event = if asked.given { names::CONSENT_GIVEN } else { names::CONSENT_WITHDRAWN };
    let mut act = Act::new(Operation::ConsentWrite, event, vec![name]);
    act.ties = Ties::Keep;
    act.store = caller.store(asked.store.as_deref())?;
    let declared =
        caller.engine().live().is_ok_and(|live| live.playbook.consent.purposes.contains_key(&asked.purpose));
    act.noted = json!({"purpose": declared.then_some(&asked.purpose), "given": asked.given});
    let said = [
        ("purpose", Some(asked.purpose)),
        ("channel", asked.channel),
        ("version", asked.version),
        ("guardian", asked.guardian),
    ];
    for (field, value) in said {
        if let Some(value) = value {
            act.properties.insert(field.to_owned(), text(field, &value, 255)?.into());
        }
    }
    caller.done(&act, Some(member)).await
}
