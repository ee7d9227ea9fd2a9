//! The vault of a home: opens and makes data keys, each wrapped by the master key in the [keystore](super::keystore).
//!
//! A vault of an unsealed home lets everything pass as it is. Calls ask the keystore and may wait for it: what asks from an
//! async task goes through [`Vault::aside`].

use std::collections::BTreeMap;
use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use zhiyin_model::id::IdKey;

use super::envelope::{Key, Subject, random};
use super::keystore::{Found, Header, ID_KEY, Keystore, Wrapped, purpose};
use super::opened::Opened;
use crate::{Home, Result, StoreError};

/// What the mark of a sealed home begins with: an id key never does, since it is random.
const MARK: &[u8; 16] = b"zhiyin sealed 01";
/// How often a name may have been erased and come back.
const RETURNS_MAX: usize = 64;
/// How many keys are read at once where all are wanted.
const PAGE: usize = 10_000;

/// How personal data is sealed in a home.
pub struct Vault(Option<Keys>);

pub(super) struct Keys {
    pub(super) store: Arc<dyn Keystore>,
    master: Key,
    version: i64,
    mark: [u8; 32],
    pub(super) id_key: IdKey,
    opened: Mutex<Opened>,
    all: Mutex<Weak<BTreeMap<Subject, Key>>>,
    /// How many erasures the home knew of when it was last asked: keys that are found from then on outlived them.
    pub(super) erasures: AtomicI64,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What lies in there is whole after every step.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn keys(message: impl Into<String>) -> StoreError {
    StoreError::Keys(message.into())
}

/// Whether this stands in place of the id key of a sealed home.
pub fn is_mark(id_key: &[u8]) -> bool {
    id_key.starts_with(MARK)
}

/// A mark for a home that is to be sealed.
pub fn new_mark() -> Result<[u8; 32]> {
    let mut mark = [0; 32];
    mark[..16].copy_from_slice(MARK);
    mark[16..].copy_from_slice(&random::<16>()?);
    Ok(mark)
}

/// The subject under which a name is sealed that was erased so often before: its key of before is never made again.
fn returned(subject: &Subject) -> Subject {
    let mut hasher = blake3::Hasher::new_derive_key("zhiyin 2026 a name that came back");
    hasher.update(subject);
    let mut next = [0; 16];
    next.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    next
}

impl Vault {
    /// The vault of an unsealed home.
    pub fn none() -> Arc<Self> {
        Arc::new(Self(None))
    }

    /// Makes the keystore of a home that is to be sealed; where it was made before, opens it.
    pub fn make(
        store: Arc<dyn Keystore>,
        master: Key,
        id_key: &IdKey,
        mark: [u8; 32],
        sealing: bool,
    ) -> Result<Arc<Self>> {
        if store.header()?.is_none() {
            let id_key = Wrapped { version: 1, bytes: master.wrap(ID_KEY, id_key.bytes())? };
            store.set_header(&Header { mark, id_key, next: None, sealing })?;
        }
        Self::open(store, master)
    }

    /// Opens a keystore with its master key.
    pub fn open(store: Arc<dyn Keystore>, master: Key) -> Result<Arc<Self>> {
        let place = store.place();
        let header = store.header()?.ok_or_else(|| keys(format!("{place}: there is no keystore")))?;
        if header.next.is_some() {
            let message = "a change of the master key was interrupted: run `zhiyin keys rotate` to its end";
            return Err(keys(format!("{place}: {message}")));
        }
        let id_key = master.unwrap(ID_KEY, &header.id_key.bytes).ok_or_else(|| {
            keys(format!(
                "wrong_master_key: {place} is under version {} of another master key than this one (fingerprint {})",
                header.id_key.version,
                master.fingerprint()
            ))
        })?;
        Ok(Arc::new(Self(Some(Keys {
            store,
            master,
            version: header.id_key.version,
            mark: header.mark,
            id_key: IdKey::from_bytes(*id_key),
            opened: Mutex::default(),
            all: Mutex::default(),
            erasures: AtomicI64::new(0),
        }))))
    }

    /// Whether this is the vault of a sealed home.
    pub fn is_sealed(&self) -> bool {
        self.0.is_some()
    }

    /// The keystore of a sealed home.
    pub fn keystore(&self) -> Option<&Arc<dyn Keystore>> {
        self.0.as_ref().map(|keys| &keys.store)
    }

    pub(super) fn keys(&self) -> Option<&Keys> {
        self.0.as_ref()
    }

    /// What a sealed home bears in place of its id key.
    pub fn mark(&self) -> Option<[u8; 32]> {
        self.0.as_ref().map(|keys| keys.mark)
    }

    /// The id key of a home that bears this in its place.
    pub fn id_key(&self, stored: IdKey) -> Result<IdKey> {
        match &self.0 {
            None if is_mark(stored.bytes()) => {
                Err(keys("this home is sealed: give its master key (--master-key-file)"))
            }
            None => Ok(stored),
            Some(held) if *stored.bytes() == held.mark => Ok(held.id_key.clone()),
            Some(held) => Err(keys(format!("{} is the keystore of another home", held.store.place()))),
        }
    }

