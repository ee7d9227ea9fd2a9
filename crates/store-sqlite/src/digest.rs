//! The home's state as one hash (semantics of the digest: ARCHITECTURE.md). Rows are named by identifiers and
//! causes, never by keys, derived ids, places or times of writing, so that any batch size, any number of crashes
//! and any database give the same.

use std::collections::BTreeMap;

use rusqlite::{Connection, Row};
use zhiyin_model::effect::OrderTerms;
use zhiyin_model::id::{MemberId, TransferId};
use zhiyin_store::Result;
use zhiyin_store::campaigns::{runs_said, unpack_runs};
use zhiyin_store::coupons::{tallies_said, unpack_holdings};
use zhiyin_store::packed;
use zhiyin_store::seal::personal::Kept;
use zhiyin_store::seal::vault::Vault;

use crate::lists;
use crate::rows::{all, damaged, database, id, id_or_none, json, unopened};

type Hash = [u8; 32];

pub(crate) const IDENTIFIERS: &str = "SELECT member, namespace, value FROM identifier";
pub(crate) const ALIASES: &str = "SELECT member, root FROM alias";
pub(crate) const PLAYBOOK: &str = "SELECT hash FROM playbook ORDER BY version DESC LIMIT 1";
pub(crate) const MEMBERS: &str = "SELECT id, known_since, enrolled_at, attributes, touches, growth_days, tier, \
    term_from, term_ends, stage, stage_since, tags, told_at, personal, audiences, holdings, runs FROM member";
pub(crate) const ACCOUNTS: &str = "SELECT member, asset, active, pending, held, debt FROM account";
pub(crate) const HOUSES: &str = "SELECT asset, house, balance FROM house_account WHERE balance <> 0";
pub(crate) const TRANSFERS: &str = "SELECT t.id, t.member, t.asset, t.kind, t.amount, s.name, COALESCE(e.called, e.message_id), t.ordinal, \
    t.at, t.day, t.reverses FROM transfer t JOIN event e ON e.seq = t.event JOIN source s ON s.no = e.source \
    ORDER BY t.seq";
pub(crate) const LOTS: &str = "SELECT id, member, granted, remaining, active_at, expires_at, active FROM lot";
pub(crate) const ALLOCATIONS: &str = "SELECT transfer, lot, amount FROM allocation";
pub(crate) const HOLDS: &str = "SELECT id, member, amount, open FROM hold";
pub(crate) const ORDERS: &str = "SELECT o.member, s.name, COALESCE(e.called, e.message_id), o.time, o.store, o.channel, o.paid, \
    o.refunded, o.status, o.terms FROM orders o JOIN event e ON e.seq = o.event JOIN source s ON s.no = e.source";
pub(crate) const TERMS: &str = "SELECT t.member, s.name, COALESCE(e.called, e.message_id), t.level, t.at, t.ends FROM term t \
    JOIN event e ON e.seq = t.event JOIN source s ON s.no = e.source";
pub(crate) const STAGES: &str = "SELECT t.member, s.name, COALESCE(e.called, e.message_id), t.was, t.becomes, t.at FROM stage_move t \
    JOIN event e ON e.seq = t.event JOIN source s ON s.no = e.source";
pub(crate) const TAGS: &str = "SELECT t.member, s.name, COALESCE(e.called, e.message_id), t.tag, t.is_on, t.at FROM tag_move t \
    JOIN event e ON e.seq = t.event JOIN source s ON s.no = e.source";
pub(crate) const PARTNERS: &str = "SELECT t.member, s.name, COALESCE(e.called, e.message_id), t.partner, t.deed, t.at \
    FROM partner_move t JOIN event e ON e.seq = t.event JOIN source s ON s.no = e.source";
pub(crate) const COUPONS: &str =
    "SELECT member, offer, account, valid_from, valid_until, at, ordinal FROM coupon";
pub(crate) const COUPON_MOVES: &str = "SELECT t.member, s.name, COALESCE(e.called, e.message_id), t.offer, t.kind, t.at, \
    t.ordinal FROM coupon_move t JOIN event e ON e.seq = t.event JOIN source s ON s.no = e.source";
pub(crate) const COUPONS_GIVEN: &str = "SELECT t.member, s.name, COALESCE(e.called, e.message_id), t.offer, t.ordinal, t.given \
    FROM coupon_move t JOIN event e ON e.seq = t.event JOIN source s ON s.no = e.source WHERE t.given <> 0";
