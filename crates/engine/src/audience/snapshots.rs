//! Snapshots of the columns that are kept: written beside whatever else goes on, and begun from when the process starts again.
//!
//! Each bears a mark that the home was told before it was written, as a consumer of the change feed: a home that was set back
//! to before, by whatever way, does not know it, and is not taken for the one that the snapshot is of.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::task::JoinHandle;
use zhiyin_audience::population::{Layout, Population};
use zhiyin_audience::snapshot::{NoSnapshot, Saved, Stamp};
use zhiyin_store::feed::Position;

use super::AudienceProblem;
use super::asking::layout;
use super::keep::{Keeper, Keeping, Kept, State};
use super::reading::done;
use crate::boxed;
use crate::{Engine, EngineError, Result, clock};

/// Changes with how persons are made of the record: what was made otherwise is not begun from.
const MADE: &str = "3";
/// How often the feed is read again by whoever begins from another's snapshot while transactions hold it back.
const LOOKS: u32 = 40;
/// What the home knows a snapshot by: a consumer of the feed whose name is that of its keeper, this, and the mark.
const MARK: char = '@';

/// A snapshot that is being written.
pub(super) struct Saving {
    pub(super) work: JoinHandle<std::io::Result<Saved>>,
    /// Up to where of the feed it has all.
    position: Position,
    folder: PathBuf,
    mark: String,
}

