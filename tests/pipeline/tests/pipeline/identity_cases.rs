//! Whom items are about, as a table: what customer data platforms document of their identity resolution (Segment's Unify
//! settings; blocked values, limits, priorities), and what China adds. Where we differ, the row says why.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use zhiyin_engine::accept::{Source, Ties, Verdict};
use zhiyin_model::event::Identifier;
use zhiyin_model::identifier::normalise;
use zhiyin_model::time::{DAY_US, Ts};
use zhiyin_store::seal;

use crate::home::{Home, KEY, at, source};

const NOON: &str = "2017-03-01T04:00:00Z";

/// An item of a day that bears these names; a `!` before them says that its source is trusted.
type Told = (i64, &'static str);

struct Case {
    rule: &'static str,
    /// What the playbook says of namespaces.
    identity: &'static str,
    items: &'static [Told],
    /// People by their names, and after a `-` the names that are nobody's.
    people: &'static [&'static str],
}

const CASES: &[Case] = &[
    Case {
        rule: "nobody is known: somebody new",
        identity: "",
        items: &[(0, "user:u1 anonymous:a1")],
        people: &["anonymous:a1 user:u1"],
    },
    Case {
        rule: "one is known: the others are theirs from then on",
        identity: "",
        items: &[(0, "anonymous:a1"), (0, "anonymous:a1 user:u1"), (0, "user:u1 email:Ann@Example.com")],
        people: &["anonymous:a1 email:ann@example.com user:u1"],
    },
    Case {
        rule: "several are known and a trusted source says so: one, by what stands for one person each",
        identity: "",
        items: &[(0, "user:u1"), (0, "card:c1"), (0, "! card:c1 user:u1")],
        people: &["card:c1 user:u1"],
    },
    Case {
        // Segment merges whatever occurs together. With us a key that lies open in a page would then merge two people.
        rule: "we differ: what anybody may send merges nobody",
        identity: "",
        items: &[(0, "user:u1"), (0, "card:c1"), (0, "card:c1 user:u1")],
        people: &["card:c1", "user:u1"],
    },
    Case {
        // Segment merges by an e-mail address. A family shares one; the queue of likely doubles shows the pair.
        rule: "we differ: what is shared makes nobody one, though a trusted source says so",
        identity: "",
        items: &[(0, "user:u1"), (0, "email:a@example.com"), (0, "! email:a@example.com user:u1")],
        people: &["email:a@example.com", "user:u1"],
    },
    Case {
        rule: "… unless the brand says that it stands for one person",
        identity: "email: { unique: true }",
        items: &[(0, "user:u1"), (0, "email:a@example.com"), (0, "! email:a@example.com user:u1")],
        people: &["email:a@example.com user:u1"],
    },
    Case {
        rule: "zeros and dashes, -1, null and anonymous name nobody",
        identity: "",
        items: &[
            (0, "user:0 anonymous:a1"),
            (0, "user:0 anonymous:a2"),
            (0, "user:00-00 anonymous:a3"),
            (0, "user:-1 anonymous:a4"),
            (0, "user:null anonymous:a5"),
            (0, "user:anonymous anonymous:a6"),
        ],
        people: &[
            "anonymous:a1",
            "anonymous:a2",
            "anonymous:a3",
            "anonymous:a4",
            "anonymous:a5",
            "anonymous:a6",
        ],
    },
    Case {
        rule: "a brand blocks values of its own",
        identity: "user: { blocked: [walkin] }, phone: { blocked: [\"139 0000 0001\"] }",
        items: &[
            (0, "user:walkin anonymous:a1"),
            (0, "user:walkin anonymous:a2"),
            (0, "phone:13900000001 card:c1"),
            (0, "phone:+8613900000001 card:c2"),
        ],
        people: &["anonymous:a1", "anonymous:a2", "card:c1", "card:c2"],
    },
    Case {
        rule: "one account a person, ever: the e-mail address is given up",
        identity: "",
        items: &[(0, "user:u1 email:a@example.com"), (400, "user:u2 email:a@example.com")],
        people: &["email:a@example.com user:u1", "user:u2"],
    },
    Case {
        rule: "five e-mail addresses a person: the sixth is not theirs",
        identity: "",
        items: &[
            (0, "user:u1 email:1@example.com"),
            (0, "user:u1 email:2@example.com"),
            (0, "user:u1 email:3@example.com"),
            (0, "user:u1 email:4@example.com"),
            (0, "user:u1 email:5@example.com"),
            (0, "user:u1 email:6@example.com"),
        ],
        people: &[
            "email:1@example.com email:2@example.com email:3@example.com email:4@example.com email:5@example.com user:u1",
            "- email:6@example.com",
        ],
    },
    Case {
        rule: "limits within a week, a month, a year",
        identity: "email: { limit: 1 weekly }, jd: { limit: 1 monthly }, taobao: { limit: 1 annually }",
        items: &[
            (0, "user:u1 email:1@example.com jd:1 taobao:1"),
            (6, "user:u1 email:2@example.com"),
            (7, "user:u1 email:3@example.com"),
            (29, "user:u1 jd:2"),
            (30, "user:u1 jd:3"),
            (364, "user:u1 taobao:2"),
            (365, "user:u1 taobao:3"),
        ],
        people: &[
            "email:1@example.com email:3@example.com jd:1 jd:3 taobao:1 taobao:3 user:u1",
            "- email:2@example.com jd:2 taobao:2",
        ],
    },
    Case {
        rule: "a browser that two sign in on stays who signed in first",
        identity: "",
        items: &[(0, "anonymous:a1 user:u1"), (1, "anonymous:a1 user:u2"), (2, "anonymous:a1")],
        people: &["anonymous:a1 user:u1", "user:u2"],
    },
    Case {
        // Segment gives up the least telling of all and tries again: it would lose a2, which contradicts nothing.
        rule: "we differ: only what contradicts is given up",
        identity: "",
        items: &[(0, "user:u1 email:a@example.com"), (0, "user:u2 email:a@example.com anonymous:a2")],
        people: &["anonymous:a2 user:u2", "email:a@example.com user:u1"],
    },
    Case {
        // The order of the item does not matter.
        rule: "the most telling name says first whom it is about",
        identity: "",
        items: &[(0, "user:u1"), (0, "unionid:x1"), (0, "anonymous:a1 user:u1 unionid:x1")],
        people: &["anonymous:a1 unionid:x1", "user:u1"],
    },
    Case {
        rule: "a brand has an order of its own",
        identity: "user: { priority: 1 }",
        items: &[(0, "user:u1"), (0, "unionid:x1"), (0, "anonymous:a1 user:u1 unionid:x1")],
        people: &["anonymous:a1 user:u1", "unionid:x1"],
    },
    Case {
        rule: "a brand's own names: five each, and no merges by them until it says more",
        identity: "",
        items: &[(0, "crm:1"), (0, "pos:2"), (0, "! crm:1 pos:2"), (0, "crm:1 legacy:3")],
        people: &["crm:1 legacy:3", "pos:2"],
    },
    Case {
        rule: "… and merges once it does",
        identity: "crm: { limit: 1, unique: true }, pos: { unique: true }",
        items: &[(0, "crm:1"), (0, "pos:2"), (0, "! crm:1 pos:2"), (0, "crm:9 pos:2")],
        people: &["crm:1 pos:2", "- crm:9"],
    },
    Case {
        rule: "a unionid joins the apps of one open-platform account",
        identity: "",
        items: &[
            (0, "openid:wxA:o1"),
            (0, "openid:wxB:o2 unionid:x1"),
            (0, "! openid:wxA:o1 unionid:x1"),
            (0, "external_userid:ww1:e1 unionid:x1"),
        ],
        people: &["external_userid:ww1:e1 openid:wxA:o1 openid:wxB:o2 unionid:x1"],
    },
    Case {
        rule: "the same openid in two apps is of two people",
        identity: "",
        items: &[(0, "openid:wxA:o1"), (0, "openid:wxB:o1")],
        people: &["openid:wxA:o1", "openid:wxB:o1"],
    },
    Case {
        rule: "two unionids are two people, whoever says what and however they meet",
        identity: "",
        items: &[
            (0, "unionid:x1 phone:13900000001"),
            (0, "unionid:x2 tmall:t2"),
            (0, "! unionid:x1 unionid:x2"),
            (0, "! phone:13900000001 tmall:t2"),
            (0, "! unionid:x1 tmall:t2"),
        ],
        people: &["phone:+8613900000001 unionid:x1", "tmall:t2 unionid:x2"],
    },
    Case {
        rule: "two accounts are two people, though neither is named by the item that would join them",
        identity: "",
        items: &[(0, "user:u1 tmall:t1"), (0, "user:u2 jd:j2"), (0, "! tmall:t1 jd:j2")],
        people: &["jd:j2 user:u2", "tmall:t1 user:u1"],
    },
    Case {
        rule: "a family shares a phone: each has a card of their own",
        identity: "",
        items: &[
            (0, "phone:13900000001 card:c1"),
            (0, "phone:139-0000-0001 card:c2"),
            (0, "phone:+86 139 0000 0001"),
            (0, "! card:c2 phone:0086-13900000001"),
        ],
        people: &["card:c1 phone:+8613900000001", "card:c2"],
    },
    Case {
        rule: "a tablet in a store names whoever used it first, and nobody else",
        identity: "",
        items: &[(0, "device:t1 card:c1"), (1, "device:t1 card:c2"), (2, "! device:t1 card:c3")],
        people: &["card:c1 device:t1", "card:c2", "card:c3"],
    },
    Case {
        rule: "numbers that everybody tests with name nobody",
        identity: "",
        items: &[
            (0, "phone:13800138000 card:c1"),
            (0, "phone:13800000000 card:c2"),
            (0, "phone:13800138000 card:c3"),
        ],
        people: &["card:c1", "card:c2", "card:c3"],
    },
    Case {
        rule: "a pending_id ends 90 days after it was seen last, and is somebody else's then",
        identity: "",
        items: &[
            (0, "pending_id:ww1:p user:u1"),
            (90, "pending_id:ww1:p"),
            (180, "pending_id:ww1:p user:u2"),
            (181, "pending_id:ww1:p user:u2"),
        ],
        people: &["pending_id:ww1:p user:u2", "user:u1"],
    },
    Case {
        rule: "a number that is given out anew: a brand says how long a phone is believed",
        identity: "phone: { valid: 365d }",
        items: &[(0, "phone:13900000001 card:c1"), (366, "phone:13900000001 card:c2")],
        people: &["card:c1", "card:c2 phone:+8613900000001"],
    },
    Case {
        rule: "what comes late for whoever ended lands on who they are",
        identity: "",
        items: &[
            (0, "user:u1"),
            (0, "card:c1"),
            (1, "! user:u1 card:c1"),
            (0, "card:c1 email:a@example.com"),
        ],
        people: &["card:c1 email:a@example.com user:u1"],
    },
];

