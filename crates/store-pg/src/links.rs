//! Short links: each in the shard of its code's hash, by which it is found, whoever it names.

use std::collections::BTreeMap;

use async_trait::async_trait;
use tokio_postgres::Row;
use zhiyin_model::id::{LinkId, MemberId};
use zhiyin_model::link::{Followed, Link, LinkCode};
use zhiyin_model::time::Ts;
use zhiyin_store::Result;
use zhiyin_store::flush::Joined;
use zhiyin_store::links::{Count, Links, StoredLink, said as said_of};
use zhiyin_store::read::Check;

use crate::PgStore;
use crate::batch::{self, Columns};
use crate::connection::{Of, Values};
use crate::doctor::Broken;
use crate::rows::{Uuid, damaged, get, id_or_none};
use crate::schemas::Schemas;
use crate::survey::Survey;

macro_rules! columns {
    () => {
        "code, page, target, touchpoint, campaign, message, member, sharer, at, until, clicks, scans"
    };
}

pub(crate) const LINK_NEW: &str = "INSERT INTO {shard}.link (id, code, page, target, touchpoint, campaign, message, member, sharer, \
    at, until) SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], \
    $8::uuid[], $9::uuid[], $10::bigint[], $11::bigint[]) ON CONFLICT (id) DO NOTHING";
pub(crate) const LINK: &str = concat!("SELECT ", columns!(), " FROM {shard}.link WHERE id = $1");
pub(crate) const LINKS: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM {shard}.link WHERE message IS NULL AND ($1::text IS NULL OR page = $1) \
     AND ($2::bigint IS NULL OR (at, id) < ($2, $3::uuid)) ORDER BY at DESC, id DESC LIMIT $4"
);
pub(crate) const COUNTED: &str = "UPDATE {shard}.link l SET clicks = l.clicks + u.clicks, scans = l.scans + u.scans \
    FROM unnest($1::uuid[], $2::bigint[], $3::bigint[]) u (id, clicks, scans) WHERE l.id = u.id";
/// They lead where they led, and name nobody.
pub(crate) const OF_NOBODY: &str = "UPDATE {shard}.link SET member = NULL WHERE member = $1";
pub(crate) const BY_NOBODY: &str = "UPDATE {shard}.link SET sharer = NULL WHERE sharer = $1";
pub(crate) const DIGESTED: &str = concat!("SELECT ", columns!(), " FROM {shard}.link");
pub(crate) const SENSELESS: &str = "SELECT 'link ' || code FROM {shard}.link \
    WHERE (page = '') = (target = '') OR length(code) <> 12 OR clicks < 0 OR scans < 0 LIMIT 5";
pub(crate) const NAMES: &str =
    "SELECT code, member, sharer FROM {shard}.link WHERE member IS NOT NULL OR sharer IS NOT NULL";

/// Links apart by shard.
pub(crate) fn rows<'f>(links: &'f [Link], schemas: &Schemas) -> Vec<batch::LinksNew<'f>> {
    let mut rows: Vec<batch::LinksNew<'f>> =
        (0..schemas.shards()).map(|_| batch::LinksNew::default()).collect();
    for link in links {
        let id = link.code.id();
        rows[schemas.shard_of_hash(id.bytes())].push(batch::LinkNew {
            id: id.into(),
            code: link.code.as_str(),
            page: &link.page,
            target: &link.to,
            touchpoint: link.touchpoint.as_deref(),
            campaign: link.campaign.as_deref(),
            message: link.message.as_deref(),
            member: link.member.map(Uuid::from),
            sharer: link.sharer.map(Uuid::from),
            at: link.at.0,
            until: link.until.map(|until| until.0),
        });
    }
    rows
}

/// Links of who ends are those of who they are, in whichever shard they lie.
pub(crate) fn join(schemas: &Schemas, joined: &Joined) -> String {
    let (winner, loser) = (joined.winner, joined.loser);
    let all = (0..schemas.shards()).map(|shard| {
        let shard = schemas.shard(shard);
        format!(
            "UPDATE {shard}.link SET member = '{winner}' WHERE member = '{loser}';\n\
             UPDATE {shard}.link SET sharer = '{winner}' WHERE sharer = '{loser}';\n"
        )
    });
    all.collect()
}

