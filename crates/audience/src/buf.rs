//! Arrays of plain numbers, in memory of our own or in a file that is mapped into it.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use bytemuck::Pod;

use crate::map::Mapped;

/// An array of plain numbers that does not change.
#[derive(Clone)]
pub enum Buf<T> {
    /// Its own.
    Own(Arc<[T]>),
    /// `len` numbers from byte `at` on of a mapped file.
    Mapped {
        /// The file.
        map: Arc<Mapped>,
        /// Where they begin, a multiple of their size.
        at: usize,
        /// How many.
        len: usize,
    },
}

impl<T: Pod> Deref for Buf<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match self {
            Self::Own(numbers) => numbers,
            Self::Mapped { map, at, len } => {
                let bytes = &map.bytes()[*at..*at + len * size_of::<T>()];
                bytemuck::try_cast_slice(bytes).unwrap_or_default()
            }
        }
    }
}

impl<T> From<Vec<T>> for Buf<T> {
    fn from(numbers: Vec<T>) -> Self {
        Self::Own(numbers.into())
    }
}

impl<T> Default for Buf<T> {
    fn default() -> Self {
        Self::Own(Arc::new([]))
    }
}

impl<T: Pod + fmt::Debug> fmt::Debug for Buf<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} numbers", self.len())
    }
}

impl<T: Pod + PartialEq> PartialEq for Buf<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}
