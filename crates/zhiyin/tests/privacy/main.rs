//! Personal data of a sealed home lies nowhere in the clear, and what was erased is read nowhere: fifty people are planted, and
//! everything that the program wrote is searched for them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

mod asked;
mod planted;
mod sealed;
mod served;

use planted::{PEOPLE, Person, input, visit};
use sealed::{Ground, Where, found};

#[test]
fn nothing_personal_lies_in_the_clear_in_a_sealed_home_in_a_file() {
    lies_nowhere_in_the_clear(&Ground::new(Where::File));
}

#[test]
fn nothing_personal_lies_in_the_clear_in_a_sealed_home_on_postgresql() {
    lies_nowhere_in_the_clear(&Ground::new(Where::Postgres));
}

fn lies_nowhere_in_the_clear(ground: &Ground) {
    ground.fill("home", true);
    ground.search(&ground.serve_and_ask("home"), "/metrics and the page's figures");
    ground.run("home", &["archive", "--before", "2026-01", "--keep-days", "1"]);
    let archived = ground.files().iter().any(|file| file.to_string_lossy().ends_with(".parquet"));
    assert!(archived, "no month was archived");
    ground.run("home", &["backup", &ground.path("backup")]);
    ground.run("home", &["keys", "backup", &ground.path("keystore")]);
    ground.search_all("home");
    assert!(ground.run("home", &["doctor"]).contains("personal data is sealed"));

    // It is all there for who has the key, and says the same as an unsealed home.
    for person in [0, PEOPLE - 1].map(Person) {
        let told = ground.run("home", &["member", &format!("phone:{}", person.phone())]);
        assert!(told.contains(&person.name()) && told.contains(&person.mail()), "{told}");
        assert!(told.contains(&format!("{} the younger", person.name())), "{told}");
    }
    let digest = ground.run("home", &["digest"]);
    ground.staff("home", &[Person(20), Person(21)]);
    ground.search_all("home");
    assert!(ground.run("home", &["places", "show", "s1"]).contains(&Person(21).name()));
    ground.fill("plain", false);
    // Where it is not sealed it is found: the search is one.
    let plain = ground.written("plain");
    assert!(plain.iter().filter(|(_, bytes)| found(bytes).is_some()).count() >= 1);
    ground.run("plain", &["archive", "--before", "2026-01", "--keep-days", "1"]);
    assert_eq!(digest, ground.run("plain", &["digest"]));

    // Nobody comes in with another key or without one.
    assert!(ground.refused("home", "other", &["digest"]).contains("wrong_master_key"));
    assert!(ground.refused("home", "", &["digest"]).contains("master_key_missing"));
}

#[test]
fn whoever_was_erased_is_neither_found_nor_read_nor_comes_back_with_a_backup_in_a_file() {
    neither_found_nor_read(&Ground::new(Where::File));
}

#[test]
fn whoever_was_erased_is_neither_found_nor_read_nor_comes_back_with_a_backup_on_postgresql() {
    neither_found_nor_read(&Ground::new(Where::Postgres));
}

fn neither_found_nor_read(ground: &Ground) {
    ground.fill("home", true);
    ground.run("home", &["backup", &ground.path("backup")]);
    let (gone, stays) = (Person(3), Person(4));
    let name = format!("phone:{}", gone.phone());
    let all = ground.path("all.json");
    ground.run("home", &["member", "export", &name, &all]);
    let told = std::fs::read_to_string(&all).unwrap();
    for known in [gone.phone(), gone.mail(), gone.name(), "Order Completed".to_owned(), "lots".to_owned()] {
        assert!(told.contains(&known), "{known}");
    }
    std::fs::remove_file(&all).unwrap();

    ground.run("home", &["member", "erase", &name, "--reason", "asked for it"]);
    ground.run("home", &["keys", "backup", &ground.path("keystore")]);
    ground.run("old", &["restore", &ground.path("backup"), "--keystore", &ground.path("keystore")]);
    for home in ["home", "old"] {
        ground.refused(home, "master", &["member", &name]);
        ground.refused(home, "master", &["member", &gone.mail()]);
        ground.refused(home, "master", &["member", "erase", &name, "--reason", "again"]);
        let everything = ground.everything_told(home, &[gone]);
        for known in [gone.phone(), gone.mail(), gone.name()] {
            assert!(!everything.contains(&known), "{home}: {known}");
        }
        assert!(everything.contains(&stays.phone()), "{home}");
        assert!(ground.run(home, &["member", &stays.mail()]).contains(&stays.name()));
        ground.run(home, &["doctor"]);
    }
    // Whoever gave them something can still be parted, though nobody reads any more to whom.
    let giver = format!("user:{}", Person(2).mail());
    ground.run("home", &["unmerge", &giver, "--reason", "a shared account"]);
    ground.run("home", &["doctor"]);
    // Who comes back is somebody new.
    ground.import("home", "again", &input(&[gone]));
    let told = ground.run("home", &["member", &name]);
    assert!(told.contains(&gone.name()) && told.contains("(again)") && !told.contains("(till)"), "{told}");
    ground.run("home", &["doctor"]);
}

