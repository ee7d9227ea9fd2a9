//! Ids are derived, not drawn: a business thing takes its id from its cause, so that a retry, a replay,
//! another batch size and another database all arrive at the same one.

use std::fmt;
use std::marker::PhantomData;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A 128-bit id of one kind of thing `K`, written as 32 hexadecimal digits.
pub struct Id<K> {
    bytes: [u8; 16],
    kind: PhantomData<fn() -> K>,
}

/// Marker of [`MemberId`].
pub enum MemberKind {}
/// Marker of [`EventId`].
pub enum EventKind {}
/// Marker of [`TransferId`].
pub enum TransferKind {}
/// Marker of [`OrderId`].
pub enum OrderKind {}
/// Marker of [`CouponId`].
pub enum CouponKind {}
/// Marker of [`CheckoutId`].
pub enum CheckoutKind {}
/// Marker of [`RunId`].
pub enum RunKind {}
/// Marker of [`NoteId`].
pub enum NoteKind {}
/// Marker of [`LinkId`].
pub enum LinkKind {}

/// One person we know, enrolled or not.
pub type MemberId = Id<MemberKind>;
/// One fact with a time; hash of (source, message id).
pub type EventId = Id<EventKind>;
/// One movement in the ledger; also names the lot it opened.
pub type TransferId = Id<TransferKind>;
/// One order; hash of (order namespace, order number).
pub type OrderId = Id<OrderKind>;
/// One coupon that was issued; hash of its code.
pub type CouponId = Id<CouponKind>;
/// One checkout; hash of (namespace, name).
pub type CheckoutId = Id<CheckoutKind>;
/// One way of a member through a campaign; hash of (member, campaign, key).
pub type RunId = Id<RunKind>;
/// One thing that was said to a member; the first bytes of the member's id, then a hash of (run, step).
pub type NoteId = Id<NoteKind>;
/// One short link; hash of its code.
pub type LinkId = Id<LinkKind>;

/// With how many bytes of the member's id an id begins that is [derived so](IdKey::derive_of): enough to tell a billion members
/// apart, and twelve are left to tell apart what is one member's.
pub const OF_MEMBER_BYTES: usize = 4;

impl<K> Id<K> {
    /// The id with these bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self { bytes, kind: PhantomData }
    }

    /// Its bytes, as stored.
    pub const fn bytes(&self) -> &[u8; 16] {
        &self.bytes
    }

    /// The id in a stored blob; `None` unless it has 16 bytes.
    pub fn from_slice(slice: &[u8]) -> Option<Self> {
        slice.try_into().ok().map(Self::from_bytes)
    }

    /// The id written as 32 hexadecimal digits.
    pub fn from_hex(text: &str) -> Option<Self> {
        if text.len() != 32 || !text.is_ascii() {
            return None;
        }
        let mut bytes = [0u8; 16];
        for (i, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * i..2 * i + 2], 16).ok()?;
        }
        Some(Self::from_bytes(bytes))
    }
}

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for Id<K> {}
impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}
impl<K> Eq for Id<K> {}
impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.bytes.cmp(&other.bytes)
    }
}
impl<K> std::hash::Hash for Id<K> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.bytes.hash(state);
    }
}
impl<K> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.bytes {
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}
impl<K> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
impl<K> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
impl<'de, K> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::from_hex(&text).ok_or_else(|| serde::de::Error::custom("an id is 32 hexadecimal digits"))
    }
}

/// The home's id key: made once, moved with the home, given in tests. Derived ids and look-up hashes
/// are keyed with it, so that nobody outside can compute them from what they know.
#[derive(Clone, PartialEq, Eq)]
pub struct IdKey([u8; 32]);

impl fmt::Debug for IdKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdKey(…)")
    }
}

impl IdKey {
    /// The key with these bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes, to be stored with the home.
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The id of the thing of kind `K` whose cause is `parts`. Parts are length-prefixed, so that
    /// `["ab", "c"]` and `["a", "bc"]` differ; `domain` keeps kinds apart.
    pub fn derive<K>(&self, domain: &str, parts: &[&[u8]]) -> Id<K> {
        Id::from_bytes(self.digest(domain, parts))
    }

    /// The same for a thing of a member's that begins with the first bytes of the member's id ([`OF_MEMBER_BYTES`]): what is made
    /// for many members in the order of their ids lies in that order too, so an index grows at one place and not at as many as there
    /// are members.
    pub fn derive_of<K>(&self, member: MemberId, domain: &str, parts: &[&[u8]]) -> Id<K> {
        let mut bytes = self.digest(domain, parts);
        bytes[..OF_MEMBER_BYTES].copy_from_slice(&member.bytes()[..OF_MEMBER_BYTES]);
        Id::from_bytes(bytes)
    }

    /// A keyed 128-bit hash of `parts`, for look-ups and for comparing bodies.
    pub fn digest(&self, domain: &str, parts: &[&[u8]]) -> [u8; 16] {
        let mut bytes = [0u8; 16];
        bytes.copy_from_slice(&self.digest_wide(domain, parts)[..16]);
        bytes
    }

    /// The same in 256 bits, for what somebody may try to find another of: secrets, and the audit log's chain.
    pub fn digest_wide(&self, domain: &str, parts: &[&[u8]]) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        for part in std::iter::once(domain.as_bytes()).chain(parts.iter().copied()) {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        *hasher.finalize().as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_its_hex_and_its_cause() {
        let key = IdKey::from_bytes([7; 32]);
        let id: MemberId = key.derive("member", &[b"ab", b"c"]);
        let other: MemberId = key.derive("member", &[b"a", b"bc"]);
        assert_ne!(id, other);
        assert_eq!(MemberId::from_hex(&id.to_string()), Some(id));
        assert_eq!(MemberId::from_hex("é000000000000000000000000000000"), None);
        assert_eq!(id, key.derive("member", &[b"ab", b"c"]));
        assert_ne!(id, IdKey::from_bytes([8; 32]).derive("member", &[b"ab", b"c"]));
    }

    #[test]
    fn what_is_a_members_begins_as_the_members_id_does() {
        let key = IdKey::from_bytes([7; 32]);
        let member: MemberId = key.derive("member", &[b"ab"]);
        let (one, other): (NoteId, NoteId) =
            (key.derive_of(member, "note", &[b"1"]), key.derive_of(member, "note", &[b"2"]));
        assert_eq!(one.bytes()[..OF_MEMBER_BYTES], member.bytes()[..OF_MEMBER_BYTES]);
        assert_eq!(one.bytes()[..OF_MEMBER_BYTES], other.bytes()[..OF_MEMBER_BYTES]);
        assert_ne!(one.bytes()[OF_MEMBER_BYTES..], other.bytes()[OF_MEMBER_BYTES..]);
        let plain: NoteId = key.derive("note", &[b"1"]);
        assert_eq!(one.bytes()[OF_MEMBER_BYTES..], plain.bytes()[OF_MEMBER_BYTES..]);
    }
}
