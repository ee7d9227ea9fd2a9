//! The door of the inbox: each item once, at its place, and whom it is about settled.

use rusqlite::{Connection, params};
use zhiyin_model::event::names as said;
use zhiyin_model::id::MemberId;
use zhiyin_model::time::Ts;
use zhiyin_store::merge::{self, Merge};
use zhiyin_store::seal::vault::Vault;
use zhiyin_store::settle::{self, Fate, Register, Settled};
use zhiyin_store::turn::place;
use zhiyin_store::{Append, NewEvent, OWN_SOURCE, Receipt, Result, StoreError};

use crate::names::{self, Names};
use crate::persons;
use crate::rows::database;
use crate::write::{CLOCK, EVENT_HASH, EVENT_NEW, IMPORT_SET, SOURCE, SOURCE_NEW, clock_of, prepare, run};

pub(crate) const ERASURES: &str = "SELECT erasures FROM home WHERE one = 1";

fn source(c: &Connection, name: &str, user_namespace: &str) -> Result<i64> {
    run(&mut prepare(c, SOURCE_NEW)?, [name, user_namespace])?;
    let (no, known): (i64, String) =
        prepare(c, SOURCE)?.query_row([name], |row| Ok((row.get(0)?, row.get(1)?))).map_err(database)?;
    if known == user_namespace {
        return Ok(no);
    }
    Err(StoreError::SourceNamespace { source_name: name.to_owned(), known, given: user_namespace.to_owned() })
}

/// Takes items into the inbox, each once, and settles whom they are about. What happens now is placed no earlier than what
/// came before; history at its own time.
pub(crate) fn append(c: &Connection, vault: &Vault, append: &Append) -> Result<Vec<Receipt>> {
    if append.source == OWN_SOURCE {
        return Err(StoreError::SourceReserved);
    }
    if vault.is_sealed() {
        let erasures = prepare(c, ERASURES)?.query_row([], |row| row.get(0)).map_err(database)?;
        if !vault.outlived(append, erasures)? {
            return Err(StoreError::Erased);
        }
    }
    let source = source(c, &append.source, &append.user_namespace)?;
    let before = clock_of(c)?;
    let (mut clock, mut last) = before;
    let mut receipts = Vec::with_capacity(append.events.len());
    let mut insert = prepare(c, EVENT_NEW)?;
    let mut known = prepare(c, EVENT_HASH)?;
    let lasts = |namespace: &str| append.identity.rule(namespace).valid_days.is_some();
    for event in &append.events {
        let at = if append.replay { append.now.min(event.time).0 } else { clock.max(append.now.0) };
        let settled = settle::settle(event, &append.identity, &mut Names(c))?;
        for merge in merges(c, vault, append, (event, source), &settled)? {
            let seq = place::next(last, Ts(clock.max(at)));
            let own: i64 = prepare(c, SOURCE)?.query_row([OWN_SOURCE], |row| row.get(0)).map_err(database)?;
            let (winner, loser) = (*merge.winner.bytes(), *merge.loser.bytes());
            let (id, hash) = (*merge.id.bytes(), [0u8; 0]);
            let values = params![
                seq,
                id,
                own,
                merge.message_id,
                hash,
                said::MEMBERS_MERGED,
                event.time.0,
                at,
                0,
                append.replay,
                merge.body.0,
                loser,
                winner,
                merge.called.as_ref().map(|called| &called.0)
            ];
            run(&mut insert, values)?;
            (clock, last) = (clock.max(at), seq);
            persons::merged(c, merge.winner, merge.loser, event.time)?;
        }
        let anew = names::sealed_anew(c, vault, (event, &settled.fates))?;
        let event = anew.as_ref().unwrap_or(event);
        let about = about(c, event, &settled)?;
        let seq = place::next(last, Ts(clock.max(at)));
        let added = insert
            .execute(params![
                seq,
                event.id.bytes().as_slice(),
                source,
                event.message_id,
                event.body_hash.as_slice(),
                event.name,
                event.time.0,
                at,
                0,
                append.replay,
                event.body.0,
                about.member.bytes().as_slice(),
                about.reached.map(|member| *member.bytes()),
                event.called.as_ref().map(|called| &called.0)
            ])
            .map_err(database)?;
        if added == 1 {
            (clock, last) = (clock.max(at), seq);
            if let Some(to) = about.reached.filter(|_| !event.parts.is_empty()) {
                persons::parted(c, about.member, to, &event.parts)?;
            }
            let given_up = names::settled(c, (seq, event), (&settled, about.member), lasts)?;
            if let (Some(reach), Some(member)) = (&event.reach, about.new) {
                names::attach(c, &reach.named, member, event.time)?;
            }
            receipts.push(match given_up {
                0 => Receipt::Accepted,
                n => Receipt::AcceptedWithout(n),
            });
            continue;
        }
        let hash: Vec<u8> =
            known.query_row(params![source, event.message_id], |row| row.get(0)).map_err(database)?;
        let same = hash == event.body_hash;
        receipts.push(if same { Receipt::Duplicate } else { Receipt::Reused });
    }
    if (clock, last) != before {
        run(&mut prepare(c, CLOCK)?, [clock, last])?;
    }
    if let Some(progress) = &append.progress {
        run(&mut prepare(c, IMPORT_SET)?, params![progress.name, progress.position, progress.done])?;
    }
    Ok(receipts)
}

/// Who an item shows to be one person, unless it is no news.
fn merges(
    c: &Connection,
    vault: &Vault,
    append: &Append,
    (event, source): (&NewEvent, i64),
    settled: &Settled,
) -> Result<Vec<Merge>> {
    let Some((winner, losers)) = settled.people.split_first().filter(|(_, losers)| !losers.is_empty()) else {
        return Ok(Vec::new());
    };
    if prepare(c, EVENT_HASH)?.exists(params![source, event.message_id]).map_err(database)? {
        return Ok(Vec::new());
    }
    let called = vault.named(event)?;
    let said = losers.iter().enumerate();
    let said = said.map(|(n, loser)| merge::merge(event, (&append.source, &called), n, *winner, *loser));
    let mut said: Vec<Merge> = said.collect();
    vault.seal_merges(&mut said.iter_mut().collect::<Vec<_>>())?;
    Ok(said)
}

/// Whom an item is about, and whom else its decision may reach.
struct About {
    member: MemberId,
    reached: Option<MemberId>,
    /// Whose the name is from now on by which it reaches somebody whom nobody knew.
    new: Option<MemberId>,
}

fn about(c: &Connection, event: &NewEvent, settled: &Settled) -> Result<About> {
    let known = settled.people.first().copied();
    let member = known.unwrap_or(event.member);
    if !event.parts.is_empty() {
        // Who leaves is somebody new, unless there is nobody to leave.
        return Ok(About { member, reached: known.map(|_| event.member), new: None });
    }
    let Some(reach) = &event.reach else { return Ok(About { member, reached: None, new: None }) };
    let mut own =
        event.names.iter().zip(&settled.fates).filter(|(_, fate)| !matches!(fate, Fate::GivenUp(_)));
    if own.any(|(named, _)| named.hash == reach.named.hash) {
        // An item may reach whom it is about.
        return Ok(About { member, reached: Some(member), new: None });
    }
    let found = Names(c).whose(&reach.named.hash)?;
    let new = found.is_none().then_some(reach.member);
    Ok(About { member, reached: found.or(new), new })
}
