//! Semantics 9 and the points events: spend, hold, post, void, return, adjust, gift.

use super::scenario::{
    Step, World, adjust, check, gift, give_back, hold, order, post, refund, rules, spend, track, void, wait,
};
use zhiyin_model::event::Identifier;

/// A member with a hundred points.
fn hundred(changes: &str, rows: &[(&str, Step, &str)]) -> World {
    let mut world = World::with(rules(changes));
    check(&mut world, &[("2025-03-01 10:00", order("o1").paid("100"), "points=100")]);
    check(&mut world, rows);
    world
}

#[test]
fn s9_what_is_shown_can_be_spent_and_no_more() {
    hundred(
        "",
        &[
            ("2025-03-02 10:00", spend("101"), "refused=insufficient_points points=100"),
            ("2025-03-02 10:01", spend("60"), "points=40 growth=1000"),
            ("2025-03-02 10:02", spend("41"), "refused=insufficient_points points=40"),
            ("2025-03-02 10:03", spend("40"), "points=0 lots=none"),
            ("2025-03-02 10:04", spend("1"), "refused=insufficient_points points=0 debt=0"),
        ],
    );
}

#[test]
fn s9_an_amount_is_a_whole_number_above_zero() {
    for amount in ["0", "-1", "1.5", "one", "", "NaN", "1000000000001", "99999999999999999999"] {
        for step in [spend(amount), hold(amount), gift(amount)] {
            hundred("", &[("2025-03-02 10:00", step, "refused=bad_amount points=100")]);
        }
    }
    hundred("", &[("2025-03-02 10:00", track("Points Spent"), "refused=bad_amount points=100")]);
    for amount in ["0", "1.5", "", "1000000000001", "-1000000000001"] {
        hundred("", &[("2025-03-02 10:00", adjust(amount), "refused=bad_amount points=100")]);
    }
    hundred("", &[("2025-03-02 10:00", spend("1.0"), "points=99")]);
}

#[test]
fn s9_ties_are_spent_by_when_they_became_active() {
    check(
        &mut World::new(),
        &[
            ("2025-03-02 10:00", order("o2").paid("20"), "lots=20"),
            ("2025-03-03 10:00", order("o1").paid("10").dated("2025-03-01 10:00"), "lots=10+20"),
            ("2025-03-04 10:00", spend("15"), "lots=15"),
            ("2025-03-05 10:00", order("o3").paid("30"), "lots=15+30"),
            ("2025-03-06 10:00", spend("16"), "lots=29"),
        ],
    );
}

#[test]
fn holds_promise_post_and_release() {
    hundred(
        "",
        &[
            ("2025-03-02 10:00", hold("30").called("h1"), "points=70 held=30 active=100 lots=100"),
            ("2025-03-02 10:01", hold("71"), "refused=insufficient_points points=70"),
            ("2025-03-02 10:02", spend("71"), "refused=insufficient_points points=70"),
            ("2025-03-02 10:03", hold("70").called("h2"), "points=0 held=100"),
            ("2025-03-02 10:04", post("h1").with("amount", "31"), "refused=post_exceeds_hold held=100"),
            ("2025-03-02 10:05", post("h1").with("amount", "0"), "refused=bad_amount held=100"),
            // A part is spent, the rest released.
            ("2025-03-02 10:06", post("h1").with("amount", "20"), "points=10 held=70 active=80"),
            ("2025-03-02 10:07", post("h1"), "refused=hold_closed points=10"),
            ("2025-03-02 10:08", void("h1"), "refused=hold_closed points=10"),
            ("2025-03-02 10:09", void("h2"), "points=80 held=0 active=80"),
            ("2025-03-02 10:10", void("h2"), "refused=hold_closed points=80"),
            ("2025-03-02 10:11", post("h2"), "refused=hold_closed points=80"),
            ("2025-03-02 10:12", hold("80").called("h3"), "points=0 held=80"),
            ("2025-03-02 10:13", post("h3").called("s3"), "points=0 held=0 active=0"),
            ("2025-03-02 10:14", give_back("s3"), "points=80 held=0 active=80"),
        ],
    );
}

#[test]
fn a_hold_is_wanted_or_not_and_never_guessed() {
    hundred(
        "",
        &[
            ("2025-03-02 10:00", spend("10").with("hold", "true"), "points=90 held=10"),
            ("2025-03-02 10:01", spend("10").with("hold", "false"), "points=80 held=10"),
            ("2025-03-02 10:02", spend("10").with("hold", "yes"), "refused=bad_hold points=80 held=10"),
            ("2025-03-02 10:03", spend("10").with("hold", ""), "refused=bad_hold points=80 held=10"),
        ],
    );
}

