//! Bodies: read within bounds of size, time and room, and decompressed by what they are, not by what they say they are.
//!
//! Room is counted as bytes come in, so that whoever sends slowly holds no more than what they have sent. Those who have not
//! shown a key yet have a room of their own: they cannot keep the others out.

use std::future::poll_fn;
use std::io::Read;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::problem::Problem;

/// The most bytes of a delivery, as it comes and decompressed (Segment: 500 KB).
pub(super) const BYTES_MAX: usize = 500 * 1024;
/// Room for bodies of those whose key is known, and of those who have not shown one, in KiB.
const ROOM_KNOWN: usize = 32 * 1024;
const ROOM_STRANGERS: usize = 8 * 1024;

/// How much may come in at once.
pub(super) struct Room {
    known: Arc<Semaphore>,
    strangers: Arc<Semaphore>,
    at_work: Arc<Semaphore>,
    within: Duration,
}

/// A body, and the room it takes until it is dropped.
pub(super) struct Held {
    pub(super) bytes: Vec<u8>,
    room: Option<OwnedSemaphorePermit>,
}

impl Room {
    /// Room for so many deliveries that are worked on at once, and so long for a body to come in.
    pub(super) fn new(at_work: usize, within: Duration) -> Self {
        let room = |places| Arc::new(Semaphore::new(places));
        Self { known: room(ROOM_KNOWN), strangers: room(ROOM_STRANGERS), at_work: room(at_work), within }
    }

    /// A place to be worked on, if there is one.
    pub(super) fn place(&self) -> Result<OwnedSemaphorePermit, Problem> {
        Arc::clone(&self.at_work).try_acquire_owned().map_err(|_| Problem::of("too_many_deliveries").after(1))
    }

    /// Reads a body whole.
    pub(super) async fn read(&self, body: Body, is_known: bool) -> Result<Held, Problem> {
        let room = if is_known { &self.known } else { &self.strangers };
        let mut held = Held { bytes: Vec::new(), room: None };
        let mut body = body;
        let whole = timeout(self.within, async {
            while let Some(bytes) = next(&mut body).await? {
                if held.bytes.len() + bytes.len() > BYTES_MAX {
                    return Err(Problem::of("batch_too_large"));
                }
                held.bytes.extend_from_slice(&bytes);
                held.grow(room)?;
            }
            Ok(())
        });
        let read = whole.await.unwrap_or(Err(Problem::of("body_too_slow")));
        if let Err(problem) = read {
            drop(held);
            self.pass_over(body).await;
            return Err(problem);
        }
        Ok(held)
    }

    /// Lets what is still to come go by, so that the sender reads the answer instead of losing its connection; within the same
    /// bounds, and holding nothing.
    pub(super) async fn pass_over(&self, mut body: Body) {
        let passing = async {
            let mut passed = 0;
            while let Ok(Some(bytes)) = next(&mut body).await {
                passed += bytes.len();
                if passed > BYTES_MAX {
                    break;
                }
            }
        };
        // Who is too slow is cut off.
        let _in_time = timeout(self.within, passing).await.is_ok();
    }
}

impl Held {
    fn grow(&mut self, room: &Arc<Semaphore>) -> Result<(), Problem> {
        let has = self.room.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let needs = self.bytes.len().div_ceil(1024);
        let more = u32::try_from(needs.saturating_sub(has)).unwrap_or(u32::MAX);
        if more > 0 {
            let more = Arc::clone(room)
                .try_acquire_many_owned(more)
                .map_err(|_| Problem::of("too_many_deliveries").after(1))?;
            match &mut self.room {
                Some(room) => room.merge(more),
                none => *none = Some(more),
            }
        }
        Ok(())
    }

    /// What was compressed, decompressed; the rest as it is.
    pub(super) fn plain(&mut self, encoding: &str) -> Result<(), Problem> {
        let plain = match packed(&self.bytes, encoding)? {
            None => return Ok(()),
            Some(Packed::Gzip) => unpacked(MultiGzDecoder::new(self.bytes.as_slice())),
            Some(Packed::Zlib) => unpacked(ZlibDecoder::new(self.bytes.as_slice())),
            Some(Packed::Deflate) => unpacked(DeflateDecoder::new(self.bytes.as_slice())),
        };
        self.bytes = plain?;
        Ok(())
    }
}

