//! What is personal in what stores write and read, sealed on its way in and opened on its way out. All places where a home
//! holds something of a person are named here.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use zhiyin_model::member::Member;
use zhiyin_model::personal::Personal;
use zhiyin_model::time::{DAY_US, Ts};

use super::envelope::{self, ERASED, Key, Subject, What, subject_of};
use super::vault::{Keys, Vault};
use super::{LookupHash, Sealed, open, seal};
use crate::campaigns::arrivals::NewArrival;
use crate::campaigns::mirror::Reflect;
use crate::flush::Flush;
use crate::merge::Merge;
use crate::{Append, NewEvent, PastEvent, Result, StoreError, StoredMember, Waiting, packed};

/// What a hashed message id, or a sealed reason of a dead letter, begins with.
const HASHED: char = '~';

/// What a sealed name of an item begins with, where a database gives it as text.
const SEALED_TEXT: &str = "~~";

/// What of a member's row is personal, as it is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// Attributes; in a sealed home with touches, times of telling and what the member told beside.
    pub attributes: Vec<u8>,
    /// Touchpoints.
    pub touches: String,
    /// When attributes were told.
    pub told_at: String,
    /// Aggregates.
    pub leaves: Vec<u8>,
    /// Consent and dependants, where there are any.
    pub personal: Option<Vec<u8>>,
}

impl Kept {
    /// What stays where a member was erased: aggregates are built anew from what is left.
    pub fn erased() -> Self {
        Self {
            attributes: vec![ERASED],
            touches: "{}".to_owned(),
            told_at: "{}".to_owned(),
            leaves: Vec::new(),
            personal: None,
        }
    }

    /// Of a member who is to be written: their aggregates go with it.
    fn plain(stored: &mut StoredMember) -> Result<Self> {
        let leaves = std::mem::take(&mut stored.leaves);
        let member = &stored.member;
        Ok(Self {
            attributes: seal(&text(&member.attributes)?).0,
            touches: text(&member.touches)?,
            told_at: text(&member.told_at)?,
            leaves,
            personal: packed::pack_personal(&member.personal)?,
        })
    }
}

fn read<T: serde::de::DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| StoreError::Damaged(format!("a member's row: {error}")))
}

fn text<T: serde::Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|error| StoreError::Damaged(error.to_string()))
}

/// What is sealed where nobody is named: under a key of the day.
fn day(keys: &Keys, at: Ts) -> Subject {
    keys.id_key.digest("day", &[&at.0.div_euclid(DAY_US).to_le_bytes()])
}

/// Under what the name of one of the staff is sealed.
fn staff(keys: &Keys, place: &str, code: &str) -> Subject {
    keys.id_key.digest("staff", &[place.as_bytes(), code.as_bytes()])
}

/// Under what the codes of an upload are sealed.
fn codes(keys: &Keys, upload: &str) -> Subject {
    keys.id_key.digest("codes", &[upload.as_bytes()])
}

/// The keys of one batch.
pub(super) struct Ring(pub(super) BTreeMap<Subject, (Subject, Key)>);

impl Ring {
    pub(super) fn seal(&self, subject: &Subject, what: What, text: &[u8]) -> Result<Vec<u8>> {
        let (stands, key) =
            self.0.get(subject).ok_or_else(|| StoreError::Keys("a subject has no key".to_owned()))?;
        key.seal(stands, what, text)
    }

    fn value(&self, subject: &Subject, what: What, value: &mut Sealed) -> Result<()> {
        value.0 = self.seal(subject, what, &value.0)?;
        Ok(())
    }

    /// A member's row: all that is personal in one value, aggregates in another.
    fn kept(&self, member: &Subject, plain: &Kept) -> Result<Kept> {
        let attributes = open(&Sealed(plain.attributes.clone()))?;
        let mut whole = format!("{attributes}\n{}\n{}", plain.touches, plain.told_at);
        if let Some(personal) = &plain.personal {
            whole.push('\n');
            whole.push_str(&open(&Sealed(personal.clone()))?);
        }
        let whole = seal(&whole);
        Ok(Kept {
            attributes: self.seal(member, What::Member, &whole.0)?,
            touches: "{}".to_owned(),
            told_at: "{}".to_owned(),
            leaves: self.seal(member, What::Leaves, &plain.leaves)?,
            personal: None,
        })
    }

