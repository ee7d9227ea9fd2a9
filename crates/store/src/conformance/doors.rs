//! What the door makes of names: limits, priorities, what ends by itself, who is one person. However items are grouped, the
//! same comes of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use zhiyin_model::event::Identifier;
use zhiyin_model::id::MemberId;
use zhiyin_model::identifier::Window;
use zhiyin_model::playbook::{Identity, NamespaceSaid};
use zhiyin_model::time::{DAY_US, Ts};

use super::life::{Life, append, at, turn};
use super::{Homes, KEY};
use crate::dump::{Rows, Value};
use crate::settle::Reason;
use crate::{Named, NewEvent, Receipt, Result, Store, Ties, seal};

/// An item: on which day, what it means where its names are several members', its names; whom it must be about, by the
/// number of the item that brought them, and which of its names must be given up.
type Row = (i64, Ties, &'static [&'static str], usize, &'static [(&'static str, Reason)]);

const KEEP: Ties = Ties::Keep;
const MERGE: Ties = Ties::Merge;
const OPEN: Ties = Ties::Open;
const LIMIT: Reason = Reason::Limit;
const ELSE: Reason = Reason::SomebodyElse;
const NAMES: Reason = Reason::Names;
const UNPROVEN: Reason = Reason::Unproven;

const ROWS: &[Row] = &[
    (0, KEEP, &["user:u1", "phone:p1"], 1, &[]),
    (0, KEEP, &["phone:p1", "card:c1"], 1, &[]),
    // Who else bears the phone of a family is somebody else: one account, one card each.
    (0, KEEP, &["phone:p1", "user:u2"], 3, &[("phone", ELSE)]),
    (0, KEEP, &["phone:p1", "card:c2"], 4, &[("phone", ELSE)]),
    // Three phones, not four; and the fourth may be anybody's.
    (0, KEEP, &["phone:p2", "phone:p3", "phone:p4", "user:u1"], 1, &[("phone", LIMIT)]),
    (0, KEEP, &["phone:p4"], 6, &[]),
    // Two that stand for one person each are one, where a trusted source says so.
    (0, MERGE, &["unionid:x1", "openid:wxa:o1"], 7, &[]),
    (0, KEEP, &["openid:wxb:o2"], 8, &[]),
    (0, KEEP, &["unionid:x1", "openid:wxb:o2"], 7, &[("openid:wxb", ELSE)]),
    (0, MERGE, &["openid:wxb:o2", "unionid:x1"], 7, &[]),
    (0, KEEP, &["openid:wxb:o2"], 7, &[]),
    // Two of what one person has one of are two people, whoever says what.
    (0, MERGE, &["unionid:x2"], 12, &[]),
    (0, MERGE, &["unionid:x1", "unionid:x2"], 7, &[("unionid", ELSE)]),
    // What is shared makes nobody one.
    (0, MERGE, &["phone:p4", "unionid:x2"], 12, &[("phone", ELSE)]),
    (0, KEEP, &["user:u1", "unionid:x2"], 12, &[("user", ELSE)]),
    // What ends by itself: 90 days after it was seen last.
    (0, KEEP, &["pending_id:q", "user:u5"], 16, &[]),
    (89, KEEP, &["pending_id:q"], 16, &[]),
    (170, KEEP, &["pending_id:q", "user:u6"], 18, &[("pending_id", ELSE)]),
    (180, KEEP, &["pending_id:q", "user:u6"], 18, &[]),
    (181, KEEP, &["pending_id:q"], 18, &[]),
    (272, KEEP, &["pending_id:q"], 21, &[]),
    // Two within a week, and another in the next.
    (0, KEEP, &["user:u7", "email:e1"], 22, &[]),
    (1, KEEP, &["user:u7", "email:e2"], 22, &[]),
    (2, KEEP, &["user:u7", "email:e3"], 22, &[("email", LIMIT)]),
    (7, KEEP, &["user:u7", "email:e3"], 22, &[]),
    (8, KEEP, &["email:e3"], 22, &[]),
    // Limits hold within an item, too.
    (0, KEEP, &["card:c8", "card:c9"], 27, &[("card", LIMIT)]),
    (0, KEEP, &["card:c9"], 28, &[]),
    // A person who says so is not contradicted.
    (9, Ties::Insist, &["user:u1", "user:u2"], 1, &[]),
    (9, KEEP, &["user:u2"], 1, &[]),
    // Whoever has more than one by now gets no other.
    (9, KEEP, &["phone:p1", "user:u9"], 31, &[("phone", ELSE)]),
    // Two of the marketplace's accounts, of two who are one from now on; and a card of either stays what it was.
    (9, KEEP, &["tmall:t1", "card:c3"], 32, &[]),
    (9, KEEP, &["tmall:t2"], 33, &[]),
    (9, MERGE, &["tmall:t1", "tmall:t2", "device:d1"], 32, &[]),
    (9, MERGE, &["tmall:t1", "card:c1"], 1, &[("tmall", ELSE)]),
];

