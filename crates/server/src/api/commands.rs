//! Commands: what a till or a desk wants done now. Each goes through the pipeline, once for an idempotency key, and is answered
//! from the record after it was decided.

pub(crate) mod approvals;
pub(crate) mod members;
mod persons;
mod points;
mod unmask;

pub(crate) use points::at_the_till;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zhiyin_engine::command::{Act, Answer, Asker, Done, Whom};
use zhiyin_model::effect::Asset;
use zhiyin_model::event::Identifier;
use zhiyin_model::id::MemberId;
use zhiyin_model::role::{About, Bound};
use zhiyin_store::read::TransferLine;
use zhiyin_store::{StoredMember, Wanted};

use super::caller::Caller;
use super::endpoint::Endpoint;
use crate::problem::Problem;

pub(crate) fn endpoints() -> Vec<Endpoint> {
    [
        members::endpoints(),
        unmask::endpoints(),
        points::endpoints(),
        persons::endpoints(),
        approvals::endpoints(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// An identifier: by it a member is found.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct IdentifierRef {
    /// `phone`, `unionid`, `openid:APPID`, `card`, `email`…
    #[schemars(length(min = 1, max = 255))]
    pub(crate) namespace: String,
    /// Its value, however it is written: `139 1234 5678` is the phone `+8613912345678`.
    #[schemars(length(min = 1, max = 255))]
    pub(crate) value: String,
}

impl IdentifierRef {
    pub(crate) fn identifier(&self) -> Identifier {
        Identifier { namespace: self.namespace.clone(), value: self.value.clone() }
    }
}

/// A member: by an identifier (`namespace` and `value`), or by `id`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "MemberRef")]
pub(crate) struct MemberRef {
    /// The id that answers give: 32 hexadecimal digits.
    #[schemars(regex(pattern = "^[0-9a-f]{32}$"))]
    id: Option<String>,
    /// `phone`, `unionid`, `openid:APPID`, `card`, `email`…
    #[schemars(length(min = 1, max = 255))]
    namespace: Option<String>,
    /// Its value.
    #[schemars(length(min = 1, max = 255))]
    value: Option<String>,
}

impl MemberRef {
    /// The member of an id.
    pub(crate) fn of(id: MemberId) -> Self {
        Self { id: Some(id.to_string()), namespace: None, value: None }
    }

    /// Whom it names; one way, and one only.
    pub(crate) fn whom(&self, field: &str) -> Result<Whom, Problem> {
        match (&self.id, &self.namespace, &self.value) {
            (Some(id), None, None) => {
                let id = MemberId::from_hex(id);
                let bad = || Problem::of("bad_identifier").at(&format!("{field}.id"));
                Ok(Whom::Id(id.ok_or_else(|| bad().says("an id has 32 hexadecimal digits".to_owned()))?))
            }
            (None, Some(namespace), Some(value)) => {
                Ok(Whom::Named(Identifier { namespace: namespace.clone(), value: value.clone() }))
            }
            _ => Err(Problem::of("bad_identifier")
                .at(field)
                .says("a member is named by `namespace` and `value`, or by `id`".to_owned())),
        }
    }
}

/// Something booked in the ledger.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Transfer {
    /// Its id: what a return or a posting names.
    id: String,
    /// When, in business time.
    at: String,
    /// `points` or `growth`.
    asset: &'static str,
    /// `earn`, `spend`, `return`…
    kind: &'static str,
    /// How much; what kind says in which direction.
    amount: i64,
}

impl From<&TransferLine> for Transfer {
    fn from(line: &TransferLine) -> Self {
        let (asset, kind) = (line.asset.name(), line.kind.name());
        Self { id: line.id.to_string(), at: line.at.rfc3339(), asset, kind, amount: line.amount }
    }
}

/// An account in the ledger.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Account {
    /// What a member is shown and may spend.
    shown: i64,
    /// What is active, held parts included.
    active: i64,
    /// Earned, not yet spendable.
    pending: i64,
    /// Promised to open holds.
    held: i64,
    /// Owed.
    debt: i64,
}

impl Account {
    pub(crate) fn of(member: &zhiyin_model::member::Member, asset: Asset) -> Self {
        let account = member.account(asset);
        Self {
            shown: account.shown(),
            active: account.active,
            pending: account.pending,
            held: account.held,
            debt: account.debt,
        }
    }
}

/// What came of a command.
#[derive(Serialize, JsonSchema)]
pub(crate) struct CommandDone {
    /// The member's id.
    pub(crate) member: String,
    /// What was booked for it, in order.
    pub(crate) transfers: Vec<Transfer>,
    /// Their points as they are now.
    pub(crate) points: Account,
    /// Their tier as it is now.
    pub(crate) tier: Option<String>,
    /// Their tags as they are now.
    pub(crate) tags: Vec<String>,
    /// True where this idempotency key had come before: it was not done again.
    pub(crate) again: bool,
}