async fn next(body: &mut Body) -> Result<Option<Bytes>, Problem> {
    loop {
        match poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await {
            None => return Ok(None),
            // The sender left in the middle: there is nobody to tell.
            Some(Err(_)) => return Err(Problem::of("body_cut_off")),
            Some(Ok(frame)) => {
                if let Ok(bytes) = frame.into_data() {
                    return Ok(Some(bytes));
                }
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Packed {
    Gzip,
    Zlib,
    Deflate,
}

/// How bytes are packed: by their own first bytes, because what clients say of them is not to be relied on.
fn packed(bytes: &[u8], encoding: &str) -> Result<Option<Packed>, Problem> {
    match bytes {
        [0x1f, 0x8b, ..] => return Ok(Some(Packed::Gzip)),
        // 0x78 is the letter x: no JSON begins with it.
        [0x78, flags, ..] if (0x7800 + u32::from(*flags)) % 31 == 0 => return Ok(Some(Packed::Zlib)),
        _ => {}
    }
    let mut plain = bytes.iter().skip_while(|byte| byte.is_ascii_whitespace());
    let is_json = matches!(plain.next(), None | Some(b'{' | b'['));
    match encoding.trim().to_ascii_lowercase().as_str() {
        "deflate" if !is_json => Ok(Some(Packed::Deflate)),
        "" | "identity" | "gzip" | "x-gzip" | "deflate" => Ok(None),
        _ if is_json => Ok(None),
        _ => Err(Problem::of("encoding_unknown")),
    }
}

/// What comes out, as far as it may: a few bytes may unpack to gigabytes.
fn unpacked(reader: impl Read) -> Result<Vec<u8>, Problem> {
    let mut plain = Vec::new();
    reader.take(BYTES_MAX as u64 + 1).read_to_end(&mut plain).map_err(|_| Problem::of("bad_compression"))?;
    if plain.len() > BYTES_MAX { Err(Problem::of("unpacked_too_large")) } else { Ok(plain) }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn plain(bytes: &[u8], encoding: &str) -> Result<Vec<u8>, &'static str> {
        let mut held = Held { bytes: bytes.to_vec(), room: None };
        held.plain(encoding).map(|()| held.bytes).map_err(|problem| problem.code())
    }

    #[test]
    fn what_is_compressed_is_known_by_its_bytes_whatever_is_said_of_it() {
        let json = br#"{"batch":[]}"#;
        let (mut zlib, mut deflate) = (
            ZlibEncoder::new(Vec::new(), Compression::default()),
            DeflateEncoder::new(Vec::new(), Compression::default()),
        );
        zlib.write_all(json).unwrap();
        deflate.write_all(json).unwrap();
        let (zlib, deflate) = (zlib.finish().unwrap(), deflate.finish().unwrap());
        let twice = [gzip(&json[..4]), gzip(&json[4..])].concat();
        for (bytes, encoding) in [
            (json.to_vec(), ""),
            (json.to_vec(), "gzip"),
            (json.to_vec(), "deflate"),
            (gzip(json), "gzip"),
            (gzip(json), ""),
            (twice, ""),
            (zlib.clone(), "deflate"),
            (zlib, ""),
            (deflate, "deflate"),
        ] {
            assert_eq!(plain(&bytes, encoding).as_deref(), Ok(&json[..]), "{encoding} {bytes:?}");
        }
        let short = gzip(json);
        for (bytes, encoding, code) in [
            (short[..short.len() - 9].to_vec(), "gzip", "bad_compression"),
            (vec![0x1f, 0x8b, 0, 0], "", "bad_compression"),
            (b"\x28\xb5\x2f\xfd".to_vec(), "zstd", "encoding_unknown"),
            (gzip(&vec![b' '; 10_000_000]), "gzip", "unpacked_too_large"),
        ] {
            assert_eq!(plain(&bytes, encoding), Err(code), "{encoding}");
        }
        // A bomb is not unpacked beyond the bound.
        let bomb = gzip(&vec![0; 100_000_000]);
        assert!(bomb.len() < BYTES_MAX, "{}", bomb.len());
        assert_eq!(plain(&bomb, ""), Err("unpacked_too_large"));
    }
}
