//! Snapshots: the population as files, to begin from when the process starts again.
//!
//! A file a block, named by the hash of what is in it and never written twice, and a manifest that names them, written
//! last and put in place by renaming. Whatever is torn, of another format, of another home or of another layout is
//! refused by name, and whoever asked builds anew from the record; nothing of it is trusted.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::{Arc, PoisonError};

use serde::{Deserialize, Serialize};

use crate::ask::in_parallel;
use crate::bits::BLOCK;
use crate::block::{Block, Ordinals};
use crate::dict::Dicts;
use crate::map::Mapped;
use crate::packed::{In, Out, Packed};
use crate::population::{Budget, Layout, Population};

/// Changes with what is in a file.
const FORMAT: u32 = 2;
const MANIFEST: &str = "manifest.json";

/// What a snapshot is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// The home, and what else makes columns mean what they do.
    pub of: String,
    /// Up to where of the change feed it stands.
    pub position: (i64, i64),
    /// What the home was told to know this snapshot by: a home that was set back to before knows it not.
    pub mark: String,
}

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Saved {
    /// Blocks it has.
    pub blocks: usize,
    /// Bytes that had to be written: blocks that are there already are not written again.
    pub bytes_written: u64,
}

/// Why there is nothing to begin from.
#[derive(Debug, thiserror::Error)]
pub enum NoSnapshot {
    /// None was ever made.
    #[error("there is no snapshot")]
    Missing,
    /// It was made by another version of this program.
    #[error("the snapshot has format {0}")]
    Format(u32),
    /// It is of another home, or its columns mean something else.
    #[error("the snapshot is of something else")]
    Other,
    /// A file is not what was written.
    #[error("the snapshot is torn: {0}")]
    Torn(String),
    /// It does not fit the memory there may be.
    #[error(transparent)]
    OverBudget(#[from] crate::population::OverBudget),
}

#[derive(Serialize, Deserialize)]
struct Manifest {
    format: u32,
    stamp: Stamp,
    zone: String,
    currency_exponent: u32,
    n_ordinals: u32,
    /// Files by the order of blocks.
    blocks: Vec<String>,
    /// Hash of all the above.
    hash: String,
}

impl Manifest {
    fn hashed(&self) -> String {
        let said =
            (self.format, &self.stamp, &self.zone, self.currency_exponent, self.n_ordinals, &self.blocks);
        blake3::hash(&serde_json::to_vec(&said).unwrap_or_default()).to_hex().to_string()
    }
}

impl Population {
    /// Writes a snapshot into a folder of its own. Changes are folded into the base before.
    pub fn save(&self, folder: &Path, stamp: Stamp) -> io::Result<Saved> {
        self.save_telling(folder, stamp, || Ok(()))
    }

