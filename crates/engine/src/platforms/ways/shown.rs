//! What people see of codes: where each leads now, its picture, how many came by it today.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use zhiyin_model::playbook::Language;
use zhiyin_model::playbook::way::{ACCOUNT_USUAL, Way};

use super::{KeptWay, Leads, WAY};
use crate::platforms::came::{MADE, Made};
use crate::{Engine, Result, boxed, clock};

/// Which are asked for.
#[derive(Clone, Debug, Default)]
pub struct WaysAsked {
    /// Of one touchpoint.
    pub touchpoint: Option<String>,
}

/// How many new friends somebody made by a code today.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct MadeToday {
    /// The account.
    pub account: String,
    /// How many.
    pub adds: u32,
}

/// A code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct WayView {
    /// The touchpoint that it stands at, by its code; the platform brings it back with whoever comes.
    pub touchpoint: String,
    /// What people call it.
    pub name: String,
    /// The brand's account on the platform.
    pub account: String,
    /// `staff` or `groups`: where it leads.
    pub leads_to: String,
    /// `waiting` (it is not there yet), `there`, `ending` (the playbook dropped it; it goes after some days).
    pub state: String,
    /// Where its picture lies.
    pub picture: Option<String>,
    /// By which the platform knows it.
    pub way: Option<String>,
    /// Who may be met by it now, or into which groups it leads.
    pub to: Vec<String>,
    /// How many new friends the staff made by it today.
    pub today: Vec<MadeToday>,
    /// What keeps it from being as it is to be, by a name that stays.
    pub why: Option<String>,
}

impl Engine {
    /// Codes of the playbook's touchpoints, and those that it dropped and that are still there; by touchpoint.
    #[boxed]
    pub async fn ways(&self, asked: &WaysAsked) -> Result<Vec<WayView>> {
        let (live, home) = (self.live()?, self.home().await?);
        let now = clock::now(&home);
        let to_staff =
            live.playbook.ways().map(|(code, way)| (code, "staff", way.account.as_str(), Some(way)));
        let to_groups =
            live.playbook.group_ways().map(|(code, way)| (code, "groups", way.account.as_str(), None));
        let wanted: Vec<(&str, &str, &str, Option<&Way>)> = to_staff.chain(to_groups).collect();
        let mut accounts: Vec<&str> = wanted.iter().map(|(_, _, account, _)| *account).collect();
        accounts.push(ACCOUNT_USUAL);
        accounts.sort_unstable();
        accounts.dedup();
        let mut rows: BTreeMap<(String, &str, String), KeptWay> = BTreeMap::new();
        for account in accounts {
            let shelf = self.shelf(account).await?;
            for row in shelf.all::<KeptWay>(WAY, shelf.id(WAY, &[]), super::ROWS_MAX).await? {
                let way = row.what;
                rows.insert((way.touchpoint.clone(), way.spec.leads.kind(), account.to_owned()), way);
            }
        }
        let language = live.playbook.languages.first().copied().unwrap_or(Language::Zh);
        let name = |code: &str| {
            let names = live.playbook.touchpoint(code).map(|touchpoint| &touchpoint.name);
            names.map_or(code, |names| names.in_language(language, code)).to_owned()
        };
        let mut views = Vec::new();
        for (code, kind, account, way) in wanted {
            let kept = rows.remove(&(code.to_owned(), kind, account.to_owned()));
            let mut today = Vec::new();
            if let Some(way) = way {
                let day = self.zone_of_way(way).await?.day(now).to_string();
                let shelf = self.shelf(account).await?;
                let made = shelf.get::<Made>(shelf.id(MADE, &[code, &day])).await?;
                let counts = made.map(|made| made.what.counts).unwrap_or_default();
                today.extend(counts.into_iter().map(|(account, adds)| MadeToday { account, adds }));
            }
            views.push(view((code, kind, account), name(code), kept, today));
        }
        for ((code, kind, account), kept) in rows {
            views.push(view((&code, kind, &account), name(&code), Some(kept), Vec::new()));
        }
        views.retain(|view| asked.touchpoint.as_ref().is_none_or(|code| *code == view.touchpoint));
        views.sort_by(|a, b| (&a.touchpoint, &a.account).cmp(&(&b.touchpoint, &b.account)));
        Ok(views)
    }
}

fn view(
    (touchpoint, kind, account): (&str, &str, &str),
    name: String,
    kept: Option<KeptWay>,
    today: Vec<MadeToday>,
) -> WayView {
    let state = match &kept {
        Some(kept) if kept.ending.is_some() => "ending",
        Some(kept) if kept.id.is_some() => "there",
        _ => "waiting",
    };
    let to = match kept.as_ref().filter(|kept| kept.id.is_some()).map(|kept| &kept.spec.leads) {
        Some(Leads::Staff { accounts, .. }) => accounts.clone(),
        Some(Leads::Groups { groups, .. }) => groups.clone(),
        None => Vec::new(),
    };
    let (way, picture, why) = kept.map(|kept| (kept.id, kept.picture, kept.trouble)).unwrap_or_default();
    WayView {
        touchpoint: touchpoint.to_owned(),
        name,
        account: account.to_owned(),
        leads_to: kind.to_owned(),
        state: state.to_owned(),
        picture,
        way,
        to,
        today,
        why,
    }
}
