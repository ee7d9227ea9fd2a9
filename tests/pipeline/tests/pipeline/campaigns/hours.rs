//! At which time of day something is sent: a window, and the hour in which a member is likeliest to see it.

use super::*;

/// When what is said to a member goes out, by the brand's clock, as `day hour:minute`.
async fn times(home: &Home, who: &str) -> Vec<String> {
    let zone = Zone::named("Asia/Shanghai").unwrap();
    let notes = notes(home, who, "inbox").await;
    let time = |note: &NoteView| {
        let at = Ts::parse(&note.at).unwrap();
        let minute = zone.time_of_day_us(at) / 60_000_000;
        format!("{} {:02}:{:02}", zone.day(at), minute / 60, minute % 60)
    };
    notes.iter().rev().map(time).collect()
}

/// One campaign for each page that is viewed.
fn sends(at: &str) -> String {
    format!(
        "  view: {{ purpose: marketing, on: event Page Viewed, again: after exit, holdout: 0%, steps: [{{ send: hi, by: inbox, at: {at} }}] }}\n"
    )
}

fn view(n: usize, who: &str, when: &str) -> Value {
    track(&format!("v{n}-{who}"), who, "Page Viewed", when, json!({}))
}

#[tokio::test]
async fn a_window_is_waited_for_and_quiet_hours_win_over_it() {
    for (sending, window, when) in [
        ("  {}", "19:30-00:30", "2024-05-01 19:30"),
        ("  {}", "10:00-13:00", "2024-05-01 12:00"),
        ("  quiet: { inbox: 19:00-21:00 }", "19:30-00:30", "2024-05-01 21:00"),
        ("  quiet: { inbox: 12:30-23:00 }", "11:00-12:00", "2024-05-02 11:00"),
    ] {
        let home = live(&brand(sending, &sends(window)), 1).await;
        happens(&home, &[view(0, "m0", NOW)], NOW).await;
        home.until(at("2024-05-03T04:00:00Z")).await;
        assert_eq!(times(&home, "m0").await, [when], "{sending} {window}");
        assert!(story(&home, "m0").await.ends_with("sent end"), "{sending} {window}");
    }
}

/// A prior under which nearly everything is seen in some hours, and nothing in others.
fn prior(good: &[usize]) -> String {
    let counts = |slot: usize| if good.contains(&slot) { "95 of 100" } else { "0 of 100" };
    (0..12).fold("  hours:\n".to_owned(), |lines, slot| {
        format!("{lines}    - {:02}:00 {}\n", 2 * slot, counts(slot))
    })
}

#[tokio::test]
async fn the_hour_follows_the_shared_prior_while_nothing_is_known_of_a_member() {
    for (sending, at_hour, good, hours) in [
        (String::new(), "best_hour", &[10][..], &["2024-05-01 20:00"][..]),
        // Before sleep counts too: until half past midnight.
        (String::new(), "best_hour within 19:30-00:30", &[0], &["2024-05-02 00:00"]),
        // Where the best hour is silent, or not in the window, the best of the others is taken.
        ("  quiet: { inbox: 19:00-08:00 }\n".to_owned(), "best_hour", &[10, 7], &["2024-05-01 14:00"]),
        (String::new(), "best_hour within 09:00-11:00", &[10, 5], &["2024-05-02 10:00"]),
        // The hour is now.
        (String::new(), "best_hour", &[6], &["2024-05-01 12:00"]),
    ] {
        let sending = format!("{sending}{}", prior(good));
        let home = live(&brand(&sending, &sends(at_hour)), 3).await;
        happens(&home, &[view(0, "m0", NOW), view(0, "m1", NOW), view(0, "m2", NOW)], NOW).await;
        home.until(at("2024-05-03T04:00:00Z")).await;
        for who in ["m0", "m1", "m2"] {
            assert_eq!(times(&home, who).await, hours, "{at_hour}, {good:?}");
        }
        home.healthy().await;
    }
}

/// A member who reads in the evening only: what is seen within a day counts for the hour in which it was sent.
#[tokio::test]
async fn the_hour_in_which_a_member_reads_is_learned_and_what_was_seen_is_counted_once() {
    let home = live(&brand("  {}", &sends("best_hour")), 1).await;
    let zone = Zone::named("Asia/Shanghai").unwrap();
    let slot = |note: &NoteView| zone.time_of_day_us(Ts::parse(&note.at).unwrap()) / (2 * HOUR_US);
    let days = 80;
    for n in 0..days {
        let now = at(NOW).plus_us(n * DAY_US);
        let mut items = vec![view(usize::try_from(n).unwrap(), "m0", &now.rfc3339())];
        let last = notes(&home, "m0", "inbox").await.into_iter().next();
        if let Some(note) = last.filter(|note| [10, 11].contains(&slot(note))) {
            // Told of twice: once by each of two apps.
            for app in ["a", "b"] {
                items.push(track(
                    &format!("{app}{n}"),
                    "m0",
                    "Message Seen",
                    &now.rfc3339(),
                    json!({"message": note.id}),
                ));
            }
        }
        happens(&home, &items, &now.rfc3339()).await;
        home.until(now.plus_us(DAY_US - 1)).await;
    }
    let notes = notes(&home, "m0", "inbox").await;
    assert_eq!(i64::try_from(notes.len()).unwrap(), days, "each day one, within a day");
    let evenings = notes.iter().take(20).filter(|note| [10, 11].contains(&slot(note))).count();
    assert!(evenings >= 10, "{evenings} of the last 20 in the evening");
    let counts = home.engine().campaign_hours().await.unwrap();
    assert_eq!(counts.iter().map(|(_, sent)| sent).sum::<i64>(), days);
    assert!(counts[..10].iter().all(|(seen, _)| *seen == 0) && counts[11].0 <= counts[11].1, "{counts:?}");
    let seen = notes.iter().filter(|note| note.state == "seen").count();
    assert_eq!(counts.iter().map(|(seen, _)| seen).sum::<i64>(), i64::try_from(seen).unwrap());
    home.healthy().await;
}

#[tokio::test]
async fn what_is_seen_after_a_day_says_nothing_of_its_hour() {
    let home = live(&brand("  {}", &sends("best_hour within 12:00-13:00")), 1).await;
    happens(&home, &[view(0, "m0", NOW)], NOW).await;
    let [note] = notes(&home, "m0", "inbox").await.try_into().unwrap();
    let late = "2024-05-02T04:00:01Z";
    happens(&home, &[track("s", "m0", "Message Seen", late, json!({"message": note.id}))], late).await;
    assert_eq!(notes(&home, "m0", "inbox").await[0].state, "seen");
    assert_eq!(home.engine().campaign_hours().await.unwrap()[6], (0, 1));
}
