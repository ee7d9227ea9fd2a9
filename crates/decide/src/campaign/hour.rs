//! The best hour: in which two hours of the day a member is likeliest to see something.
//!
//! Thompson sampling: each slot of two hours is drawn once from what is believed of it, a Beta distribution of what was seen and
//! what was not by the prior that the playbook states and by the member themselves; the highest draw is the hour. What is known
//! little is tried now and then, and what is seen most is chosen most. All of it is in whole numbers: with whole parameters
//! Beta(a, b) is the a-th smallest of a + b − 1 draws that are equally likely everywhere (the order statistics of uniform draws).
//! What is drawn follows from the run and its step, so it is drawn alike wherever and however often it is.

use zhiyin_model::coupon::PoolTake;
use zhiyin_model::id::MemberId;
use zhiyin_model::playbook::campaign::{TELLING, is_within};
use zhiyin_model::run::{Hours, SLOTS, Sent, hour_of, slot_of};
use zhiyin_model::time::DAY_US;

use super::guard::{Ask, Verdict};
use super::{hash_of, when};
use crate::Scene;
use crate::outcome::Outcome;
use crate::state::State;

/// Minutes of a slot.
const SLOT_MINUTES: u16 = 120;
/// What is seen within so long speaks for the hour in which it was sent.
const SOON_US: i64 = DAY_US;

/// Something goes out: it counts for its hour, where its channel tells whether it is seen.
pub(super) fn sent(scene: &Scene<'_>, channel: &str, hours: &mut Hours, out: &mut Outcome) {
    if !TELLING.contains(&channel) {
        return;
    }
    let slot = slot_of(&scene.rules.zone, scene.at);
    hours.sent(slot);
    count(slot, "sent", out);
}

/// Something was seen, or done: once, and soon enough, it counts for the hour in which it was sent.
pub(super) fn seen(scene: &Scene<'_>, sent: &mut Sent, hours: &mut Hours, out: &mut Outcome) {
    if sent.seen || scene.at > sent.at.plus_us(SOON_US) {
        return;
    }
    sent.seen = true;
    let slot = slot_of(&scene.rules.zone, sent.at);
    // It was not counted as sent, for had nobody followed a link of it, nothing would have been known.
    if !TELLING.contains(&sent.channel.as_str()) {
        hours.sent(slot);
        count(slot, "sent", out);
    }
    hours.seen(slot);
    count(slot, "seen", out);
}

fn count(slot: usize, what: &str, out: &mut Outcome) {
    out.coupons.take(PoolTake { pool: hour_of(slot, what), amount: 1, size: None });
}

/// The guard-rail: whether this is the hour, or when it begins.
pub(super) fn rail(scene: &Scene<'_>, state: &State, ask: &Ask<'_>) -> (String, Verdict) {
    if !ask.at.best_hour {
        return ("any".to_owned(), Verdict::Send);
    }
    // What was drawn for a step stays, whatever is seen meanwhile; unless it is silent by now, or on this channel.
    let is_open = |slot: &usize| opens(scene, ask, *slot).is_some();
    let stays = ask.run.and_then(|run| run.hour).map(usize::from).filter(is_open);
    let slot = stays.or_else(|| best(scene, state, ask).map(usize::from));
    let Some((slot, minute)) = slot.and_then(|slot| Some((slot, opens(scene, ask, slot)?))) else {
        return ("none is open".to_owned(), Verdict::Send);
    };
    let said = format!("{:02}:00", 2 * slot);
    if slot_of(&scene.rules.zone, scene.at) == slot {
        return (said, Verdict::Send);
    }
    let at = when::next_minute(&scene.rules.zone, None, minute, scene.at);
    (format!("{said}, from {}", at.rfc3339()), Verdict::Later(at))
}

/// The slot that is drawn as the best of those in which something may be sent, if there is one; of equal ones the first of the
/// day.
pub(super) fn best(scene: &Scene<'_>, state: &State, ask: &Ask<'_>) -> Option<u8> {
    let open = (0..SLOTS).filter(|slot| opens(scene, ask, *slot).is_some());
    let drawn = open.map(|slot| (draw_of(scene, state, ask, slot), slot));
    let best = drawn.max_by(|a, b| a.0.cmp(&b.0).then(b.1.cmp(&a.1)));
    best.and_then(|(_, slot)| u8::try_from(slot).ok())
}

fn opens(scene: &Scene<'_>, ask: &Ask<'_>, slot: usize) -> Option<u16> {
    first_open(slot, scene.rules.sending.quiet.get(ask.channel).copied(), ask.at.within)
}

/// The first minute of a slot in which something may be sent, if there is one.
fn first_open(slot: usize, quiet: Option<(u16, u16)>, within: Option<(u16, u16)>) -> Option<u16> {
    let from = u16::try_from(slot).unwrap_or(0) * SLOT_MINUTES;
    let is_open = |minute: &u16| {
        quiet.is_none_or(|quiet| !is_within(quiet, *minute))
            && within.is_none_or(|within| is_within(within, *minute))
    };
    let changes = [Some(from), quiet.map(|(_, ends)| ends), within.map(|(begins, _)| begins)];
    let inside = changes.into_iter().flatten().filter(|minute| (from..from + SLOT_MINUTES).contains(minute));
    inside.filter(is_open).min()
}

