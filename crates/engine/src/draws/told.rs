//! Draws as people see them: how each stands, the file that anybody can check, and what a member has of them.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use zhiyin_decide::draw::FORMAT;
use zhiyin_model::coupon::chance_of;
use zhiyin_model::role::Filter;
use zhiyin_model::time::Ts;

use super::{Kept, Refused, State, code, hash_of, hex, seed, unknown};
use crate::boxed;
use crate::command::Whom;
use crate::{Engine, Result};

/// A draw, as people see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DrawView {
    /// Its name: its id in the playbook.
    pub draw: String,
    /// `planned` (not opened yet), `open`, `closed` or `drawn`.
    pub state: String,
    /// SHA-256 of the seed: to be published before anybody enters.
    pub commitment: Option<String>,
    /// When it was opened, in business time.
    pub opened_at: Option<String>,
    /// When its list was closed.
    pub closed_at: Option<String>,
    /// How many are on the list.
    pub entries: Option<u64>,
    /// How many chances they have together; while it is open, as they stand now.
    pub chances: u64,
    /// SHA-256 of the list: to be published when it is closed.
    pub entries_hash: Option<String>,
    /// Which public value is promised.
    pub public_source: Option<String>,
    /// The public value that was taken.
    pub public_value: Option<String>,
    /// When it was drawn.
    pub drawn_at: Option<String>,
    /// How many prizes there are.
    pub prizes: u64,
    /// Prizes that were given, in order.
    pub given: Vec<GivenView>,
}

/// A prize that was given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct GivenView {
    /// To which entry.
    pub entry: String,
    /// The offer whose coupon it is.
    pub prize: String,
    /// The entry that did not claim it, where it rolled on.
    pub instead_of: Option<String>,
}

/// What a member has of a draw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct MemberDraw {
    /// Its name.
    pub draw: String,
    /// `planned`, `open`, `closed` or `drawn`.
    pub state: String,
    /// By what their entry is known on the list.
    pub entry: String,
    /// How many chances they have, or had when the list was closed.
    pub chances: u64,
    /// `won`, `alternate` or `not_drawn`, once it was drawn.
    pub fate: Option<String>,
    /// Which prize.
    pub prize: Option<String>,
    /// Which alternate, from 1.
    pub alternate: Option<u64>,
}

impl Engine {
    /// A draw, as it stands.
    #[boxed]
    pub async fn view_draw(&self, draw: &str) -> Result<Refused<DrawView>> {
        let Some(stored) = self.store().draws().draw(draw).await? else {
            let live = self.live()?;
            let Some(terms) = live.playbook.draws.get(draw) else { return unknown() };
            return Ok(Ok(DrawView {
                draw: draw.to_owned(),
                state: "planned".to_owned(),
                commitment: None,
                opened_at: None,
                closed_at: None,
                entries: None,
                chances: self.chances_given(draw).await?,
                entries_hash: None,
                public_source: terms.public_source.clone(),
                public_value: None,
                drawn_at: None,
                prizes: Kept::of(terms).pieces(),
                given: Vec::new(),
            }));
        };
        let state = State::read(&stored)?;
        let at = |at: i64| Ts(at).rfc3339();
        let (closed, drawn) = (state.closed.as_ref(), state.drawn.as_ref());
        let given = state.given.iter().map(|given| GivenView {
            entry: given.entry.clone(),
            prize: given.prize.clone(),
            instead_of: given.instead_of.clone(),
        });
        Ok(Ok(DrawView {
            draw: draw.to_owned(),
            state: state.name().to_owned(),
            commitment: Some(state.commitment.clone()),
            opened_at: Some(at(state.opened_at)),
            closed_at: closed.map(|closed| at(closed.at)),
            entries: closed.map(|closed| closed.entries),
            chances: match closed {
                Some(closed) => closed.chances,
                None => self.chances_given(draw).await?,
            },
            entries_hash: closed.map(|closed| closed.hash.clone()),
            public_source: state.terms.public_source.clone(),
            public_value: drawn.and_then(|drawn| drawn.public_value.clone()),
            drawn_at: drawn.map(|drawn| at(drawn.at)),
            prizes: state.terms.pieces(),
            given: given.collect(),
        }))
    }