    /// The home with its id key, which lies in the keystore where the home is sealed.
    pub fn home(&self, home: Home) -> Result<Home> {
        let id_key = self.id_key(home.id_key)?;
        Ok(Home { id_key, ..home })
    }

    /// Does what may wait for the keystore where waiting holds up nobody else.
    pub async fn aside<T: Send + 'static>(
        self: &Arc<Self>,
        job: impl FnOnce(&Self) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        if self.0.is_none() {
            return job(self);
        }
        let vault = Arc::clone(self);
        let done = tokio::task::spawn_blocking(move || job(&vault)).await;
        done.map_err(|error| StoreError::Database(error.to_string()))?
    }

    /// Opens keys beforehand that are about to be asked for one by one.
    pub fn warm(&self, subjects: impl IntoIterator<Item = Subject>) -> Result<()> {
        let Some(keys) = &self.0 else { return Ok(()) };
        let mut wanted: Vec<Subject> = subjects.into_iter().collect();
        wanted.sort_unstable();
        wanted.dedup();
        {
            let mut opened = locked(&keys.opened);
            wanted.retain(|subject| opened.get(subject).is_none());
        }
        if wanted.is_empty() {
            return Ok(());
        }
        keys.find(&wanted).map(drop)
    }

    /// Opens all keys, for a look at everybody; they are held as long as what this gives.
    pub fn hold_all(&self) -> Result<Arc<BTreeMap<Subject, Key>>> {
        let Some(keys) = &self.0 else { return Ok(Arc::default()) };
        let mut all = BTreeMap::new();
        let mut after = None;
        loop {
            let page = keys.store.page(after, PAGE)?;
            let Some((last, _)) = page.last() else { break };
            after = Some(*last);
            for (subject, wrapped) in page {
                all.insert(subject, keys.unwrapped(&subject, &wrapped)?);
            }
        }
        let all = Arc::new(all);
        *locked(&keys.all) = Arc::downgrade(&all);
        Ok(all)
    }
}

impl Keys {
    fn unwrapped(&self, subject: &Subject, wrapped: &Wrapped) -> Result<Key> {
        if wrapped.version != self.version {
            return Err(keys("the master key was changed meanwhile: start again with the new one"));
        }
        let key = self.master.unwrap(&purpose(subject), &wrapped.bytes);
        let key = key.ok_or_else(|| {
            StoreError::Damaged(format!("{}: a data key does not open", self.store.place()))
        })?;
        Ok(Key::from_bytes(*key))
    }

    /// Asks the keystore, and keeps what it has, unless something was erased between the question and now: a key that is gone
    /// by then must not be sealed under again.
    fn find(&self, subjects: &[Subject]) -> Result<Vec<(Found, Option<Key>)>> {
        let epoch = locked(&self.opened).epoch;
        let found = self.store.find(subjects)?;
        let mut keys = Vec::with_capacity(found.len());
        for (subject, found) in subjects.iter().zip(found) {
            let key = match &found {
                Found::Key(wrapped) => Some(self.unwrapped(subject, wrapped)?),
                _ => None,
            };
            if let Some(key) = &key {
                locked(&self.opened).put_as_of(epoch, *subject, key.clone());
            }
            keys.push((found, key));
        }
        Ok(keys)
    }

    /// The key under which something is sealed; [`StoreError::Erased`] when it was destroyed.
    pub(super) fn to_open(&self, subject: &Subject) -> Result<Key> {
        if let Some(key) = locked(&self.all).upgrade().and_then(|all| all.get(subject).cloned()) {
            return Ok(key);
        }
        if let Some(key) = locked(&self.opened).get(subject) {
            return Ok(key);
        }
        match self.find(&[*subject])?.pop() {
            Some((_, Some(key))) => Ok(key),
            Some((Found::Gone, _)) => Err(StoreError::Erased),
            _ => Err(keys(format!("{}: the key of a sealed value is not in it", self.store.place()))),
        }
    }

