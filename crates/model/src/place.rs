//! The brand's tree: brand → region (any depth) → store → staff, as checked types.
//!
//! A place is known by its code, which is what events call a store. What a file says of one comes as [`Cells`], texts that
//! [`Place::read`] takes or refuses with the field at fault; [`Place::cells`] gives the same texts back. Whether places fit
//! together is asked of all of them at once ([`tree::misfits`]); when a store is open is in [`hours`], where it is in [`geo`].

pub mod geo;
pub mod hours;
pub mod tree;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::event::Refusal;
use crate::time::{Day, Ts, Zone};
use geo::{Datum, Point};
use hours::Hours;

/// The most characters of a code.
pub const CODE_CHARS_MAX: usize = 64;
/// The most characters of a name.
pub const NAME_CHARS_MAX: usize = 200;
/// The most characters of a role's word.
pub const ROLE_CHARS_MAX: usize = 32;
/// The most characters of who changed something: the longest name that signs in, an e-mail address, and what stands before it.
pub const BY_CHARS_MAX: usize = 300;

/// A code of a place or of one of its staff: 1 to 64 letters and digits of any script and `._-/:#+`, beginning with a letter
/// or a digit. Upper and lower case are told apart, as events do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Code(String);

impl Code {
    /// Reads a code; `field` is what is named if it is none.
    pub fn read(field: &str, text: &str) -> Result<Self, Refusal> {
        let allowed = |c: char| c.is_alphanumeric() || "._-/:#+".contains(c);
        let begins = text.chars().next().is_some_and(char::is_alphanumeric);
        if begins && text.chars().all(allowed) && text.chars().count() <= CODE_CHARS_MAX {
            return Ok(Self(text.to_owned()));
        }
        let message = format!(
            "{text:?}: a code has 1 to {CODE_CHARS_MAX} letters, digits and ._-/:#+, and begins with a letter or a digit"
        );
        Err(Refusal::new("bad_code", field, message))
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A small set of words, each by its name.
macro_rules! words {
    ($(#[$about:meta])* $name:ident, $code:literal: $($(#[$what:meta])* $word:ident = $text:literal,)*) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$what])* #[serde(rename = $text)] $word,)*
        }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$word),*];

            /// Its word.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$word => $text,)*
                }
            }

            /// The one of this word; refused by name of the field.
            pub fn read(field: &str, text: &str) -> Result<Self, Refusal> {
                let known = Self::ALL.iter().find(|word| word.name() == text);
                known.copied().ok_or_else(|| {
                    let words: Vec<&str> = Self::ALL.iter().map(|word| word.name()).collect();
                    Refusal::new($code, field, format!("{text:?} is none of {}", words.join(", ")))
                })
            }
        }
    };
}
pub(crate) use words;

words! {
    /// What a place is in the tree.
    PlaceKind, "bad_kind":
    /// The root of a tree.
    Brand = "brand",
    /// What holds regions and stores: a country, a district, a franchisee's stores.
    Region = "region",
    /// Where people buy; a leaf.
    Store = "store",
}

words! {
    /// What kind of store a store is.
    StoreFormat, "bad_format":
    /// On a street.
    Street = "street",
    /// In a shopping centre.
    Mall = "mall",
    /// In a station, an airport, a service area.
    Travel = "travel",
    /// A counter within another's store.
    Counter = "counter",
    /// Where what is left is sold.
    Outlet = "outlet",
    /// Open for some weeks only.
    PopUp = "pop_up",
    /// A machine.
    Vending = "vending",
    /// Without a door: its own shop, a marketplace, an app.
    Online = "online",
    /// Where online orders are handed over from.
    Warehouse = "warehouse",
}

/// What a place is called; at least one of the two.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Names {
    /// In Chinese.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zh: Option<String>,
    /// In English.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub en: Option<String>,
}

