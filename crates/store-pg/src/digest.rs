//! The home's state as one hash (semantics of the digest: ARCHITECTURE.md). Rows are named by identifiers and
//! causes, never by keys, derived ids, places, shards or times of writing, so that any batch size, any number of crashes
//! and any database give the same: the texts hashed here are to the letter those of the file.

use std::collections::BTreeMap;
use std::fmt::{Display, Write};
use std::sync::Arc;

use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, Type};
use zhiyin_model::effect::OrderTerms;
use zhiyin_model::id::{MemberId, TransferId, TransferKind};
use zhiyin_store::campaigns::{runs_said, unpack_runs};
use zhiyin_store::coupons::{tallies_said, unpack_holdings};
use zhiyin_store::seal::personal::Kept;
use zhiyin_store::seal::vault::Vault;
use zhiyin_store::{Result, packed};

use crate::report::opened;
use crate::rows::{damaged, get, id, id_or_none, json};
use crate::survey::Survey;

type Hash = [u8; 32];

pub(crate) const IDENTIFIERS: &str = "SELECT member, namespace, value FROM {shard}.identifier";
pub(crate) const ALIASES: &str = "SELECT member, root FROM {home}.alias";
pub(crate) const PLAYBOOK: &str = "SELECT hash FROM {home}.playbook ORDER BY version DESC LIMIT 1";
pub(crate) const MEMBERS: &str = "SELECT id, known_since, enrolled_at, attributes, touches, growth_days, tier, \
    term_from, term_ends, stage, stage_since, tags, told_at, personal, audiences, holdings, runs FROM {shard}.member";
pub(crate) const ACCOUNTS: &str = "SELECT member, asset, active, pending, held, debt FROM {shard}.account";
pub(crate) const HOUSES: &str =
    "SELECT asset, house, SUM(balance)::bigint FROM {shard}.house_account GROUP BY asset, house";
/// In the order in which they were made: what reverses another comes after it.
pub(crate) const TRANSFERS: &str = "SELECT t.member, t.id, t.reverses, t.asset, t.kind, t.amount, s.name, \
    COALESCE('~~' || encode(e.called, 'hex'), e.message_id), t.ordinal, t.at, t.day FROM {shard}.transfer t JOIN {events} e ON e.seq = t.event \
    JOIN {home}.source s ON s.no = e.source ORDER BY t.seq";
pub(crate) const LOTS: &str = "SELECT id, granted, remaining, active_at, expires_at, active FROM {shard}.lot";
pub(crate) const ALLOCATIONS: &str = "SELECT transfer, lot, amount FROM {shard}.allocation";
pub(crate) const HOLDS: &str = "SELECT id, amount, open FROM {shard}.hold";
pub(crate) const ORDERS: &str = "SELECT o.member, o.terms, s.name, COALESCE('~~' || encode(e.called, 'hex'), e.message_id), o.time, o.store, o.channel, \
    o.paid, o.refunded, o.status FROM {shard}.orders o JOIN {events} e ON e.seq = o.event \
    JOIN {home}.source s ON s.no = e.source";
pub(crate) const TERMS: &str = "SELECT t.member, s.name, COALESCE('~~' || encode(e.called, 'hex'), e.message_id), t.level, t.at, t.ends \
    FROM {shard}.term t JOIN {events} e ON e.seq = t.event JOIN {home}.source s ON s.no = e.source";
pub(crate) const STAGES: &str = "SELECT t.member, s.name, COALESCE('~~' || encode(e.called, 'hex'), e.message_id), t.was, t.becomes, t.at \
    FROM {shard}.stage_move t JOIN {events} e ON e.seq = t.event JOIN {home}.source s ON s.no = e.source";
pub(crate) const TAGS: &str = "SELECT t.member, s.name, COALESCE('~~' || encode(e.called, 'hex'), e.message_id), t.tag, t.is_on, t.at \
    FROM {shard}.tag_move t JOIN {events} e ON e.seq = t.event JOIN {home}.source s ON s.no = e.source";
pub(crate) const COUPONS: &str =
    "SELECT member, offer, account, valid_from, valid_until, at, ordinal FROM {shard}.coupon";
pub(crate) const COUPON_MOVES: &str = "SELECT t.member, s.name, COALESCE('~~' || encode(e.called, 'hex'), e.message_id), \
    t.offer, t.kind, t.at, t.ordinal FROM {shard}.coupon_move t JOIN {events} e ON e.seq = t.event \
    JOIN {home}.source s ON s.no = e.source";
pub(crate) const COUPONS_GIVEN: &str = "SELECT t.member, s.name, COALESCE('~~' || encode(e.called, 'hex'), e.message_id), \
    t.offer, t.ordinal, t.given FROM {shard}.coupon_move t JOIN {events} e ON e.seq = t.event \
    JOIN {home}.source s ON s.no = e.source WHERE t.given <> 0";
