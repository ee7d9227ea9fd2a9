//! Keys of a sealed home: sealing one that was not, changing the master key, a copy of the keystore.
//!
//! All of it is done in parts that can be broken off at any point, and goes on where it was.

use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use zhiyin_store::seal::envelope::{Key, Subject};
use zhiyin_store::seal::keystore::{Erasure, Header, ID_KEY, Keystore, Wrapped, purpose};
use zhiyin_store::{Store, StoreError};

use crate::moving::file::error;
use crate::{EngineError, Result};

/// Keys and rows of one part.
const AT_ONCE: usize = 2_000;

/// Seals what a home holds that was not sealed; tells `seen` of each part. The vault with its keystore is in place, and
/// nobody else works on the home.
pub async fn seal_home(store: &dyn Store, mut seen: impl FnMut(usize)) -> Result<()> {
    let personal = store.personal().ok_or(EngineError::NotSealed)?;
    let vault = personal.vault();
    let (Some(mark), Some(keystore)) = (vault.mark(), vault.keystore()) else {
        return Err(EngineError::NotSealed);
    };
    if let Some(month) = store.months().await?.into_iter().find(|month| month.file.is_some()) {
        let header = keystore.header()?;
        if header.is_some_and(|header| header.sealing) {
            let (file, _) = month.file.unwrap_or_default();
            let message =
                "an archived month was written unsealed: a home with such files cannot be sealed".to_owned();
            return Err(EngineError::File { file, message });
        }
    }
    personal.mark_sealed(mark).await?;
    loop {
        let n = personal.seal_some(AT_ONCE).await?;
        if n == 0 {
            break;
        }
        seen(n);
    }
    personal.rewrite().await?;
    if let Some(header) = keystore.header()? {
        keystore.set_header(&Header { sealing: false, ..header })?;
    }
    Ok(())
}

fn keys(message: impl Into<String>) -> EngineError {
    StoreError::Keys(message.into()).into()
}

/// Changes the master key: wraps every data key anew; how many. What was broken off goes on, what is done stays.
pub fn rotate(keystore: &dyn Keystore, master: &Key, next: &Key) -> Result<u64> {
    let header = keystore.header()?.ok_or_else(|| keys("there is no keystore"))?;
    if next.unwrap(ID_KEY, &header.id_key.bytes).is_some() {
        // It is the master key already.
        return Ok(0);
    }
    let wrong = || keys(format!("wrong_master_key: {} is under another master key", keystore.place()));
    let id_key = master.unwrap(ID_KEY, &header.id_key.bytes).ok_or_else(wrong)?;
    let version = header.id_key.version + 1;
    match &header.next {
        None => {
            let wrapped = Wrapped { version, bytes: next.wrap(ID_KEY, &id_key)? };
            keystore.set_header(&Header { next: Some(wrapped), ..header.clone() })?;
        }
        Some(begun) if next.unwrap(ID_KEY, &begun.bytes).is_some() => {}
        Some(_) => {
            return Err(keys(
                "a change to another master key was begun and not ended: end it with that one first",
            ));
        }
    }
    let header = keystore.header()?.ok_or_else(|| keys("there is no keystore"))?;
    let wrapped = header.next.clone().ok_or_else(|| keys("nothing was begun"))?;
    let done = Header { id_key: wrapped, next: None, ..header };
    let mut n = 0;
    loop {
        n += rewrap_all(keystore, master, next, version)?;
        // Whoever works on the home may have added keys meanwhile.
        if keystore.rotated(&done)? {
            return Ok(n);
        }
    }
}

fn rewrap_all(keystore: &dyn Keystore, master: &Key, next: &Key, version: i64) -> Result<u64> {
    let (mut n, mut after) = (0, None);
    loop {
        let page = keystore.page(after, AT_ONCE)?;
        let Some((last, _)) = page.last() else { return Ok(n) };
        after = Some(*last);
        let mut anew: Vec<(Subject, Wrapped)> = Vec::new();
        for (subject, wrapped) in page.into_iter().filter(|(_, wrapped)| wrapped.version != version) {
            let purpose = purpose(&subject);
            let key = master.unwrap(&purpose, &wrapped.bytes);
            let key = key.ok_or_else(|| StoreError::Damaged("a data key does not open".to_owned()))?;
            anew.push((subject, Wrapped { version, bytes: next.wrap(&purpose, &key)? }));
        }
        n += anew.len() as u64;
        keystore.rewrap(&anew)?;
    }
}

