//! What people see of what came from platforms, and what they do about it: look, try again, drop.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use zhiyin_model::event::Refusal;
use zhiyin_model::role::{Grant, Operation};
use zhiyin_store::campaigns::arrivals::{Arrival, ArrivalId, ArrivalLog, ArrivalState};

use crate::audit::{self, Outcome, Target, detail};
use crate::boxed;
use crate::{Engine, Result, sight};

/// The most that are shown at once.
pub const SHOWN_MAX: usize = 200;

type Refused<T> = std::result::Result<T, Refusal>;

/// Something that came from a platform. What it says is personal and not shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ArrivalView {
    /// Its id.
    pub arrival: String,
    /// From which channel.
    pub channel: String,
    /// In which lane it is worked on: `welcome` or `news`.
    pub lane: String,
    /// When it came, by the wall clock.
    pub at: String,
    /// `waiting`, `done`, `failed` or `dropped`.
    pub state: String,
    /// How often it was worked on.
    pub tries: i64,
    /// When it is worked on next, by the wall clock, where it waits.
    pub next: Option<String>,
    /// Why it stands there, by a name.
    pub why: Option<String>,
}

impl From<Arrival> for ArrivalView {
    fn from(one: Arrival) -> Self {
        Self {
            arrival: one.id.to_string(),
            channel: one.channel,
            lane: one.lane,
            at: one.at.rfc3339(),
            state: one.state.name().to_owned(),
            tries: one.tries,
            next: (one.state == ArrivalState::Waiting).then(|| one.due.rfc3339()),
            why: one.why,
        }
    }
}

/// Which are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ArrivalsAsked {
    /// From one channel.
    pub channel: Option<String>,
    /// In one state.
    pub state: Option<String>,
    /// Older than this one.
    pub before: Option<String>,
    /// How many, 1 to 200.
    pub limit: usize,
}

fn unknown() -> Refusal {
    Refusal::new("arrival_unknown", "arrival", "nothing that came has this id")
}

impl Engine {
    /// What came from platforms, the newest first.
    #[boxed]
    pub async fn arrivals(&self, asked: &ArrivalsAsked) -> Result<Refused<Vec<ArrivalView>>> {
        let state = match asked.state.as_deref().map(ArrivalState::named) {
            Some(None) => {
                let names = ArrivalState::ALL.map(ArrivalState::name).join(", ");
                return Ok(Err(Refusal::new("bad_state", "state", format!("one of {names}"))));
            }
            state => state.flatten(),
        };
        let before = match &asked.before {
            None => None,
            Some(id) => match self.arrival_row(id).await? {
                Ok(row) => Some((row.at, row.id)),
                Err(refusal) => return Ok(Err(refusal)),
            },
        };
        let limit = sight::limit(asked.limit)?;
        sight::bounded(&[("channel", asked.channel.as_deref())])?;
        let log = ArrivalLog { channel: asked.channel.clone(), state, before, limit };
        let found = self.store().coupons().campaigns().arrivals().arrivals(log).await?;
        Ok(Ok(found.into_iter().map(ArrivalView::from).collect()))
    }

    async fn arrival_row(&self, id: &str) -> Result<Refused<Arrival>> {
        let Some(id) = ArrivalId::from_hex(id) else { return Ok(Err(unknown())) };
        let found = self.store().coupons().campaigns().arrivals().arrival(id).await?;
        Ok(found.ok_or_else(unknown))
    }

    /// Works on a dead letter again, or at once on one that waits.
    #[boxed]
    pub async fn retry_arrival(&self, grant: &Grant, id: &str) -> Result<Refused<ArrivalView>> {
        self.move_arrival(grant, (id, "retry"), ArrivalState::Waiting, None).await
    }

    /// Nothing is to be done any more about a dead letter, or about one that waits.
    #[boxed]
    pub async fn drop_arrival(&self, grant: &Grant, id: &str) -> Result<Refused<ArrivalView>> {
        self.move_arrival(grant, (id, "drop"), ArrivalState::Dropped, Some("dropped".to_owned())).await
    }

    async fn move_arrival(
        &self,
        grant: &Grant,
        (id, what): (&str, &str),
        to: ArrivalState,
        why: Option<String>,
    ) -> Result<Refused<ArrivalView>> {
        let row = match self.arrival_row(id).await? {
            Ok(row) => row,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let settled =
            || Ok(Err(Refusal::new("arrival_settled", "arrival", "nothing is left to be done about it")));
        if !matches!(row.state, ArrivalState::Failed | ArrivalState::Waiting) {
            return settled();
        }
        let target = Target::code(&row.channel);
        let noted = detail(json!({"arrival": row.id.to_string(), "what": what, "state": row.state.name()}));
        let store = self.store().as_ref();
        audit::note(store, grant, Operation::CampaignsManage, &target, Outcome::Begun, &noted).await?;
        let arrivals = self.store().coupons().campaigns().arrivals();
        if !arrivals.move_arrival(row.id, row.state, to, why).await? {
            return settled();
        }
        Ok(self.arrival_row(id).await?.map(ArrivalView::from))
    }
}