pub(crate) const TAKEN: &str = "SELECT pool, taken FROM {home}.pool WHERE taken <> 0";
pub(crate) const PARTNERS: &str = "SELECT t.member, s.name, COALESCE('~~' || encode(e.called, 'hex'), e.message_id), t.partner, t.deed, t.at \
    FROM {shard}.partner_move t JOIN {events} e ON e.seq = t.event JOIN {home}.source s ON s.no = e.source";
/// But for the timer of campaigns, which follows from runs and the playbook.
pub(crate) const TIMERS: &str =
    "SELECT member, kind, which, due FROM {shard}.timer WHERE kind <> 4 OR which <> 2";
pub(crate) const PLACES: &str = "SELECT code, parent, kind, document, since FROM {home}.place";
pub(crate) const PLACE_HISTORY: &str = "SELECT code, at, by, was FROM {home}.place_history";
pub(crate) const STAFF: &str = "SELECT name, place, code, role, since, until FROM {home}.staff";

/// Rows are gathered as hashes, so that memory is 32 bytes a row; sorted, they no longer tell their order.
struct Gathered<'s> {
    survey: &'s Survey<'s>,
    vault: &'s Vault,
    names: BTreeMap<MemberId, String>,
    hashes: Vec<Hash>,
}

pub(crate) async fn digest(survey: &Survey<'_>, vault: &Arc<Vault>) -> Result<String> {
    let _all = vault.aside(Vault::hold_all).await?;
    let mut gathered = Gathered { survey, vault, names: names(survey, vault).await?, hashes: Vec::new() };
    let playbook = survey.home(PLAYBOOK, &[]).await?;
    let playbook: Vec<String> = playbook.iter().map(|row| get(row, 0)).collect::<Result<_>>()?;
    gathered.hashes.push(hash(&format!("playbook|{playbook:?}")));
    gathered.members().await?;
    gathered.each("account", ACCOUNTS).await?;
    gathered.houses().await?;
    gathered.ledger().await?;
    gathered.orders().await?;
    gathered.each("term", TERMS).await?;
    gathered.each("stage", STAGES).await?;
    gathered.each("tag", TAGS).await?;
    gathered.each("partner", PARTNERS).await?;
    gathered.each("coupon", COUPONS).await?;
    gathered.each("coupon move", COUPON_MOVES).await?;
    gathered.each("coupon given", COUPONS_GIVEN).await?;
    for row in survey.home(TAKEN, &[]).await? {
        let text = format!("pool|{}|{}", get::<&str>(&row, 0)?, get::<i64>(&row, 1)?);
        gathered.hashes.push(hash(&text));
    }
    let hashes = &mut gathered.hashes;
    crate::coupons::codes::said(survey, vault, |text| hashes.push(hash(text))).await?;
    for row in survey.home(crate::draws::DRAWS, &[]).await? {
        let draw = crate::draws::draw(&row)?;
        gathered.hashes.push(hash(&format!("draw|{}|{}", draw.name, draw.state)));
    }
    for row in survey.home(crate::tills::LEASES, &[&i64::MAX]).await? {
        gathered.hashes.push(hash(&crate::tills::lease(&row)?.said()));
    }
    for (member, text) in crate::checkouts::said(survey, vault).await? {
        let text = format!("checkout|{}{text}", gathered.names.get(&member).map_or("?", String::as_str));
        gathered.hashes.push(hash(&text));
    }
    gathered.each("run move", crate::campaigns::MOVES_DIGESTED).await?;
    for (member, text) in crate::campaigns::said(survey, vault).await? {
        let text = format!("said|{}{text}", gathered.names.get(&member).map_or("?", String::as_str));
        gathered.hashes.push(hash(&text));
    }
    for (member, sharer, text) in crate::links::said(survey).await? {
        let name = |member: Option<MemberId>| member.map_or("", |member| name_of(&gathered.names, member));
        let text = format!("link|{}|{}{text}", name(member), name(sharer));
        gathered.hashes.push(hash(&text));
    }
    gathered.each("timer", TIMERS).await?;
    gathered.lists().await?;
    gathered.places().await?;
    gathered.hashes.extend(crate::closing::said(survey).await?.iter().map(|text| hash(text)));
    gathered.hashes.sort_unstable();
    let mut whole = blake3::Hasher::new();
    for hash in &gathered.hashes {
        whole.update(hash);
    }
    Ok(whole.finalize().to_hex().to_string())
}

fn hash(text: &str) -> Hash {
    *blake3::hash(text.as_bytes()).as_bytes()
}