pub(crate) const POOLS: &str = "SELECT pool, taken FROM pool WHERE taken <> 0";
/// But for the timer of campaigns, which follows from runs and the playbook.
pub(crate) const TIMERS: &str = "SELECT member, kind, which, due FROM timer WHERE kind <> 4 OR which <> 2";
pub(crate) const PLACES: &str = "SELECT code, parent, kind, document, since FROM place";
pub(crate) const PLACE_HISTORY: &str = "SELECT code, at, by, was FROM place_history";
pub(crate) const STAFF: &str = "SELECT name, place, code, role, since, until FROM staff";

/// Rows are gathered as hashes, so that memory is 32 bytes a row; sorted, they no longer tell their order.
struct Gathered<'c> {
    c: &'c Connection,
    vault: &'c Vault,
    names: BTreeMap<MemberId, String>,
    hashes: Vec<Hash>,
}

pub(crate) fn digest(c: &Connection, vault: &Vault) -> Result<String> {
    let _all = vault.hold_all()?;
    let mut gathered = Gathered { c, vault, names: names(c, vault)?, hashes: Vec::new() };
    let playbook: Vec<String> = all(c, PLAYBOOK, [], |row| row.get(0))?;
    gathered.hashes.push(*blake3::hash(format!("playbook|{playbook:?}").as_bytes()).as_bytes());
    gathered.members()?;
    gathered.each("account", ACCOUNTS, 0, 1)?;
    for (asset, house, balance) in all(c, HOUSES, [], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, i64>(2)?))
    })? {
        gathered.hashes.push(*blake3::hash(format!("house|{asset}|{house}|{balance}").as_bytes()).as_bytes());
    }
    gathered.ledger()?;
    gathered.orders()?;
    gathered.each("term", TERMS, 0, 1)?;
    gathered.each("stage", STAGES, 0, 1)?;
    gathered.each("tag", TAGS, 0, 1)?;
    gathered.each("partner", PARTNERS, 0, 1)?;
    gathered.each("coupon", COUPONS, 0, 1)?;
    gathered.each("coupon move", COUPON_MOVES, 0, 1)?;
    gathered.each("coupon given", COUPONS_GIVEN, 0, 1)?;
    for (pool, taken) in all(c, POOLS, [], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)))? {
        gathered.hashes.push(*blake3::hash(format!("pool|{pool}|{taken}").as_bytes()).as_bytes());
    }
    crate::coupons::codes::said(c, vault, |text| {
        gathered.hashes.push(*blake3::hash(text.as_bytes()).as_bytes());
    })?;
    for draw in all(c, crate::draws::DRAWS, [], crate::draws::draw)? {
        let text = format!("draw|{}|{}", draw.name, draw.state);
        gathered.hashes.push(*blake3::hash(text.as_bytes()).as_bytes());
    }
    for lease in all(c, crate::tills::LEASES, [i64::MAX], crate::tills::lease)? {
        gathered.hashes.push(*blake3::hash(lease.said().as_bytes()).as_bytes());
    }
    for (member, text) in crate::checkouts::said(c, vault)? {
        let text = format!("checkout|{}{text}", gathered.name(member));
        gathered.hashes.push(*blake3::hash(text.as_bytes()).as_bytes());
    }
    gathered.each("run move", crate::campaigns::MOVES_DIGESTED, 0, 1)?;
    for (member, text) in crate::campaigns::said(c, vault)? {
        let text = format!("said|{}{text}", gathered.name(member));
        gathered.hashes.push(*blake3::hash(text.as_bytes()).as_bytes());
    }
    for (member, sharer, text) in crate::campaigns::links::said(c)? {
        let name = |member: Option<MemberId>| member.map_or("", |member| gathered.name(member));
        let text = format!("link|{}|{}{text}", name(member), name(sharer));
        gathered.hashes.push(*blake3::hash(text.as_bytes()).as_bytes());
    }
    gathered.each("timer", TIMERS, 0, 1)?;
    gathered.each("listed", lists::SAID, 0, 1)?;
    gathered.places()?;
    for text in crate::closing::said(c)? {
        gathered.hashes.push(*blake3::hash(text.as_bytes()).as_bytes());
    }
    gathered.hashes.sort_unstable();
    let mut whole = blake3::Hasher::new();
    for hash in &gathered.hashes {
        whole.update(hash);
    }
    Ok(whole.finalize().to_hex().to_string())
}

/// A member's name: the first of their identifiers.
fn names(c: &Connection, vault: &Vault) -> Result<BTreeMap<MemberId, String>> {
    let mut names: BTreeMap<MemberId, Vec<String>> = BTreeMap::new();
    for (member, name) in all(c, IDENTIFIERS, [], |row| {
        let value = vault.identifier(row.get_ref(2)?.as_blob()?).map_err(unopened)?;
        Ok((id(row, 0)?, format!("{}={value}", row.get::<_, String>(1)?)))
    })? {
        names.entry(member).or_default().push(name);
    }
    let joined = |(member, mut names): (MemberId, Vec<String>)| {
        names.sort();
        (member, names.join("&"))
    };
    let mut names: BTreeMap<MemberId, String> = names.into_iter().map(joined).collect();
    // Who ended because they are another is called as that one.
    for (member, root) in all(c, ALIASES, [], |row| Ok((id(row, 0)?, id(row, 1)?)))? {
        let root = names.get(&root).cloned().unwrap_or_default();
        names.insert(member, root);
    }
    Ok(names)
}

