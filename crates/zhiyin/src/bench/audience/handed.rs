//! The drawn population as Parquet files, for the peers to load: parts of half a million members each, written a row group at
//! a time, so that memory stays bounded.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, anyhow};
use parquet::basic::{Compression, Encoding};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::file::properties::{WriterProperties, WriterPropertiesPtr};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::ColumnPath;

use super::drawn::World;

/// Members of a row group, and row groups of a file.
const GROUP: u64 = 65_536;
const GROUPS: u64 = 8;

const MEMBERS: &str = "message member {
  REQUIRED INT32 member;
  REQUIRED INT32 years;
  REQUIRED INT32 points;
  REQUIRED BYTE_ARRAY gender (UTF8);
  REQUIRED BYTE_ARRAY city (UTF8);
}";
/// `day` is in the brand's zone; `time` are seconds since 1970 in UTC.
const LINES: &str = "message line {
  REQUIRED INT32 member;
  REQUIRED INT32 day (DATE);
  REQUIRED INT32 time;
  REQUIRED INT32 paid;
  REQUIRED INT32 quantity;
  REQUIRED BYTE_ARRAY category (UTF8);
  REQUIRED BYTE_ARRAY product (UTF8);
  REQUIRED BYTE_ARRAY store (UTF8);
  REQUIRED BYTE_ARRAY channel (UTF8);
}";

/// Columns in the order of a schema: numbers, then texts.
struct Columns<const N: usize, const T: usize> {
    numbers: [Vec<i32>; N],
    texts: [Vec<ByteArray>; T],
}

impl<const N: usize, const T: usize> Columns<N, T> {
    fn new() -> Self {
        Self { numbers: [(); N].map(|()| Vec::new()), texts: [(); T].map(|()| Vec::new()) }
    }

    fn push(&mut self, numbers: [i64; N], texts: [&ByteArray; T]) -> Result<()> {
        for (column, number) in self.numbers.iter_mut().zip(numbers) {
            column.push(i32::try_from(number)?);
        }
        for (column, text) in self.texts.iter_mut().zip(texts) {
            column.push(text.clone());
        }
        Ok(())
    }

    fn write(self, to: &mut SerializedFileWriter<File>) -> Result<()> {
        let (mut numbers, mut texts) = (self.numbers.iter(), self.texts.iter());
        let mut group = to.next_row_group()?;
        while let Some(mut column) = group.next_column()? {
            match column.untyped() {
                ColumnWriter::Int32ColumnWriter(column) => {
                    column.write_batch(numbers.next().map_or(&[][..], |values| values), None, None)?;
                }
                ColumnWriter::ByteArrayColumnWriter(column) => {
                    column.write_batch(texts.next().map_or(&[][..], |values| values), None, None)?;
                }
                _ => return Err(anyhow!("a column of another type")),
            }
            column.close()?;
        }
        group.close()?;
        Ok(())
    }
}

/// Words, by number, as the files take them.
struct Texts {
    genders: Vec<ByteArray>,
    cities: Vec<ByteArray>,
    categories: Vec<ByteArray>,
    products: Vec<ByteArray>,
    stores: Vec<ByteArray>,
    channels: Vec<ByteArray>,
}

impl Texts {
    fn of(world: &World) -> Self {
        let bytes = |words: &[Arc<str>]| words.iter().map(|word| ByteArray::from(&**word)).collect();
        Self {
            genders: bytes(&world.genders),
            cities: bytes(&world.cities),
            categories: bytes(&world.categories),
            products: bytes(&world.products),
            stores: bytes(&world.stores),
            channels: bytes(&world.channels),
        }
    }
}

/// Writes so many members and their order lines into a folder, several parts at once; how many lines there are.
pub fn hand_over(world: &World, members: u64, folder: &Path, threads: usize) -> Result<u64> {
    let texts = Texts::of(world);
    let n_parts = members.div_ceil(GROUP * GROUPS);
    let (next, lines) = (AtomicU64::new(0), AtomicU64::new(0));
    let some_parts = || -> Result<()> {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= n_parts {
                return Ok(());
            }
            lines.fetch_add(part(world, &texts, at, members, folder)?, Ordering::Relaxed);
        }
    };
    std::thread::scope(|scope| {
        let working: Vec<_> = (0..threads).map(|_| scope.spawn(some_parts)).collect();
        let done =
            working.into_iter().map(|one| one.join().map_err(|_| anyhow!("a part was not written"))?);
        done.collect::<Result<()>>()
    })?;
    Ok(lines.into_inner())
}

fn part(world: &World, texts: &Texts, at: u64, members: u64, folder: &Path) -> Result<u64> {
    let mut to_members = open(folder, &format!("members-{at:05}.parquet"), MEMBERS)?;
    let mut to_lines = open(folder, &format!("lines-{at:05}.parquet"), LINES)?;
    let mut n_lines = 0;
    let first = at * GROUPS * GROUP;
    for from in (first..members.min(first + GROUPS * GROUP)).step_by(GROUP as usize) {
        let mut people = Columns::<3, 2>::new();
        let mut lines = Columns::<5, 4>::new();
        for member in from..members.min(from + GROUP) {
            let drawn = world.drawn(member, 0);
            let number = member as i64;
            people.push(
                [number, drawn.years as i64, drawn.points as i64],
                [&texts.genders[drawn.gender], &texts.cities[drawn.city]],
            )?;
            for order in &drawn.orders {
                lines.push(
                    [number, order.day.0.into(), order.seconds, order.paid as i64, order.quantity as i64],
                    [
                        &texts.categories[order.category],
                        &texts.products[order.product],
                        &texts.stores[order.store],
                        &texts.channels[order.channel],
                    ],
                )?;
                n_lines += 1;
            }
        }
        people.write(&mut to_members)?;
        lines.write(&mut to_lines)?;
    }
    to_members.close()?;
    to_lines.close()?;
    Ok(n_lines)
}

fn open(folder: &Path, name: &str, schema: &str) -> Result<SerializedFileWriter<File>> {
    let path = folder.join(name);
    let file = File::create(&path).with_context(|| path.display().to_string())?;
    Ok(SerializedFileWriter::new(file, Arc::new(parse_message_type(schema)?), properties())?)
}

/// What hardly repeats or only ascends is packed by differences, all else by dictionary.
fn properties() -> WriterPropertiesPtr {
    let mut builder = WriterProperties::builder().set_compression(Compression::SNAPPY);
    for column in ["member", "time"] {
        let column = ColumnPath::from(column);
        builder = builder
            .set_column_dictionary_enabled(column.clone(), false)
            .set_column_encoding(column, Encoding::DELTA_BINARY_PACKED);
    }
    Arc::new(builder.build())
}