/// A home under the shipped playbook and this of identity.
pub async fn home(identity: &str) -> Home {
    let said = if identity.is_empty() {
        String::new()
    } else {
        format!("identity: {{ namespaces: {{ {identity} }} }}\n")
    };
    let earn = "points: { earn: [1 per 1 paid] }\n";
    Home::new(&format!("playbook: brand\nextends: variety-store\n{earn}{said}")).await
}

/// An item that bears these names.
pub fn item(id: &str, names: &str, time: Ts, event: &str, properties: Value) -> Value {
    // A phone is written with blanks between.
    let mut found: Vec<(String, String)> = Vec::new();
    for word in names.split(' ') {
        match word.rsplit_once(':') {
            Some((kind, value)) => found.push((kind.to_owned(), value.to_owned())),
            None => found.last_mut().unwrap().1 += &format!(" {word}"),
        }
    }
    let ids: Vec<Value> = found.iter().map(|(kind, value)| json!({"type": kind, "id": value})).collect();
    json!({"type": "track", "event": event, "messageId": id, "timestamp": time.rfc3339(),
        "context": {"externalIds": ids}, "properties": properties})
}

/// People by their names, of all that were ever said; and those that are nobody's after a dash.
pub async fn people(home: &Home, said: &BTreeSet<String>) -> BTreeSet<String> {
    let mut people: BTreeMap<_, Vec<&str>> = BTreeMap::new();
    for name in said {
        let (namespace, value) = name.rsplit_once(':').unwrap();
        let identifier = Identifier { namespace: namespace.to_owned(), value: value.to_owned() };
        let borne = home.engine().store().borne(vec![seal::lookup(&KEY, &identifier)]).await.unwrap();
        people.entry(borne.first().map(|(_, member, _)| *member)).or_default().push(name);
    }
    let text = |(member, names): (Option<_>, Vec<&str>)| {
        let names = names.join(" ");
        if member.is_none() { format!("- {names}") } else { names }
    };
    people.into_iter().map(text).collect()
}