#[test]
fn whoever_was_merged_is_erased_with_all_they_were_in_a_file() {
    erased_with_all_they_were(&Ground::new(Where::File));
}

#[test]
fn whoever_was_merged_is_erased_with_all_they_were_on_postgresql() {
    erased_with_all_they_were(&Ground::new(Where::Postgres));
}

fn erased_with_all_they_were(ground: &Ground) {
    ground.fill("home", true);
    // While they are two; in the younger backup they are one.
    ground.run("home", &["backup", &ground.path("before")]);
    ground.merge("home", &[(Person(5), Person(7))]);
    ground.run("home", &["backup", &ground.path("after")]);
    let (one, other) = (Person(5), Person(7));
    ground.run("home", &["member", "erase", &format!("phone:{}", other.phone()), "--reason", "asked for it"]);
    ground.run("home", &["keys", "backup", &ground.path("keystore")]);
    for (old, backup) in [("apart", "before"), ("together", "after")] {
        ground.run(old, &["restore", &ground.path(backup), "--keystore", &ground.path("keystore")]);
    }
    for home in ["home", "apart", "together"] {
        let everything = ground.everything_told(home, &[one, other]);
        for gone in [one, other] {
            ground.refused(home, "master", &["member", &format!("phone:{}", gone.phone())]);
            for known in [gone.phone(), gone.mail(), gone.name()] {
                assert!(!everything.contains(&known), "{home}: {known}");
            }
        }
        assert!(everything.contains(&Person(8).phone()), "{home}");
        ground.run(home, &["doctor"]);
    }
}

#[test]
fn whoever_was_parted_is_erased_alone() {
    for at in [Where::File, Where::Postgres] {
        let ground = Ground::new(at);
        ground.fill("home", true);
        let (stays, gone) = (Person(5), Person(7));
        ground.merge("home", &[(stays, gone)]);
        // While they are one: what is derived of it lies under the key of who stays.
        ground.import("home", "shop", &visit(gone));
        let leaves = [format!("phone:{}", gone.phone()), format!("user:{}", gone.mail())];
        ground.run("home", &["unmerge", &leaves[0], &leaves[1], "--reason", "two sisters"]);
        ground.run("home", &["member", "erase", &leaves[0], "--reason", "asked for it"]);
        ground.refused("home", "master", &["member", &leaves[0]]);
        let told = ground.run("home", &["member", &format!("phone:{}", stays.phone())]);
        assert!(told.contains(&stays.name()) && told.contains(&stays.mail()), "{told}");
        ground.run("home", &["doctor"]);
    }
}

#[test]
fn a_home_is_sealed_in_place_and_its_master_key_changed() {
    for at in [Where::File, Where::Postgres] {
        let ground = Ground::new(at);
        ground.fill("home", false);
        ground.staff("home", &[Person(20), Person(21)]);
        let before = ground.run("home", &["digest"]);
        assert!(ground.run("home", &["doctor"]).contains("personal data is not sealed"));
        ground.run("home", &["keys", "seal-home"]);
        ground.search_all("home");
        assert_eq!(ground.run("home", &["digest"]), before);
        // What came before comes again, and is known.
        let people: Vec<Person> = (0..PEOPLE).map(Person).collect();
        assert!(ground.import("home", "till", &input(&people)).contains(" 0 accepted"));
        ground.run("home", &["keys", "rotate", "--to", &ground.path("other")]);
        ground.run("home", &["keys", "rotate", "--to", &ground.path("other")]);
        assert_eq!(ground.run_with("home", "other", &["digest"]), before);
        assert!(ground.refused("home", "master", &["digest"]).contains("wrong_master_key"));
        assert!(ground.run_with("home", "other", &["doctor"]).contains("personal data is sealed"));
    }
}