impl Names {
    /// The English name, or the Chinese one.
    pub fn english(&self) -> &str {
        self.en.as_deref().or(self.zh.as_deref()).unwrap_or_default()
    }

    /// The Chinese name, or the English one.
    pub fn chinese(&self) -> &str {
        self.zh.as_deref().or(self.en.as_deref()).unwrap_or_default()
    }
}

/// A place of the tree: checked in itself, not yet against the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// What events call it.
    pub code: Code,
    /// Under which place it lies; none for a brand.
    pub parent: Option<Code>,
    /// What it is.
    pub kind: PlaceKind,
    /// All else.
    pub about: About,
}

/// What is known of a place beside its place in the tree: the document that stores keep.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// What it is called.
    pub names: Names,
    /// What kind of store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<StoreFormat>,
    /// Where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Point>,
    /// Its time zone; without one that of the next place above that has one, else the playbook's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// When it is open, by its own zone's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<Hours>,
    /// Its first day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opens_on: Option<Day>,
    /// The day from which on it is closed for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_on: Option<Day>,
}

/// Texts by name of their column: what a line of a file says of a place or of one of its staff.
pub type Cells = BTreeMap<&'static str, String>;

/// The columns of a place, as a file is written.
pub const PLACE_COLUMNS: [&str; 13] = [
    "code",
    "kind",
    "parent",
    "name_zh",
    "name_en",
    "format",
    "lat",
    "lon",
    "datum",
    "zone",
    "hours",
    "opens_on",
    "closed_on",
];
/// The columns of staff.
pub const STAFF_COLUMNS: [&str; 6] = ["code", "place", "name", "role", "from", "until"];

/// A cell that says something.
fn said<'c>(cells: &'c Cells, column: &str) -> Option<&'c str> {
    cells.get(column).map(|text| text.trim()).filter(|text| !text.is_empty())
}

/// A name of anything, if it is given.
fn name(cells: &Cells, column: &str) -> Result<Option<String>, Refusal> {
    let Some(text) = said(cells, column) else { return Ok(None) };
    if text.chars().count() > NAME_CHARS_MAX || text.chars().any(char::is_control) {
        let message =
            format!("a name has at most {NAME_CHARS_MAX} characters, none of them a control character");
        return Err(Refusal::new("bad_name", column, message));
    }
    Ok(Some(text.to_owned()))
}

/// A day, if it is given.
fn day(cells: &Cells, column: &str) -> Result<Option<Day>, Refusal> {
    let Some(text) = said(cells, column) else { return Ok(None) };
    let day = Day::parse(text);
    day.map(Some).ok_or_else(|| Refusal::new("bad_date", column, format!("{text:?}: a date is YYYY-MM-DD")))
}

impl Place {
    /// Reads a place.
    pub fn read(cells: &Cells) -> Result<Self, Refusal> {
        let code = Code::read("code", said(cells, "code").unwrap_or_default())?;
        let kind = PlaceKind::read("kind", said(cells, "kind").unwrap_or_default())?;
        let parent = said(cells, "parent").map(|text| Code::read("parent", text)).transpose()?;
        match (kind, &parent) {
            (PlaceKind::Brand, Some(_)) => {
                return Err(Refusal::new(
                    "parent_of_brand",
                    "parent",
                    "a brand is the root: it has no parent",
                ));
            }
            (PlaceKind::Region | PlaceKind::Store, None) => {
                let message = format!("a {} lies under a brand or a region", kind.name());
                return Err(Refusal::new("parent_missing", "parent", message));
            }
            _ => {}
        }
        let names = Names { zh: name(cells, "name_zh")?, en: name(cells, "name_en")? };
        if names == Names::default() {
            let message = "a place has a name in Chinese or in English";
            return Err(Refusal::new("name_missing", "name_zh", message));
        }
        let zone = said(cells, "zone").map(|text| {
            let known = Zone::named(text).map(|zone| zone.name().to_owned());
            known.ok_or_else(|| Refusal::new("bad_zone", "zone", format!("{text:?} is no IANA time zone")))
        });
        let about = About {
            names,
            format: said(cells, "format").map(|text| StoreFormat::read("format", text)).transpose()?,
            location: location(cells)?,
            zone: zone.transpose()?,
            hours: said(cells, "hours").map(Hours::read).transpose()?,
            opens_on: day(cells, "opens_on")?,
            closed_on: day(cells, "closed_on")?,
        };
        about.fits(kind)?;
        Ok(Self { code, parent, kind, about })
    }

