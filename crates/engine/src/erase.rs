//! Erasing a person: what is personal of them goes, the ledger and sums of orders stay.
//!
//! First the keystore notes it, then the keys are destroyed, so that copies of before say nothing either, then the home
//! forgets in one transaction. What was broken off is taken up again when the home is opened; what comes back with an older
//! backup is erased again.

use std::collections::BTreeSet;
use std::sync::Arc;

use zhiyin_model::id::MemberId;
use zhiyin_store::personal::Personal;
use zhiyin_store::seal::envelope::Subject;
use zhiyin_store::seal::keystore::{Erasure, Keystore};
use zhiyin_store::{Store, StoreError, Wanted};

use crate::boxed;
use crate::{Engine, EngineError, Result, clock};

/// Members that are looked up at once.
const MEMBERS_AT_ONCE: usize = 500;
/// Reasons are short: they stay.
pub const REASON_CHARS_MAX: usize = 200;

fn sealed(store: &dyn Store) -> Result<(&dyn Personal, Arc<dyn Keystore>)> {
    let personal = store.personal().ok_or(EngineError::NotSealed)?;
    let keystore = personal.vault().keystore().cloned().ok_or(EngineError::NotSealed)?;
    Ok((personal, keystore))
}

/// Asks the keystore where waiting holds up nobody else.
async fn ask<T: Send + 'static>(
    keystore: &Arc<dyn Keystore>,
    job: impl FnOnce(&dyn Keystore) -> zhiyin_store::Result<T> + Send + 'static,
) -> Result<T> {
    let keystore = Arc::clone(keystore);
    let done = tokio::task::spawn_blocking(move || job(keystore.as_ref())).await;
    Ok(done.map_err(|error| StoreError::Database(error.to_string()))??)
}

/// Erases a member whose erasure is noted, and destroys their keys.
async fn carry_out(store: &dyn Store, mut erasure: Erasure) -> Result<()> {
    let (personal, keystore) = sealed(store)?;
    // Keys first: from here on nobody seals under them, and who comes back by the same name is somebody new, however long
    // the rest takes.
    let subjects = std::mem::take(&mut erasure.subjects);
    ask(&keystore, move |keystore| keystore.destroy(&[], &subjects)).await?;
    let member = MemberId::from_bytes(erasure.member);
    personal.erase(member).await?;
    // Before it is noted as done: what is broken off here is taken up again, and the message is the same then.
    crate::webhooks::erased(store, member, clock::wall()).await?;
    ask(&keystore, move |keystore| keystore.destroy(&[erasure.member], &[])).await
}

/// What is somebody else's keeps its key: a name that is theirs by now and was parted with, and a member who was one with the
/// erased until they were parted, under whose key lies what was derived meanwhile. What the erased member said under it is
/// blanked all the same.
async fn others_stay(store: &dyn Store, member: MemberId, subjects: &mut BTreeSet<Subject>) -> Result<()> {
    let (personal, _) = sealed(store)?;
    let named = personal.named_under(Arc::new(subjects.clone()), Arc::default()).await?;
    let mut others: Vec<Subject> =
        named.into_iter().filter(|(of, _)| *of != member).map(|(_, subject)| subject).collect();
    let all: Vec<Subject> = subjects.iter().copied().collect();
    for part in all.chunks(MEMBERS_AT_ONCE) {
        let members = part.iter().map(|subject| MemberId::from_bytes(*subject)).collect();
        let loaded = store.load(Wanted { members, ..Wanted::default() }).await?;
        others.extend(loaded.members.iter().map(|stored| *stored.member.id.bytes()));
    }
    for others in others.iter().filter(|subject| *subject != member.bytes()) {
        subjects.remove(others);
    }
    Ok(())
}

/// Notes an erasure with all under which something of the member is sealed, and carries it out.
async fn erase(store: &dyn Store, member: MemberId, reason: &str) -> Result<()> {
    let (personal, keystore) = sealed(store)?;
    let known = ask(&keystore, |keystore| keystore.erasures()).await?;
    let before = known.into_iter().find(|erasure| erasure.member == *member.bytes());
    let mut subjects: BTreeSet<_> = personal.subjects_of(member).await?.into_iter().collect();
    others_stay(store, member, &mut subjects).await?;
    // Noted before and not carried out: what the home has forgotten since is known here only.
    subjects.extend(before.iter().flat_map(|erasure| erasure.subjects.iter().copied()));
    let erasure = Erasure {
        member: *member.bytes(),
        reason: before.map_or_else(|| reason.to_owned(), |erasure| erasure.reason),
        at: clock::wall().0,
        subjects: subjects.into_iter().collect(),
        done: false,
    };
    let noted = erasure.clone();
    ask(&keystore, move |keystore| keystore.log(&noted)).await?;
    carry_out(store, erasure).await
}

/// Takes up what was broken off; how many.
#[boxed]
pub async fn resume(store: &dyn Store) -> Result<usize> {
    let Ok((_, keystore)) = sealed(store) else { return Ok(0) };
    let open = ask(&keystore, |keystore| keystore.erasures()).await?;
    let open: Vec<Erasure> = open.into_iter().filter(|erasure| !erasure.done).collect();
    let n = open.len();
    for erasure in open {
        carry_out(store, erasure).await?;
    }
    Ok(n)
}

/// Erases again whoever was erased, after older rows came in from a backup or another home; how many bore names still.
#[boxed]
pub async fn reapply(store: &dyn Store) -> Result<usize> {
    let Ok((personal, keystore)) = sealed(store) else { return Ok(0) };
    resume(store).await?;
    let (erasures, gone) = ask(&keystore, |keystore| Ok((keystore.erasures()?, keystore.gone()?))).await?;
    let members: BTreeSet<MemberId> =
        erasures.iter().map(|erasure| MemberId::from_bytes(erasure.member)).collect();
    let gone: Arc<BTreeSet<_>> = Arc::new(gone.into_iter().collect());
    let named = personal.named_under(gone, Arc::new(members.clone())).await?;
    let named: BTreeSet<MemberId> = named.into_iter().map(|(member, _)| member).collect();
    let n = named.len();
    // Those who bear no name may have bodies still.
    for member in named.into_iter().chain(members).collect::<BTreeSet<_>>() {
        erase(store, member, "erased under another id").await?;
    }
    Ok(n)
}

impl Engine {
    /// Erases a member. Erasing again changes nothing.
    #[boxed]
    pub async fn erase(&self, member: MemberId, reason: &str) -> Result<()> {
        erase(self.store().as_ref(), member, reason).await
    }
}
