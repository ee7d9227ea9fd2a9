//! Reading columns of a Parquet file by name, flat and optional, without a data-frame library in between.

use std::fs::File;
use std::path::Path;

use parquet::basic::Type as Physical;
use parquet::column::reader::{ColumnReader, ColumnReaderImpl, get_typed_column_reader};
use parquet::data_type::{ByteArrayType, DataType, DoubleType, Int64Type, Int96Type};
use parquet::file::reader::{FileReader, SerializedFileReader};
use zhiyin_model::time::{DAY_US, Ts};

/// Short for results: what is wrong, in words.
type Result<T> = std::result::Result<T, String>;

/// Values read at once.
const SLICE: usize = 65_536;
/// Julian day of 1970-01-01: the epoch of INT96 times.
const JULIAN_EPOCH: i64 = 2_440_588;

/// A file's columns.
pub(super) struct Columns {
    reader: SerializedFileReader<File>,
    file: String,
}

impl Columns {
    pub(super) fn open(dir: &Path, name: &str) -> Result<Self> {
        let path = dir.join(name);
        let file = path.display().to_string();
        let reader = File::open(&path)
            .map_err(|error| error.to_string())
            .and_then(|open| SerializedFileReader::new(open).map_err(|error| error.to_string()))
            .map_err(|error| format!("{file}: {error}"))?;
        Ok(Self { reader, file })
    }

    /// Whole numbers; a missing one is an error.
    pub(super) fn numbers<T>(&self, column: &str, take: impl Fn(i64) -> Option<T>) -> Result<Vec<T>> {
        self.read::<Int64Type, T>(column, Physical::INT64, |value| take(*value?))
    }

    /// Doubles that are amounts, as cents rounded half away from zero.
    pub(super) fn cents(&self, column: &str) -> Result<Vec<u32>> {
        self.read::<DoubleType, u32>(column, Physical::DOUBLE, |value| {
            // The shortest text of a double is the decimal that was meant; the rounding is then exact.
            let decimal: rust_decimal::Decimal = value?.to_string().parse().ok()?;
            let cents = decimal
                .checked_mul(100.into())?
                .round_dp_with_strategy(0, rust_decimal::RoundingStrategy::MidpointAwayFromZero);
            u32::try_from(cents).ok()
        })
    }

    /// Times without a zone, taken as UTC.
    pub(super) fn times(&self, column: &str) -> Result<Vec<Ts>> {
        self.read::<Int96Type, Ts>(column, Physical::INT96, |value| {
            let words = value?.data();
            let nanos = i64::from(words[1]) << 32 | i64::from(words[0]);
            let day = i64::from(words[2]) - JULIAN_EPOCH;
            Some(Ts(day * DAY_US + nanos / 1000))
        })
    }

    /// Texts; some may be missing.
    pub(super) fn texts(&self, column: &str) -> Result<Vec<Option<String>>> {
        self.read::<ByteArrayType, Option<String>>(column, Physical::BYTE_ARRAY, |value| match value {
            None => Some(None),
            Some(bytes) => bytes.as_utf8().ok().map(|text| Some(text.to_owned())),
        })
    }

    fn read<D: DataType, T>(
        &self,
        column: &str,
        physical: Physical,
        take: impl Fn(Option<&D::T>) -> Option<T>,
    ) -> Result<Vec<T>> {
        let at = |what: &str| format!("{}: column {column}: {what}", self.file);
        let metadata = self.reader.metadata();
        let schema = metadata.file_metadata().schema_descr();
        let index = (0..schema.num_columns())
            .find(|i| schema.column(*i).name() == column)
            .ok_or_else(|| at("is missing"))?;
        if schema.column(index).physical_type() != physical || schema.column(index).max_rep_level() > 0 {
            return Err(at("has another type than expected"));
        }
        let optional = schema.column(index).max_def_level() > 0;
        let mut out = Vec::with_capacity(usize::try_from(metadata.file_metadata().num_rows()).unwrap_or(0));
        for group in 0..metadata.num_row_groups() {
            let reader: ColumnReader = self
                .reader
                .get_row_group(group)
                .and_then(|group| group.get_column_reader(index))
                .map_err(|error| at(&error.to_string()))?;
            let mut reader = get_typed_column_reader::<D>(reader);
            read_group(&mut reader, optional, &mut out, &take).map_err(|error| at(&error))?;
        }
        Ok(out)
    }
}

fn read_group<D: DataType, T>(
    reader: &mut ColumnReaderImpl<D>,
    optional: bool,
    out: &mut Vec<T>,
    take: impl Fn(Option<&D::T>) -> Option<T>,
) -> Result<()> {
    let (mut values, mut levels) = (Vec::with_capacity(SLICE), Vec::with_capacity(SLICE));
    loop {
        values.clear();
        levels.clear();
        let (rows, _, _) = reader
            .read_records(SLICE, optional.then_some(&mut levels), None, &mut values)
            .map_err(|error| error.to_string())?;
        if rows == 0 {
            return Ok(());
        }
        let mut present = values.iter();
        for row in 0..rows {
            let value = if optional && levels.get(row) == Some(&0) { None } else { present.next() };
            let n = out.len();
            out.push(take(value).ok_or_else(|| format!("row {}: cannot be read", n + 1))?);
        }
    }
}