/// A member's name: all of their identifiers, sorted.
async fn names(survey: &Survey<'_>, vault: &Vault) -> Result<BTreeMap<MemberId, String>> {
    let mut names: BTreeMap<MemberId, Vec<String>> = BTreeMap::new();
    survey
        .each(IDENTIFIERS, &[], |row| {
            let name = format!("{}={}", get::<&str>(row, 1)?, opened(vault, row, 2)?);
            names.entry(id(row, 0)?).or_default().push(name);
            Ok(())
        })
        .await?;
    let joined = |(member, mut names): (MemberId, Vec<String>)| {
        names.sort();
        (member, names.join("&"))
    };
    let mut names: BTreeMap<MemberId, String> = names.into_iter().map(joined).collect();
    // Who ended because they are another is called as that one.
    for row in survey.home(ALIASES, &[]).await? {
        let root = names.get(&id(&row, 1)?).cloned().unwrap_or_default();
        names.insert(id(&row, 0)?, root);
    }
    Ok(names)
}

/// A column in canonical form.
fn column(vault: &Vault, row: &Row, i: usize, out: &mut String) -> Result<()> {
    fn number<'r, T: FromSql<'r> + Display>(row: &'r Row, i: usize, out: &mut String) -> Result<()> {
        if let Some(value) = get::<Option<T>>(row, i)? {
            let _ = write!(out, "|{value}");
        } else {
            out.push_str("|~");
        }
        Ok(())
    }
    match row.columns().get(i).map(tokio_postgres::Column::type_) {
        Some(&Type::INT2) => number::<i16>(row, i, out),
        Some(&Type::INT4) => number::<i32>(row, i, out),
        Some(&Type::INT8) => number::<i64>(row, i, out),
        Some(&Type::BOOL) => {
            let value = get::<Option<bool>>(row, i)?;
            out.push_str(value.map_or("|~", |value| if value { "|1" } else { "|0" }));
            Ok(())
        }
        Some(&Type::TEXT) => {
            match get::<Option<String>>(row, i)? {
                Some(text) => drop(write!(out, "|{:?}", vault.called_text(text)?)),
                None => out.push_str("|~"),
            }
            Ok(())
        }
        _ => Err(damaged(i, "no column of the digest")),
    }
}

/// Columns from one on to the last, in canonical form.
fn columns(vault: &Vault, row: &Row, first: usize, out: &mut String) -> Result<()> {
    (first..row.len()).try_for_each(|i| column(vault, row, i, out))
}

fn name_of(names: &BTreeMap<MemberId, String>, member: MemberId) -> &str {
    names.get(&member).map_or("?", String::as_str)
}