    /// All draws that the playbook has or had, by name.
    #[boxed]
    pub async fn view_draws(&self) -> Result<Vec<DrawView>> {
        let mut names: BTreeSet<String> = self.live()?.playbook.draws.keys().cloned().collect();
        names.extend(self.store().draws().all().await?.into_iter().map(|stored| stored.name));
        let mut views = Vec::new();
        for name in names {
            views.extend(self.view_draw(&name).await?.ok());
        }
        Ok(views)
    }

    /// A draw as the file that anybody can check (docs/draws.md); the seed is in it once it was drawn.
    #[boxed]
    pub async fn draw_file(&self, draw: &str) -> Result<Refused<Value>> {
        let Some(stored) = self.store().draws().draw(draw).await? else { return self.not_open(draw).await };
        let state = State::read(&stored)?;
        let home = self.home().await?;
        let mut entries: Vec<(String, u32)> = Vec::new();
        if let Some(closed) = &state.closed {
            let listed = self.entries_of(draw, &home, closed).await?;
            entries.extend(listed.into_iter().map(|(code, (_, chances))| (code, chances)));
        }
        let prizes = state.terms.prizes.iter();
        let prizes: Vec<Value> =
            prizes.map(|(offer, pieces)| json!({"prize": offer, "pieces": pieces})).collect();
        let drawn = state.drawn.as_ref();
        let seed = match drawn {
            Some(_) => Some(hex(&seed(&home.id_key, draw, &hash_of(&state.salt)?))),
            None => None,
        };
        Ok(Ok(json!({
            "format": FORMAT,
            "draw": draw,
            "prizes": prizes,
            "alternates": state.terms.alternates,
            "public_source": state.terms.public_source,
            "commitment": state.commitment,
            "entries_hash": state.closed.as_ref().map(|closed| closed.hash.clone()),
            "public_value": drawn.and_then(|drawn| drawn.public_value.clone()),
            "seed": seed,
            "winners": drawn.map(|drawn| drawn.winners.clone()),
            "alternates_drawn": drawn.map(|drawn| drawn.alternates.clone()),
            "entries": entries,
        })))
    }

    /// What a member has of each draw.
    #[boxed]
    pub async fn draws_of(
        &self,
        filter: &Filter,
        whom: &Whom,
        field: &str,
    ) -> Result<Refused<Vec<MemberDraw>>> {
        let member = match self.reachable(filter, whom, field).await? {
            Ok(stored) => stored.member,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let key = self.home().await?.id_key;
        let mut draws = Vec::new();
        for view in self.view_draws().await? {
            let offer = chance_of(&view.draw);
            // Chances that ended with their time are counted as they were issued.
            let mine = member.holdings.issued.get(&offer).map_or(0, |tally| u64::from(tally.total));
            let entry = code(&key, &view.draw, member.id);
            let stored = self.store().draws().draw(&view.draw).await?;
            let drawn = stored.map(|stored| State::read(&stored)).transpose()?.and_then(|state| {
                let drawn = state.drawn?;
                let prize = state.given.iter().find(|given| given.entry == entry);
                let alternate = drawn.alternates.iter().position(|one| *one == entry);
                Some((prize.map(|given| given.prize.clone()), alternate))
            });
            if mine == 0
                && drawn.as_ref().is_none_or(|(prize, alternate)| prize.is_none() && alternate.is_none())
            {
                continue;
            }
            let fate = drawn.as_ref().map(|(prize, alternate)| match (prize, alternate) {
                (Some(_), _) => "won",
                (None, Some(_)) => "alternate",
                (None, None) => "not_drawn",
            });
            let (prize, alternate) = drawn.clone().unwrap_or_default();
            draws.push(MemberDraw {
                draw: view.draw,
                state: view.state,
                entry,
                chances: mine,
                fate: fate.map(str::to_owned),
                prize,
                alternate: alternate.map(|at| at as u64 + 1),
            });
        }
        Ok(Ok(draws))
    }
}
