//! `zhiyin draw commit | hold | verify | roll`: draws as files, which anybody can check (docs/draws.md). They need no home; what is
//! done with draws of a home is beside ([`crate::draws`]).

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow, bail};
use clap::Subcommand;
use serde::{Deserialize, Serialize};
use zhiyin_decide::draw::{self, Drawn, Entries, FORMAT, Hash, Prize, Terms};

use crate::arguments::Place;
use crate::draws::{self, DrawsAction};
use crate::say::say;

/// Bytes of a draw's file.
const FILE_BYTES_MAX: u64 = 1 << 30;

/// What to do about a draw.
#[derive(Debug, Subcommand)]
pub enum DrawAction {
    /// What is done with draws of a home.
    #[command(flatten)]
    Home(DrawsAction),
    /// Makes a seed from the system's randomness, and says what to publish before anybody enters.
    Commit {
        /// Where the seed is written, for nobody else to read; no file may be there yet.
        #[arg(long, value_name = "FILE")]
        seed_file: PathBuf,
    },
    /// Holds a draw: terms and entries in, the same file with who was drawn out.
    Hold {
        /// Terms and entries (docs/draws.md).
        file: PathBuf,
        /// The seed that was committed to.
        #[arg(long, value_name = "FILE")]
        seed_file: PathBuf,
        /// The public value, where the terms promise one.
        #[arg(long, value_name = "TEXT")]
        public_value: Option<String>,
        /// Where it is written; no file may be there yet.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Draws again from what a file says, and compares.
    Verify {
        /// A draw that was held.
        file: PathBuf,
        /// The commitment as it was published.
        #[arg(long, value_name = "SHA256")]
        commitment: Option<String>,
        /// The hash of the entries as it was published.
        #[arg(long, value_name = "SHA256")]
        entries_hash: Option<String>,
    },
    /// Says who has which prize when some who were drawn did not claim theirs: alternates follow, in the order drawn.
    Roll {
        /// A draw that was held.
        file: PathBuf,
        /// Whoever did not claim a prize, or cannot be reached; say it once for each.
        #[arg(long, value_name = "CODE", required = true)]
        unclaimed: Vec<String>,
    },
}

/// A draw as a file: the terms, the entries, and once it was held, all the rest.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct DrawFile {
    format: String,
    draw: String,
    prizes: Vec<PrizeOfFile>,
    alternates: u32,
    #[serde(default)]
    public_source: Option<String>,
    #[serde(default)]
    commitment: Option<String>,
    #[serde(default)]
    entries_hash: Option<String>,
    #[serde(default)]
    public_value: Option<String>,
    #[serde(default)]
    seed: Option<String>,
    #[serde(default)]
    winners: Option<Vec<(String, String)>>,
    #[serde(default)]
    alternates_drawn: Option<Vec<String>>,
    entries: Vec<(String, u32)>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct PrizeOfFile {
    prize: String,
    pieces: u32,
}

impl DrawFile {
    fn read(path: &Path) -> Result<Self> {
        let bytes = fs::metadata(path).with_context(|| path.display().to_string())?.len();
        if bytes > FILE_BYTES_MAX {
            bail!("{}: {bytes} bytes are more than {FILE_BYTES_MAX}", path.display());
        }
        let file: Self = serde_json::from_slice(&fs::read(path).with_context(|| path.display().to_string())?)
            .with_context(|| path.display().to_string())?;
        if file.format != FORMAT {
            bail!("format: {:?}, not {FORMAT:?}", file.format);
        }
        Ok(file)
    }

    fn terms(&self) -> Terms {
        let prize = |of: &PrizeOfFile| Prize { prize: of.prize.clone(), pieces: of.pieces };
        Terms {
            draw: self.draw.clone(),
            prizes: self.prizes.iter().map(prize).collect(),
            alternates: self.alternates,
            public_source: self.public_source.clone(),
        }
    }
}

fn hex(hash: &Hash) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// 32 bytes from 64 lower-case digits. What stood there is never part of an error: it may be a seed.
fn bytes_of(text: &str, field: &str) -> Result<Hash> {
    let mut bytes = [0; 32];
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != bytes.len() || !rest.is_empty() {
        bail!("{field}: 64 hexadecimal digits are wanted");
    }
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Ok(byte - b'0'),
        b'a'..=b'f' => Ok(byte - b'a' + 10),
        _ => bail!("{field}: 64 hexadecimal digits in lower case are wanted"),
    };
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = digit(*high)? * 16 + digit(*low)?;
    }
    Ok(bytes)
}

/// Writes a file that was not there, for its owner alone.
pub(crate) fn write_new(path: &Path, text: &str) -> Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).with_context(|| path.display().to_string())?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).with_context(|| path.display().to_string())
}

/// Does it.
pub async fn draw(place: &Place, action: DrawAction) -> Result<ExitCode> {
    match action {
        DrawAction::Home(action) => draws::draws(place, action).await,
        DrawAction::Commit { seed_file } => commit(&seed_file),
        DrawAction::Hold { file, seed_file, public_value, out } => {
            hold(&file, &seed_file, public_value, &out)
        }
        DrawAction::Verify { file, commitment, entries_hash } => {
            // Others write hashes in upper case.
            let lower = |hash: Option<String>| hash.map(|hash| hash.to_ascii_lowercase());
            verify(&file, lower(commitment).as_deref(), lower(entries_hash).as_deref())
        }
        DrawAction::Roll { file, unclaimed } => roll(&file, unclaimed),
    }
}

