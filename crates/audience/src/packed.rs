//! Blocks as bytes: arrays as they lie in memory, each at a multiple of its numbers' size, so that a mapped file needs no reading.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytemuck::Pod;
use zhiyin_model::scalar::Scalar;

use crate::bits::Kept;
use crate::block::{Block, Heap, Ordinals};
use crate::buf::Buf;
use crate::coded::Coded;
use crate::dict::{Dict, Dicts};
use crate::history::{Events, Numbers, Orders, Rows};
use crate::ints::{Ints, Stored};
use crate::map::Mapped;
use crate::postings::Latest;

/// What is read is not what was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a block ends too early, or says what no block says")]
pub struct Torn;

type Result<T> = std::result::Result<T, Torn>;

/// Bytes on their way out.
#[derive(Debug, Default)]
pub(crate) struct Out {
    pub(crate) bytes: Vec<u8>,
}

impl Out {
    fn number(&mut self, number: i64) {
        self.bytes.extend_from_slice(&number.to_le_bytes());
    }

    fn len(&mut self, len: usize) {
        self.number(i64::try_from(len).unwrap_or(-1));
    }

    fn text(&mut self, text: &str) {
        self.len(text.len());
        self.bytes.extend_from_slice(text.as_bytes());
    }

    fn array<T: Pod>(&mut self, numbers: &[T]) {
        self.len(numbers.len());
        while !self.bytes.len().is_multiple_of(align_of::<T>()) {
            self.bytes.push(0);
        }
        self.bytes.extend_from_slice(bytemuck::cast_slice(numbers));
    }
}

/// Bytes of a mapped file on their way in.
#[derive(Debug)]
pub(crate) struct In<'m> {
    map: &'m Arc<Mapped>,
    at: usize,
    dicts: &'m Dicts,
}

impl<'m> In<'m> {
    pub(crate) const fn new(map: &'m Arc<Mapped>, dicts: &'m Dicts) -> Self {
        Self { map, at: 0, dicts }
    }

    fn take(&mut self, len: usize) -> Result<&'m [u8]> {
        let end = self.at.checked_add(len).ok_or(Torn)?;
        let bytes = self.map.bytes().get(self.at..end).ok_or(Torn)?;
        self.at = end;
        Ok(bytes)
    }

    fn number(&mut self) -> Result<i64> {
        let bytes = self.take(8)?;
        Ok(i64::from_le_bytes(bytes.try_into().map_err(|_| Torn)?))
    }

    fn len(&mut self) -> Result<usize> {
        let len = usize::try_from(self.number()?).map_err(|_| Torn)?;
        // Nothing has more entries than the file has bytes, but what takes none: so many members or rows there may be.
        (len <= u32::MAX as usize).then_some(len).ok_or(Torn)
    }

    fn text(&mut self) -> Result<&'m str> {
        let len = self.len()?;
        std::str::from_utf8(self.take(len)?).map_err(|_| Torn)
    }

    fn array<T: Pod>(&mut self) -> Result<Buf<T>> {
        let len = self.len()?;
        self.at = self.at.next_multiple_of(align_of::<T>());
        let at = self.at;
        self.take(len.checked_mul(size_of::<T>()).ok_or(Torn)?)?;
        Ok(Buf::Mapped { map: self.map.clone(), at, len })
    }
}

/// What goes out and comes in.
pub(crate) trait Packed: Sized {
    /// Writes it.
    fn pack(&self, out: &mut Out);
    /// Reads what was written.
    fn unpack(from: &mut In<'_>) -> Result<Self>;
}

impl Packed for Ints {
    fn pack(&self, out: &mut Out) {
        out.number(self.base);
        out.number(self.unit);
        out.len(self.len);
        match &self.stored {
            Stored::Same => out.number(0),
            Stored::U8(x) => {
                out.number(1);
                out.array(x);
            }
            Stored::U16(x) => {
                out.number(2);
                out.array(x);
            }
            Stored::U32(x) => {
                out.number(4);
                out.array(x);
            }
            Stored::I64(x) => {
                out.number(8);
                out.array(x);
            }
        }
    }