impl Caller {
    /// The member that a request names, within reach.
    pub(crate) async fn member(&self, whom: &Whom, field: &str) -> Result<StoredMember, Problem> {
        Ok(self.engine().reachable(&self.filter, whom, field).await??)
    }

    /// That member, and a name by which they are found.
    pub(crate) async fn named(&self, of: &MemberRef, field: &str) -> Result<(MemberId, Identifier), Problem> {
        let whom = of.whom(field)?;
        let member = self.member(&whom, field).await?.member.id;
        Ok((member, self.engine().name_of(&whom, member, field).await??))
    }

    /// The store at which something is done: as the request says, or where the key is; within reach.
    pub(crate) fn store(&self, said: Option<&str>) -> Result<Option<String>, Problem> {
        let store = said.map(str::trim).filter(|store| !store.is_empty()).or(self.grant.place.as_deref());
        if let Some(store) = store {
            zhiyin_model::event::bounded("store", store)?;
        }
        if let (About::Act, Bound::Places(places)) = (self.filter.about, &self.filter.bound)
            && !store.is_some_and(|store| places.contains(store))
        {
            let detail = "this key acts at other places only".to_owned();
            return Err(Problem::of("outside_scope").at("store").says(detail));
        }
        Ok(store.map(str::to_owned))
    }

    /// Who of the staff does it: whom the key names, else whom the request does.
    pub(crate) fn staff(&self, said: Option<&str>) -> Result<Option<String>, Problem> {
        let staff = self.grant.staff.as_deref().or(said).map(str::trim).filter(|staff| !staff.is_empty());
        if let Some(staff) = staff {
            zhiyin_model::event::bounded("staff", staff)?;
        }
        Ok(staff.map(str::to_owned))
    }

    /// Who asks for the command of this request.
    pub(crate) fn asker(&self) -> Asker<'_> {
        Asker {
            grant: &self.grant,
            filter: &self.filter,
            key: &self.key,
            idempotency_key: &self.idempotency_key,
            request: &self.request,
        }
    }

    /// What came of the command of this request, if it came before.
    pub(crate) async fn before(&self) -> Result<Option<CommandDone>, Problem> {
        match self.engine().command_before(&self.asker()).await? {
            Some(answer) => self.answered(answer).await.map(Some),
            None => Ok(None),
        }
    }

    /// Has it decided, once for the idempotency key of the request.
    pub(crate) async fn done(&self, act: &Act, about: Option<MemberId>) -> Result<CommandDone, Problem> {
        let answer = self.engine().command(&self.asker(), act, about).await?;
        self.answered(answer).await
    }

    /// What whoever asks is told of how it ended.
    pub(crate) async fn answered(&self, answer: Answer) -> Result<CommandDone, Problem> {
        match answer {
            Answer::Done(done) => self.as_done(done).await,
            Answer::Refused(refused) => {
                Err(Problem::of(&refused.code).at(&as_asked(&refused.field)).says(refused.message))
            }
            Answer::StillDeciding => Err(Problem::of("still_deciding").after(1)),
        }
    }

    async fn as_done(&self, done: Done) -> Result<CommandDone, Problem> {
        let member = match done.again {
            // Whoever went out of reach since is not shown any more.
            true => self.member(&Whom::Id(done.member), "member").await?.member,
            false => {
                let wanted = Wanted { members: vec![done.member], ..Wanted::default() };
                let stored = self.engine().store().load(wanted).await?.members.into_iter().next();
                stored.map(|stored| stored.member).ok_or(Problem::of("member_unknown"))?
            }
        };
        Ok(CommandDone {
            member: member.id.to_string(),
            transfers: done.transfers.iter().map(Transfer::from).collect(),
            points: Account::of(&member, Asset::Points),
            tier: member.term.as_ref().map(|term| term.level.clone()),
            tags: member.tags.keys().cloned().collect(),
            again: done.again,
        })
    }
}

/// A field of the item as the request called it.
fn as_asked(field: &str) -> String {
    match field.strip_prefix("properties.").unwrap_or(field) {
        "coupon_id" => "coupon".to_owned(),
        field => field.to_owned(),
    }
}

/// A text of a request within its bounds.
pub(crate) fn text(field: &str, text: &str, chars_max: usize) -> Result<String, Problem> {
    let text = text.trim();
    if text.chars().count() > chars_max || text.chars().any(char::is_control) {
        let detail = format!("at most {chars_max} characters, all of them visible");
        return Err(Problem::of("bad_text").at(field).says(detail));
    }
    Ok(text.to_owned())
}

/// The most characters of a reason.
pub(crate) const REASON_CHARS_MAX: usize = 200;

/// Why something is done.
pub(crate) fn reason(said: &str) -> Result<String, Problem> {
    let reason = text("reason", said, REASON_CHARS_MAX)?;
    if reason.is_empty() {
        return Err(Problem::of("reason_missing").at("reason"));
    }
    Ok(reason)
}