/// A line of a copy of a keystore.
#[derive(Serialize, Deserialize)]
enum Line {
    /// What it says of its home.
    Header(Header),
    /// A wrapped data key.
    Key(Subject, Wrapped),
    /// A subject whose key was destroyed.
    Gone(Subject),
    /// An erasure.
    Erasure(Erasure),
    /// The end: how many lines came before, and the hash of these.
    End(u64, String),
}

/// Says a keystore line by line; nothing that changes it meanwhile is missed that was there before.
fn each(keystore: &dyn Keystore, mut say: impl FnMut(Line) -> Result<()>) -> Result<()> {
    let header =
        keystore.header()?.ok_or_else(|| keys(format!("{}: there is no keystore", keystore.place())))?;
    say(Line::Header(header))?;
    let mut after = None;
    loop {
        let page = keystore.page(after, AT_ONCE)?;
        let Some((last, _)) = page.last() else { break };
        after = Some(*last);
        page.into_iter().try_for_each(|(subject, wrapped)| say(Line::Key(subject, wrapped)))?;
    }
    keystore.erasures()?.into_iter().try_for_each(|erasure| say(Line::Erasure(erasure)))?;
    keystore.gone()?.into_iter().try_for_each(|subject| say(Line::Gone(subject)))
}

/// Fills a keystore that says nothing yet.
struct Filling<'k> {
    keystore: &'k dyn Keystore,
    header: Option<Header>,
    keys: Vec<(Subject, Wrapped)>,
    gone: Vec<Subject>,
    done: Vec<[u8; 16]>,
}

impl<'k> Filling<'k> {
    fn new(keystore: &'k dyn Keystore) -> Result<Self> {
        if keystore.header()?.is_some() {
            return Err(keys(format!("{}: there is a keystore already", keystore.place())));
        }
        Ok(Self { keystore, header: None, keys: Vec::new(), gone: Vec::new(), done: Vec::new() })
    }

    fn take(&mut self, line: Line) -> Result<()> {
        match line {
            Line::Header(header) => self.header = Some(header),
            Line::Key(subject, wrapped) => {
                self.keys.push((subject, wrapped));
                if self.keys.len() == AT_ONCE {
                    self.put()?;
                }
            }
            Line::Gone(subject) => self.gone.push(subject),
            Line::Erasure(erasure) => {
                if erasure.done {
                    self.done.push(erasure.member);
                }
                self.keystore.log(&erasure)?;
            }
            Line::End(..) => {}
        }
        Ok(())
    }

    /// Keys go in by the version that they are of. Until the end the header says that a change is going on, so that nobody
    /// takes the keystore for whole.
    fn put(&mut self) -> Result<()> {
        let header =
            self.header.clone().ok_or_else(|| keys("a copy of a keystore begins with its header"))?;
        let filling = Header { next: Some(header.id_key.clone()), ..header.clone() };
        let (version, next) = (header.id_key.version, header.next.map(|next| next.version));
        self.keystore.set_header(&filling)?;
        let keys = std::mem::take(&mut self.keys);
        let bytes: Vec<_> = keys.iter().map(|(subject, key)| (*subject, key.bytes.clone())).collect();
        self.keystore.add(version, &bytes)?;
        let others: Vec<_> = keys.into_iter().filter(|(_, key)| Some(key.version) == next).collect();
        if others.is_empty() { Ok(()) } else { Ok(self.keystore.rewrap(&others)?) }
    }

    fn finish(mut self) -> Result<()> {
        self.put()?;
        self.keystore.destroy(&self.done, &self.gone)?;
        let header = self.header.ok_or_else(|| keys("a copy of a keystore begins with its header"))?;
        Ok(self.keystore.set_header(&header)?)
    }
}