fn link(row: &Row) -> Result<StoredLink> {
    let code = LinkCode::read(get(row, 0)?).ok_or_else(|| damaged(0, "no code of a link"))?;
    let link = Link {
        code,
        page: get(row, 1)?,
        to: get(row, 2)?,
        touchpoint: get(row, 3)?,
        campaign: get(row, 4)?,
        message: get(row, 5)?,
        member: id_or_none(row, 6)?,
        sharer: id_or_none(row, 7)?,
        at: Ts(get(row, 8)?),
        until: get::<Option<i64>>(row, 9)?.map(Ts),
    };
    Ok(StoredLink { link, clicks: get(row, 10)?, scans: get(row, 11)? })
}

/// A link as the digest says it: for whom it was made, who passes it on, and what there is besides.
type Said = (Option<MemberId>, Option<MemberId>, String);

/// What the digest says of links.
pub(crate) async fn said(survey: &Survey<'_>) -> Result<Vec<Said>> {
    let mut said = Vec::new();
    survey
        .each(DIGESTED, &[], |row| {
            let StoredLink { link, .. } = link(row)?;
            said.push((link.member, link.sharer, said_of(&link)));
            Ok(())
        })
        .await?;
    Ok(said)
}

/// Whether links are of members who are there; these are all of them, sorted.
pub(crate) async fn named(survey: &Survey<'_>, members: &[MemberId]) -> Result<Check> {
    let mut broken = Broken::default();
    survey
        .each(NAMES, &[], |row| {
            let (member, sharer): (Option<MemberId>, Option<MemberId>) =
                (id_or_none(row, 1)?, id_or_none(row, 2)?);
            if [member, sharer].iter().flatten().any(|named| members.binary_search(named).is_err()) {
                broken.say(format!("link {}", get::<&str>(row, 0)?));
            }
            Ok(())
        })
        .await?;
    Ok(broken.check("short links are of members who are there"))
}

#[async_trait]
impl Links for PgStore {
    async fn put_links(&self, links: Vec<Link>) -> Result<()> {
        let session = self.connections.session().await?;
        let rows = rows(&links, &self.connections.schemas);
        for (shard, rows) in rows.iter().enumerate().filter(|(_, rows)| rows.len() > 0) {
            session.run((LINK_NEW, shard), &rows.given()).await?;
        }
        Ok(())
    }

    async fn link(&self, code: &LinkCode) -> Result<Option<StoredLink>> {
        let (session, id) = (self.connections.session().await?, code.id());
        let shard = session.schemas.shard_of_hash(id.bytes());
        session.row((LINK, shard), &[&Uuid::from(id)]).await?.as_ref().map(link).transpose()
    }

    async fn links(
        &self,
        page: Option<&str>,
        after: Option<(Ts, LinkId)>,
        limit: usize,
    ) -> Result<Vec<StoredLink>> {
        let (page, most) = (page.map(str::to_owned), i64::try_from(limit).unwrap_or(i64::MAX));
        let (at, key) = (after.map(|(at, _)| at.0), after.map(|(_, id)| Uuid::from(id)));
        let session = self.connections.session().await?;
        let asks: Vec<(Of, Values<'_>)> = (0..session.schemas.shards())
            .map(|shard| ((LINKS, shard), vec![&page as _, &at as _, &key as _, &most as _]))
            .collect();
        let rows = session.ask(asks).await?;
        let mut read: Vec<StoredLink> = rows.iter().flatten().map(link).collect::<Result<_>>()?;
        read.sort_by_key(|stored| std::cmp::Reverse((stored.link.at, stored.link.code.id())));
        read.truncate(limit);
        Ok(read)
    }

    async fn count_links(&self, counts: Vec<Count>) -> Result<()> {
        let session = self.connections.session().await?;
        let shards = session.schemas.shards();
        let mut of: Vec<(Vec<Uuid>, Vec<i64>, Vec<i64>)> = vec![Default::default(); shards];
        // A statement changes a row once, so each link has one row in it; in their order, so that nobody waits for another who waits.
        let mut sums: BTreeMap<LinkId, (i64, i64)> = BTreeMap::new();
        for count in counts {
            let sum = sums.entry(count.link).or_default();
            match count.how {
                Followed::Clicked => sum.0 += count.n,
                Followed::Scanned => sum.1 += count.n,
            }
        }
        for (link, (clicks, scans)) in sums {
            let of = &mut of[session.schemas.shard_of_hash(link.bytes())];
            of.0.push(link.into());
            of.1.push(clicks);
            of.2.push(scans);
        }
        for (shard, (links, clicks, scans)) in of.iter().enumerate().filter(|(_, of)| !of.0.is_empty()) {
            session.run((COUNTED, shard), &[links, clicks, scans]).await?;
        }
        Ok(())
    }
}