/// Where one person may have four names in all.
const FOUR: &[Row] = &[
    (0, KEEP, &["user:u1", "crm:1", "pos:1"], 1, &[]),
    (0, KEEP, &["user:u1", "till:1", "shop:1"], 1, &[("shop", NAMES)]),
    (0, KEEP, &["shop:1"], 3, &[]),
    (0, KEEP, &["user:u1", "anonymous:c1"], 1, &[("anonymous", NAMES)]),
    (0, KEEP, &["n1:1", "n2:1", "n3:1", "n4:1", "n5:1"], 5, &[("n5", NAMES)]),
    // Nor have two more who would be one.
    (0, KEEP, &["unionid:x1", "crm:2"], 6, &[]),
    (0, MERGE, &["unionid:x1", "user:u1"], 6, &[("user", ELSE)]),
    (0, Ties::Insist, &["unionid:x1", "user:u1"], 6, &[]),
];

/// What anybody may have sent, and what comes from a server.
const ANYBODY: &[Row] = &[
    // Of whom nobody knows, all is believed.
    (0, OPEN, &["user:u1", "email:e1", "anonymous:c1"], 1, &[]),
    // Of who is known, nothing but browsers and devices.
    (0, OPEN, &["user:u1", "phone:p9"], 1, &[("phone", UNPROVEN)]),
    (0, OPEN, &["user:u1", "card:c9", "crm:9"], 1, &[("card", UNPROVEN), ("crm", UNPROVEN)]),
    (0, OPEN, &["phone:p9"], 4, &[]),
    (0, OPEN, &["user:u1", "anonymous:c2", "device:d1"], 1, &[]),
    // However it is said: neither by a name that tells more, nor by their browser.
    (0, OPEN, &["user:u9", "email:e1"], 6, &[("email", ELSE)]),
    (0, OPEN, &["phone:p8", "anonymous:c1"], 7, &[("anonymous", ELSE)]),
    // What is most telling says whom it is about, as always.
    (0, OPEN, &["user:u1", "unionid:x9"], 8, &[("user", ELSE)]),
    // Who is known by a browser only is known by names from now on.
    (0, OPEN, &["anonymous:c3"], 9, &[]),
    (0, OPEN, &["user:u3", "phone:p3", "anonymous:c3"], 9, &[]),
    (0, OPEN, &["user:u3", "email:e3"], 9, &[("email", UNPROVEN)]),
    // A server is believed.
    (0, KEEP, &["user:u1", "phone:p9"], 1, &[("phone", ELSE)]),
    (0, KEEP, &["user:u1", "phone:p7"], 1, &[]),
];

fn named(text: &str) -> Named {
    let (namespace, value) = text.rsplit_once(':').unwrap_or((text, ""));
    let identifier = Identifier { namespace: namespace.to_owned(), value: value.to_owned() };
    let hash = seal::lookup(&KEY, &identifier);
    Named { hash, namespace: namespace.to_owned(), value: seal::seal(value) }
}

fn candidate(n: usize) -> MemberId {
    MemberId::from_bytes([u8::try_from(n).unwrap_or_default(); 16])
}

fn item(n: usize, (day, ties, names, ..): &Row) -> NewEvent {
    let life = Life { key: KEY, name: format!("item{n:02}") };
    NewEvent {
        names: names.iter().map(|name| named(name)).collect(),
        member: candidate(n),
        ties: *ties,
        time: at(2).plus_us(day * DAY_US),
        ..life.item(1)
    }
}

fn identity() -> Arc<Identity> {
    let email = NamespaceSaid { limit: Some((2, Window::Weekly)), ..NamespaceSaid::default() };
    let namespaces = BTreeMap::from([("email".to_owned(), email)]);
    Arc::new(Identity { namespaces, ..Identity::default() })
}

async fn taken(
    store: &Arc<dyn Store>,
    rows: &[Row],
    identity: &Arc<Identity>,
    at_once: usize,
) -> Result<Vec<Receipt>> {
    let items: Vec<NewEvent> = (1..).zip(rows).map(|(n, row)| item(n, row)).collect();
    let mut receipts = Vec::new();
    for items in items.chunks(at_once) {
        let mut append = append(items.to_vec(), at(2).plus_us(1_000 * DAY_US), true);
        append.identity = Arc::clone(identity);
        receipts.extend(store.append(append).await?);
    }
    Ok(receipts)
}

/// Names count by what is said of their namespaces, and it does not matter how items are grouped.
pub async fn names_are_settled_by_their_rules(homes: &dyn Homes) -> Result<()> {
    settled(homes, ROWS, &identity()).await
}

/// One person has so many names, of all namespaces together, and no more.
pub async fn one_person_has_so_many_names(homes: &dyn Homes) -> Result<()> {
    settled(homes, FOUR, &Arc::new(Identity { names: Some(4), ..Identity::default() })).await
}

/// What anybody may send hangs no name of a person on who is known by one.
pub async fn what_anybody_sends_says_nothing_new_of_who_is_known(homes: &dyn Homes) -> Result<()> {
    settled(homes, ANYBODY, &Arc::default()).await
}

