//! How many friends the brand's accounts have, and how many people take a seat there: measured once a day, shown, and warned of before an
//! account is full or a business pays more (T6; docs/connect-wecom.md). What the platform allows and charges is dated configuration.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zhiyin_model::time::{DAY_US, Ts};

use super::ways::rest_us;
use super::{About, At, Put, Round};
use crate::{Engine, Result, boxed};

/// The one row of what was measured.
const SEATS: &str = "seats";
/// For how long one process measures.
const LENT_US: i64 = 120_000_000;
/// How many accounts are asked for in one round.
const ASKED_MAX: usize = 50;
/// Of how many accounts friends are counted.
const ACCOUNTS_MAX: usize = 5_000;
/// From how many thousandths of what there may be on people are warned.
const WARNED_FROM: u64 = 900;

/// What was measured.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Measured {
    /// People who work there; nothing where the app may not see them.
    seats: Option<usize>,
    friends: BTreeMap<String, usize>,
    personas: BTreeMap<String, String>,
    /// Accounts that are still to be asked for.
    left: Vec<String>,
    /// When it was last whole.
    at: Option<Ts>,
    limits: Limits,
    trouble: Option<String>,
    fails: u32,
}

/// What the platform allowed and charged on the day of the measure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Limits {
    per_account: Option<u64>,
    per_business: Option<u64>,
    free: Option<u64>,
    fee_fen: Option<u64>,
}

/// One account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AccountSeats {
    /// The account.
    pub account: String,
    /// As which persona it speaks, where it does.
    pub persona: Option<String>,
    /// How many friends it has.
    pub friends: usize,
    /// How many it may have.
    pub most: Option<u64>,
    /// Whether it is nearly full.
    pub warn: bool,
}

/// What was measured of one of the brand's accounts on a platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SeatsView {
    /// The brand's account on the platform.
    pub of: String,
    /// When it was measured, by the wall clock; nothing before the first time.
    pub at: Option<String>,
    /// People who work there; nothing where the app may not see them.
    pub seats: Option<usize>,
    /// Contacts of all accounts; whoever is a friend of two counts twice.
    pub contacts: usize,
    /// How many of them the platform has for nothing.
    pub free: Option<u64>,
    /// What those beyond cost a year, in hundredths of the platform's money, at the price that is configured.
    pub fee_a_year: Option<u64>,
    /// Whether there are nearly as many as there may be, or as are free.
    pub warn: bool,
    /// Accounts, those with the most friends first.
    pub accounts: Vec<AccountSeats>,
    /// What kept it from being measured the last time, by a name that stays.
    pub why: Option<String>,
}

fn is_near(n: usize, most: Option<u64>) -> bool {
    let n = u64::try_from(n).unwrap_or(u64::MAX);
    most.is_some_and(|most| n.saturating_mul(1_000) >= most.saturating_mul(WARNED_FROM))
}

impl Engine {
    /// Measures what is due to be measured.
    pub(super) async fn measure_seats(&self, at: &At, wall: Ts) -> Result<Round> {
        let kept = self.kept(at).await?;
        let id = kept.id(SEATS, &[]);
        if kept.next(SEATS).await?.is_none() {
            let first = Measured::default();
            let put = Put {
                kind: SEATS,
                id,
                part: id,
                read: 0,
                due: Some(wall),
                about: About::Nobody,
                what: &first,
            };
            kept.put(vec![put]).await?;
        }
        let Some(mut row) = kept.lend::<Measured>(SEATS, wall, wall.plus_us(LENT_US), 1).await?.pop() else {
            return Ok(Round { done: 0, next: kept.next(SEATS).await? });
        };
        let due = match measure(at, &mut row.what, wall).await {
            Ok(()) => {
                (row.what.trouble, row.what.fails) = (None, 0);
                self.tell_seats(&at.account, &row.what);
                if row.what.left.is_empty() { wall.plus_us(DAY_US) } else { wall }
            }
            Err(trouble) => {
                row.what.trouble = Some(trouble.why().to_owned());
                row.what.fails = row.what.fails.saturating_add(1);
                wall.plus_us(rest_us(&trouble, row.what.fails, id.bytes()))
            }
        };
        let put = Put {
            kind: SEATS,
            id,
            part: id,
            read: row.version,
            due: Some(due),
            about: About::Nobody,
            what: &row.what,
        };
        kept.put(vec![put]).await?;
        Ok(Round { done: 1, next: Some(due) })
    }

