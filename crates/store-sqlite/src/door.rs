//! The door of the inbox: each item once, at its place, and whom it is about settled.

use rusqlite::{CachedStatement, Connection, OptionalExtension, params};
use zhiyin_model::event::names as said;
use zhiyin_model::id::MemberId;
use zhiyin_model::time::Ts;
use zhiyin_store::merge::{self, Merge};
use zhiyin_store::seal::LookupHash;
use zhiyin_store::seal::vault::Vault;
use zhiyin_store::turn::place;
use zhiyin_store::{Append, Named, NewEvent, OWN_SOURCE, Receipt, Result, StoreError};

use crate::rows::{self, database};
use crate::write::{
    CLOCK, EVENT_HASH, EVENT_NEW, IDENTIFIER_NEW, IMPORT_SET, SOURCE, SOURCE_NEW, clock_of, prepare, run,
};
use crate::{load, persons};

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
    let source = source(c, &append.source, &append.user_namespace)?;
    let before = clock_of(c)?;
    let (mut clock, mut last) = before;
    let mut receipts = Vec::with_capacity(append.events.len());
    let mut insert = prepare(c, EVENT_NEW)?;
    let mut known = prepare(c, EVENT_HASH)?;
    let mut names = Names::new(c)?;
    for event in &append.events {
        let at = if append.replay { append.now.min(event.time).0 } else { clock.max(append.now.0) };
        for merge in merges(c, vault, &mut names, append, (event, source))? {
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
        let about = names.about(event)?;
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
            names.settle(event, &about)?;
            receipts.push(Receipt::Accepted);
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
    names: &mut Names<'_>,
    append: &Append,
    (event, source): (&NewEvent, i64),
) -> Result<Vec<Merge>> {
    let people =
        merge::one_person(event, |hash| names.whose(hash), |one, other| persons::apart(c, one, other))?;
    let Some((winner, losers)) = people.split_first().filter(|(_, losers)| !losers.is_empty()) else {
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
    /// Whether some of its names may be nobody's yet.
    new: bool,
}

/// Settling names at the door: the first that is known decides.
struct Names<'c> {
    find: CachedStatement<'c>,
    attach: CachedStatement<'c>,
}

impl<'c> Names<'c> {
    fn new(c: &'c Connection) -> Result<Self> {
        Ok(Self { find: prepare(c, load::BY_IDENTIFIER)?, attach: prepare(c, IDENTIFIER_NEW)? })
    }

    fn whose(&mut self, hash: &LookupHash) -> Result<Option<MemberId>> {
        self.find.query_row([hash.as_slice()], |row| rows::id(row, 0)).optional().map_err(database)
    }

    fn find(&mut self, named: &Named) -> Result<Option<MemberId>> {
        self.whose(&named.hash)
    }

    fn about(&mut self, event: &NewEvent) -> Result<About> {
        let mut known = None;
        for named in &event.names {
            known = self.find(named)?;
            if known.is_some() {
                break;
            }
        }
        let member = known.unwrap_or(event.member);
        let new = known.is_none() || event.names.len() > 1;
        if !event.parts.is_empty() {
            // Who leaves is somebody new, unless there is nobody to leave.
            return Ok(About { member, reached: known.map(|_| event.member), new });
        }
        let Some(reach) = &event.reach else { return Ok(About { member, reached: None, new }) };
        // An item may reach whom it is about.
        let own = event.names.iter().any(|named| named.hash == reach.named.hash);
        let found = self.find(&reach.named)?;
        let reached = found.unwrap_or(if own { member } else { reach.member });
        Ok(About { member, reached: Some(reached), new: new || found.is_none() })
    }

    /// Attaches those of an item's names that nobody bears.
    fn settle(&mut self, event: &NewEvent, about: &About) -> Result<()> {
        if !about.new {
            return Ok(());
        }
        let others = event.reach.iter().zip(about.reached).map(|(reach, member)| (&reach.named, member));
        for (named, member) in event.names.iter().map(|named| (named, about.member)).chain(others) {
            let values = params![
                named.hash.as_slice(),
                named.namespace,
                named.value.0,
                member.bytes().as_slice(),
                event.time.0
            ];
            run(&mut self.attach, values)?;
        }
        Ok(())
    }
}