/// Copies a keystore into one that says nothing yet.
pub fn copy(from: &dyn Keystore, to: &dyn Keystore) -> Result<()> {
    let mut filling = Filling::new(to)?;
    each(from, |line| filling.take(line))?;
    filling.finish()
}

/// Writes a keystore to a file: wrapped keys and the log of erasures; how many lines. Without the master key it says nothing.
pub fn backup(keystore: &dyn Keystore, path: &Path) -> Result<u64> {
    use std::os::unix::fs::OpenOptionsExt;
    let file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut out = BufWriter::new(file.map_err(|e| error(path, e))?);
    let (mut hasher, mut lines) = (blake3::Hasher::new(), 0u64);
    let mut say = |line: Line, out: &mut BufWriter<std::fs::File>| {
        let mut text = serde_json::to_vec(&line).map_err(|e| error(path, e))?;
        text.push(b'\n');
        hasher.update(&text);
        lines += 1;
        out.write_all(&text).map_err(|e| error(path, e))
    };
    each(keystore, |line| say(line, &mut out))?;
    let end = Line::End(lines, hasher.finalize().to_hex().to_string());
    let text = serde_json::to_vec(&end).map_err(|e| error(path, e))?;
    out.write_all(&text).and_then(|()| out.flush()).map_err(|e| error(path, e))?;
    out.get_ref().sync_all().map_err(|e| error(path, e))?;
    Ok(lines)
}

/// Reads a file that [`backup`] wrote, line by line.
fn read(path: &Path, mut take: impl FnMut(Line) -> Result<()>) -> Result<()> {
    let file = std::fs::File::open(path).map_err(|e| error(path, e))?;
    let (mut hasher, mut lines, mut ended) = (blake3::Hasher::new(), 0u64, false);
    for text in BufReader::new(file).split(b'\n') {
        let mut text = text.map_err(|e| error(path, e))?;
        let line: Line =
            serde_json::from_slice(&text).map_err(|_| error(path, "is no copy of a keystore"))?;
        if let Line::End(stated, hash) = &line {
            ended = *stated == lines && *hash == hasher.finalize().to_hex().to_string();
            continue;
        }
        text.push(b'\n');
        hasher.update(&text);
        lines += 1;
        ended = false;
        take(line)?;
    }
    if ended { Ok(()) } else { Err(error(path, "is damaged: its end does not fit")) }
}

/// Fills a keystore that says nothing yet from a file.
pub fn restore(path: &Path, to: &dyn Keystore) -> Result<()> {
    // What is damaged is told before anything is written.
    read(path, |_| Ok(()))?;
    let mut filling = Filling::new(to)?;
    read(path, |line| filling.take(line))?;
    filling.finish()
}

/// How a keystore stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Version of the master key.
    pub version: i64,
    /// Data keys, and those of them under another version.
    pub keys: (u64, u64),
    /// Erasures, and those of them not carried out yet.
    pub erasures: (usize, usize),
    /// Whether a change of the master key was begun and not ended.
    pub rotating: bool,
    /// Whether the home is not sealed to its end yet.
    pub sealing: bool,
}

/// How a keystore stands; `None` where there is none.
pub fn status(keystore: &Arc<dyn Keystore>) -> Result<Option<Status>> {
    let Some(header) = keystore.header()? else { return Ok(None) };
    let version = header.id_key.version;
    let mut status =
        Status { version, rotating: header.next.is_some(), sealing: header.sealing, ..Status::default() };
    let mut after = None;
    loop {
        let page = keystore.page(after, AT_ONCE)?;
        let Some((last, _)) = page.last() else { break };
        after = Some(*last);
        status.keys.0 += page.len() as u64;
        status.keys.1 += page.iter().filter(|(_, key)| key.version != version).count() as u64;
    }
    let erasures = keystore.erasures()?;
    status.erasures = (erasures.len(), erasures.iter().filter(|erasure| !erasure.done).count());
    Ok(Some(status))
}
