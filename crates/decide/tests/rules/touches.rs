//! C1: the first and the last touch are kept for every member.

use super::scenario::{World, check, order, refund, track};

#[test]
fn c1_first_and_last_touch() {
    check(
        &mut World::new(),
        &[
            ("2025-03-01 10:00", track("App Opened"), "first=none last=none"),
            (
                "2025-03-02 10:00",
                track("Code Scanned").with("touchpoint", "store_poster"),
                "first=store_poster last=store_poster",
            ),
            ("2025-03-03 10:00", order("o1").paid("10").store("330"), "first=store_poster last=store/330"),
            // Where both are given the touchpoint is the more telling one.
            (
                "2025-03-04 10:00",
                order("o2").paid("10").store("331").with("touchpoint", "till"),
                "first=store_poster last=till",
            ),
            // What is heard of late takes its own place.
            (
                "2025-03-05 10:00",
                track("Ad Clicked").with("touchpoint", "douyin").dated("2025-02-01 10:00"),
                "first=douyin last=till",
            ),
            (
                "2025-03-05 11:00",
                track("Ad Clicked").with("touchpoint", "baidu").dated("2025-02-02 10:00"),
                "first=douyin last=till",
            ),
            // A code that no playbook lists is kept as it comes.
            (
                "2025-03-06 10:00",
                track("Code Scanned").with("touchpoint", "poster-17"),
                "first=douyin last=poster-17",
            ),
            // At one instant the one heard of later is the last, and the first stays the first.
            ("2025-03-06 10:00", track("Code Scanned").with("touchpoint", "sms"), "first=douyin last=sms"),
            (
                "2025-03-07 10:00",
                track("Ad Clicked").with("touchpoint", "weibo").dated("2025-02-01 10:00"),
                "first=douyin last=sms",
            ),
            // What is refused never was.
            (
                "2025-03-08 10:00",
                refund("unheard of").store("9"),
                "refused=order_unknown first=douyin last=sms",
            ),
        ],
    );
}
