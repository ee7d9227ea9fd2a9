//! What people publish through staff, and pictures that go with messages.

use serde_json::json;
use zhiyin_engine::platforms::posts::{GroupsAsked, MomentAsked, PostAsked, PostView};
use zhiyin_model::role::{Grant, Role};

use crate::stage::{BRAND, HOUR_MS, MINUTE_MS, Stage};

fn person(code: &str) -> Grant {
    Grant {
        who: format!("staff:{code}"),
        role: Role::Marketer,
        place: None,
        staff: Some(code.to_owned()),
        scopes: None,
    }
}

fn asked(batch: &str) -> PostAsked {
    PostAsked {
        batch: batch.to_owned(),
        account: "main".to_owned(),
        text: format!("今晚八点 {batch}"),
        card: None,
        groups: None,
        moment: None,
        confirm_hours: None,
    }
}

fn into(batch: &str, groups: &[&str]) -> PostAsked {
    let groups = groups.iter().map(|group| (*group).to_owned()).collect();
    PostAsked { groups: Some(GroupsAsked { groups, ..GroupsAsked::default() }), ..asked(batch) }
}

/// Two owners with groups, and a customer in each.
async fn with_groups() -> Stage {
    let mut stage = Stage::new().await;
    stage.staff("he", Some(10)).await;
    stage.staff("li", None).await;
    for (group, name, owner) in [
        ("g1", "南京路会员群1", "he"),
        ("g2", "南京路会员群2", "he"),
        ("g3", "会员群3", "li"),
        ("g4", "员工", "he"),
    ] {
        stage.act("chats", json!({"chat_id": group, "name": name, "owner": owner})).await;
    }
    let customer = stage.member("a", "he").await;
    stage.act("chats/join", json!({"chat_id": "g1", "who": customer})).await;
    // Groups are shown a little later than they are.
    stage.goes_on(MINUTE_MS, 10_000).await;
    stage
}

impl Stage {
    async fn post(&self, batch: &str) -> PostView {
        self.home.engine().post_of("main", batch).await.unwrap().unwrap()
    }

    async fn ask(&self, grant: &Grant, asked: &PostAsked) -> Result<PostView, &'static str> {
        self.home.engine().ask_post(grant, asked).await.unwrap().map_err(|refusal| refusal.code)
    }

    async fn received(&self, group: &str) -> i64 {
        let chats = self.truth("chats").await;
        let mine = chats.as_array().unwrap().iter().find(|chat| chat["chat_id"] == group).unwrap().clone();
        mine["n_received"].as_i64().unwrap()
    }
}

#[tokio::test]
async fn a_text_into_groups_is_one_task_for_each_owner_and_says_what_became_of_it() {
    for fault in ["", "call_reply_lost", "call_fails_before"] {
        let stage = with_groups().await;
        if !fault.is_empty() {
            stage.act("faults", json!({fault: 1_000, "apis": ["externalcontact/add_msg_template"]})).await;
        }
        let post = PostAsked {
            groups: Some(GroupsAsked { named: Some("会员群".to_owned()), ..GroupsAsked::default() }),
            ..asked("all")
        };
        let by = Grant::system("test");
        assert_eq!(stage.ask(&by, &post).await.unwrap().state, "asked");
        stage.goes_on(MINUTE_MS, 10_000).await;
        stage.act("faults", json!({"none": true})).await;
        // Asked again it is the same.
        assert_eq!(stage.ask(&by, &post).await.unwrap().batch, "all");
        stage.goes_on(HOUR_MS, MINUTE_MS).await;
        assert_eq!(stage.tasks().await.len(), 2, "{fault}: {:?}", stage.tasks().await);
        let view = stage.post("all").await;
        let of = |who: &str| view.staff.iter().find(|one| one.account == who).unwrap().clone();
        assert_eq!(
            (of("he").state.as_str(), of("he").groups),
            ("published", [("sent".to_owned(), 2)].into()),
            "{fault}"
        );
        assert_eq!((of("li").state.as_str(), view.state.as_str()), ("waiting", "publishing"), "{fault}");
        stage.goes_on(25 * HOUR_MS, HOUR_MS).await;
        let view = stage.post("all").await;
        assert_eq!(view.state, "over", "{fault}");
        assert!(view.staff.iter().any(|one| one.groups.contains_key("not_confirmed")), "{fault}: {view:?}");
        let got = [
            stage.received("g1").await,
            stage.received("g2").await,
            stage.received("g3").await,
            stage.received("g4").await,
        ];
        assert_eq!(got, [1, 1, 0, 0], "{fault}");
        assert!(!stage.staff_inbox("li").await.is_empty(), "who has not confirmed is reminded");
    }
}