/// Names of an item as they are kept, without those that the house blocks.
pub fn kept(item: &Value) -> Vec<String> {
    let ids = item["context"]["externalIds"].as_array().unwrap();
    let kept = ids.iter().filter_map(|id| {
        let (kind, value) = (id["type"].as_str().unwrap(), id["id"].as_str().unwrap());
        let blocked = zhiyin_model::identifier::is_blocked(kind, value);
        (!blocked).then(|| format!("{kind}:{}", normalise(kind, value).unwrap()))
    });
    kept.collect()
}

#[tokio::test]
async fn items_are_about_whom_their_names_say() {
    for case in CASES {
        let home = home(case.identity).await;
        let mut said = BTreeSet::new();
        for (n, (day, names)) in case.items.iter().enumerate() {
            let (ties, names) =
                names.strip_prefix("! ").map_or((Ties::Keep, *names), |names| (Ties::Merge, names));
            let item = item(&format!("i{n}"), names, at(NOON).plus_us(day * DAY_US), "Visit", json!({}));
            said.extend(kept(&item));
            let source = Source { ties, ..source("crm", true) };
            let verdicts =
                home.engine().accept(&source, &[item.to_string().into_bytes()], None).await.unwrap();
            assert_eq!(verdicts, [Verdict::Accepted], "{}: {names}", case.rule);
        }
        home.settle().await;
        assert_eq!(home.refusals().await, Vec::<String>::new(), "{}", case.rule);
        // What a playbook blocks is nobody's and was never to be.
        said.retain(|name| {
            !["user:walkin", "phone:+8613900000001"].contains(&name.as_str())
                || !case.identity.contains("blocked")
        });
        let expected: BTreeSet<String> = case.people.iter().map(|people| (*people).to_owned()).collect();
        assert_eq!(people(&home, &said).await, expected, "{}", case.rule);
        home.healthy().await;
    }
}