    fn unpack(from: &mut In<'_>) -> Result<Self> {
        let (base, unit, len) = (from.number()?, from.number()?, from.len()?);
        let (stored, stored_len) = match from.number()? {
            0 => (Stored::Same, len),
            1 => {
                let x = from.array::<u8>()?;
                let n = x.len();
                (Stored::U8(x), n)
            }
            2 => {
                let x = from.array::<u16>()?;
                let n = x.len();
                (Stored::U16(x), n)
            }
            4 => {
                let x = from.array::<u32>()?;
                let n = x.len();
                (Stored::U32(x), n)
            }
            8 => {
                let x = from.array::<i64>()?;
                let n = x.len();
                (Stored::I64(x), n)
            }
            _ => return Err(Torn),
        };
        (unit >= 1 && stored_len == len).then_some(Self { base, unit, len, stored }).ok_or(Torn)
    }
}

impl Packed for Kept {
    fn pack(&self, out: &mut Out) {
        match self {
            Self::None => out.number(0),
            Self::Few(places) => {
                out.number(1);
                out.array(places);
            }
            Self::Many(words) => {
                out.number(2);
                out.array(words);
            }
        }
    }

    fn unpack(from: &mut In<'_>) -> Result<Self> {
        Ok(match from.number()? {
            0 => Self::None,
            1 => Self::Few(from.array::<u16>()?.to_vec().into()),
            2 => Self::Many(from.array::<u64>()?.to_vec().into()),
            _ => return Err(Torn),
        })
    }
}

impl Packed for Coded {
    fn pack(&self, out: &mut Out) {
        self.codes.pack(out);
        match &*self.dict {
            Dict::Texts { ends, bytes } => {
                out.number(0);
                out.array(ends);
                out.array(bytes);
            }
            Dict::Scalars(values) => {
                out.number(1);
                // Scalars can always be written.
                out.text(&serde_json::to_string(&**values).unwrap_or_default());
            }
        }
        let owners = self.owners.as_deref();
        out.number(owners.map_or(-1, |owners| i64::try_from(owners.len()).unwrap_or(-1)));
        owners.unwrap_or_default().iter().for_each(|kept| kept.pack(out));
        out.number(i64::from(self.latest.is_some()));
        if let Some(Latest { base, shift, starts, steps }) = &self.latest {
            out.number(*base);
            out.number(i64::from(*shift));
            out.array(starts);
            out.array(steps);
        }
    }

    fn unpack(from: &mut In<'_>) -> Result<Self> {
        let codes = Ints::unpack(from)?;
        let dict = match from.number()? {
            0 => Dict::Texts { ends: from.array()?, bytes: from.array()? },
            1 => {
                let values: Vec<Scalar> = serde_json::from_str(from.text()?).map_err(|_| Torn)?;
                Dict::Scalars(values.into())
            }
            _ => return Err(Torn),
        };
        let n_owners = from.number()?;
        let owners = match usize::try_from(n_owners) {
            Ok(n) if n == dict.len() => {
                Some((0..n).map(|_| Kept::unpack(from)).collect::<Result<Vec<_>>>()?.into())
            }
            Ok(_) => return Err(Torn),
            Err(_) => None,
        };
        let latest = match from.number()? {
            0 => None,
            1 => Some(Latest {
                base: from.number()?,
                shift: u32::try_from(from.number()?).ok().filter(|shift| *shift < 64).ok_or(Torn)?,
                starts: from.array()?,
                steps: from.array()?,
            }),
            _ => return Err(Torn),
        };
        Ok(Self { codes, dict: from.dicts.one(dict), owners, latest, postings: None })
    }
}

impl Packed for Rows {
    fn pack(&self, out: &mut Out) {
        out.array(&self.starts);
        self.some.pack(out);
        self.last_day.pack(out);
        out.number(i64::from(self.latest));
        out.number(i64::from(self.ascend));
        self.day.pack(out);
        self.time.pack(out);
        self.store.pack(out);
        self.channel.pack(out);
    }

    fn unpack(from: &mut In<'_>) -> Result<Self> {
        Ok(Self {
            starts: from.array()?,
            some: Kept::unpack(from)?,
            last_day: Ints::unpack(from)?,
            latest: i32::try_from(from.number()?).map_err(|_| Torn)?,
            ascend: from.number()? == 1,
            day: Ints::unpack(from)?,
            time: Ints::unpack(from)?,
            store: Coded::unpack(from)?,
            channel: Coded::unpack(from)?,
        })
    }
}

impl Packed for Numbers {
    fn pack(&self, out: &mut Out) {
        match self {
            Self::Scaled(ints, scale) => {
                out.number(i64::from(*scale));
                ints.pack(out);
            }
            Self::Wide(coded) => {
                out.number(-1);
                coded.pack(out);
            }
        }
    }