fn commit(seed_file: &Path) -> Result<ExitCode> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| anyhow!("the system's randomness: {error}"))?;
    write_new(seed_file, &format!("{}\n", hex(&seed)))?;
    say!("commitment {}", hex(&draw::commitment(&seed)));
    say!("Publish it before anybody enters; keep {} to yourself until the draw.", seed_file.display());
    Ok(ExitCode::SUCCESS)
}

fn hold(file: &Path, seed_file: &Path, public_value: Option<String>, out: &Path) -> Result<ExitCode> {
    let mut held = DrawFile::read(file)?;
    let seed_text = fs::read_to_string(seed_file).with_context(|| seed_file.display().to_string())?;
    let seed = bytes_of(seed_text.trim_end(), "seed")?;
    let commitment = hex(&draw::commitment(&seed));
    if held.commitment.as_ref().is_some_and(|promised| *promised != commitment) {
        bail!("commitment: this is not the seed that {} commits to", file.display());
    }
    let entries = Entries::close(std::mem::take(&mut held.entries))?;
    let entries_hash = hex(&entries.hash());
    if held.entries_hash.as_ref().is_some_and(|closed| *closed != entries_hash) {
        bail!("entries_hash: the entries are not those of {}", file.display());
    }
    let Drawn { winners, alternates } = draw::draw(&held.terms(), &entries, &seed, public_value.as_deref())?;
    let (n_winners, n_alternates) = (winners.len(), alternates.len());
    held.commitment = Some(commitment);
    held.entries_hash = Some(entries_hash);
    held.public_value = public_value;
    held.seed = Some(hex(&seed));
    held.winners = Some(winners);
    held.alternates_drawn = Some(alternates);
    held.entries = entries.all().to_vec();
    write_new(out, &serde_json::to_string(&held)?)?;
    say!("{}: {n_winners} drawn from {} entries, {n_alternates} alternates", held.draw, held.entries.len());
    Ok(ExitCode::SUCCESS)
}

/// What one check came to.
fn told(name: &str, wrong: Option<&str>) -> bool {
    match wrong {
        None => say!("{name}: right"),
        Some(why) => say!("{name}: WRONG: {why}"),
    }
    wrong.is_none()
}

/// Draws what a file that was held says, whatever it says was drawn.
fn drawn_again(held: &mut DrawFile) -> Result<(Drawn, Entries, Hash)> {
    let Some(seed) = held.seed.as_deref() else { bail!("seed: this draw was not held yet") };
    let seed = bytes_of(seed, "seed")?;
    let entries = Entries::close(std::mem::take(&mut held.entries))?;
    let drawn = draw::draw(&held.terms(), &entries, &seed, held.public_value.as_deref())?;
    Ok((drawn, entries, seed))
}

fn roll(file: &Path, unclaimed: Vec<String>) -> Result<ExitCode> {
    let (drawn, ..) = drawn_again(&mut DrawFile::read(file)?)?;
    let known = |code: &String| {
        drawn.winners.iter().any(|(entry, _)| entry == code) || drawn.alternates.contains(code)
    };
    if let Some(stranger) = unclaimed.iter().find(|code| !known(code)) {
        bail!("unclaimed: {stranger:?} was not drawn");
    }
    let has = drawn.rolled_on(&unclaimed.into_iter().collect());
    has.iter().for_each(|(entry, prize)| say!("{entry}\t{prize}"));
    if has.len() < drawn.winners.len() {
        say!("{} prizes are left: there are no more alternates", drawn.winners.len() - has.len());
    }
    Ok(ExitCode::SUCCESS)
}

fn verify(file: &Path, commitment: Option<&str>, entries_hash: Option<&str>) -> Result<ExitCode> {
    let mut held = DrawFile::read(file)?;
    let (drawn, entries, seed) = drawn_again(&mut held)?;
    let same = |found: &str, said: Option<&str>, published: Option<&str>, why| {
        let right = said == Some(found) && published.is_none_or(|published| published == found);
        if right { None } else { Some(why) }
    };
    let seed_hash = hex(&draw::commitment(&seed));
    let of_seed =
        same(&seed_hash, held.commitment.as_deref(), commitment, "the seed is not the one committed to");
    let list_hash = hex(&entries.hash());
    let of_list =
        same(&list_hash, held.entries_hash.as_deref(), entries_hash, "the entries are not those closed");
    let other = |right| if right { None } else { Some("others were drawn") };
    let checks = [
        told("commitment", of_seed),
        told("entries", of_list),
        told("winners", other(held.winners.as_ref() == Some(&drawn.winners))),
        told("alternates", other(held.alternates_drawn.as_ref() == Some(&drawn.alternates))),
    ];
    if commitment.is_none() || entries_hash.is_none() {
        say!("Compare commitment {seed_hash} and entries {list_hash} with what was published.");
    }
    let right = checks.iter().all(|right| *right);
    say!("{}", if right { "The draw is right." } else { "The draw is WRONG." });
    Ok(if right { ExitCode::SUCCESS } else { ExitCode::from(1) })
}