    /// The texts that [`Place::read`] reads it from.
    pub fn cells(&self) -> Cells {
        let about = &self.about;
        let point = about.location;
        let text = |day: Option<Day>| day.map(|day| day.to_string());
        let cells: [(&'static str, Option<String>); 13] = [
            ("code", Some(self.code.to_string())),
            ("kind", Some(self.kind.name().to_owned())),
            ("parent", self.parent.as_ref().map(Code::to_string)),
            ("name_zh", about.names.zh.clone()),
            ("name_en", about.names.en.clone()),
            ("format", about.format.map(|format| format.name().to_owned())),
            ("lat", point.map(|point| geo::degrees(point.lat_e7))),
            ("lon", point.map(|point| geo::degrees(point.lon_e7))),
            ("datum", point.map(|point| point.datum.name().to_owned())),
            ("zone", about.zone.clone()),
            ("hours", about.hours.as_ref().map(Hours::to_string)),
            ("opens_on", text(about.opens_on)),
            ("closed_on", text(about.closed_on)),
        ];
        cells.into_iter().map(|(column, text)| (column, text.unwrap_or_default())).collect()
    }

    /// The same place, closed for good from a day on.
    pub fn closed(&self, on: Day) -> Result<Self, Refusal> {
        if self.kind != PlaceKind::Store {
            let message = format!("{} is a {}: only stores close", self.code, self.kind.name());
            return Err(Refusal::new("not_a_store", "code", message));
        }
        let about = About { closed_on: Some(on), ..self.about.clone() };
        about.fits(self.kind)?;
        Ok(Self { about, ..self.clone() })
    }
}

/// Where a place is: latitude, longitude and datum, all or none.
fn location(cells: &Cells) -> Result<Option<Point>, Refusal> {
    let [lat, lon, datum] = ["lat", "lon", "datum"].map(|column| said(cells, column));
    if lat.is_none() && lon.is_none() && datum.is_none() {
        return Ok(None);
    }
    let missing = |column: &'static str| {
        let message = "a location has a latitude, a longitude and a datum (wgs84, gcj02, bd09)";
        Refusal::new("location_incomplete", column, message)
    };
    let lat = geo::read("lat", lat.ok_or_else(|| missing("lat"))?, 90)?;
    let lon = geo::read("lon", lon.ok_or_else(|| missing("lon"))?, 180)?;
    let datum = Datum::read("datum", datum.ok_or_else(|| missing("datum"))?)?;
    Ok(Some(Point { lat_e7: lat, lon_e7: lon, datum }))
}

impl About {
    /// What only a store has, only a store has.
    fn fits(&self, kind: PlaceKind) -> Result<(), Refusal> {
        let given = [
            ("format", self.format.is_some()),
            ("lat", self.location.is_some()),
            ("hours", self.hours.is_some()),
            ("opens_on", self.opens_on.is_some()),
            ("closed_on", self.closed_on.is_some()),
        ];
        if kind != PlaceKind::Store
            && let Some((field, _)) = given.iter().find(|(_, given)| *given)
        {
            return Err(Refusal::new("stores_only", *field, format!("a {} has no {field}", kind.name())));
        }
        match (self.opens_on, self.closed_on) {
            (Some(opens), Some(closed)) if closed < opens => {
                let message = format!("it is closed from {closed} on, before its first day {opens}");
                Err(Refusal::new("closed_before_open", "closed_on", message))
            }
            _ => Ok(()),
        }
    }

