//! Short links: each once, and how often it was followed.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, Row, params};
use zhiyin_model::id::{LinkId, MemberId};
use zhiyin_model::link::{Followed, Link, LinkCode};
use zhiyin_model::time::Ts;
use zhiyin_store::Result;
use zhiyin_store::flush::Joined;
use zhiyin_store::links::{Count, Links, StoredLink, said as said_of};

use crate::SqliteStore;
use crate::rows::{all, damaged, database, id_or_none};
use crate::write::{prepare, run};

macro_rules! columns {
    () => {
        "code, page, target, touchpoint, campaign, message, member, sharer, at, until, clicks, scans"
    };
}

pub(crate) const LINK_NEW: &str = "INSERT INTO link (id, code, page, target, touchpoint, campaign, message, member, sharer, at, until) \
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING";
pub(crate) const LINK: &str = concat!("SELECT ", columns!(), " FROM link WHERE id = ?");
pub(crate) const LINKS: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM link WHERE message IS NULL AND (?1 IS NULL OR page = ?1) AND (?2 IS NULL OR (at, id) < (?2, ?3)) \
     ORDER BY at DESC, id DESC LIMIT ?4"
);
pub(crate) const LINK_COUNTED: &str =
    "UPDATE link SET clicks = clicks + ?2, scans = scans + ?3 WHERE id = ?1";
pub(crate) const LINKS_TO: &str = "UPDATE link SET member = ?2 WHERE member = ?1";
pub(crate) const LINKS_SHARED_TO: &str = "UPDATE link SET sharer = ?2 WHERE sharer = ?1";
/// They lead where they led, and name nobody.
pub(crate) const LINKS_OF_NOBODY: &str = "UPDATE link SET member = NULL WHERE member = ?";
pub(crate) const LINKS_BY_NOBODY: &str = "UPDATE link SET sharer = NULL WHERE sharer = ?";
pub(crate) const LINKS_DIGESTED: &str = concat!("SELECT ", columns!(), " FROM link");

/// Writes links down.
pub(crate) fn put(c: &Connection, links: &[Link]) -> Result<()> {
    if links.is_empty() {
        return Ok(());
    }
    let mut new = prepare(c, LINK_NEW)?;
    for link in links {
        let id = link.code.id();
        let (member, sharer) = (link.member.map(|m| *m.bytes()), link.sharer.map(|m| *m.bytes()));
        let values = params![
            id.bytes().as_slice(),
            link.code.as_str(),
            link.page,
            link.to,
            link.touchpoint,
            link.campaign,
            link.message,
            member.as_ref().map(<[u8; 16]>::as_slice),
            sharer.as_ref().map(<[u8; 16]>::as_slice),
            link.at.0,
            link.until.map(|until| until.0)
        ];
        run(&mut new, values)?;
    }
    Ok(())
}

/// Links of who ends are those of who they are.
pub(crate) fn join(c: &Connection, joined: &Joined) -> Result<()> {
    let (winner, loser) = (joined.winner.bytes().as_slice(), joined.loser.bytes().as_slice());
    run(&mut prepare(c, LINKS_TO)?, [loser, winner])?;
    run(&mut prepare(c, LINKS_SHARED_TO)?, [loser, winner]).map(drop)
}

/// Takes whoever is erased out of their links.
pub(crate) fn erase(c: &Connection, member: MemberId) -> Result<()> {
    run(&mut prepare(c, LINKS_OF_NOBODY)?, [member.bytes().as_slice()])?;
    run(&mut prepare(c, LINKS_BY_NOBODY)?, [member.bytes().as_slice()]).map(drop)
}

fn link(row: &Row<'_>) -> rusqlite::Result<StoredLink> {
    let code = LinkCode::read(row.get_ref(0)?.as_str()?).ok_or_else(|| damaged(0, "no code of a link"))?;
    let link = Link {
        code,
        page: row.get(1)?,
        to: row.get(2)?,
        touchpoint: row.get(3)?,
        campaign: row.get(4)?,
        message: row.get(5)?,
        member: id_or_none(row, 6)?,
        sharer: id_or_none(row, 7)?,
        at: Ts(row.get(8)?),
        until: row.get::<_, Option<i64>>(9)?.map(Ts),
    };
    Ok(StoredLink { link, clicks: row.get(10)?, scans: row.get(11)? })
}

/// For whom a link was made, who passes it on, and what is said of it.
pub(crate) type SaidOf = (Option<MemberId>, Option<MemberId>, String);

/// What the digest says of links, and whom they name: for whom they were made, who passes them on.
pub(crate) fn said(c: &Connection) -> Result<Vec<SaidOf>> {
    let read = all(c, LINKS_DIGESTED, [], link)?;
    Ok(read.into_iter().map(|StoredLink { link, .. }| (link.member, link.sharer, said_of(&link))).collect())
}

#[async_trait]
impl Links for SqliteStore {
    async fn put_links(&self, links: Vec<Link>) -> Result<()> {
        self.connections.write(move |c| put(c, &links)).await
    }

    async fn link(&self, code: &LinkCode) -> Result<Option<StoredLink>> {
        let id = code.id();
        self.connections
            .read(move |c| {
                let found = prepare(c, LINK)?.query_row([id.bytes().as_slice()], link).optional();
                found.map_err(database)
            })
            .await
    }

    async fn links(
        &self,
        page: Option<&str>,
        after: Option<(Ts, LinkId)>,
        limit: usize,
    ) -> Result<Vec<StoredLink>> {
        let page = page.map(str::to_owned);
        self.connections
            .read(move |c| {
                let (at, id) = (after.map(|(at, _)| at.0), after.map(|(_, id)| *id.bytes()));
                let most = i64::try_from(limit).unwrap_or(i64::MAX);
                let given = params![page, at, id.as_ref().map(<[u8; 16]>::as_slice), most];
                all(c, LINKS, given, link)
            })
            .await
    }

    async fn count_links(&self, counts: Vec<Count>) -> Result<()> {
        self.connections
            .write(move |c| {
                let mut counted = prepare(c, LINK_COUNTED)?;
                for count in &counts {
                    let (clicks, scans) = match count.how {
                        Followed::Clicked => (count.n, 0),
                        Followed::Scanned => (0, count.n),
                    };
                    run(&mut counted, params![count.link.bytes().as_slice(), clicks, scans])?;
                }
                Ok(())
            })
            .await
    }
}