impl Gathered<'_> {
    /// Rows of a statement: the member's name, then the other columns as they are.
    async fn each(&mut self, table: &str, sql: &str) -> Result<()> {
        let Self { survey, vault, names, hashes } = self;
        survey
            .each(sql, &[], |row| {
                let mut text = format!("{table}|{}", name_of(names, id(row, 0)?));
                columns(vault, row, 1, &mut text)?;
                hashes.push(hash(&text));
                Ok(())
            })
            .await
    }

    async fn members(&mut self) -> Result<()> {
        let Self { survey, vault, names, hashes } = self;
        survey
            .each(MEMBERS, &[], |row| {
                let (attributes, leaves) = (get(row, 3)?, Vec::new());
                let (touches, told_at, personal) = (get(row, 4)?, get(row, 12)?, get(row, 13)?);
                let kept = Kept { attributes, touches, told_at, leaves, personal };
                let ([attributes, touches, _], personal) = vault.personal(&kept)?;
                let mut text = format!("member|{}|{attributes}", name_of(names, id(row, 0)?));
                for i in [1, 2, 4, 6, 7, 8, 9, 10, 11] {
                    match i {
                        4 => drop(write!(text, "|{touches:?}")),
                        _ => column(vault, row, i, &mut text)?,
                    }
                }
                for (day, amount) in packed::unpack_days(get(row, 5)?).map_err(|error| damaged(5, error))? {
                    let _ = write!(text, "|{}:{amount}", day.0);
                }
                if !personal.is_empty() {
                    let _ = write!(text, "|{}", personal.canonical());
                }
                let audiences = packed::unpack_memberships(get(row, 14)?)?;
                if !audiences.since.is_empty() {
                    let _ = write!(text, "|in {}", packed::memberships_said(&audiences));
                }
                text.push_str(&tallies_said(&unpack_holdings(get(row, 15)?)?));
                text.push_str(&runs_said(&unpack_runs(get(row, 16)?)?));
                hashes.push(hash(&text));
                Ok(())
            })
            .await
    }

    /// The brand's accounts, over all shares and shards, that hold something.
    async fn houses(&mut self) -> Result<()> {
        let mut balances: BTreeMap<(i16, String), i64> = BTreeMap::new();
        self.survey
            .each(HOUSES, &[], |row| {
                *balances.entry((get(row, 0)?, get(row, 1)?)).or_default() += get::<i64>(row, 2)?;
                Ok(())
            })
            .await?;
        for ((asset, house), balance) in balances.into_iter().filter(|(_, balance)| *balance != 0) {
            self.hashes.push(hash(&format!("house|{asset}|{house}|{balance}")));
        }
        Ok(())
    }

    /// Transfers are named by their cause; lots, allocations, holds and reversals by the transfer. What was a member's who was
    /// merged may lie in other shards: what reverses something of another shard is named once that is.
    async fn ledger(&mut self) -> Result<()> {
        let Self { survey, vault, names, hashes } = self;
        let mut named: BTreeMap<TransferId, Hash> = BTreeMap::new();
        let mut later: Vec<(TransferId, TransferId, String, String)> = Vec::new();
        let transfer = |name: &str, reverses: Option<Hash>, rest: &str| {
            hash(&format!("transfer|{name}|{reverses:?}{rest}"))
        };
        survey
            .each(TRANSFERS, &[], |row| {
                let (name, reverses) = (name_of(names, id(row, 0)?), id_or_none::<TransferKind>(row, 2)?);
                let mut rest = String::new();
                columns(vault, row, 3, &mut rest)?;
                let known = reverses.map(|id| named.get(&id).copied());
                if let (Some(reverses), Some(None)) = (reverses, known) {
                    later.push((id(row, 1)?, reverses, name.to_owned(), rest));
                    return Ok(());
                }
                let hash = transfer(name, known.flatten(), &rest);
                named.insert(id(row, 1)?, hash);
                hashes.push(hash);
                Ok(())
            })
            .await?;
        while !later.is_empty() {
            let before = later.len();
            later.retain(|(id, reverses, name, rest)| {
                let Some(reversed) = named.get(reverses).copied() else { return true };
                let hash = transfer(name, Some(reversed), rest);
                named.insert(*id, hash);
                hashes.push(hash);
                false
            });
            if later.len() == before {
                // What is named by nothing that there is.
                let lost = later.drain(..);
                hashes.extend(lost.map(|(_, _, name, rest)| transfer(&name, Some(Hash::default()), &rest)));
            }
        }
        let by_transfer = |table: &str, id: TransferId, rest: &str| {
            let cause = named.get(&id).copied().unwrap_or_default();
            hash(&format!("{table}|{cause:?}|{rest}"))
        };
        survey
            .each(LOTS, &[], |row| {
                let mut rest = String::new();
                columns(vault, row, 1, &mut rest)?;
                hashes.push(by_transfer("lot", id(row, 0)?, &rest));
                Ok(())
            })
            .await?;
        survey
            .each(ALLOCATIONS, &[], |row| {
                let lot = id_or_none(row, 1)?.map(|lot| named.get(&lot).copied().unwrap_or_default());
                let rest = format!("{lot:?}|{}", get::<i64>(row, 2)?);
                hashes.push(by_transfer("allocation", id(row, 0)?, &rest));
                Ok(())
            })
            .await?;
        survey
            .each(HOLDS, &[], |row| {
                let rest = format!("{}|{}", get::<i64>(row, 1)?, get::<bool>(row, 2)?);
                hashes.push(by_transfer("hold", id(row, 0)?, &rest));
                Ok(())
            })
            .await
    }

    /// Who is on lists.
    async fn lists(&mut self) -> Result<()> {
        for row in self.survey.home(crate::lists::SAID, &[]).await? {
            let mut text = format!("listed|{}", name_of(&self.names, id(&row, 0)?));
            column(self.vault, &row, 1, &mut text)?;
            self.hashes.push(hash(&text));
        }
        Ok(())
    }

    /// The brand's tree, by its codes; staff by their names as opened.
    async fn places(&mut self) -> Result<()> {
        for (table, sql, sealed) in
            [("place", PLACES, false), ("place_history", PLACE_HISTORY, false), ("staff", STAFF, true)]
        {
            for row in self.survey.home(sql, &[]).await? {
                let mut text = table.to_owned();
                if sealed {
                    let _ = write!(text, "|{:?}", opened(self.vault, &row, 0)?);
                }
                columns(self.vault, &row, usize::from(sealed), &mut text)?;
                self.hashes.push(hash(&text));
            }
        }
        Ok(())
    }

    /// Orders, without the ids of their lots.
    async fn orders(&mut self) -> Result<()> {
        let Self { survey, vault, names, hashes } = self;
        survey
            .each(ORDERS, &[], |row| {
                let terms: OrderTerms = json(row, 1)?;
                let lots = terms.lots.len();
                let terms = OrderTerms { lots: Vec::new(), ..terms };
                let mut text = format!("order|{}|{lots}|{terms:?}", name_of(names, id(row, 0)?));
                columns(vault, row, 2, &mut text)?;
                hashes.push(hash(&text));
                Ok(())
            })
            .await
    }
}