async fn settled(homes: &dyn Homes, rows: &[Row], identity: &Arc<Identity>) -> Result<()> {
    let mut digests = Vec::new();
    for at_once in [1, 2, 3, 7, rows.len()] {
        let store = homes.fresh(&KEY);
        let receipts = taken(&store, rows, identity, at_once).await?;
        let about: BTreeMap<String, MemberId> = store
            .waiting(&turn(&store).await?, 1_000)
            .await?
            .into_iter()
            .filter_map(|row| Some((row.message_id, row.member?)))
            .collect();
        let given_up = store.given_up(1_000).await?;
        for (n, row) in (1..).zip(rows) {
            let (.., names, whom, lost) = row;
            let of = format!("item{n:02}-1");
            assert_eq!(about.get(&of), Some(&candidate(*whom)), "{of} {names:?}, {at_once} at once");
            let given: Vec<(&str, Reason)> = given_up
                .iter()
                .filter(|given| given.message_id == of)
                .map(|given| (given.namespace.as_str(), given.reason))
                .collect();
            assert_eq!(given, *lost, "{of} {names:?}, {at_once} at once");
            let receipt = match u8::try_from(lost.len()).unwrap_or_default() {
                0 => Receipt::Accepted,
                n => Receipt::AcceptedWithout(n),
            };
            assert_eq!(receipts[n - 1], receipt, "{of}");
        }
        // What came before comes to nothing.
        assert!(
            taken(&store, rows, identity, at_once)
                .await?
                .iter()
                .all(|receipt| *receipt == Receipt::Duplicate)
        );
        assert_eq!(store.given_up(1_000).await?, given_up);
        assert_eq!(store.given_up(1).await?, given_up[..1]);
        digests.push(store.digest().await?);
    }
    assert!(digests.windows(2).all(|pair| pair[0] == pair[1]), "{digests:?}");
    Ok(())
}

/// Whose names are, and when they were seen last.
pub async fn names_are_told_with_when_they_were_seen(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    taken(&store, ROWS, &identity(), 5).await?;
    let hashes: Vec<_> = ["pending_id:q", "user:u5", "nobody:at all"].map(|name| named(name).hash).to_vec();
    let mut borne = store.borne(hashes.clone()).await?;
    borne.sort_by_key(|(hash, ..)| hashes.iter().position(|asked| asked == hash));
    let day = |n: i64| at(2).plus_us(n * DAY_US);
    let expected: [(_, MemberId, Ts); 2] =
        [(hashes[0], candidate(21), day(272)), (hashes[1], candidate(16), day(0))];
    assert_eq!(borne, expected);
    Ok(())
}

/// What the door knows of names moves with the home.
pub async fn doors_move_with_the_home(homes: &dyn Homes) -> Result<()> {
    let (store, other) = (homes.fresh(&KEY), homes.fresh(&KEY));
    taken(&store, ROWS, &identity(), 9).await?;
    let (out, rows) = tokio::sync::mpsc::channel(64);
    let (digest, filled) = tokio::join!(store.dump(out), other.fill(rows));
    filled?;
    assert_eq!(other.digest().await?, digest?);
    assert_eq!(other.given_up(1_000).await?, store.given_up(1_000).await?);
    let hashes = vec![named("pending_id:q").hash];
    assert_eq!(other.borne(hashes.clone()).await?, store.borne(hashes).await?);
    // It came into other hands twice.
    let seen = seen(&store).await?;
    assert_eq!(seen.iter().filter_map(|row| row.last()).collect::<Vec<_>>(), [&Value::Int(2)]);
    assert_eq!(self::seen(&other).await?, seen);
    Ok(())
}

async fn seen(store: &Arc<dyn Store>) -> Result<Vec<Vec<Value>>> {
    let (out, mut rows) = tokio::sync::mpsc::channel::<Rows>(64);
    let seen = async {
        let mut seen = Vec::new();
        while let Some(rows) = rows.recv().await {
            let is_seen = rows.table.name == "identifier_seen";
            seen.extend(rows.rows.into_iter().filter(|_| is_seen));
        }
        seen
    };
    let (said, seen) = tokio::join!(store.dump(out), seen);
    said.map(|_| seen)
}

/// Which names were given up is forgotten by the places of their items, part by part.
pub async fn what_was_given_up_is_forgotten(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    taken(&store, ROWS, &identity(), 9).await?;
    let given_up = store.given_up(1_000).await?;
    let before = given_up[2].seq;
    let older = given_up.iter().filter(|given| given.seq < before).count();
    assert!(older > 3);
    assert_eq!(store.forget_given_up(before, older - 1).await?, older as u64 - 1);
    assert_eq!(store.forget_given_up(before, 100).await?, 1);
    assert_eq!(store.forget_given_up(before, 100).await?, 0);
    assert_eq!(store.given_up(1_000).await?, given_up[..given_up.len() - older]);
    Ok(())
}