/// How good a slot is for a member, as it is drawn for a step of a run.
fn draw_of(scene: &Scene<'_>, state: &State, ask: &Ask<'_>, slot: usize) -> u64 {
    let (sent, own) = state.member.runs.hours.of(slot);
    let key = u8::try_from(slot).unwrap_or(0);
    let (before, of) = scene.rules.sending.hours.get(&key).copied().unwrap_or_default();
    let seen = u32::from(own) + u32::from(before);
    let missed = u32::from(sent.saturating_sub(own)) + u32::from(of.saturating_sub(before));
    let member: &MemberId = &state.member.id;
    let (run, place) = ask.run.map_or((member.bytes(), ""), |run| (run.id.bytes(), run.place.as_str()));
    beta(hash_of(scene, "hour", &[run, place.as_bytes(), &[key]]), seen, missed)
}

/// A draw of Beta(seen + 1, missed + 1), of 2^64.
fn beta(seed: u64, seen: u32, missed: u32) -> u64 {
    let mut state = seed;
    let n = seen.saturating_add(missed).saturating_add(1);
    let mut drawn: Vec<u64> = (0..n).map(|_| next(&mut state)).collect();
    let at = usize::try_from(seen).unwrap_or(0);
    *drawn.select_nth_unstable(at).1
}

/// SplitMix64 (Steele, Lea and Flood, 2014): equally likely everywhere, and the same everywhere.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_of_the_distribution_that_they_are_said_to_be_of() {
        // Beta(a, b) has the mean a / (a + b) and the variance a b / ((a + b)^2 (a + b + 1)): in thousandths, over 20,000 draws.
        const N: u64 = 20_000;
        for (seen, missed) in [(0_u32, 0_u32), (2, 0), (1, 3), (30, 70), (64, 100)] {
            let (a, b) = (u128::from(seen) + 1, u128::from(missed) + 1);
            let (mut sum, mut squares) = (0_u128, 0_u128);
            for seed in 0..N {
                let mut mixed = seed;
                let drawn = u128::from(beta(next(&mut mixed), seen, missed) >> 32);
                sum += drawn;
                squares += (drawn * drawn) >> 32;
            }
            let n = u128::from(N);
            let mean = sum / n;
            let variance = squares / n - ((mean * mean) >> 32);
            let one = 1_u128 << 32;
            let of_mean = one * a / (a + b);
            let of_variance = one * a * b / ((a + b) * (a + b) * (a + b + 1));
            assert!(mean.abs_diff(of_mean) < one / 100, "Beta({a}, {b}): mean {mean} of {of_mean}");
            assert!(
                variance.abs_diff(of_variance) * 20 < of_variance,
                "Beta({a}, {b}): variance {variance} of {of_variance}"
            );
        }
    }

    #[test]
    fn the_hour_in_which_a_member_reads_is_found_and_the_others_are_tried_now_and_then() {
        let mut hours = Hours::default();
        let (mut best, mut other) = (0, 0);
        for n in 0..400_u64 {
            let draws = (0..SLOTS).map(|slot| {
                let (sent, seen) = hours.of(slot);
                let mut seed = n * 100 + u64::try_from(slot).unwrap();
                (beta(next(&mut seed), u32::from(seen), u32::from(sent - seen)), slot)
            });
            let (_, slot) = draws.max().unwrap();
            hours.sent(slot);
            // Before sleep: three of four are read; at other times one of ten.
            let is_read = if slot == 11 { n % 4 != 0 } else { n % 10 == 0 };
            if is_read {
                hours.seen(slot);
            }
            match (n >= 200, slot == 11) {
                (true, true) => best += 1,
                (true, false) => other += 1,
                _ => {}
            }
        }
        assert!(best > 150, "{best} of 200 at the best hour");
        assert!(other > 0, "the others are tried, too");
    }

    #[test]
    fn a_slot_is_open_from_where_silence_ends_and_the_window_begins() {
        for (slot, quiet, within, minute) in [
            (10, None, None, Some(1200)),
            (4, Some((22 * 60, 8 * 60 + 30)), None, Some(510)),
            (3, Some((22 * 60, 8 * 60 + 30)), None, None),
            (11, Some((22 * 60, 8 * 60)), None, None),
            (0, Some((30, 8 * 60)), Some((19 * 60 + 30, 30)), Some(0)),
            (9, None, Some((19 * 60 + 30, 30)), Some(1170)),
            (8, None, Some((19 * 60 + 30, 30)), None),
            (5, Some((10 * 60, 11 * 60)), Some((11 * 60 + 30, 12 * 60)), Some(690)),
        ] {
            assert_eq!(first_open(slot, quiet, within), minute, "{slot} {quiet:?} {within:?}");
        }
    }
}
