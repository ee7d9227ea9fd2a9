//! Files mapped into memory.

/// A file that is mapped into memory and does not change while it is: snapshots are written under another name and
/// renamed, and files of a snapshot are never written again.
#[derive(Debug)]
pub struct Mapped(memmap2::Mmap);

impl Mapped {
    /// Maps a file.
    pub fn open(file: &std::fs::File) -> std::io::Result<Self> {
        // SAFETY: whoever else writes to a mapped file would change what we borrow. The files of a snapshot are written once,
        // under a name that holds their hash, by this program alone, and are only ever removed.
        #[expect(unsafe_code, reason = "mapping a file cannot be had otherwise")]
        let map = unsafe { memmap2::Mmap::map(file)? };
        Ok(Self(map))
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}
