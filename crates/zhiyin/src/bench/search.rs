//! `zhiyin bench search`: finding members by how their name begins, and reading one whole, over many members with Chinese names,
//! an order each; once in an unsealed home, once in a sealed one. What the index costs is measured beside.
//!
//! Every search must find somebody who is called so, or the figures are not printed.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use zhiyin_engine::accept::{Source, Verdict};
use zhiyin_engine::members::{MembersAsked, TimelineAsked};
use zhiyin_engine::{Engine, clock, playbooks};
use zhiyin_model::id::IdKey;
use zhiyin_model::role::Grant;
use zhiyin_model::time::Ts;
use zhiyin_store::Store;
use zhiyin_store_sqlite::{SqliteStore, found_by_bytes};

use super::print::thousands;
use super::resolution::{drawn, sealed_store};

/// Members of the unsealed home, and of the sealed one.
const MEMBERS: u64 = 1_000_000;
const MEMBERS_SEALED: u64 = 100_000;
/// Items that are accepted at once.
const AT_ONCE: u64 = 8_192;
/// How many of each kind of reading are measured.
const ASKED: u64 = 2_000;
/// How many members a page has.
const PAGE: usize = 20;
const KEY: IdKey = IdKey::from_bytes([7; 32]);
/// 2024-01-01.
const AT: Ts = Ts(1_704_067_200_000_000);
/// The commonest surnames, each as often as about one in a hundred bears it.
const SURNAMES: [(&str, &str, u64); 16] = [
    ("王", "wang", 72),
    ("李", "li", 72),
    ("张", "zhang", 68),
    ("刘", "liu", 54),
    ("陈", "chen", 45),
    ("杨", "yang", 31),
    ("黄", "huang", 22),
    ("赵", "zhao", 20),
    ("吴", "wu", 20),
    ("周", "zhou", 19),
    ("徐", "xu", 14),
    ("孙", "sun", 14),
    ("马", "ma", 13),
    ("朱", "zhu", 13),
    ("曾", "zeng", 5),
    ("何", "he", 10),
];
const GIVEN: [(&str, &str); 24] = [
    ("伟", "wei"),
    ("芳", "fang"),
    ("娜", "na"),
    ("敏", "min"),
    ("静", "jing"),
    ("丽", "li"),
    ("强", "qiang"),
    ("磊", "lei"),
    ("军", "jun"),
    ("洋", "yang"),
    ("勇", "yong"),
    ("艳", "yan"),
    ("杰", "jie"),
    ("娟", "juan"),
    ("涛", "tao"),
    ("明", "ming"),
    ("超", "chao"),
    ("秀", "xiu"),
    ("霞", "xia"),
    ("平", "ping"),
    ("刚", "gang"),
    ("桂", "gui"),
    ("文", "wen"),
    ("辉", "hui"),
];