    /// Keys to seal under, made where there are none: durable when this returns. Where a subject was erased, another stands
    /// for it.
    pub(super) fn to_seal(
        &self,
        subjects: impl IntoIterator<Item = Subject>,
    ) -> Result<BTreeMap<Subject, (Subject, Key)>> {
        let mut done = BTreeMap::new();
        let mut open: BTreeMap<Subject, Subject> =
            subjects.into_iter().map(|subject| (subject, subject)).collect();
        // What another process erased since is not sealed under any more.
        let epoch = self.store.epoch()?;
        {
            let mut opened = locked(&self.opened);
            if opened.epoch != epoch {
                opened.forget(epoch);
            }
        }
        for _ in 0..2 * RETURNS_MAX {
            let mut asked: Vec<(Subject, Subject)> = Vec::new();
            for (subject, stands) in std::mem::take(&mut open) {
                match locked(&self.opened).get(&stands) {
                    Some(key) => drop(done.insert(subject, (stands, key))),
                    None => asked.push((subject, stands)),
                }
            }
            if asked.is_empty() {
                return Ok(done);
            }
            let stands: Vec<Subject> = asked.iter().map(|(_, stands)| *stands).collect();
            let mut new = Vec::new();
            for ((subject, stands), (found, key)) in asked.into_iter().zip(self.find(&stands)?) {
                match (found, key) {
                    (Found::Gone, _) => drop(open.insert(subject, returned(&stands))),
                    (_, Some(key)) => drop(done.insert(subject, (stands, key))),
                    _ => {
                        new.push((stands, self.master.wrap(&purpose(&stands), Key::random()?.bytes())?));
                        open.insert(subject, stands);
                    }
                }
            }
            if !new.is_empty() {
                // Whoever was first counts: what is there now is asked again.
                self.store.add(self.version, &new)?;
            }
        }
        Err(keys("a name was erased too often"))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::keystore::Erasure;
    use super::*;

    type Meanwhile = Box<dyn FnOnce() + Send>;

    /// A keystore in memory; what happens meanwhile happens between its answer and who asked.
    #[derive(Default)]
    struct InMemory {
        header: Mutex<Option<Header>>,
        keys: Mutex<BTreeMap<Subject, Wrapped>>,
        gone: Mutex<BTreeSet<Subject>>,
        epoch: AtomicI64,
        meanwhile: Mutex<Option<Meanwhile>>,
    }

    impl Keystore for InMemory {
        fn place(&self) -> String {
            "memory".to_owned()
        }
        fn header(&self) -> Result<Option<Header>> {
            Ok(locked(&self.header).clone())
        }
        fn set_header(&self, header: &Header) -> Result<()> {
            *locked(&self.header) = Some(header.clone());
            Ok(())
        }
        fn find(&self, subjects: &[Subject]) -> Result<Vec<Found>> {
            let of = |subject: &Subject| match locked(&self.keys).get(subject) {
                Some(key) => Found::Key(key.clone()),
                None if locked(&self.gone).contains(subject) => Found::Gone,
                None => Found::Nothing,
            };
            let found = subjects.iter().map(of).collect();
            let meanwhile = locked(&self.meanwhile).take();
            if let Some(meanwhile) = meanwhile {
                meanwhile();
            }
            Ok(found)
        }
        fn add(&self, version: i64, keys: &[(Subject, Vec<u8>)]) -> Result<()> {
            for (subject, bytes) in keys {
                let wrapped = Wrapped { version, bytes: bytes.clone() };
                locked(&self.keys).entry(*subject).or_insert(wrapped);
            }
            Ok(())
        }
        fn page(&self, _: Option<Subject>, _: usize) -> Result<Vec<(Subject, Wrapped)>> {
            Ok(Vec::new())
        }
        fn rewrap(&self, _: &[(Subject, Wrapped)]) -> Result<()> {
            Ok(())
        }
        fn rotated(&self, _: &Header) -> Result<bool> {
            Ok(true)
        }
        fn epoch(&self) -> Result<i64> {
            Ok(self.epoch.load(std::sync::atomic::Ordering::SeqCst))
        }
        fn erasures(&self) -> Result<Vec<Erasure>> {
            Ok(Vec::new())
        }
        fn log(&self, _: &Erasure) -> Result<()> {
            Ok(())
        }
        fn destroy(&self, _: &[[u8; 16]], subjects: &[Subject]) -> Result<()> {
            locked(&self.keys).retain(|subject, _| !subjects.contains(subject));
            locked(&self.gone).extend(subjects);
            self.epoch.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            Ok(())
        }
        fn gone(&self) -> Result<Vec<Subject>> {
            Ok(locked(&self.gone).iter().copied().collect())
        }
    }

    /// Whoever reads something while it is erased must not bring its key back for those who seal: what is sealed under a key
    /// that is gone cannot be read by anybody.
    #[test]
    fn nothing_is_sealed_under_a_key_that_was_found_before_it_was_destroyed() {
        let (ann, bob): (Subject, Subject) = ([1; 16], [2; 16]);
        let store = Arc::new(InMemory::default());
        let (master, id_key) = (Key::from_bytes([7; 32]), IdKey::from_bytes([8; 32]));
        let open = || Vault::make(store.clone(), master.clone(), &id_key, [9; 32], false).unwrap();
        open().keys().unwrap().to_seal([ann]).unwrap();
        let vault = open();
        // Between the keystore's answer and the reader another thread erases, and a third one seals.
        let (erased, sealing) = (Arc::clone(&store), Arc::clone(&vault));
        let meanwhile: Meanwhile = Box::new(move || {
            erased.destroy(&[], &[ann]).unwrap();
            sealing.keys().unwrap().to_seal([bob]).unwrap();
        });
        *locked(&store.meanwhile) = Some(meanwhile);
        vault.keys().unwrap().to_open(&ann).unwrap();
        let sealed = vault.keys().unwrap().to_seal([ann]).unwrap();
        assert_eq!(sealed[&ann].0, returned(&ann));
    }
}
