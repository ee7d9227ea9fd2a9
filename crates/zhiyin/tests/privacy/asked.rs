//! Whatever is asked of a sealed home over HTTP, nothing personal of it lies in the clear afterwards: commands, reads, refusals,
//! webhooks.

use crate::planted::Person;
use crate::sealed::{Ground, Where, found};
use crate::served::{Answered, Hook};

#[test]
fn nothing_that_is_asked_over_http_lies_in_the_clear_in_a_file() {
    lies_nowhere_in_the_clear(&Ground::new(Where::File));
}

#[test]
fn nothing_that_is_asked_over_http_lies_in_the_clear_on_postgresql() {
    lies_nowhere_in_the_clear(&Ground::new(Where::Postgres));
}

/// Answered with this status; what is refused, or shown masked, names nobody.
fn names_nobody(answered: &Answered, status: u16) {
    assert_eq!(answered.status, status, "{}", answered.text());
    assert_eq!(found(&answered.whole), None, "{}", answered.text());
}

/// Shown masked: of an address stays where it is, and no more.
fn is_masked(answered: &Answered) {
    done(answered);
    let text = answered.text();
    for shown in ["138001370", "planted09", "Planted Person"] {
        assert!(!text.contains(shown), "{shown} in {text}");
    }
}

fn done(answered: &Answered) {
    assert_eq!(answered.status, 200, "{}", answered.text());
}

fn lies_nowhere_in_the_clear(ground: &Ground) {
    ground.run("home", &["apply", "variety-store"]);
    let hook = Hook::new();
    ground.run("home", &["webhook", "add", &hook.url, "--allow-private", "--identifiers"]);
    let key = |words: &[&str]| ground.run("home", &[&["key", "new"], words].concat()).trim().to_owned();
    let owner = key(&["--role", "owner"]);
    let masked = key(&["--role", "marketer"]);
    let second = key(&["--role", "store_manager", "--place", "330", "--staff", "bob"]);
    let server = ground.serve("home");
    let (ann, eve) = (Person(90), Person(91));
    let phone = |person: Person| format!(r#"{{"namespace":"phone","value":"{}"}}"#, person.phone());
    let command = |name: &str, id: &str, body: &str| server.command(&owner, name, id, body);

    // Commands; the words of a till name people, too.
    let enrol = |person: Person| {
        format!(
            r#"{{"identifiers":[{},{{"namespace":"email","value":"{mail}"}}],"attributes":{{"name":"{name}","email":"{mail}","wechat":"{mail}"}},"store":"330"}}"#,
            phone(person),
            mail = person.mail(),
            name = person.name()
        )
    };
    let id = format!("enrol-{}", ann.phone());
    let first = command("members/enrol", &id, &enrol(ann));
    done(&first);
    assert!(command("members/enrol", &id, &enrol(ann)).text().contains(r#""again":true"#));
    let member = first.said("member");
    done(&command("members/enrol", &format!("enrol-{}", eve.phone()), &enrol(eve)));
    let update = format!(
        r#"{{"member":{},"attributes":{{"nickname":"{}"}},"identifiers":[{{"namespace":"card","value":"{}"}}]}}"#,
        phone(ann),
        ann.name(),
        ann.mail()
    );
    done(&command("members/update", "update", &update));
    let adjust =
        |amount: i64, why: &str| format!(r#"{{"member":{},"amount":{amount},"reason":"{why}"}}"#, phone(ann));
    done(&command("points/adjust", &format!("adjust-{}", ann.mail()), &adjust(500, &ann.name())));
    let spend = |amount: i64| {
        format!(r#"{{"member":{},"amount":{amount},"reference":"{}"}}"#, phone(ann), ann.phone())
    };
    done(&command("points/spend", &format!("spend-{}", ann.phone()), &spend(10)));
    let tag = format!(r#"{{"member":{},"tag":"{}","on":true}}"#, phone(ann), ann.name());
    names_nobody(&command("members/tag", "tag", &tag), 422);
    names_nobody(&command("points/spend", &format!("more-{}", ann.phone()), &spend(100_000)), 409);
    let large = command("points/adjust", &format!("large-{}", ann.phone()), &adjust(2_000, "a lost card"));
    names_nobody(&large, 202);
    let merge =
        |reason: &str| format!(r#"{{"members":[{},{}],"reason":"{reason}"}}"#, phone(ann), phone(eve));

    // Refusals.
    let lookup = |key: &str, value: &str| {
        let body = format!(r#"{{"member":{{"namespace":"phone","value":"{value}"}}}}"#);
        server.command(key, "members/lookup", "none", &body)
    };
    names_nobody(&lookup(&owner, "1380013709"), 422);
    names_nobody(&lookup(&owner, &Person(99).phone()), 404);
    let both = format!(r#"{{"identifiers":[{},{}]}}"#, phone(ann), phone(eve));
    names_nobody(&command("members/enrol", "both", &both), 409);
    names_nobody(&command("members/enrol", &format!("enrol-{}", ann.phone()), &both), 409);

    // Events, one of which cannot be decided.
    let event = |name: &str, id: &str| {
        format!(
            r#"{{"event":"{name}","messageId":"{id}-{phone}","context":{{"externalIds":[{{"type":"phone","id":"{phone}"}}]}},"properties":{{"order_id":"{phone}-{id}","total":"100","note":"{}"}}}}"#,
            ann.name(),
            phone = ann.phone()
        )
    };
    for (name, id) in [("Order Completed", "o"), ("Order Refunded", "none")] {
        let headers = format!("Authorization: Bearer {owner}\r\n");
        done(&server.ask("POST", "/v1/track", &headers, &event(name, id)));
    }
    // The endpoint is told whom it is about, as it was asked for; the home keeps nothing of that.
    let told = hook.message_with(&ann.phone());
    assert!(told.contains(&member), "{told}");

    // Reads: whoever may see people does, whoever may not does not; searched by name, too.
    for path in [
        "/v1/members?name=planted%20p".to_owned(),
        format!("/v1/members/{member}"),
        format!("/v1/members/{member}/orders"),
        format!("/v1/members/{member}/timeline"),
        "/v1/dead-letters".to_owned(),
        "/v1/given-up".to_owned(),
        "/v1/reports/members".to_owned(),
    ] {
        done(&server.read(&owner, &path));
        is_masked(&server.read(&masked, &path));
    }
    for path in ["/v1/members?name=planted%20p".to_owned(), format!("/v1/members/{member}")] {
        assert!(server.read(&owner, &path).text().contains(&ann.name()), "{path}");
    }
    is_masked(&lookup(&masked, &ann.phone()));
    names_nobody(&server.read(&second, "/v1/approvals"), 200);
    for path in
        ["/v1/audit", "/v1/approvals", "/v1/webhooks", "/v1/ingest/health", "/v1/overview", "/metrics"]
    {
        names_nobody(&server.read(&owner, path), 200);
    }
    ground.search_all("home");

    // Two who are one, and one who is forgotten.
    done(&command("members/merge", "merge", &merge(&ann.name())));
    let erase = format!(r#"{{"member":{},"reason":"asked for it"}}"#, phone(eve));
    done(&command("members/erase", "none", &erase));
    names_nobody(&lookup(&owner, &ann.phone()), 404);
    names_nobody(&server.read(&owner, "/v1/members?name=planted%20p"), 200);
    ground.search_all("home");
    drop(server);
    ground.search_all("home");
    ground.run("home", &["doctor"]);
}