    /// Why an item became a dead letter: its field and the sentence.
    fn letter(&self, subject: &Subject, field: &str, message: &str) -> Result<String> {
        let sealed = self.seal(subject, What::Letter, format!("{field}\n{message}").as_bytes())?;
        let mut text = String::with_capacity(1 + 2 * sealed.len());
        text.push(HASHED);
        sealed.iter().for_each(|byte| text.push_str(&format!("{byte:02x}")));
        Ok(text)
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let byte = |[a, b]: &[u8; 2]| Some(digit(*a)? * 16 + digit(*b)?);
    if rest.is_empty() { pairs.iter().map(byte).collect() } else { None }
}

/// A value that was not sealed yet, for a home that is being sealed.
pub enum Unsealed<'v> {
    /// The value of the identifier of this hash.
    Identifier(LookupHash, &'v [u8]),
    /// An item or a derived event of a member (or of an instant, where nobody is named), and what its source calls it.
    Event(Option<Subject>, Ts, &'v [u8], &'v str),
    /// A member's row.
    Member(Subject, Kept),
    /// A dead letter: of whom, when, field and message.
    Letter(Option<Subject>, Ts, &'v str, &'v str),
    /// The name of one of the staff: place, code, name.
    Staff(&'v str, &'v str, &'v [u8]),
    /// A partner's code: upload, code.
    Code(&'v str, &'v [u8]),
}

/// The same sealed.
#[derive(Debug)]
pub enum NowSealed {
    /// A value.
    Value(Vec<u8>),
    /// Body, message id, and what the source calls it.
    Event(Vec<u8>, String, Vec<u8>),
    /// A member's row.
    Member(Kept),
    /// Message of a dead letter, whose field is empty.
    Letter(String),
}

impl Vault {
    /// Seals items on their way into the inbox: a body under the first name that it bears, a name's value under the name.
    pub fn seal_append(&self, mut append: Append) -> Result<Append> {
        let Some(keys) = self.keys() else { return Ok(append) };
        let mut subjects = Vec::new();
        for event in &append.events {
            subjects.push(event.names.first().map_or_else(|| day(keys, event.time), |named| named.hash));
            subjects.extend(event.names.iter().map(|named| named.hash));
            subjects.extend(event.reach.iter().map(|reach| reach.named.hash));
        }
        append.erasures = keys.erasures.load(Ordering::Relaxed);
        let ring = Ring(keys.to_seal(subjects)?);
        for event in &mut append.events {
            let subject = event.names.first().map_or_else(|| day(keys, event.time), |named| named.hash);
            ring.value(&subject, What::Body, &mut event.body)?;
            event.called = Some(Sealed(ring.seal(&subject, What::Called, &seal(&event.message_id).0)?));
            event.message_id = hashed(keys, &event.message_id);
            let reached = event.reach.iter_mut().map(|reach| &mut reach.named);
            for named in event.names.iter_mut().chain(reached) {
                ring.value(&named.hash, What::Identifier, &mut named.value)?;
            }
        }
        Ok(append)
    }

    /// Seals what came from platforms, each under the name of whom it is about.
    pub fn seal_arrivals(&self, mut new: Vec<NewArrival>) -> Result<Vec<NewArrival>> {
        let Some(keys) = self.keys().filter(|_| !new.is_empty()) else { return Ok(new) };
        let ring = Ring(keys.to_seal(new.iter().map(|one| one.about))?);
        new.iter_mut().try_for_each(|one| ring.value(&one.about, What::Body, &mut one.body))?;
        Ok(new)
    }

    /// Seals what platforms showed, each under what it is about.
    pub fn seal_reflections(&self, mut things: Vec<Reflect>) -> Result<Vec<Reflect>> {
        let Some(keys) = self.keys().filter(|_| !things.is_empty()) else { return Ok(things) };
        let ring = Ring(keys.to_seal(things.iter().map(|one| one.about))?);
        things.iter_mut().try_for_each(|one| ring.value(&one.about, What::Body, &mut one.body))?;
        Ok(things)
    }

    /// Message ids as they stand in the home.
    pub fn message_id(&self, message_id: &str) -> String {
        self.keys().map_or_else(|| message_id.to_owned(), |keys| hashed(keys, message_id))
    }

    /// The same for several.
    pub fn message_ids(&self, message_ids: Vec<String>) -> Vec<String> {
        let Some(keys) = self.keys() else { return message_ids };
        message_ids.iter().map(|message_id| hashed(keys, message_id)).collect()
    }

    /// What a source calls an item that was sealed on its way in.
    pub fn named(&self, event: &NewEvent) -> Result<String> {
        match &event.called {
            None => Ok(event.message_id.clone()),
            Some(called) => Ok(self.called(&called.0)?.unwrap_or_else(|| event.message_id.clone())),
        }
    }

    /// Seals what the door says of who is whom, each under the member who ends.
    pub fn seal_merges(&self, merges: &mut [&mut Merge]) -> Result<()> {
        let Some(keys) = self.keys().filter(|_| !merges.is_empty()) else { return Ok(()) };
        let ring = Ring(keys.to_seal(merges.iter().map(|merge| *merge.loser.bytes()))?);
        for merge in merges {
            let member = *merge.loser.bytes();
            ring.value(&member, What::Body, &mut merge.body)?;
            merge.called = Some(Sealed(ring.seal(&member, What::Called, &seal(&merge.message_id).0)?));
            merge.message_id = hashed(keys, &merge.message_id);
        }
        Ok(())
    }

    /// Names of staff as they are stored, each with its place and code.
    pub fn seal_staff(&self, named: &[(&str, &str, &str)]) -> Result<Vec<Vec<u8>>> {
        let packed = named.iter().map(|(place, code, name)| (place, code, seal(name).0));
        let Some(keys) = self.keys() else { return Ok(packed.map(|(.., name)| name).collect()) };
        let ring = Ring(keys.to_seal(named.iter().map(|(place, code, _)| staff(keys, place, code)))?);
        packed
            .map(|(place, code, name)| ring.seal(&staff(keys, place, code), What::Identifier, &name))
            .collect()
    }

    /// Codes of an upload as they are stored: secrets of a partner until their members show them.
    pub fn seal_codes<'c>(&self, upload: &str, texts: impl Iterator<Item = &'c str>) -> Result<Vec<Vec<u8>>> {
        let Some(keys) = self.keys() else { return Ok(texts.map(|text| seal(text).0).collect()) };
        let subject = codes(keys, upload);
        let ring = Ring(keys.to_seal([subject])?);
        texts.map(|text| ring.seal(&subject, What::Identifier, &seal(text).0)).collect()
    }

    /// Seals what a batch writes, each under the member it is about; says how each member's row is stored.
    pub fn seal_flush(&self, mut flush: Flush) -> Result<Flush> {
        flush.kept = flush.members.iter_mut().map(Kept::plain).collect::<Result<_>>()?;
        let Some(keys) = self.keys() else { return Ok(flush) };
        let of_letter = |member: Option<Subject>, at| member.unwrap_or_else(|| day(keys, at));
        let mut subjects: Vec<Subject> = Vec::new();
        subjects.extend(flush.facts.iter().map(|fact| *fact.member.bytes()));
        subjects.extend(flush.members.iter().map(|stored| *stored.member.id.bytes()));
        subjects.extend(flush.identifiers.iter().map(|identifier| identifier.hash));
        let bodies = flush.checkouts.iter().filter(|set| set.body.is_some());
        subjects.extend(bodies.map(|set| *set.checkout.member.bytes()));
        subjects.extend(flush.runs.notes.iter().map(|set| *set.note.member.bytes()));
        let letters = flush.dead.iter();
        subjects.extend(letters.map(|letter| of_letter(letter.member.map(|id| *id.bytes()), letter.at)));
        if subjects.is_empty() {
            return Ok(flush);
        }
        let ring = Ring(keys.to_seal(subjects)?);
        for fact in &mut flush.facts {
            let member = *fact.member.bytes();
            ring.value(&member, What::Body, &mut fact.body)?;
            fact.called = Some(Sealed(ring.seal(&member, What::Called, &seal(&fact.message_id).0)?));
            fact.message_id = hashed(keys, &fact.message_id);
        }
        for (stored, kept) in flush.members.iter().zip(&mut flush.kept) {
            *kept = ring.kept(stored.member.id.bytes(), kept)?;
        }
        for identifier in &mut flush.identifiers {
            ring.value(&identifier.hash, What::Identifier, &mut identifier.value)?;
        }
        for set in &mut flush.checkouts {
            if let Some(body) = &mut set.body {
                ring.value(set.checkout.member.bytes(), What::Body, body)?;
            }
        }
        for set in &mut flush.runs.notes {
            ring.value(set.note.member.bytes(), What::Body, &mut set.body)?;
        }
        for letter in &mut flush.dead {
            let subject = of_letter(letter.member.map(|id| *id.bytes()), letter.at);
            let refusal = &mut letter.refusal;
            refusal.message = ring.letter(&subject, &refusal.field, &refusal.message)?;
            refusal.field.clear();
        }
        Ok(flush)
    }

    /// Seals what a home held before it was to be sealed.
    pub fn seal_unsealed(&self, values: &[Unsealed<'_>]) -> Result<Vec<NowSealed>> {
        let keys = self.keys().ok_or_else(|| StoreError::Keys("this home has no keys".to_owned()))?;
        let of = |value: &Unsealed<'_>| match value {
            Unsealed::Identifier(hash, _) => *hash,
            Unsealed::Event(member, at, ..) | Unsealed::Letter(member, at, ..) => {
                member.unwrap_or_else(|| day(keys, *at))
            }
            Unsealed::Member(member, _) => *member,
            Unsealed::Staff(place, code, _) => staff(keys, place, code),
            Unsealed::Code(upload, _) => codes(keys, upload),
        };
        let ring = Ring(keys.to_seal(values.iter().map(of))?);
        let sealed = values.iter().map(|value| {
            let subject = of(value);
            Ok(match value {
                Unsealed::Identifier(_, value) | Unsealed::Staff(_, _, value) | Unsealed::Code(_, value) => {
                    NowSealed::Value(ring.seal(&subject, What::Identifier, value)?)
                }
                Unsealed::Event(_, _, body, message_id) => NowSealed::Event(
                    // Where a month was archived there is no body.
                    if body.is_empty() { Vec::new() } else { ring.seal(&subject, What::Body, body)? },
                    hashed(keys, message_id),
                    ring.seal(&subject, What::Called, &seal(message_id).0)?,
                ),
                Unsealed::Member(_, kept) => NowSealed::Member(ring.kept(&subject, kept)?),
                Unsealed::Letter(_, _, field, message) => {
                    NowSealed::Letter(ring.letter(&subject, field, message)?)
                }
            })
        });
        sealed.collect()
    }

    pub(super) fn opened(&self, stored: &[u8], what: What) -> Result<Vec<u8>> {
        let Some(subject) = subject_of(stored) else { return Ok(stored.to_vec()) };
        let keys = self.keys().ok_or_else(|| {
            StoreError::Keys("a value is sealed: give the home's master key (--master-key-file)".to_owned())
        })?;
        keys.to_open(&subject)?.open(what, stored)
    }

    /// A stored body as the engine reads it; what was erased says so when it is opened.
    pub fn body(&self, stored: Vec<u8>) -> Result<Sealed> {
        if subject_of(&stored).is_none() {
            return Ok(Sealed(stored));
        }
        match self.opened(&stored, What::Body) {
            Err(StoreError::Erased) => Ok(Sealed(vec![ERASED])),
            opened => opened.map(Sealed),
        }
    }

    /// The value of an identifier; of one that was erased, that it was.
    pub fn identifier(&self, stored: &[u8]) -> Result<String> {
        match self.opened(stored, What::Identifier).and_then(|packed| open(&Sealed(packed))) {
            Err(StoreError::Erased) => Ok("(erased)".to_owned()),
            opened => opened,
        }
    }

    /// The values of identifiers, or names of staff.
    pub fn identifiers(&self, stored: &[Vec<u8>]) -> Result<Vec<String>> {
        self.warm(subjects(stored.iter().map(Vec::as_slice)))?;
        stored.iter().map(|stored| self.identifier(stored)).collect()
    }

    /// The same where it comes as text, in digits behind a mark; what is not sealed is as it stands.
    pub fn called_text(&self, stored: String) -> Result<String> {
        if !self.is_sealed() {
            return Ok(stored);
        }
        match stored.strip_prefix(SEALED_TEXT).and_then(from_hex) {
            Some(called) => Ok(self.called(&called)?.unwrap_or_else(|| "(erased)".to_owned())),
            None => Ok(stored),
        }
    }

    /// Opens what waits.
    pub fn open_waiting(&self, rows: &mut [Waiting]) -> Result<()> {
        if !self.is_sealed() {
            return Ok(());
        }
        self.warm(rows.iter().filter_map(|row| subject_of(&row.body.0)))?;
        for row in rows {
            row.body = self.body(std::mem::take(&mut row.body.0))?;
            row.message_id = self.called_text(std::mem::take(&mut row.message_id))?;
        }
        Ok(())
    }

    /// What a source called its item; `None` where that was erased.
    pub fn called(&self, stored: &[u8]) -> Result<Option<String>> {
        match self.opened(stored, What::Called).and_then(|packed| open(&Sealed(packed))) {
            Err(StoreError::Erased) => Ok(None),
            opened => opened.map(Some),
        }
    }

    /// Attributes, touches and times of telling, as JSON, and what the member told beside; nothing, where they were erased.
    pub fn personal(&self, kept: &Kept) -> Result<([String; 3], Personal)> {
        let sealed = subject_of(&kept.attributes).is_some();
        let whole = match self.opened(&kept.attributes, What::Member).and_then(|packed| open(&Sealed(packed)))
        {
            Err(StoreError::Erased) => {
                return Ok((["{}", "{}", "{}"].map(str::to_owned), Personal::default()));
            }
            whole => whole?,
        };
        if !sealed {
            let personal = packed::unpack_personal(kept.personal.clone())?;
            return Ok(([whole, kept.touches.clone(), kept.told_at.clone()], personal));
        }
        // JSON has no line breaks of its own.
        let mut parts: Vec<String> = whole.split('\n').map(str::to_owned).collect();
        let personal = if parts.len() > 3 { parts.pop() } else { None };
        let personal = personal.map_or_else(|| Ok(Personal::default()), |text| read(&text))?;
        let parts = parts.try_into().map_err(|_| StoreError::Damaged("a member's row".to_owned()))?;
        Ok((parts, personal))
    }

    /// What is personal of a member's row goes to the member; gives the aggregates.
    pub fn read_member(&self, kept: Kept, member: &mut Member) -> Result<Vec<u8>> {
        let ([attributes, touches, told_at], personal) = self.personal(&kept)?;
        member.attributes = read(&attributes)?;
        member.touches = read(&touches)?;
        member.told_at = read(&told_at)?;
        member.personal = personal;
        if subject_of(&kept.attributes).is_none() {
            return Ok(kept.leaves);
        }
        match self.opened(&kept.leaves, What::Leaves) {
            Err(StoreError::Erased) => Ok(Vec::new()),
            leaves => leaves,
        }
    }

    /// Opens the bodies of events of the past.
    pub fn open_past<'e>(&self, events: impl Iterator<Item = &'e mut PastEvent>) -> Result<()> {
        for event in events {
            event.body = self.body(std::mem::take(&mut event.body.0))?;
        }
        Ok(())
    }