    fn unpack(from: &mut In<'_>) -> Result<Self> {
        Ok(match from.number()? {
            -1 => Self::Wide(Coded::unpack(from)?),
            scale @ 0..=9 => Self::Scaled(Ints::unpack(from)?, u32::try_from(scale).map_err(|_| Torn)?),
            _ => return Err(Torn),
        })
    }
}

impl Packed for Orders {
    fn pack(&self, out: &mut Out) {
        self.rows.pack(out);
        self.paid.pack(out);
        self.n_items.pack(out);
        out.array(&self.item_starts);
        self.product.pack(out);
        self.category.pack(out);
        self.department.pack(out);
        self.quantity.pack(out);
        out.number(i64::from(self.item_paid.is_some()));
        if let Some(paid) = &self.item_paid {
            paid.pack(out);
        }
    }

    fn unpack(from: &mut In<'_>) -> Result<Self> {
        Ok(Self {
            rows: Rows::unpack(from)?,
            paid: Ints::unpack(from)?,
            n_items: Ints::unpack(from)?,
            item_starts: from.array()?,
            product: Coded::unpack(from)?,
            category: Coded::unpack(from)?,
            department: Coded::unpack(from)?,
            quantity: Numbers::unpack(from)?,
            item_paid: if from.number()? == 1 { Some(Ints::unpack(from)?) } else { None },
        })
    }
}

impl Packed for Events {
    fn pack(&self, out: &mut Out) {
        self.rows.pack(out);
        named(&self.properties, out);
    }

    fn unpack(from: &mut In<'_>) -> Result<Self> {
        Ok(Self { rows: Rows::unpack(from)?, properties: by_name(from)? })
    }
}

impl Packed for Heap {
    fn pack(&self, out: &mut Out) {
        self.who.pack(out);
        out.array(&self.ends);
        out.array(&self.bytes);
    }

    fn unpack(from: &mut In<'_>) -> Result<Self> {
        Ok(Self { who: Kept::unpack(from)?, ends: from.array()?, bytes: from.array()? })
    }
}

fn named<K: AsRef<str>, T: Packed>(columns: &BTreeMap<K, T>, out: &mut Out) {
    out.len(columns.len());
    for (name, column) in columns {
        out.text(name.as_ref());
        column.pack(out);
    }
}

fn by_name<K: for<'a> From<&'a str> + Ord, T: Packed>(from: &mut In<'_>) -> Result<BTreeMap<K, T>> {
    let n = from.len()?;
    let mut columns = BTreeMap::new();
    for _ in 0..n {
        columns.insert(from.text()?.into(), T::unpack(from)?);
    }
    Ok(columns)
}

impl Packed for Block {
    fn pack(&self, out: &mut Out) {
        match &self.ordinals {
            Ordinals::From(first) => out.number(i64::from(*first)),
            Ordinals::These(these) => {
                out.number(-1);
                out.array(these);
            }
        }
        out.len(self.len);
        out.array(&self.ids);
        self.alive.pack(out);
        named(&self.attributes, out);
        self.tier.pack(out);
        self.lifecycle.pack(out);
        self.store.pack(out);
        self.points.pack(out);
        self.enrolled_at.pack(out);
        self.enrolled.pack(out);
        named(&self.tags, out);
        self.personal.pack(out);
        self.orders.pack(out);
        named(&self.events, out);
    }

    fn unpack(from: &mut In<'_>) -> Result<Self> {
        let ordinals = match from.number()? {
            -1 => Ordinals::These(from.array()?),
            first => Ordinals::From(u32::try_from(first).map_err(|_| Torn)?),
        };
        Ok(Self {
            ordinals,
            len: from.len()?,
            ids: from.array()?,
            alive: Kept::unpack(from)?,
            attributes: by_name::<String, Coded>(from)?
                .into_iter()
                .map(|(name, column)| (name, column.posted()))
                .collect(),
            tier: Coded::unpack(from)?.posted(),
            lifecycle: Coded::unpack(from)?.posted(),
            store: Coded::unpack(from)?.posted(),
            points: Ints::unpack(from)?,
            enrolled_at: Ints::unpack(from)?,
            enrolled: Kept::unpack(from)?,
            tags: by_name(from)?,
            personal: Heap::unpack(from)?,
            orders: Orders::unpack(from)?,
            events: by_name(from)?,
            weight: 0,
            n_alive: 0,
        }
        .weighed())
    }
}