/// What is typed of a member's name, and how that is called.
type Typed = (&'static str, fn(u64) -> String);

struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed is left to whoever clears the temporary folder.
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// Somebody's name: surname and given name in characters, and how they sound.
fn name(member: u64) -> ([&'static str; 2], [String; 2]) {
    let all: u64 = SURNAMES.iter().map(|(.., often)| often).sum();
    let mut left = drawn(member) % all;
    let surname = SURNAMES.iter().find(|(.., often)| {
        let is_it = left < *often;
        left = left.saturating_sub(*often);
        is_it
    });
    let (surname, sound, _) = surname.unwrap_or(&SURNAMES[0]);
    let (given, given_sound) = GIVEN[(drawn(member ^ 0xa5a5) % 24) as usize];
    ([surname, given], [(*sound).to_owned(), given_sound.to_owned()])
}

fn items(member: u64) -> [Vec<u8>; 2] {
    let ([surname, given], _) = name(member);
    let more = if member.is_multiple_of(2) { GIVEN[(drawn(member ^ 0x5a5a) % 24) as usize].0 } else { "" };
    let who = format!("{{\"id\":\"+86139{member:08}\",\"type\":\"phone\"}}");
    let when = "2024-01-01T00:00:00Z";
    let identify = format!(
        "{{\"context\":{{\"externalIds\":[{who}]}},\"messageId\":\"i{member}\",\"timestamp\":\"{when}\",\
         \"traits\":{{\"name\":\"{surname}{given}{more}\"}},\"type\":\"identify\"}}"
    );
    let order = format!(
        "{{\"context\":{{\"externalIds\":[{who}]}},\"event\":\"Order Completed\",\"messageId\":\"o{member}\",\
         \"properties\":{{\"order_id\":\"{member}\",\"store_id\":\"{}\",\"total\":\"{}\"}},\"timestamp\":\"{when}\",\
         \"type\":\"track\"}}",
        member % 2_000,
        10 + member % 400
    );
    [identify.into_bytes(), order.into_bytes()]
}

/// Measures and prints.
pub async fn search() -> Result<ExitCode> {
    let folder = Folder(std::env::temp_dir().join(format!("zhiyin-search-{}", std::process::id())));
    std::fs::create_dir_all(&folder.0).with_context(|| folder.0.display().to_string())?;
    println!(
        "Members with a Chinese name, a phone and an order each; SQLite, WAL, synchronous=FULL. Pages of {PAGE}; {ASKED} of each \
         kind,\nof members and names drawn by chance. Times in microseconds: the middle one, and that which 99 of 100 stay below.\n"
    );
    for (sealed, members) in [(false, MEMBERS), (true, MEMBERS_SEALED)] {
        home(&folder.0, members, sealed).await?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn home(folder: &Path, members: u64, sealed: bool) -> Result<()> {
    let path = folder.join(if sealed { "sealed.db" } else { "unsealed.db" });
    let store = if sealed { sealed_store(&path).await? } else { Arc::new(SqliteStore::open(&path, &KEY)?) };
    let engine = Engine::open(Arc::clone(&store) as Arc<dyn Store>).await?;
    let Some(Ok((playbook, _))) = playbooks::read_shipped("variety-store") else {
        bail!("the shipped playbook variety-store does not read");
    };
    engine.apply_at(&playbook, Some(AT)).await?;
    filled(&engine, members).await?;
    println!("{} members, {}", thousands(members), if sealed { "sealed" } else { "unsealed" });
    let whom = |n: u64| drawn(n) % members;
    let line = |what: &str, mut took: Vec<Duration>| {
        took.sort_unstable();
        let at = |hundredths: usize| took.get(took.len() * hundredths / 100).map_or(0, Duration::as_micros);
        println!("  {what:<34}{:>10}{:>10}", at(50), at(99));
    };
    println!("  {:<34}{:>10}{:>10}", "", "middle", "99 %");
    let typed: [Typed; 5] = [
        ("by a surname (王)", |member| name(member).0[0].to_owned()),
        ("by two characters (王伟)", |member| name(member).0.concat()),
        ("by initials (ww)", |member| {
            name(member).1.iter().filter_map(|sound| sound.chars().next()).collect()
        }),
        ("by pinyin (wangw)", |member| {
            let [surname, given] = name(member).1;
            format!("{surname}{}", given.chars().take(1).collect::<String>())
        }),
        ("by words of pinyin (wang wei)", |member| name(member).1.join(" ")),
    ];
    for (what, typed) in typed {
        line(what, searched(&engine, &|n| typed(whom(n))).await?);
    }
    let owner = Grant::system("bench");
    let mut ids = Vec::new();
    for n in 0..ASKED {
        let asked = vec![named(whom(n))];
        ids.push(
            store
                .load(zhiyin_store::Wanted {
                    identifiers: hashes(store.as_ref(), &asked).await?,
                    ..Default::default()
                })
                .await?,
        );
    }
    let ids: Vec<String> = ids
        .iter()
        .filter_map(|loaded| loaded.members.first())
        .map(|stored| stored.member.id.to_string())
        .collect();
    ensure!(ids.len() as u64 == ASKED, "a member is lost");
    let (mut whole, mut timeline) = (Vec::new(), Vec::new());
    for id in &ids {
        let watch = clock::stopwatch();
        let member = engine.member(&owner, id).await?;
        whole.push(watch.elapsed());
        ensure!(member.orders.count == 1, "an order is lost");
        let asked = TimelineAsked { limit: PAGE, ..TimelineAsked::default() };
        let watch = clock::stopwatch();
        engine.member_timeline(&owner, id, &asked).await?;
        timeline.push(watch.elapsed());
    }
    line("one member whole", whole);
    line("a page of a timeline", timeline);
    drop(engine);
    drop(store);
    println!("  index of names: {} bytes a member\n", found_by_bytes(&path)? / i64::try_from(members)?);
    Ok(())
}

fn named(member: u64) -> zhiyin_model::event::Identifier {
    zhiyin_model::event::Identifier { namespace: "phone".to_owned(), value: format!("+86139{member:08}") }
}

async fn hashes(
    store: &dyn Store,
    named: &[zhiyin_model::event::Identifier],
) -> Result<Vec<zhiyin_store::seal::LookupHash>> {
    let key = store.home().await?.id_key;
    Ok(named.iter().map(|one| zhiyin_store::seal::lookup(&key, one)).collect())
}

async fn filled(engine: &Engine, members: u64) -> Result<()> {
    let source = Source {
        name: "till".to_owned(),
        user_namespace: "user".to_owned(),
        replay: true,
        ties: Default::default(),
    };
    let mut n = 0;
    while n < members {
        let to = members.min(n + AT_ONCE / 2);
        let part: Vec<Vec<u8>> = (n..to).flat_map(items).collect();
        let verdicts = engine.accept(&source, &part, None).await?;
        ensure!(verdicts.iter().all(|verdict| *verdict == Verdict::Accepted), "not all was accepted");
        engine.drain(AT_ONCE as usize, Some(Ts::MIN), |_| ()).await?;
        n = to;
    }
    Ok(())
}

/// Searches one after the other; how long each took.
async fn searched(engine: &Engine, typed: &impl Fn(u64) -> String) -> Result<Vec<Duration>> {
    let owner = Grant::system("bench");
    let mut took = Vec::new();
    for n in 0..ASKED {
        let name = typed(n);
        let asked = MembersAsked { name: Some(name.clone()), limit: PAGE, ..MembersAsked::default() };
        let watch = clock::stopwatch();
        let page = engine.members(&owner, &asked).await?;
        took.push(watch.elapsed());
        ensure!(!page.items.is_empty(), "nobody is found by {name}");
    }
    Ok(took)
}