    /// Whether the store trades on a day at all.
    pub fn trades_on(&self, day: Day) -> bool {
        self.opens_on.is_none_or(|opens| opens <= day) && self.closed_on.is_none_or(|closed| day < closed)
    }

    /// Whether the store is open at an instant, by the clock of its zone; `None` where its hours are not known. Opening
    /// hours that run over midnight belong to the day they began on: the last night of a store that closes is not cut short.
    pub fn open_at(&self, zone: &Zone, at: Ts) -> Option<bool> {
        let (today, minute) = hours::wall_clock(zone, at);
        if !self.trades_on(today) && !self.trades_on(today.plus(-1)) {
            return Some(false);
        }
        let hours = self.hours.as_ref()?;
        let since_today = self.trades_on(today) && hours.open(today, minute);
        let since_yesterday =
            self.trades_on(today.plus(-1)) && hours.open(today.plus(-1), minute + hours::MINUTES_OF_DAY);
        Some(since_today || since_yesterday)
    }
}

/// Who works at a place. The same code may stand at several places: an area manager, or one who moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Staff {
    /// What the brand calls them.
    pub code: Code,
    /// Where they work.
    pub place: Code,
    /// Their name.
    pub name: String,
    /// What they do: `manager`, `clerk`, `advisor`…
    pub role: String,
    /// Their first day there.
    pub from: Option<Day>,
    /// Their last day there.
    pub until: Option<Day>,
}

impl Staff {
    /// Reads one of the staff.
    pub fn read(cells: &Cells) -> Result<Self, Refusal> {
        let code = Code::read("code", said(cells, "code").unwrap_or_default())?;
        let place = Code::read("place", said(cells, "place").unwrap_or_default())?;
        let name = name(cells, "name")?
            .ok_or_else(|| Refusal::new("name_missing", "name", "whoever works at a place has a name"))?;
        let role = said(cells, "role").unwrap_or_default();
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        let begins = role.chars().next().is_some_and(|c| c.is_ascii_lowercase());
        if !begins || !role.chars().all(plain) || role.len() > ROLE_CHARS_MAX {
            let message =
                format!("{role:?}: a role is a word of a to z, 0 to 9 and _, at most {ROLE_CHARS_MAX} long");
            return Err(Refusal::new("bad_role", "role", message));
        }
        let (from, until) = (day(cells, "from")?, day(cells, "until")?);
        if let (Some(from), Some(until)) = (from, until)
            && until < from
        {
            let message = format!("the last day {until} is before the first day {from}");
            return Err(Refusal::new("until_before_from", "until", message));
        }
        Ok(Self { code, place, name, role: role.to_owned(), from, until })
    }

    /// The texts that [`Staff::read`] reads it from.
    pub fn cells(&self) -> Cells {
        let text = |day: Option<Day>| day.map(|day| day.to_string()).unwrap_or_default();
        let (from, until) = (text(self.from), text(self.until));
        let cells = [
            self.code.to_string(),
            self.place.to_string(),
            self.name.clone(),
            self.role.clone(),
            from,
            until,
        ];
        STAFF_COLUMNS.into_iter().zip(cells).collect()
    }

    /// Whether they work there on a day.
    pub fn works_on(&self, day: Day) -> bool {
        self.from.is_none_or(|from| from <= day) && self.until.is_none_or(|until| day <= until)
    }
}

/// Who changes something, as a bounded text.
pub fn read_by(text: &str) -> Result<String, Refusal> {
    let text = text.trim();
    let bad = text.is_empty() || text.chars().count() > BY_CHARS_MAX || text.chars().any(char::is_control);
    if bad {
        let message = format!("who changes something has a name of 1 to {BY_CHARS_MAX} characters");
        return Err(Refusal::new("bad_by", "by", message));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests;