#[test]
fn what_is_named_must_be_there() {
    let nobody = "00000000000000000000000000000000";
    let world = hundred(
        "",
        &[
            ("2025-03-02 10:00", hold("10").called("h1"), "points=90"),
            ("2025-03-02 10:01", spend("10").called("s1"), "points=80"),
            ("2025-03-02 10:02", post("s1"), "refused=hold_unknown points=80"),
            ("2025-03-02 10:03", void("s1"), "refused=hold_unknown points=80"),
            ("2025-03-02 10:04", give_back("h1"), "refused=spend_unknown points=80"),
            ("2025-03-02 10:05", give_back("nothing"), "refused=bad_reference points=80"),
            ("2025-03-02 10:06", post("nothing"), "refused=bad_reference points=80"),
            ("2025-03-02 10:07", track("Points Voided"), "refused=bad_reference points=80"),
            (
                "2025-03-02 10:08",
                track("Points Voided").with("hold_id", nobody),
                "refused=hold_unknown points=80",
            ),
            (
                "2025-03-02 10:09",
                track("Points Returned").with("spend_id", nobody),
                "refused=spend_unknown points=80",
            ),
        ],
    );
    assert_eq!(world.record.transfers.len(), 4);
}

#[test]
fn a_hold_is_kept_though_its_points_went_away() {
    hundred(
        "",
        &[
            ("2025-03-02 10:00", hold("80").called("h1"), "points=20 held=80"),
            ("2025-03-03 10:00", refund("o1").paid("50"), "points=0 held=80 active=50 debt=0"),
            ("2025-03-04 10:00", post("h1").called("s1"), "points=0 held=0 active=0 debt=30"),
            ("2025-03-05 10:00", give_back("s1"), "points=50 debt=0 active=50"),
        ],
    );
    // Where no debt is allowed, what the promise lacks is written off.
    hundred(
        "points: { debt: refused }",
        &[
            ("2025-03-02 10:00", hold("80").called("h1"), "points=20 held=80"),
            ("2025-03-03 10:00", refund("o1").paid("50"), "points=0 held=80 active=50 debt=0"),
            ("2025-03-04 10:00", post("h1"), "points=0 held=0 active=0 debt=0"),
        ],
    );
}

#[test]
fn a_hold_outlives_what_it_held() {
    hundred(
        "",
        &[
            ("2025-03-02 10:00", hold("80").called("h1"), "points=20 held=80"),
            ("2027-01-01 00:00", wait(), "points=0 held=80 active=0"),
            ("2027-01-02 00:00", order("o2").paid("100"), "points=20 held=80 active=100"),
            ("2027-01-03 00:00", void("h1"), "points=100 held=0"),
        ],
    );
}

#[test]
fn a_spend_comes_back_into_its_very_lots() {
    hundred(
        "",
        &[
            ("2026-03-01 10:00", order("o2").paid("50"), "lots=100+50"),
            ("2026-03-02 10:00", spend("120").called("s1"), "lots=30"),
            // The lot that expires last gets its part first.
            ("2026-03-03 10:00", give_back("s1").with("amount", "10"), "lots=40 points=40"),
            ("2026-03-03 10:01", give_back("s1").with("amount", "20"), "lots=10+50 points=60"),
            (
                "2026-03-03 10:02",
                give_back("s1").with("amount", "91"),
                "refused=return_exceeds_spend points=60",
            ),
            ("2026-03-03 10:03", give_back("s1").with("amount", "0"), "refused=bad_amount points=60"),
            ("2026-03-03 10:04", give_back("s1"), "lots=100+50 points=150"),
            ("2026-03-03 10:05", give_back("s1"), "refused=bad_amount points=150"),
            (
                "2026-03-03 10:06",
                give_back("s1").with("amount", "1"),
                "refused=return_exceeds_spend points=150",
            ),
            ("2027-01-01 00:00", wait(), "points=50"),
        ],
    );
}

#[test]
fn what_comes_back_into_an_expired_lot_expires_at_once() {
    hundred(
        "",
        &[
            ("2026-03-01 10:00", order("o2").paid("50"), "lots=100+50"),
            ("2026-03-02 10:00", spend("120").called("s1"), "lots=30"),
            ("2027-01-01 00:00", give_back("s1").with("amount", "30"), "points=50 lots=50 active=50"),
            ("2027-01-02 00:00", give_back("s1"), "points=50 debt=0"),
        ],
    );
}

