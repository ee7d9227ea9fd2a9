//! `zhiyin channel backfill | try`: a shop's orders of before, and what a body of its comes to.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use zhiyin_engine::clock;
use zhiyin_engine::shops::{self, ShopNews, Stopped};
use zhiyin_model::time::Day;

use super::platforms;
use crate::arguments::Place;
use crate::say::say;

/// How long it is waited in one piece for a shop that wants to be left alone.
const REST_MAX: Duration = Duration::from_secs(60);
/// The largest body that is tried, in bytes.
const BODY_BYTES_MAX: usize = 256 * 1024;

/// Reads a shop's orders from a day on.
pub(super) async fn backfill(
    place: &Place,
    (platform, account): (&str, &str),
    since: &str,
    file: &Path,
) -> Result<()> {
    let all = shops::all(&platforms(Some(file))?);
    let at = all.iter().find(|at| at.shop.channel() == platform && at.account == account);
    let at = at.with_context(|| format!("{} names no {platform} {account} that is asked", file.display()))?;
    let day = Day::parse(since).with_context(|| format!("--since: {since} is no day such as 2025-11-01"))?;
    let engine = place.open_existing().await?;
    let since = engine.live()?.rules.zone.start(day);
    engine.look_back(at, since, clock::wall()).await?;
    let (mut n, mut n_new) = (0, 0);
    loop {
        let Some((found, stopped)) = engine.look_through(at, clock::wall).await? else {
            say!("{platform} {account}: the server reads it");
            return Ok(());
        };
        n += found.n;
        n_new += found.n_new;
        let Some(Stopped { trouble, due }) = stopped else { break };
        say!("{platform} {account}: {n} read so far; {trouble}");
        while clock::wall() < due {
            let left = u64::try_from(due.0 - clock::wall().0).unwrap_or_default();
            tokio::time::sleep(Duration::from_micros(left).min(REST_MAX)).await;
        }
    }
    say!("{platform} {account}: {n} read, {n_new} not known before: they are worked on");
    Ok(())
}

/// Shows what a body comes to. The code of exit says whether anything is wrong with it.
pub(super) fn try_out(
    (platform, account): (&str, &str),
    body: &Path,
    topic: &str,
    file: &Path,
) -> Result<ExitCode> {
    let platforms = platforms(Some(file))?;
    let shop = platforms.shops.get(&(platform.to_owned(), account.to_owned()));
    let shop = shop.with_context(|| format!("{} names no {platform} {account}", file.display()))?;
    let body = if body.as_os_str() == "-" {
        let mut read = Vec::new();
        std::io::Read::read_to_end(&mut std::io::stdin(), &mut read)?;
        read
    } else {
        std::fs::read(body).with_context(|| format!("cannot read {}", body.display()))?
    };
    anyhow::ensure!(body.len() <= BODY_BYTES_MAX, "at most {BODY_BYTES_MAX} bytes");
    let came = shop.tried(topic, &body);
    if came.is_empty() {
        say!("nothing is made of it");
    }
    let mut is_well = true;
    for one in came {
        is_well &= !matches!(one.news, ShopNews::Unread(_));
        say!("{}", serde_json::to_string_pretty(&one.news)?);
    }
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::from(1) })
}