#[tokio::test]
async fn what_may_reach_many_waits_for_a_second_person() {
    let stage = with_groups().await;
    let (ann, bob) = (person("ann"), person("bob"));
    let few = stage.ask(&ann, &into("few", &["g1", "g2"])).await.unwrap();
    assert_eq!(few.approval, None);
    let many = stage.ask(&ann, &into("many", &["g1", "g2", "g3"])).await.unwrap();
    assert!(many.approval.is_some());
    stage.goes_on(MINUTE_MS, 10_000).await;
    assert_eq!(stage.post("many").await.state, "asked");
    let engine = stage.home.engine();
    let own = engine.answer_post(&ann, ("main", "many"), true).await.unwrap_err();
    assert!(own.to_string().contains("your own"), "{own}");
    engine.answer_post(&bob, ("main", "many"), true).await.unwrap().unwrap();
    stage.goes_on(MINUTE_MS, 10_000).await;
    assert_eq!(stage.post("many").await.state, "publishing");
    assert_eq!(
        engine.answer_post(&bob, ("main", "few"), true).await.unwrap().unwrap_err().code,
        "post_waits_for_nobody"
    );
    stage.ask(&ann, &into("no", &["g1", "g2", "g3"])).await.unwrap();
    engine.answer_post(&bob, ("main", "no"), false).await.unwrap().unwrap();
    stage.goes_on(MINUTE_MS, 10_000).await;
    let no = stage.post("no").await;
    assert_eq!((no.state.as_str(), no.why.as_deref()), ("over", Some("not_approved")));
    assert_eq!(stage.received("g3").await, 0);
}

#[tokio::test]
async fn what_cannot_be_published_is_refused_by_its_field() {
    let stage = with_groups().await;
    let by = Grant::system("test");
    stage.ask(&by, &into("taken", &["g1"])).await.unwrap();
    for (post, code) in [
        (PostAsked { text: " ".to_owned(), ..into("x", &["g1"]) }, "bad_text"),
        (PostAsked { text: "好".repeat(2_000), ..into("x", &["g1"]) }, "bad_text"),
        (PostAsked { account: "other".to_owned(), ..into("x", &["g1"]) }, "account_unknown"),
        (PostAsked { text: "anders".to_owned(), ..into("taken", &["g1"]) }, "batch_reused"),
        (PostAsked { confirm_hours: Some(0), ..into("x", &["g1"]) }, "bad_number"),
        (
            PostAsked {
                card: Some(("t".to_owned(), "https://evil.example/".to_owned())),
                ..into("x", &["g1"])
            },
            "link_leads_nowhere",
        ),
        (into("x", &[]), "group_missing"),
        (asked("x"), "group_missing"),
    ] {
        assert_eq!(stage.ask(&by, &post).await.unwrap_err(), code, "{post:?}");
    }
    let analyst = Grant { role: Role::Analyst, ..person("eve") };
    assert!(stage.home.engine().ask_post(&analyst, &into("x", &["g1"])).await.is_err());
}

#[tokio::test]
async fn a_moment_is_made_once_and_says_who_published_it() {
    for fault in ["", "call_reply_lost", "call_fails_before"] {
        let stage = with_groups().await;
        if !fault.is_empty() {
            stage.act("faults", json!({fault: 1_000, "apis": ["externalcontact/add_moment_task"]})).await;
        }
        let accounts = vec!["he".to_owned(), "li".to_owned()];
        let post = PostAsked { moment: Some(MomentAsked { accounts, tags: Vec::new() }), ..asked("opening") };
        stage.ask(&Grant::system("test"), &post).await.unwrap();
        stage.goes_on(MINUTE_MS, 10_000).await;
        stage.act("faults", json!({"none": true})).await;
        stage.goes_on(2 * HOUR_MS, 5 * MINUTE_MS).await;
        let view = stage.post("opening").await;
        let states: Vec<(&str, &str)> =
            view.staff.iter().map(|one| (one.account.as_str(), one.state.as_str())).collect();
        assert_eq!(
            states,
            [("he", "published"), ("li", "waiting")],
            "{fault}: {view:?} {}",
            stage.truth("traffic").await
        );
        stage.goes_on(74 * HOUR_MS, 3 * HOUR_MS).await;
        let view = stage.post("opening").await;
        assert_eq!((view.state.as_str(), view.staff[1].state.as_str()), ("over", "over"), "{fault}");
        let moments = stage.truth("moments").await;
        assert_eq!(moments.as_array().unwrap().len(), 1, "{fault}: {moments}");
        assert_eq!(moments[0]["cancelled"], true, "{fault}");
    }
}