impl Engine {
    /// Where snapshots go, if any may be made.
    pub(super) fn snapshots<'h>(&self, how: &'h Keeping) -> Option<&'h PathBuf> {
        let sealed = self.store().personal().is_some_and(|personal| personal.vault().is_sealed());
        how.folder.as_ref().filter(|_| !sealed)
    }

    /// What a snapshot must be of, to be begun from.
    async fn stamp(&self, layout: &Layout) -> Result<String> {
        let home = self.home().await?;
        let Layout { zone, currency_exponent, attributes } = layout;
        let meaning = format!("{} {currency_exponent} {attributes:?}", zone.name());
        Ok(hexadecimal(&home.id_key.digest("audience snapshot", &[MADE.as_bytes(), meaning.as_bytes()])))
    }

    /// Writes a snapshot of what a keeper keeps.
    #[boxed]
    pub async fn audiences_saved(&self, how: &Keeping, keeper: &Keeper) -> Result<()> {
        self.save(how, &keeper.kept).await
    }

    /// Writes a snapshot, and notes in the home that what is in it need not be told again.
    pub(super) async fn save(&self, how: &Keeping, kept: &Arc<Kept>) -> Result<()> {
        match self.saving(how, kept).await? {
            Some(saving) => self.saved(how, saving).await,
            None => Ok(()),
        }
    }

    /// Begins to write one, as of what is kept now or later: changes that come meanwhile may or may not be in it, and are told
    /// again to whoever begins from it.
    pub(super) async fn saving(&self, how: &Keeping, kept: &Arc<Kept>) -> Result<Option<Saving>> {
        let Some(folder) = self.snapshots(how).cloned() else { return Ok(None) };
        let position = kept.position();
        let of = self.stamp(kept.population.layout()).await?;
        // What tells this snapshot from any other that there was or will be: the instant, and who writes it.
        let told = format!("{} {} {of} {position:?}", clock::wall().0, std::process::id());
        let key = self.home().await?.id_key;
        let mark = hexadecimal(&key.digest("audience mark", &[told.as_bytes()]));
        let (store, named) = (Arc::clone(self.store()), marked(&how.consumer, &mark));
        let runtime = tokio::runtime::Handle::current();
        // Told once nothing more comes into it: a copy of the home that knows the mark has all that is in the snapshot.
        let tell = move || {
            let told = runtime.block_on(store.feed_position(&named));
            told.map(drop).map_err(|error| std::io::Error::other(error.to_string()))
        };
        let stamp = Stamp { of, position: (position.tx, position.no), mark: mark.clone() };
        let (kept, into) = (Arc::clone(kept), folder.clone());
        let work = tokio::task::spawn_blocking(move || kept.population.save_telling(&into, stamp, tell));
        Ok(Some(Saving { work, position, folder, mark }))
    }

    /// Waits until it is written.
    async fn saved(&self, how: &Keeping, saving: Saving) -> Result<()> {
        let Saving { work, position, folder, mark } = saving;
        let failed = |error: std::io::Error| EngineError::File {
            file: folder.display().to_string(),
            message: error.to_string(),
        };
        let saved = done(work.await)?.map_err(failed)?;
        tracing::info!(
            blocks = saved.blocks,
            bytes = saved.bytes_written,
            "a snapshot of audiences was written"
        );
        self.forget_marks(how, Some(&mark)).await?;
        self.fed(how, position).await
    }

    /// Notes in the home up to where the feed need not be told again.
    pub(super) async fn fed(&self, how: &Keeping, position: Position) -> Result<()> {
        let position = self.audiences.pasts.done_with(position);
        Ok(self.store().feed_done(&how.consumer, position).await?)
    }

    /// The home knows of no snapshot of this keeper any more but one.
    pub(super) async fn forget_marks(&self, how: &Keeping, but: Option<&str>) -> Result<()> {
        let (of_ours, kept) = (marked(&how.consumer, ""), but.map(|mark| marked(&how.consumer, mark)));
        for (consumer, _) in self.store().crowd().followers().await? {
            if consumer.starts_with(&of_ours) && Some(&consumer) != kept.as_ref() {
                self.store().crowd().unfollow(&consumer).await?;
            }
        }
        Ok(())
    }

    /// The same, where a disk that takes no snapshot keeps nobody from asking: the feed is then let go of, and what lies there
    /// is not begun from.
    pub(super) async fn saved_or_told(&self, how: &Keeping, saving: Saving) -> Result<()> {
        let position = saving.position;
        match self.saved(how, saving).await {
            Err(error @ EngineError::File { .. }) => {
                tracing::error!(%error, "no snapshot of audiences could be written");
                self.fed(how, position).await
            }
            saved => saved,
        }
    }

    /// Begins from the snapshot, if it fits the home and the playbook and the feed still has all that came after it; why
    /// not, else.
    #[boxed]
    pub async fn audiences_opened(&self, how: &Keeping) -> Result<std::result::Result<Keeper, String>> {
        let Some(folder) = self.snapshots(how).cloned() else { return Ok(Err("none is kept".to_owned())) };
        self.audience_memory(how.bytes);
        let home = self.home().await?;
        let live = self.live_at(home.version).await?;
        let (layout, budget) = (layout(&live), self.audiences.budget());
        let of = self.stamp(&layout).await?;
        let opened =
            tokio::task::spawn_blocking(move || Population::open(&folder, layout, budget, &of)).await;
        let (population, stamp) = match done(opened)? {
            Ok(opened) => opened,
            Err(NoSnapshot::OverBudget(over)) => return Err(AudienceProblem::OverBudget(over).into()),
            Err(why) => return Ok(Err(why.to_string())),
        };
        let position = Position { tx: stamp.position.0, no: stamp.position.1 };
        // The feed must have all that came after it.
        let followed = self.store().crowd().followed(&how.consumer).await?;
        if followed.is_none_or(|followed| followed > position) {
            return Ok(Err("the feed was forgotten beyond it".to_owned()));
        }
        // The home must not have been set back before it: then what it says now may never have been in it.
        if self.store().crowd().followed(&marked(&how.consumer, &stamp.mark)).await?.is_none() {
            return Ok(Err("it is of a time that this home has not come to".to_owned()));
        }
        let (kept, consumer) = (Kept::begun(population, None, position), how.consumer.clone());
        Ok(Ok(Keeper { kept, live, consumer }))
    }

    /// Begins from the snapshot that another process keeps, and takes in what came after it; false where that cannot be, for
    /// whatever reason. Then whoever asks has the columns built for the question.
    #[boxed]
    pub async fn audiences_begun(&self, how: &Keeping) -> bool {
        let why = match self.begun(how).await {
            Ok(None) => return true,
            Ok(Some(why)) => why,
            Err(error) => error.to_string(),
        };
        self.audiences.becomes(State::Nothing);
        // Of a sealed home there is never one.
        if self.snapshots(how).is_some() {
            tracing::warn!(why, "no snapshot of audiences is begun from; they are built from the record");
        }
        false
    }

    /// Why it cannot begin, where it cannot.
    async fn begun(&self, how: &Keeping) -> Result<Option<String>> {
        let mut keeper = match self.audiences_opened(how).await? {
            Ok(keeper) => keeper,
            Err(why) => return Ok(Some(why)),
        };
        let opened_at = keeper.kept.position();
        for _ in 0..LOOKS {
            if !self.audiences_caught_up(&mut keeper).await? {
                return Ok(Some(
                    "the playbook means other columns by now, or the feed was let go of".to_owned(),
                ));
            }
            if keeper.kept.fresh().is_some() {
                // Whoever keeps the snapshot may have written another one meanwhile, and let go of what this one has not read.
                let followed = self.store().crowd().followed(&how.consumer).await?;
                let has_all = followed.is_some_and(|followed| followed <= opened_at);
                return Ok((!has_all).then(|| "the feed was let go of meanwhile".to_owned()));
            }
            // Somebody's transaction holds the feed back; most are soon over.
            tokio::time::sleep(super::keep::REST / 4).await;
        }
        Ok(Some("a transaction holds the change feed back".to_owned()))
    }
}

fn marked(consumer: &str, mark: &str) -> String {
    format!("{consumer}{MARK}{mark}")
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
