//! The check of what was set up, with each thing broken once.

#![allow(clippy::unwrap_used, reason = "what is not there fails the test that looks for it")]

use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde_json::{Value, json};
use zhiyin_engine::platforms::Health;
use zhiyin_reach_sim::{On, SECRET, Setting, Stage, channels, platforms_of};

const PLAYBOOK: &str = "
playbook: brand
extends: variety-store
";

/// How each step ended, by its name.
async fn steps(
    told: &Value,
    secret: &'static str,
    ahead_s: i64,
    home: Option<SocketAddr>,
) -> BTreeMap<&'static str, Health> {
    let platforms = platforms_of(told, secret, ahead_s);
    let home = home.map(|home| format!("http://{home}/v1/callbacks/wecom/main"));
    let steps = platforms.desks["main"].check(home.as_deref()).await;
    for step in &steps {
        assert!(
            !step.title.zh.is_empty() && !step.title.en.is_empty() && !step.found.zh.is_empty(),
            "{step:?}"
        );
        assert_eq!(step.remedy.is_some(), matches!(step.health, Health::Wrong | Health::Left), "{step:?}");
        let shown = format!("{step:?}");
        assert!(!shown.contains(SECRET) && !shown.contains("access_token="), "{shown}");
    }
    steps.into_iter().map(|step| (step.name, step.health)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_thing_that_is_broken_is_named_with_what_to_do_about_it() {
    let accounts = json!([{"userid": "LiSi", "persona": "小顾问"}]);
    let stage =
        Stage::new(Setting { accounts: accounts.clone(), ..Setting::new(On::Sqlite, PLAYBOOK) }).await;
    stage.act("staff", json!({"userid": "LiSi", "name": "李四", "follower": true})).await;
    stage.act("staff", json!({"userid": "WangWu", "name": "王五", "follower": false})).await;
    let told = channels(stage.platform(), stage.home, &accounts);
    let home = Some(stage.home);

    let well = steps(&told, SECRET, 0, home).await;
    let names = [
        "address",
        "callback",
        "customer_contact",
        "customers",
        "directory",
        "groups",
        "handover",
        "mass_sends",
        "moments",
        "personas",
        "tags",
        "token",
        "trusted_ip",
        "ways",
    ];
    for name in names {
        assert_eq!(well.get(name), Some(&Health::Well), "{name}: {well:?}");
    }

    // Nobody is there.
    let mut nowhere = told.clone();
    nowhere["wecom"]["main"]["api"] = json!("http://127.0.0.1:9");
    let broken = steps(&nowhere, SECRET, 0, home).await;
    assert_eq!(broken.get("address"), Some(&Health::Wrong), "{broken:?}");
    assert!(!broken.contains_key("token"));

    // The secret is another's; the business is.
    let broken = steps(&told, "nonsense", 0, home).await;
    assert_eq!((broken["address"], broken["token"]), (Health::Well, Health::Wrong), "{broken:?}");
    let mut other = told.clone();
    other["wecom"]["main"]["corp_id"] = json!("ww0000000000000000");
    let broken = steps(&other, SECRET, 0, None).await;
    assert_eq!((broken["token"], broken["callback"]), (Health::Wrong, Health::Left), "{broken:?}");

    // This machine may not call.
    stage.app(SECRET, &json!({"ips": ["203.0.113.7"]})).await;
    let broken = steps(&told, SECRET, 0, home).await;
    assert_eq!((broken["token"], broken["trusted_ip"]), (Health::Well, Health::Wrong), "{broken:?}");
    assert_eq!(broken["callback"], Health::Well, "what does not need it is looked at all the same");

    // The app is not on the list of those that may call customer contact.
    stage.app(SECRET, &json!({"contact": false})).await;
    let broken = steps(&told, SECRET, 0, home).await;
    assert_eq!(
        (broken["trusted_ip"], broken["customer_contact"]),
        (Health::Well, Health::Wrong),
        "{broken:?}"
    );

    // An account that speaks as a persona has no customer contact.
    stage.app(SECRET, &json!({})).await;
    let lacking = json!([{"userid": "LiSi", "persona": "小顾问"}, {"userid": "WangWu", "persona": "小顾问"}]);
    let broken = steps(&channels(stage.platform(), stage.home, &lacking), SECRET, 0, home).await;
    assert_eq!(broken["personas"], Health::Wrong, "{broken:?}");

    // The clock is far off: callbacks of ours are not believed either.
    let broken = steps(&told, SECRET, 4_000, home).await;
    assert_eq!(broken["callback"], Health::Wrong, "{broken:?}");

    // Nobody serves the home where callbacks go.
    let nobody: SocketAddr = "127.0.0.1:9".parse().unwrap();
    let broken = steps(&told, SECRET, 0, Some(nobody)).await;
    assert_eq!(broken["callback"], Health::Wrong, "{broken:?}");
    stage.ends().await;
}