    /// The same; `tell` is called once all that is in it has happened, and before it is one that may be begun from.
    pub fn save_telling(
        &self,
        folder: &Path,
        stamp: Stamp,
        tell: impl FnOnce() -> io::Result<()>,
    ) -> io::Result<Saved> {
        // One after the other: each does away with what only the one before needs.
        let _alone = self.saving.lock().unwrap_or_else(PoisonError::into_inner);
        // What people said of themselves is in it: nobody else reads it.
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        self.fold();
        let seen = self.seen();
        let there: BTreeSet<String> =
            fs::read_dir(folder)?.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
        let written =
            in_parallel(seen.base.len(), seen.threads(), |at| write(folder, &seen.base[at], &there));
        let written = written.into_iter().collect::<io::Result<Vec<(String, u64)>>>()?;
        tell()?;
        let mut manifest = Manifest {
            format: FORMAT,
            stamp,
            zone: self.layout().zone.name().to_owned(),
            currency_exponent: self.layout().currency_exponent,
            n_ordinals: seen.n_ordinals,
            blocks: written.iter().map(|(name, _)| name.clone()).collect(),
            hash: String::new(),
        };
        manifest.hash = manifest.hashed();
        put(folder, MANIFEST, &serde_json::to_vec(&manifest)?)?;
        // What no manifest names any more. Whoever has it mapped keeps it until they let go.
        let named: BTreeSet<&String> = manifest.blocks.iter().collect();
        for name in there.iter().filter(|name| is_ours(name) && !named.contains(name)) {
            match fs::remove_file(folder.join(name)) {
                // Somebody else found it torn, or forgot it.
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(Saved { blocks: written.len(), bytes_written: written.iter().map(|(_, bytes)| bytes).sum() })
    }

    /// Opens the snapshot of a folder, if it is of what `of` says and means what the layout says; and what it is stamped with.
    pub fn open(
        folder: &Path,
        layout: Layout,
        budget: Budget,
        of: &str,
    ) -> Result<(Self, Stamp), NoSnapshot> {
        let text = fs::read(folder.join(MANIFEST)).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => NoSnapshot::Missing,
            _ => NoSnapshot::Torn(error.to_string()),
        })?;
        let torn = |why: &str| NoSnapshot::Torn(why.to_owned());
        let format = serde_json::from_slice::<BTreeMap<String, serde_json::Value>>(&text)
            .map_err(|_| torn(MANIFEST))?
            .get("format")
            .and_then(serde_json::Value::as_u64);
        match format.and_then(|format| u32::try_from(format).ok()) {
            Some(FORMAT) => {}
            Some(other) => return Err(NoSnapshot::Format(other)),
            None => return Err(torn(MANIFEST)),
        }
        let manifest: Manifest = serde_json::from_slice(&text).map_err(|_| torn(MANIFEST))?;
        if manifest.hash != manifest.hashed() {
            return Err(torn(MANIFEST));
        }
        let same = manifest.stamp.of == of
            && manifest.zone == layout.zone.name()
            && manifest.currency_exponent == layout.currency_exponent;
        if !same {
            return Err(NoSnapshot::Other);
        }
        let population = Self::new(layout, budget);
        let threads = population.seen().threads();
        let blocks = in_parallel(manifest.blocks.len(), threads, |at| {
            read(folder, &manifest.blocks[at], population.dicts())
        });
        let blocks = blocks.into_iter().collect::<Result<Vec<Arc<Block>>, NoSnapshot>>()?;
        if !is_base(&blocks, manifest.n_ordinals) {
            return Err(torn("its blocks are not those of one base"));
        }
        population.begin_from(blocks, manifest.n_ordinals)?;
        Ok((population, manifest.stamp))
    }
}

/// Does away with the snapshot of a folder, if there is one; whatever else lies there stays.
pub fn forget(folder: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    let names = entries.map(|entry| entry.map(|entry| entry.file_name().into_string().unwrap_or_default()));
    let mut names = names.collect::<io::Result<Vec<String>>>()?;
    // The manifest first: what it names must not be missed.
    names.retain(|name| name == MANIFEST || is_ours(name));
    names.sort_by_key(|name| name != MANIFEST);
    names.iter().try_for_each(|name| match fs::remove_file(folder.join(name)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    })
}

/// Whether blocks are those of a base of so many ordinals, in order and none left out.
fn is_base(blocks: &[Arc<Block>], n_ordinals: u32) -> bool {
    let mut next = 0;
    for (at, block) in blocks.iter().enumerate() {
        let follows = matches!(block.ordinals, Ordinals::From(first) if first as usize == at * BLOCK);
        if !follows || next != at * BLOCK {
            return false;
        }
        next += block.len();
    }
    next == n_ordinals as usize
}

/// Whether a file is a block, or one that never came to be one.
fn is_ours(name: &str) -> bool {
    name.ends_with(".block") || name.ends_with(".new")
}

/// Writes a block, if it is not there.
fn write(folder: &Path, block: &Block, there: &BTreeSet<String>) -> io::Result<(String, u64)> {
    let mut out = Out::default();
    block.pack(&mut out);
    let name = format!("{}.block", blake3::hash(&out.bytes).to_hex());
    if there.contains(&name) {
        return Ok((name, 0));
    }
    put(folder, &name, &out.bytes)?;
    Ok((name, out.bytes.len() as u64))
}

/// A file that is there whole or not at all.
fn put(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let aside = folder.join(format!("{name}.new"));
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&aside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&aside, folder.join(name))?;
    File::open(folder)?.sync_all()
}

fn read(folder: &Path, name: &str, dicts: &Dicts) -> Result<Arc<Block>, NoSnapshot> {
    let torn = |why: &dyn std::fmt::Display| NoSnapshot::Torn(format!("{name}: {why}"));
    let file = File::open(folder.join(name)).map_err(|error| torn(&error))?;
    let map = Arc::new(Mapped::open(&file).map_err(|error| torn(&error))?);
    if name.strip_suffix(".block") != Some(blake3::hash(map.bytes()).to_hex().as_str()) {
        // A file of its name would be taken for written by whoever saves what it ought to be.
        return Err(match fs::remove_file(folder.join(name)) {
            Ok(()) => torn(&"it is not what was written"),
            Err(error) => torn(&format_args!("it is not what was written, and stays: {error}")),
        });
    }
    let block = Block::unpack(&mut In::new(&map, dicts)).map_err(|error| torn(&error))?;
    if !block.is_whole() {
        return Err(torn(&"its columns do not agree with each other"));
    }
    match block.ordinals {
        Ordinals::From(_) => Ok(Arc::new(block)),
        Ordinals::These(_) => Err(torn(&"it is no part of a base")),
    }
}
