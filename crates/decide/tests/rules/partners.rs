//! C5: a partner's code brings a member to us, ours goes to them, and each side's counts are kept.

use zhiyin_model::effect::PartnerDeed;

use super::scenario::{World, check, order, track};

const PARTNERS: &str = "partners: { music_school: { name: { zh: 音乐学校, en: Music school }, ours: { zh: 试用装, en: A sample }, \
    theirs: { zh: 试听课, en: A trial lesson } }, dojo: {} }";

fn passed(world: &World) -> Vec<(&str, PartnerDeed)> {
    world.record.partners.iter().map(|moved| (moved.partner.as_str(), moved.deed)).collect()
}

#[test]
fn c5_a_partners_code_brings_somebody_new_or_somebody_known() {
    let mut world = World::under(PARTNERS);
    let scan = |code: &str| track("Code Scanned").with("touchpoint", code);
    check(
        &mut world,
        &[
            ("2025-03-01 10:00", scan("music_school"), "first=music_school last=music_school"),
            (
                "2025-03-02 10:00",
                order("o1").paid("50").with("touchpoint", "dojo"),
                "first=music_school last=dojo",
            ),
            // What is no partner's is a touch and nothing more.
            ("2025-03-03 10:00", scan("store_poster"), "first=music_school last=store_poster"),
            ("2025-03-04 10:00", scan("music_school"), "last=music_school"),
        ],
    );
    assert_eq!(
        passed(&world),
        [
            ("music_school", PartnerDeed::BroughtNew),
            ("dojo", PartnerDeed::BroughtKnown),
            ("music_school", PartnerDeed::BroughtKnown),
        ]
    );
    assert_eq!(world.record.partners[0].at, world.time("2025-03-01 10:00"));
}

#[test]
fn c5_whom_we_send_is_counted_and_who_used_it() {
    let mut world = World::under(PARTNERS);
    check(
        &mut world,
        &[
            ("2025-03-01 10:00", track("Partner Referred").with("partner", "dojo"), "first=none"),
            ("2025-03-05 10:00", track("Partner Redeemed").with("partner", "dojo"), "first=none"),
            (
                "2025-03-06 10:00",
                track("Partner Referred").with("partner", "unheard_of"),
                "refused=partner_unknown",
            ),
            ("2025-03-06 10:00", track("Partner Redeemed"), "refused=partner_unknown"),
        ],
    );
    assert_eq!(passed(&world), [("dojo", PartnerDeed::Sent), ("dojo", PartnerDeed::Redeemed)]);
}