/// A column in canonical form.
fn column(vault: &Vault, row: &Row<'_>, i: usize, out: &mut String) -> rusqlite::Result<()> {
    use rusqlite::types::ValueRef;
    out.push('|');
    match row.get_ref(i)? {
        ValueRef::Null => out.push('~'),
        ValueRef::Integer(value) => out.push_str(&value.to_string()),
        ValueRef::Text(text) => {
            let text = std::str::from_utf8(text).map_err(|_| damaged(i, "not text"))?;
            out.push_str(&format!("{text:?}"));
        }
        // What a source calls an item, sealed; a source's name stands before it.
        ValueRef::Blob(called) => {
            let called = vault.called(called).map_err(unopened)?;
            out.push_str(&format!("{:?}", called.as_deref().unwrap_or("(erased)")));
        }
        ValueRef::Real(_) => return Err(damaged(i, "no column of the digest")),
    }
    Ok(())
}

impl Gathered<'_> {
    fn name(&self, member: MemberId) -> &str {
        self.names.get(&member).map_or("?", String::as_str)
    }

    /// Rows of a query: the member's name, then the columns from `from` on as they are.
    fn each(&mut self, table: &str, sql: &str, member: usize, from: usize) -> Result<()> {
        let mut statement = self.c.prepare_cached(sql).map_err(database)?;
        let columns = statement.column_count();
        let mut found = statement.query([]).map_err(database)?;
        while let Some(row) = found.next().map_err(database)? {
            let mut text = format!("{table}|{}", self.name(id(row, member).map_err(database)?));
            for i in from..columns {
                column(self.vault, row, i, &mut text).map_err(database)?;
            }
            self.hashes.push(*blake3::hash(text.as_bytes()).as_bytes());
        }
        Ok(())
    }

    fn members(&mut self) -> Result<()> {
        let rows = all(self.c, MEMBERS, [], |row| {
            let kept = Kept {
                attributes: row.get(3)?,
                touches: row.get(4)?,
                told_at: row.get(12)?,
                leaves: Vec::new(),
                personal: row.get(13)?,
            };
            let ([attributes, touches, _], personal) = self.vault.personal(&kept).map_err(unopened)?;
            let mut text = format!("|{attributes}");
            let days = packed::unpack_days(row.get_ref(5)?.as_blob()?);
            let days = days.map_err(|error| damaged(5, error.to_string()))?;
            for i in [1, 2, 4, 6, 7, 8, 9, 10, 11] {
                match i {
                    4 => text.push_str(&format!("|{touches:?}")),
                    _ => column(self.vault, row, i, &mut text)?,
                }
            }
            for (day, amount) in days {
                text.push_str(&format!("|{}:{amount}", day.0));
            }
            if !personal.is_empty() {
                text.push_str(&format!("|{}", personal.canonical()));
            }
            let audiences = packed::unpack_memberships(row.get_ref(14)?.as_blob_or_null()?);
            let audiences = audiences.map_err(|error| damaged(14, error.to_string()))?;
            if !audiences.since.is_empty() {
                text.push_str(&format!("|in {}", packed::memberships_said(&audiences)));
            }
            let holdings = unpack_holdings(row.get_ref(15)?.as_blob_or_null()?);
            text.push_str(&tallies_said(&holdings.map_err(|error| damaged(15, error.to_string()))?));
            let runs = unpack_runs(row.get_ref(16)?.as_blob_or_null()?);
            text.push_str(&runs_said(&runs.map_err(|error| damaged(16, error.to_string()))?));
            Ok((id(row, 0)?, text))
        })?;
        for (member, text) in rows {
            let text = format!("member|{}{text}", self.name(member));
            self.hashes.push(*blake3::hash(text.as_bytes()).as_bytes());
        }
        Ok(())
    }

    /// Transfers are named by their cause; lots, allocations, holds and reversals by the transfer.
    fn ledger(&mut self) -> Result<()> {
        let named = self.transfers()?;
        let by_transfer = |table: &str, id: TransferId, rest: &str| {
            let cause = named.get(&id).copied().unwrap_or_default();
            *blake3::hash(format!("{table}|{cause:?}|{rest}").as_bytes()).as_bytes()
        };
        let lots = all(self.c, LOTS, [], |row| {
            let mut rest = String::new();
            for i in 2..7 {
                column(self.vault, row, i, &mut rest)?;
            }
            Ok(by_transfer("lot", id(row, 0)?, &rest))
        })?;
        let allocations = all(self.c, ALLOCATIONS, [], |row| {
            let lot = id_or_none(row, 1)?.map(|lot| named.get(&lot).copied().unwrap_or_default());
            let rest = format!("{lot:?}|{}", row.get::<_, i64>(2)?);
            Ok(by_transfer("allocation", id(row, 0)?, &rest))
        })?;
        let holds = all(self.c, HOLDS, [], |row| {
            let rest = format!("{}|{}", row.get::<_, i64>(2)?, row.get::<_, bool>(3)?);
            Ok(by_transfer("hold", id(row, 0)?, &rest))
        })?;
        self.hashes.extend(lots.into_iter().chain(allocations).chain(holds));
        Ok(())
    }

    /// Transfers by their cause. What comes of another home may come before what it reverses: it is named once that is.
    fn transfers(&mut self) -> Result<BTreeMap<TransferId, Hash>> {
        let mut named: BTreeMap<TransferId, Hash> = BTreeMap::new();
        let mut later: Vec<(TransferId, TransferId, MemberId, String)> = Vec::new();
        let mut statement = self.c.prepare_cached(TRANSFERS).map_err(database)?;
        let mut found = statement.query([]).map_err(database)?;
        let transfer = |name: &str, reverses: Option<Hash>, rest: &str| {
            *blake3::hash(format!("transfer|{name}|{reverses:?}{rest}").as_bytes()).as_bytes()
        };
        while let Some(row) = found.next().map_err(database)? {
            let mut rest = String::new();
            (2..10).try_for_each(|i| column(self.vault, row, i, &mut rest)).map_err(database)?;
            let (id, member) = (id(row, 0).map_err(database)?, id(row, 1).map_err(database)?);
            let reverses: Option<TransferId> = id_or_none(row, 10).map_err(database)?;
            let known = reverses.map(|id| named.get(&id).copied());
            if let (Some(reverses), Some(None)) = (reverses, known) {
                later.push((id, reverses, member, rest));
                continue;
            }
            let hash = transfer(self.name(member), known.flatten(), &rest);
            named.insert(id, hash);
            self.hashes.push(hash);
        }
        while !later.is_empty() {
            let before = later.len();
            let mut hashes = Vec::new();
            later.retain(|(id, reverses, member, rest)| {
                let Some(reversed) = named.get(reverses).copied() else { return true };
                let hash = transfer(self.name(*member), Some(reversed), rest);
                named.insert(*id, hash);
                hashes.push(hash);
                false
            });
            if later.len() == before {
                // What is named by nothing that there is.
                let lost = later.drain(..);
                hashes.extend(
                    lost.map(|(_, _, member, rest)| {
                        transfer(self.name(member), Some(Hash::default()), &rest)
                    }),
                );
            }
            self.hashes.extend(hashes);
        }
        Ok(named)
    }

    /// The brand's tree, by its codes; staff by their names as opened.
    fn places(&mut self) -> Result<()> {
        for (table, sql, sealed) in
            [("place", PLACES, false), ("place_history", PLACE_HISTORY, false), ("staff", STAFF, true)]
        {
            let mut statement = self.c.prepare_cached(sql).map_err(database)?;
            let columns = statement.column_count();
            let mut found = statement.query([]).map_err(database)?;
            while let Some(row) = found.next().map_err(database)? {
                let mut text = table.to_owned();
                if sealed {
                    let name = row.get_ref(0).and_then(|name| Ok(name.as_blob()?)).map_err(database)?;
                    let name = self.vault.identifier(name)?;
                    text.push_str(&format!("|{name:?}"));
                }
                for i in usize::from(sealed)..columns {
                    column(self.vault, row, i, &mut text).map_err(database)?;
                }
                self.hashes.push(*blake3::hash(text.as_bytes()).as_bytes());
            }
        }
        Ok(())
    }

    /// Orders, without the ids of their lots.
    fn orders(&mut self) -> Result<()> {
        let rows = all(self.c, ORDERS, [], |row| {
            let terms: OrderTerms = json(row, 9)?;
            let lots = terms.lots.len();
            let terms = OrderTerms { lots: Vec::new(), ..terms };
            let mut text = format!("|{lots}|{terms:?}");
            for i in 1..9 {
                column(self.vault, row, i, &mut text)?;
            }
            Ok((id(row, 0)?, text))
        })?;
        for (member, text) in rows {
            let text = format!("order|{}{text}", self.name(member));
            self.hashes.push(*blake3::hash(text.as_bytes()).as_bytes());
        }
        Ok(())
    }
}