#[tokio::test]
async fn a_poster_and_a_card_go_along_and_a_picture_is_handed_in_until_the_platform_forgets_it() {
    let brand = BRAND.replace("new-in: { text", "new-in: { poster: friends, card: snacks, text")
        + "links:
  address: https://s.example.com
  hosts: [shop.example.com]
  pages:
    snacks: { name: { zh: 零食, en: Snacks }, to: 'https://shop.example.com/snacks' }
posters:
  friends:
    svg: '<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"20\" height=\"30\"><rect width=\"20\" height=\"30\" fill=\"#2B7A69\"/></svg>'
";
    let mut stage = Stage::with(&brand, &json!([])).await;
    stage.staff("he", Some(5)).await;
    for who in ["a", "b"] {
        stage.member(who, "he").await;
    }
    stage.act("faults", json!({"call_reply_lost": 1_000, "apis": ["media/upload"]})).await;
    stage.buy(&["a", "b"]).await;
    stage.goes_on(20_000, 10_000).await;
    assert!(stage.tasks().await.is_empty());
    stage.act("faults", json!({"none": true})).await;
    stage.goes_on(HOUR_MS, 5 * MINUTE_MS).await;
    assert_eq!(
        (stage.came("a").await, stage.came("b").await),
        (vec!["sent".to_owned()], vec!["sent".to_owned()])
    );
    let masses = stage.truth("masses").await;
    let attached = &masses[0]["content"]["attachments"];
    assert_eq!(
        (attached[0]["msgtype"].as_str(), attached[1]["msgtype"].as_str()),
        (Some("image"), Some("link"))
    );
    assert_eq!(attached[1]["link"]["title"], "零食");
    assert!(
        attached[1]["link"]["url"].as_str().unwrap().starts_with("https://s.example.com/l/"),
        "{attached}"
    );
    let n = stage.truth("media").await.as_array().unwrap().len();
    stage.buy(&["a"]).await;
    stage.goes_on(HOUR_MS, 5 * MINUTE_MS).await;
    assert_eq!(stage.truth("media").await.as_array().unwrap().len(), n, "it is known by what it shows");
    stage.goes_on(3 * 24 * HOUR_MS, 6 * HOUR_MS).await;
    stage.buy(&["a"]).await;
    stage.goes_on(HOUR_MS, 5 * MINUTE_MS).await;
    assert_eq!(stage.truth("media").await.as_array().unwrap().len(), n + 1, "it was forgotten");
    assert_eq!(stage.came("a").await, ["sent", "sent", "sent"]);
    stage.equals_truth().await;
}

#[tokio::test]
async fn groups_are_chosen_by_where_codes_lead_and_by_who_works_at_a_store() {
    let door = "touchpoints:\n  tea-door: { name: { zh: 茶室门口, en: Tea door }, kind: store_poster, group_way: { groups: [g3] } }\n";
    let stage = Stage::with(&format!("{BRAND}{door}"), &json!([])).await;
    stage.staff("he", Some(10)).await;
    stage.staff("li", Some(10)).await;
    for (group, owner) in [("g1", "he"), ("g2", "he"), ("g3", "li"), ("g4", "li")] {
        stage.act("chats", json!({"chat_id": group, "name": group, "owner": owner})).await;
    }
    let places = "code,kind,parent,name_zh,name_en\nb,brand,,知音,Zhiyin\ns1,store,b,一店,One\n";
    let staff = "code,place,name,role,from,until\nhe,s1,荷,advisor,,\n";
    let (places, staff) = (Some(places.as_bytes()), Some(staff.as_bytes()));
    let imported = stage.home.engine().import_places(places, staff, "test", false).await.unwrap();
    assert_eq!(imported.faults, []);
    stage.goes_on(MINUTE_MS, 10_000).await;
    let owner = Grant::system("test");
    let of = |batch: &str, touchpoints: &[&str], stores: &[&str]| {
        let all = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let groups =
            GroupsAsked { touchpoints: all(touchpoints), stores: all(stores), ..GroupsAsked::default() };
        PostAsked { groups: Some(groups), ..asked(batch) }
    };
    assert_eq!(stage.ask(&owner, &of("p0", &["nowhere"], &[])).await.map(drop), Err("touchpoint_unknown"));
    assert_eq!(stage.ask(&owner, &of("p0", &[], &["s9"])).await.map(drop), Err("place_unknown"));
    stage.ask(&owner, &of("p1", &["tea-door"], &[])).await.unwrap();
    stage.ask(&owner, &of("p2", &[], &["s1"])).await.unwrap();
    stage.goes_on(HOUR_MS, MINUTE_MS).await;
    let mut received = Vec::new();
    for group in ["g1", "g2", "g3", "g4"] {
        received.push(stage.received(group).await);
    }
    assert_eq!(received, [1, 1, 1, 0]);
}
