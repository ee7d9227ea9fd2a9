//! Sealed words: what a message bears by which what comes back is known. A word is the message's id and a seal that only this home
//! can make, so nobody can name a message that they were not sent; what a word is for is part of its seal.

use zhiyin_model::id::{IdKey, NoteId};
use zhiyin_reach::came_back::WORD_CHARS;

/// What a word is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum For {
    /// What comes back by mail: servers on the way see it.
    Mail,
    /// Wanting no more: whoever got the message sees it.
    Leave,
}

impl For {
    fn domain(self) -> &'static str {
        match self {
            Self::Mail => "word of mail",
            Self::Leave => "word to leave",
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn seal(key: &IdKey, of: For, id: NoteId) -> String {
    let digest = key.digest(of.domain(), &[id.bytes()]);
    hex(&digest[..(WORD_CHARS - 32) / 2])
}

/// The word of a message.
pub(super) fn word(key: &IdKey, of: For, id: NoteId) -> String {
    format!("{id}{}", seal(key, of, id))
}

/// The message whose word this is; `None` where nobody here sealed it.
pub(super) fn read(key: &IdKey, of: For, word: &str) -> Option<NoteId> {
    let word = word.to_ascii_lowercase();
    if word.len() != WORD_CHARS || !word.is_ascii() {
        return None;
    }
    let (id, sealed) = word.split_at(32);
    let id = NoteId::from_hex(id)?;
    // The seal is half of a keyed hash of 16 bytes; comparing it tells nothing that helps to make one.
    (seal(key, of, id) == sealed).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_read_by_who_sealed_it_for_what_it_is_for_and_in_any_case() {
        let (key, id) = (IdKey::from_bytes([1; 32]), NoteId::from_bytes([7; 16]));
        for of in [For::Mail, For::Leave] {
            let word = word(&key, of, id);
            assert_eq!(word.len(), WORD_CHARS);
            assert_eq!(read(&key, of, &word), Some(id));
            assert_eq!(read(&key, of, &word.to_ascii_uppercase()), Some(id));
            let other = if of == For::Mail { For::Leave } else { For::Mail };
            assert_eq!(read(&key, other, &word), None);
            assert_eq!(read(&IdKey::from_bytes([2; 32]), of, &word), None);
            for at in 0..word.len() {
                let mut wrong: Vec<char> = word.chars().collect();
                wrong[at] = if wrong[at] == '0' { '1' } else { '0' };
                assert_eq!(read(&key, of, &wrong.into_iter().collect::<String>()), None, "{at}");
            }
        }
        for wrong in ["", "0", "字字字字字字字字字字字字字字字字字字"] {
            assert_eq!(read(&key, For::Mail, wrong), None);
        }
    }
}