#[test]
fn what_comes_back_pays_debt_first() {
    hundred(
        "",
        &[
            ("2025-03-02 10:00", spend("100").called("s1"), "points=0"),
            ("2025-03-03 10:00", refund("o1").paid("30"), "debt=30"),
            ("2025-03-04 10:00", give_back("s1").with("amount", "20"), "debt=10 points=0 lots=none"),
            ("2025-03-05 10:00", give_back("s1").with("amount", "20"), "debt=0 points=10 lots=10"),
            ("2025-03-06 10:00", give_back("s1"), "points=70 lots=70"),
        ],
    );
}

#[test]
fn what_was_spent_on_credit_comes_back_though_the_debt_is_paid() {
    hundred(
        "",
        &[
            ("2025-03-02 10:00", hold("80").called("h1"), "points=20"),
            ("2025-03-03 10:00", refund("o1"), "points=0 active=0 debt=0"),
            ("2025-03-04 10:00", post("h1").called("s1"), "points=0 debt=80"),
            ("2025-03-05 10:00", order("o2").paid("100"), "points=20 debt=0"),
            ("2025-03-06 10:00", give_back("s1").with("amount", "50"), "points=70 debt=0"),
            ("2025-03-07 10:00", give_back("s1"), "points=100 debt=0"),
            ("2025-03-08 10:00", spend("100"), "points=0 debt=0 lots=none"),
        ],
    );
}

#[test]
fn a_person_gives_and_takes_with_a_reason() {
    hundred(
        "",
        &[
            ("2025-03-02 10:00", adjust("50"), "points=150 growth=1000 lots=100+50"),
            ("2025-03-03 10:00", adjust("-120"), "points=30 lots=30"),
            ("2025-03-04 10:00", adjust("-31"), "refused=insufficient_points points=30"),
            (
                "2025-03-05 10:00",
                track("Points Adjusted").with("amount", "5"),
                "refused=reason_missing points=30",
            ),
            ("2025-03-06 10:00", adjust("5").with("reason", "  "), "refused=reason_missing points=30"),
            ("2026-12-31 23:59:59", wait(), "points=30"),
            ("2027-01-01 00:00", wait(), "points=0"),
        ],
    );
}

#[test]
fn a_gift_leaves_one_and_reaches_another() {
    let mut world = hundred(
        "",
        &[
            ("2025-03-02 10:00", gift("101"), "refused=insufficient_points points=100"),
            ("2025-03-02 10:01", gift("10").with("to_value", "1001"), "refused=gift_to_self points=100"),
            ("2025-03-02 10:02", gift("10").with("to_value", " "), "refused=receiver_missing points=100"),
            (
                "2025-03-02 10:03",
                track("Points Gifted").with("amount", "1"),
                "refused=receiver_missing points=100",
            ),
        ],
    );
    let outcome = world.send(world.time("2025-03-02 10:04"), &gift("40")).unwrap();
    let friend = Identifier { namespace: "card".to_owned(), value: "friend".to_owned() };
    assert_eq!(outcome.emitted.len(), 1);
    assert_eq!((outcome.emitted[0].name, &outcome.emitted[0].to), ("Points Received", &friend));
    assert_eq!(outcome.emitted[0].properties, [("amount", "40".to_owned())]);
    let mut other = World::new();
    other.receive(other.time("2025-03-02 10:04"), 40, &friend).unwrap();
    check(&mut world, &[("2025-03-02 10:05", wait(), "points=60")]);
    check(
        &mut other,
        &[("2025-03-02 10:05", spend("40"), "points=0"), ("2025-03-02 10:06", wait(), "debt=0")],
    );
}

#[test]
fn s9_what_expires_first_is_spent_first_though_it_was_earned_last() {
    let mut world = World::new();
    check(&mut world, &[("2025-03-01 10:00", order("o1").paid("100"), "lots=100")]);
    // A new version of the playbook lets points live for a month only; those earned before keep their time.
    world.rules = rules("points: { expire: 30d after earning }");
    check(
        &mut world,
        &[
            ("2025-03-10 10:00", order("o2").paid("50"), "lots=50+100"),
            ("2025-03-11 10:00", spend("20").called("s1"), "lots=30+100"),
            ("2025-03-12 10:00", spend("40").called("s2"), "lots=90"),
            ("2025-03-13 10:00", give_back("s2"), "lots=30+100"),
            ("2025-04-09 00:00", wait(), "points=100"),
            ("2026-12-31 23:59:59.999999", wait(), "points=100"),
            ("2027-01-01 00:00", wait(), "points=0"),
        ],
    );
}
