//! `zhiyin bench resolution`: who an identifier names, over many members with several identifiers each: how many a second at the
//! door and in look-ups, and what identity takes on disk. Once in an unsealed home, once in a sealed one.
//!
//! Every look-up must find whom the identifier was given to, or the figures are not printed.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use zhiyin_engine::accept::{Source, Verdict};
use zhiyin_engine::{Engine, clock, playbooks};
use zhiyin_model::event::Identifier;
use zhiyin_model::id::{IdKey, MemberId};
use zhiyin_model::time::Ts;
use zhiyin_store::seal::envelope::Key;
use zhiyin_store::seal::vault::{Vault, new_mark};
use zhiyin_store::{Store, Wanted, seal};
use zhiyin_store_sqlite::{Durability, FileKeystore, SqliteStore, identity_bytes};

use super::print::thousands;

/// Members of the unsealed home, and of the sealed one, where each name has a key of its own that is made first.
const MEMBERS: u64 = 1_000_000;
const MEMBERS_SEALED: u64 = 100_000;
/// Items that are accepted at once, and identifiers that are looked up at once.
const AT_ONCE: usize = 2_000;
/// Items of known members, and look-ups, that are measured.
const KNOWN: u64 = 200_000;
const KEY: IdKey = IdKey::from_bytes([7; 32]);
/// 2024-01-01: what comes in is history, all of one moment.
const AT: Ts = Ts(1_704_067_200_000_000);

struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed is left to whoever clears the temporary folder.
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// What was found of one home.
struct Measured {
    new_a_second: u64,
    known_a_second: u64,
    looked_up_a_second: u64,
    bytes: i64,
    keystore_bytes: u64,
}

/// Measures and prints.
pub async fn resolution() -> Result<ExitCode> {
    let folder = Folder(std::env::temp_dir().join(format!("zhiyin-resolution-{}", std::process::id())));
    std::fs::create_dir_all(&folder.0).with_context(|| folder.0.display().to_string())?;
    println!(
        "Members with five identifiers each; SQLite, WAL, synchronous=FULL. new: items a second whose five identifiers are\n\
         nobody's yet. known: items a second of members who are known, by two of theirs. look-ups: identifiers a second, drawn by\n\
         chance. identity: bytes a member of the tables and indexes that say who is whom; keystore: of their keys.\n"
    );
    let columns = ["members", "new", "known", "look-ups", "identity", "keystore"];
    println!("{:<10}{}", "home", columns.map(|name| format!("{name:>12}")).concat());
    for (sealed, members) in [(false, MEMBERS), (true, MEMBERS_SEALED)] {
        let measured = home(&folder.0, members, sealed).await?;
        println!(
            "{:<10}{:>12}{:>12}{:>12}{:>12}{:>12}{:>12}",
            if sealed { "sealed" } else { "unsealed" },
            thousands(members),
            thousands(measured.new_a_second),
            thousands(measured.known_a_second),
            thousands(measured.looked_up_a_second),
            measured.bytes / i64::try_from(members)?,
            measured.keystore_bytes / members
        );
    }
    Ok(ExitCode::SUCCESS)
}

fn a_second(n: u64, took: Duration) -> u64 {
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX).max(1);
    n.saturating_mul(1_000_000) / micros
}

async fn home(folder: &Path, members: u64, sealed: bool) -> Result<Measured> {
    let path = folder.join(if sealed { "sealed.db" } else { "unsealed.db" });
    let store = if sealed { sealed_store(&path).await? } else { Arc::new(SqliteStore::open(&path, &KEY)?) };
    let engine = Engine::open(Arc::clone(&store) as Arc<dyn Store>).await?;
    let Some(Ok((playbook, _))) = playbooks::read_shipped("variety-store") else {
        bail!("the shipped playbook variety-store does not read");
    };
    engine.apply_at(&playbook, Some(AT)).await?;

    let new = taken(&engine, "new", members, |n| item(n, n, &[0, 1, 2, 3, 4])).await?;
    let whom = |n: u64| drawn(n) % members;
    let known =
        taken(&engine, "known", KNOWN, |n| item(n, whom(n), &[(n % 5) as usize, ((n + 2) % 5) as usize]));
    let known = known.await?;
    let looked_up = looked_up(store.as_ref(), &whom).await?;
    let id_key = store.home().await?.id_key;
    ensure!(sealed || id_key == KEY, "another home's key");
    drop(engine);
    drop(store);
    let keystore_bytes = std::fs::metadata(FileKeystore::beside(&path)).map_or(0, |file| file.len());
    Ok(Measured {
        new_a_second: a_second(members, new),
        known_a_second: a_second(KNOWN, known),
        looked_up_a_second: a_second(KNOWN, looked_up),
        bytes: identity_bytes(&path)?,
        keystore_bytes,
    })
}

