//! `zhiyin bench poster`: how many posters a second are drawn, each of another member, with a code of their own.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Result, anyhow};
use zhiyin_reach::poster::Poster;
use zhiyin_reach::poster::fonts::Fonts;
use zhiyin_reach::qr::Qr;

use crate::arguments::Place;

/// How many posters are drawn.
const POSTERS: u64 = 10_000;
/// A poster as brands have them: 750 × 1,334, a background with a gradient and shapes, texts that stay and two that do not, a code.
const DRAWING: &str = include_str!("poster.svg");

/// Draws them, on every processor there is.
pub fn poster(place: &Place) -> Result<ExitCode> {
    let fonts = Fonts::from(&place.font)?;
    let watch = zhiyin_engine::clock::stopwatch();
    let read = Poster::read(DRAWING, &fonts)?;
    let read_in = watch.elapsed();
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let (next, bytes) = (AtomicU64::new(0), AtomicU64::new(0));
    let watch = zhiyin_engine::clock::stopwatch();
    let done: Result<()> = std::thread::scope(|scope| {
        let drawing: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    loop {
                        let n = next.fetch_add(1, Ordering::Relaxed);
                        if n >= POSTERS {
                            return Ok(());
                        }
                        bytes.fetch_add(draw(&read, n)?, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        drawing.into_iter().try_for_each(|one| one.join().map_err(|_| anyhow!("a thread broke down"))?)
    });
    done?;
    let took = watch.elapsed();
    let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX).max(1);
    println!(
        "{POSTERS} posters of 750 × 1334, each with a name, points and a code of its own, on {threads} threads"
    );
    println!("read and drawn once: {} ms", read_in.as_millis());
    println!(
        "{} posters/s ({} ms in all, {} KiB each)",
        POSTERS * 1_000 / ms,
        ms,
        bytes.into_inner() / POSTERS / 1_024
    );
    Ok(ExitCode::SUCCESS)
}

/// One poster; how many bytes it has.
fn draw(read: &Poster, n: u64) -> Result<u64> {
    let known = [("member.name", format!("Member {n}")), ("points", (n * 7 % 5_000).to_string())];
    let variables: BTreeMap<String, String> = known.map(|(name, value)| (name.to_owned(), value)).into();
    let code = Qr::of(&format!("https://s.example.com/q/{n:012}"))?;
    Ok(read.draw(&variables, Some(&code))?.len() as u64)
}