    fn tell_seats(&self, account: &str, measured: &Measured) {
        let most = measured.limits.per_account.unwrap_or(u64::MAX).max(1);
        let fullest = measured.friends.values().max().copied().unwrap_or(0);
        let fullest = u64::try_from(fullest).unwrap_or(u64::MAX).saturating_mul(1_000) / most;
        self.measures.seats().measured(account, measured.friends.values().sum(), fullest);
    }

    /// What was measured of one of the brand's accounts.
    #[boxed]
    pub async fn seats(&self, account: &str) -> Result<SeatsView> {
        let shelf = self.shelf(account).await?;
        let measured =
            shelf.get::<Measured>(shelf.id(SEATS, &[])).await?.map(|row| row.what).unwrap_or_default();
        let Limits { per_account, per_business, free, fee_fen } = measured.limits;
        let contacts: usize = measured.friends.values().sum();
        let beyond = free.map(|free| u64::try_from(contacts).unwrap_or(u64::MAX).saturating_sub(free));
        let mut accounts: Vec<AccountSeats> = measured
            .friends
            .into_iter()
            .map(|(account, friends)| AccountSeats {
                persona: measured.personas.get(&account).cloned(),
                warn: is_near(friends, per_account),
                account,
                friends,
                most: per_account,
            })
            .collect();
        accounts.sort_by(|a, b| (b.friends, &a.account).cmp(&(a.friends, &b.account)));
        Ok(SeatsView {
            of: account.to_owned(),
            at: measured.at.map(Ts::rfc3339),
            seats: measured.seats,
            contacts,
            free,
            fee_a_year: beyond.zip(fee_fen).map(|(beyond, fee)| beyond.saturating_mul(fee)),
            warn: is_near(contacts, per_business)
                || is_near(contacts, free)
                || accounts.iter().any(|account| account.warn),
            accounts,
            why: measured.trouble,
        })
    }
}

/// Measures a part: first who there is, then some of their friends.
async fn measure(at: &At, measured: &mut Measured, wall: Ts) -> zhiyin_reach::platform::Answer<()> {
    let (desk, now_s) = (at.desk.as_ref(), wall.0.div_euclid(1_000_000));
    if measured.left.is_empty() {
        let mut accounts = desk.accounts().await?;
        accounts.truncate(ACCOUNTS_MAX);
        // An app that may not see the directory has friends counted all the same.
        measured.seats = desk.seats().await.ok();
        let limit = |subject, window| desk.limit(subject, window, now_s);
        measured.limits = Limits {
            per_account: limit("contacts.per_staff", "total"),
            per_business: limit("contacts.per_corp", "total"),
            free: limit("contacts.free", "total"),
            fee_fen: limit("contacts.fee_fen_a_year", "each"),
        };
        measured.friends.retain(|account, _| accounts.contains(account));
        let persona = |account: &String| Some((account.clone(), desk.persona(account)?.to_owned()));
        measured.personas = accounts.iter().filter_map(persona).collect();
        measured.left = accounts;
    }
    for _ in 0..ASKED_MAX {
        let Some(account) = measured.left.last().cloned() else { break };
        let friends = desk.friends(&account).await?;
        measured.friends.insert(account, friends);
        measured.left.pop();
    }
    if measured.left.is_empty() {
        measured.at = Some(wall);
    }
    Ok(())
}
