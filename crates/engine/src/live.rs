//! The live playbook, ready to decide by. Engines of one process share what they read of a version: to read one takes milliseconds.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};

use zhiyin_decide::campaign::text::Texts;
use zhiyin_decide::rules::Rules;
use zhiyin_model::playbook::{Identity, Playbook};
use zhiyin_store::PlaybookVersion;

use crate::campaigns::said::Said;
use crate::{Engine, EngineError, Result, playbooks};

/// A playbook as it was read.
pub struct Read {
    /// What it says.
    pub playbook: Playbook,
    /// As decisions use it.
    pub rules: Rules,
    /// Its messages, ready to be said.
    pub(crate) said: Arc<Said>,
}

/// The live playbook, ready to decide by.
pub struct Live {
    /// Its version.
    pub version: PlaybookVersion,
    /// How far it believes names.
    pub identity: Arc<Identity>,
    /// Lists that conditions may ask beside its audiences, as they were last looked up.
    pub(crate) lists: RwLock<Arc<BTreeSet<String>>>,
    read: Arc<Read>,
}

impl Deref for Live {
    type Target = Read;

    fn deref(&self) -> &Read {
        &self.read
    }
}

/// What was read and is still used, by its text.
static IN_USE: Mutex<BTreeMap<String, Weak<Read>>> = Mutex::new(BTreeMap::new());

/// Reads what a database keeps of a playbook, unless somebody here has it already.
fn read(source: &str) -> Result<Arc<Read>> {
    let in_use = || IN_USE.lock().unwrap_or_else(PoisonError::into_inner);
    let found = in_use().get(source).and_then(Weak::upgrade);
    if let Some(read) = found {
        return Ok(read);
    }
    let playbook = playbooks::read_source(source).map_err(EngineError::Playbook)?;
    let mut rules = Rules::compile(&playbook).map_err(EngineError::Playbook)?;
    let said = Arc::new(Said::of(&playbook));
    rules.texts = Some(Arc::clone(&said) as Arc<dyn Texts>);
    let read = Arc::new(Read { playbook, rules, said });
    let mut known = in_use();
    known.retain(|_, read| read.strong_count() > 0);
    known.insert(source.to_owned(), Arc::downgrade(&read));
    Ok(read)
}

impl Engine {
    /// Reads the live playbook anew.
    pub(crate) async fn reload(&self) -> Result<()> {
        let Some(version) = self.store.live_playbook().await? else { return Ok(()) };
        let known = self.live.read().ok().and_then(|live| live.clone());
        let lists = RwLock::new(known.as_ref().map(|live| live.lists()).unwrap_or_default());
        if known.is_some_and(|live| live.version == version) {
            return Ok(());
        }
        let read = read(&version.source)?;
        if let Ok(mut live) = self.live.write() {
            let identity = Arc::new(read.playbook.identity.clone());
            *live = Some(Arc::new(Live { version, identity, lists, read }));
        }
        Ok(())
    }
}