pub(super) async fn sealed_store(path: &Path) -> Result<Arc<SqliteStore>> {
    let keystore = Arc::new(FileKeystore::open(&FileKeystore::beside(path))?);
    let vault = Vault::make(keystore, Key::random()?, &KEY, new_mark()?, false)?;
    let mark = vault.mark().context("no mark")?;
    let store = SqliteStore::open_with(path, &IdKey::from_bytes(mark), Durability::Full)?;
    let personal = store.personal().context("no home of its own")?;
    personal.keep_vault(vault);
    personal.mark_sealed(mark).await?;
    Ok(Arc::new(store))
}

/// One of a member's five identifiers: what a member of a Chinese retailer is commonly known by.
fn identifier(member: u64, which: usize) -> (&'static str, String) {
    match which {
        0 => ("user", format!("u{member:08}")),
        1 => ("phone", format!("+86139{member:08}")),
        2 => ("card", format!("6{member:011}")),
        3 => ("unionid", format!("o6_bmasdasdsad6_2s{member:010}")),
        _ => ("openid:wx5823bf96d3bd56c7", format!("oLVPpjqs9BhvzwPj5A{member:010}")),
    }
}

fn item(n: u64, member: u64, which: &[usize]) -> Vec<u8> {
    let names = which.iter().map(|which| {
        let (namespace, value) = identifier(member, *which);
        format!("{{\"id\":\"{value}\",\"type\":\"{namespace}\"}}")
    });
    let names = names.collect::<Vec<_>>().join(",");
    format!(
        "{{\"context\":{{\"externalIds\":[{names}]}},\"event\":\"Store Visited\",\"messageId\":\"{n:09}\",\
         \"timestamp\":\"2024-01-01T00:00:00Z\",\"type\":\"track\"}}"
    )
    .into_bytes()
}

/// Numbers that are spread evenly (SplitMix64).
pub(super) fn drawn(n: u64) -> u64 {
    let mut z = n.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Takes items through the door, durably; how long it took.
async fn taken(engine: &Engine, source: &str, items: u64, item: impl Fn(u64) -> Vec<u8>) -> Result<Duration> {
    let source = Source {
        name: source.to_owned(),
        user_namespace: "user".to_owned(),
        replay: true,
        ties: Default::default(),
    };
    let mut took = Duration::ZERO;
    let mut n = 0;
    while n < items {
        let to = items.min(n + AT_ONCE as u64);
        let part: Vec<Vec<u8>> = (n..to).map(&item).collect();
        let watch = clock::stopwatch();
        let verdicts = engine.accept(&source, &part, None).await?;
        took += watch.elapsed();
        ensure!(verdicts.iter().all(|verdict| *verdict == Verdict::Accepted), "not all was accepted");
        n = to;
    }
    Ok(took)
}

/// Looks identifiers up, and sees that one member's two are of one and another's of another.
async fn looked_up(store: &dyn Store, whom: &impl Fn(u64) -> u64) -> Result<Duration> {
    let key = store.home().await?.id_key;
    let hash = |member: u64, which: usize| {
        let (namespace, value) = identifier(member, which);
        seal::lookup(&key, &Identifier { namespace: namespace.to_owned(), value })
    };
    let mut took = Duration::ZERO;
    for part in 0..KNOWN / AT_ONCE as u64 {
        let asked: Vec<_> = (0..AT_ONCE as u64 / 2)
            .flat_map(|n| {
                let member = whom(KNOWN + part * AT_ONCE as u64 + n);
                [hash(member, (n % 5) as usize), hash(member, ((n + 3) % 5) as usize)]
            })
            .collect();
        let watch = clock::stopwatch();
        let found = store.load(Wanted { identifiers: asked.clone(), ..Wanted::default() }).await?.identifiers;
        took += watch.elapsed();
        let found: std::collections::BTreeMap<_, _> = found.into_iter().collect();
        let pairs = asked.as_chunks::<2>().0;
        let mut members: std::collections::BTreeSet<MemberId> = std::collections::BTreeSet::new();
        for [one, other] in pairs {
            ensure!(found.contains_key(one) && found.get(one) == found.get(other), "an identifier is lost");
            members.extend(found.get(one));
        }
        // Few are drawn twice.
        ensure!(members.len() * 10 > pairs.len() * 9, "several people are one");
    }
    Ok(took)
}
