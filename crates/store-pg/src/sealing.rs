//! What is sealed at the door, once it is known whom items are about, where keys may be asked for without holding up others.

use std::sync::Arc;

use zhiyin_store::merge::Merge;
use zhiyin_store::seal::vault::Vault;
use zhiyin_store::{Append, Result};

use crate::door::{Anew, Said};

/// Whether all keys are still there that an append was sealed under.
pub(crate) async fn outlived(vault: &Arc<Vault>, append: &Append, erasures: i64) -> Result<bool> {
    if append.erasures == erasures {
        return Ok(true);
    }
    let append = append.clone();
    vault.aside(move |vault| vault.outlived(&append, erasures)).await
}

/// The same appends with some of their items sealed anew.
pub(crate) async fn anew(vault: &Arc<Vault>, group: &[Append], anew: Vec<Anew>) -> Result<Vec<Append>> {
    let mut group = group.to_vec();
    let sealed = vault.aside(move |vault| {
        for Anew { append, item, fates, hands } in anew {
            if let Some(event) = group.get_mut(append).and_then(|append| append.events.get_mut(item)) {
                *event = vault.seal_anew(event, &fates, &hands)?;
            }
        }
        Ok(group)
    });
    sealed.await
}

/// Seals what the door says of who is whom.
pub(crate) async fn merges(vault: &Arc<Vault>, merges: &mut [Said]) -> Result<()> {
    if merges.is_empty() || !vault.is_sealed() {
        return Ok(());
    }
    let mut sealed: Vec<Merge> = merges.iter().map(|said| said.merge.clone()).collect();
    let sealed = vault.aside(move |vault| {
        vault.seal_merges(&mut sealed.iter_mut().collect::<Vec<_>>())?;
        Ok(sealed)
    });
    for (said, merge) in merges.iter_mut().zip(sealed.await?) {
        said.merge = merge;
    }
    Ok(())
}