    /// Field and message of a dead letter.
    pub fn letter(&self, field: String, message: String) -> Result<(String, String)> {
        let sealed = message.strip_prefix(HASHED).and_then(from_hex);
        let Some(sealed) = sealed.filter(|sealed| subject_of(sealed).is_some()) else {
            return Ok((field, message));
        };
        let opened = match self.opened(&sealed, What::Letter) {
            Err(StoreError::Erased) => return Ok((field, "(erased)".to_owned())),
            opened => String::from_utf8(opened?),
        };
        let opened = opened.map_err(|_| StoreError::Damaged("a dead letter".to_owned()))?;
        let (field, message) = opened.split_once('\n').unwrap_or(("", &opened));
        Ok((field.to_owned(), message.to_owned()))
    }
}

/// What stands for a message id: the same for the same id, and nobody reads the id out of it.
fn hashed(keys: &Keys, message_id: &str) -> String {
    let hash = keys.id_key.digest("message id", &[message_id.as_bytes()]);
    let mut text = String::with_capacity(33);
    text.push(HASHED);
    hash.iter().for_each(|byte| text.push_str(&format!("{byte:02x}")));
    text
}

/// Subjects of stored values, those that are sealed.
pub fn subjects<'v>(values: impl Iterator<Item = &'v [u8]>) -> Vec<Subject> {
    values.filter_map(envelope::subject_of).collect()
}
