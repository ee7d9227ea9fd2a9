//! The books by month: what the brand owed its members, what moved, what it owes; by store, by tier and in all. Months are
//! closed one after the other, and a closed one stays what it was.
//!
//! What a line says stands in docs/books.md. Months that are closed are read from their lines; the others are summed from the
//! journal, in one snapshot. Here is how lines are made of sums, and what may be closed when.

mod coupons;
mod lines;

use std::collections::btree_map::Entry;

use serde_json::json;
use zhiyin_model::effect::Asset;
use zhiyin_model::month::Month;
use zhiyin_model::role::{Grant, Operation};
use zhiyin_model::time::{Ts, Zone};
use zhiyin_store::closing::{BEGINNING, Close, Closed, CouponLine, Cut, Line, chained};

use crate::audit::{Target, detail};
use crate::boxed;

use crate::reports::Table;
use crate::{Engine, EngineError, Live, Result, clock};

/// The most months that are asked for at once.
pub const MONTHS_MAX: usize = 120;

/// Why books cannot be shown or closed like this.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BooksProblem {
    /// That is no month.
    #[error("{0:?}: a month is YYYY-MM")]
    Month(String),
    /// Too many months, or the last before the first.
    #[error("from {0} to {1}: at least one month, at most {MONTHS_MAX}")]
    Span(Month, Month),
    /// It has not begun.
    #[error("{0} has not begun")]
    Future(Month),
    /// It has not ended.
    #[error("{0} ends at {1}: a month is closed once it has ended")]
    NotEnded(Month, Ts),
    /// One before it is open.
    #[error("{0} cannot be closed before {1}, which is open")]
    EarlierOpen(Month, Month),
    /// Nothing was booked in it or before.
    #[error("{0} comes before the first month of the books, {1}")]
    BeforeFirst(Month, Month),
    /// Nothing was ever booked.
    #[error("nothing was booked yet")]
    Empty,
    /// Something that came in, or was due, before its end was not decided yet.
    #[error(
        "something waits that came in or was due at {0}: decide it first (`zhiyin work --drain`), so that it is booked where it \
         belongs"
    )]
    Unsettled(Ts),
    /// Somebody stopped in the midst of a batch.
    #[error("a batch is under way that does not end: try again")]
    Busy,
}

impl BooksProblem {
    /// A name that stays, for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Month(_) => "books_month_bad",
            Self::Span(..) => "books_span_bad",
            Self::Future(_) => "books_not_begun",
            Self::NotEnded(..) => "books_not_ended",
            Self::EarlierOpen(..) => "books_earlier_open",
            Self::BeforeFirst(..) => "books_before_first",
            Self::Empty => "books_empty",
            Self::Unsettled(_) => "books_unsettled",
            Self::Busy => "books_busy",
        }
    }
}

/// A month, as it is written.
pub fn month(text: &str) -> Result<Month> {
    Month::parse(text.trim()).ok_or_else(|| BooksProblem::Month(text.chars().take(40).collect()).into())
}

/// How a month stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It comes before the first month of the books.
    BeforeFirst,
    /// It has not ended.
    Running,
    /// It has ended, and can still change.
    Open,
    /// It stays as it is.
    Closed,
}

impl State {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BeforeFirst => "before_first",
            Self::Running => "running",
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }
}

/// The books of a month.
#[derive(Clone, Debug)]
pub struct MonthBook {
    /// Which.
    pub month: Month,
    /// Its first instant.
    pub start: Ts,
    /// The first instant after it.
    pub until: Ts,
    /// How it stands.
    pub state: State,
    /// How it was closed.
    pub closed: Option<Closed>,
    /// The currency that liabilities are in.
    pub currency: String,
    /// What points are worth here: minor units of money for points.
    pub worth: Option<(i64, i64)>,
    /// Its lines, by asset, cut and value.
    pub lines: Vec<Line>,
    /// Those of coupons, by offer, cut and value; nothing of a month that was closed before coupons were in the books.
    pub coupons: Option<Vec<CouponLine>>,
}

/// Where a month lies, before its lines are made.
struct Span {
    month: Month,
    start: Ts,
    until: Ts,
}

impl Engine {
    /// The books of these months, the first first, of what is decided already.
    #[boxed]
    pub async fn month_books(&self, from: Month, to: Month) -> Result<Vec<MonthBook>> {
        let live = self.live()?;
        let zone = &live.rules.zone;
        let now = clock::now(&self.home().await?);
        let mut months = vec![from];
        while let Some(last) = months.last().copied().filter(|last| *last < to && months.len() <= MONTHS_MAX)
        {
            months.push(last.next());
        }
        if from > to || months.len() > MONTHS_MAX {
            return Err(BooksProblem::Span(from, to).into());
        }
        if to.start(zone) > now {
            return Err(BooksProblem::Future(to).into());
        }
        let closes = self.store().closing().closed().await?;
        let mut books = Vec::with_capacity(months.len());
        let mut open: Vec<Span> = Vec::new();
        for month in months {
            match closes.iter().find(|closed| closed.month == month) {
                Some(closed) if closed.hash.is_some() => {
                    books.push(self.frozen(&live, closed.clone()).await?);
                }
                found if found.is_some() || closes.first().is_none_or(|first| first.month < month) => {
                    open.push(span(&closes, zone, month));
                }
                // Before the first that was closed nothing was booked.
                _ => books.push(open_book(
                    &live,
                    span(&closes, zone, month),
                    State::BeforeFirst,
                    OpenLines::default(),
                )),
            }
        }
        let lines = self.open_lines(&live, &closes, &open).await?;
        let nothing = lines.first().is_none_or(OpenLines::is_empty);
        let first = if closes.is_empty() && nothing { self.first_month(&live).await? } else { None };
        for (span, lines) in lines::paired(open, lines)? {
            let state = match first {
                Some(first) if span.month < first => State::BeforeFirst,
                _ if span.until > now => State::Running,
                _ => State::Open,
            };
            books.push(open_book(&live, span, state, lines));
        }
        Ok(books)
    }

    /// The month in which something was booked first.
    async fn first_month(&self, live: &Live) -> Result<Option<Month>> {
        let mut first: Option<Ts> = None;
        for asset in Asset::ALL.into_iter().filter(|asset| asset.is_owed()) {
            let begins = self.store().closing().begins(asset).await?;
            first = [first, begins].into_iter().flatten().min();
        }
        let begins = self.store().closing().coupons_begin().await?;
        first = [first, begins].into_iter().flatten().min();
        Ok(first.map(|first| Month::of(live.rules.zone.day(first))))
    }

    /// Lines of months that follow each other and are not written down.
    async fn open_lines(&self, live: &Live, closes: &[Closed], spans: &[Span]) -> Result<Vec<OpenLines>> {
        let Some(first) = spans.first() else { return Ok(Vec::new()) };
        let bounds: Vec<Ts> =
            std::iter::once(first.start).chain(spans.iter().map(|span| span.until)).collect();
        let before = closes.iter().find(|closed| closed.month.next() == first.month && closed.hash.is_some());
        let coupons = self.open_coupons(before, bounds.clone()).await?;
        let before = match before {
            Some(closed) => Some(self.store().closing().lines(closed.month).await?),
            None => None,
        };
        let mut all: Vec<OpenLines> =
            coupons.into_iter().map(|coupons| OpenLines { lines: Vec::new(), coupons }).collect();
        for asset in Asset::ALL.into_iter().filter(|asset| asset.is_owed()) {
            let sums = self.store().closing().sums(asset, bounds.clone(), before.is_none()).await?;
            let worths = spans.iter().map(|span| worth_of(live, closes, span.month)).collect();
            let months = lines::of(asset, before.as_deref(), sums, worths)?;
            for (lines, month) in lines::paired(all.iter_mut().collect(), months)? {
                lines.lines.extend(month);
            }
        }
        Ok(all)
    }

    /// Lines of coupons between bounds; the first opens with what the month before it closed, where that speaks of coupons.
    async fn open_coupons(&self, before: Option<&Closed>, bounds: Vec<Ts>) -> Result<Vec<Vec<CouponLine>>> {
        let before = match before.filter(|closed| closed.coupons) {
            Some(closed) => Some(self.store().closing().coupon_lines(closed.month).await?),
            None => None,
        };
        let sums = self.store().closing().coupon_sums(bounds, before.is_none()).await?;
        let closings = sums.spans.iter().flat_map(|(_, closing)| closing);
        let mut faces = coupons::Faces::new();
        for stand in sums.opening.iter().chain(closings) {
            if let Entry::Vacant(unknown) = faces.entry(stand.terms) {
                let terms = self.store().coupons().coupon_terms(stand.terms).await?;
                unknown.insert(terms.as_deref().and_then(coupons::face));
            }
        }
        Ok(coupons::of(before.as_deref(), &sums, &faces)?)
    }

    /// A month that is closed, as it was written down.
    async fn frozen(&self, live: &Live, closed: Closed) -> Result<MonthBook> {
        let lines = self.store().closing().lines(closed.month).await?;
        let coupons = match closed.coupons {
            true => Some(self.store().closing().coupon_lines(closed.month).await?),
            false => None,
        };
        Ok(frozen(live, closed, (lines, coupons)))
    }

    /// The last month that has ended.
    #[boxed]
    pub async fn last_month(&self) -> Result<Month> {
        let now = clock::now(&self.home().await?);
        Ok(Month::of(self.live()?.rules.zone.day(now)).previous())
    }

    /// Closes a month for good; its books. One that is closed stays as it is. Only the first month that is open can be closed,
    /// once it has ended and all that came in or was due before its end is decided.
    #[boxed]
    pub async fn close_books(&self, by: &Grant, month: Month) -> Result<MonthBook> {
        by.may(Operation::BooksClose)?;
        let live = self.live()?;
        let closes = self.store().closing().closed().await?;
        if let Some(closed) = closes.iter().find(|closed| closed.month == month && closed.hash.is_some()) {
            return self.frozen(&live, closed.clone()).await;
        }
        let span = self.closable(&live, &closes, month).await?;
        let beside = detail(json!({"until": span.until.rfc3339()}));
        let on = (Operation::BooksClose, &Target::code(month));
        self.audited(by, on, &beside, self.close_span(by, &live, span)).await
    }

    /// Whether a month can be closed now; where it lies.
    async fn closable(&self, live: &Live, closes: &[Closed], month: Month) -> Result<Span> {
        let zone = &live.rules.zone;
        let home = self.home().await?;
        let now = clock::now(&home);
        let next = match closes.last() {
            Some(last) if last.hash.is_none() => last.month,
            Some(last) => last.month.next(),
            None => self.first_month(live).await?.ok_or(BooksProblem::Empty)?,
        };
        if month < next {
            let first = closes.first().map_or(next, |closed| closed.month);
            return Err(BooksProblem::BeforeFirst(month, first).into());
        }
        let span = span(closes, zone, month);
        if span.until > now {
            return Err(BooksProblem::NotEnded(month, span.until).into());
        }
        if month > next {
            return Err(BooksProblem::EarlierOpen(month, next).into());
        }
        if home.replaying {
            return Err(EngineError::Replaying);
        }
        let shares = self.store().work().await?.shares;
        let due = self.store().closing().first_wake().await?;
        match shares.iter().filter_map(|share| share.oldest).chain(due).min() {
            Some(first) if first < span.until => Err(BooksProblem::Unsettled(first).into()),
            _ => Ok(span),
        }
    }

    /// Says that a month is closed; then, while nothing can change it any more, makes its lines and writes them down.
    async fn close_span(&self, by: &Grant, live: &Live, span: Span) -> Result<MonthBook> {
        let books = self.store().closing();
        let wanted = Closed {
            month: span.month,
            start: span.start,
            until: span.until,
            closed_at: clock::now(&self.home().await?),
            closed_by: by.who.clone(),
            version: self.home().await?.version,
            worth: worth(live),
            hash: None,
            coupons: true,
        };
        match books.close(wanted).await? {
            // Whoever was quicker, or was interrupted, has said so before: what they said counts.
            Close::Done | Close::Passed => {}
            Close::Importing => return Err(EngineError::Replaying),
            Close::Busy => return Err(BooksProblem::Busy.into()),
            // It was the first when that was looked at: what came between says why it is not.
            Close::NotFirst => {
                let closes = books.closed().await?;
                self.closable(live, &closes, span.month).await?;
                return Err(BooksProblem::Busy.into());
            }
        }
        let closes = books.closed().await?;
        let place = closes.iter().position(|closed| closed.month == span.month);
        let Some((place, closed)) = place.and_then(|place| closes.get(place).map(|closed| (place, closed)))
        else {
            let open = closes.last().map_or(span.month, |last| last.month);
            return Err(BooksProblem::EarlierOpen(span.month, open).into());
        };
        if closed.hash.is_none() {
            let this = Span { month: closed.month, start: closed.start, until: closed.until };
            let OpenLines { lines, coupons } =
                self.open_lines(live, &closes, &[this]).await?.pop().unwrap_or_default();
            let coupons = if closed.coupons { coupons } else { Vec::new() };
            books.put_coupon_lines(closed.month, coupons).await?;
            // Whoever was quicker wrote theirs: these count.
            let coupons = books.coupon_lines(closed.month).await?;
            let before =
                place.checked_sub(1).and_then(|before| closes.get(before)?.hash).unwrap_or(BEGINNING);
            let hash = chained(&self.home().await?.id_key, &before, closed, (&lines, &coupons));
            books.write_down(closed.month, lines, hash).await?;
        }
        let closes = books.closed().await?;
        let closed = closes.into_iter().find(|closed| closed.month == span.month && closed.hash.is_some());
        let closed =
            closed.ok_or_else(|| zhiyin_store::StoreError::Damaged("a month that was closed".to_owned()))?;
        self.frozen(live, closed).await
    }
}

/// Lines of a month that is not written down.
#[derive(Default)]
struct OpenLines {
    lines: Vec<Line>,
    coupons: Vec<CouponLine>,
}

impl OpenLines {
    /// Whether nothing was owed and nothing moved.
    fn is_empty(&self) -> bool {
        self.coupons.is_empty() && self.lines.iter().all(|line| line.columns() == [0; 9])
    }
}

fn open_book(live: &Live, span: Span, state: State, lines: OpenLines) -> MonthBook {
    let OpenLines { lines, coupons } = lines;
    MonthBook {
        month: span.month,
        start: span.start,
        until: span.until,
        state,
        closed: None,
        currency: live.playbook.currency.code.clone(),
        worth: worth(live),
        lines,
        coupons: Some(coupons),
    }
}

fn frozen(live: &Live, closed: Closed, (lines, coupons): (Vec<Line>, Option<Vec<CouponLine>>)) -> MonthBook {
    MonthBook {
        month: closed.month,
        start: closed.start,
        until: closed.until,
        state: State::Closed,
        currency: live.playbook.currency.code.clone(),
        worth: closed.worth,
        closed: Some(closed),
        lines,
        coupons,
    }
}

/// Where a month lies: as it was closed; after one that was closed from its end on, whatever the zone is now.
fn span(closes: &[Closed], zone: &Zone, month: Month) -> Span {
    if let Some(closed) = closes.iter().find(|closed| closed.month == month) {
        return Span { month, start: closed.start, until: closed.until };
    }
    let before = closes.iter().find(|closed| closed.month.next() == month);
    let start = before.map_or_else(|| month.start(zone), |closed| closed.until);
    Span { month, start, until: month.next().start(zone) }
}

/// What points are worth by the live playbook: minor units of money for points.
fn worth(live: &Live) -> Option<(i64, i64)> {
    let worth = live.playbook.points.worth?;
    let minor = worth.major.checked_mul(live.rules.currency.minor_per_major())?;
    Some((minor, worth.points.max(1)))
}

fn worth_of(live: &Live, closes: &[Closed], month: Month) -> Option<(i64, i64)> {
    closes.iter().find(|closed| closed.month == month).map_or_else(|| worth(live), |closed| closed.worth)
}

/// Months as one table; of all cuts, or of one beside what is in all.
pub fn table(books: &[MonthBook], by: Option<Cut>) -> Table {
    let columns = [
        "month",
        "state",
        "asset",
        "by",
        "of",
        "opening",
        "earned",
        "spent",
        "expired",
        "reversed",
        "adjusted",
        "taken_over",
        "moved",
        "closing",
        "liability_minor",
        "currency",
    ];
    let mut rows = Vec::new();
    for book in books {
        let wanted = |line: &&Line| by.is_none_or(|by| line.cut == by || line.cut == Cut::All);
        for line in book.lines.iter().filter(wanted) {
            let texts = [book.state.name(), line.asset.name(), line.cut.name()].map(str::to_owned);
            let of = if line.value.is_empty() && line.cut != Cut::All { "none" } else { &line.value };
            let numbers = std::iter::once(line.opening).chain(line.moves.columns()).chain([line.closing]);
            let mut row = vec![book.month.to_string()];
            row.extend(texts);
            row.push(of.to_owned());
            row.extend(numbers.map(|number| number.to_string()));
            row.push(line.liability_minor.map(|minor| minor.to_string()).unwrap_or_default());
            row.push(book.currency.clone());
            rows.push(row);
        }
    }
    let as_of = books.last().map_or(Ts::MIN, |book| book.until);
    Table { columns: columns.map(str::to_owned).to_vec(), rows, as_of, past: false, cut: None }
}

/// Coupons of months as one table; of all cuts, or of one beside what is in all.
pub fn coupon_table(books: &[MonthBook], by: Option<Cut>) -> Table {
    let columns = [
        "month",
        "state",
        "offer",
        "by",
        "of",
        "opening",
        "issued",
        "redeemed",
        "expired",
        "withdrawn",
        "given_back",
        "moved",
        "closing",
        "given_minor",
        "liability_minor",
        "currency",
    ];
    let mut rows = Vec::new();
    for book in books {
        let wanted = |line: &&CouponLine| by.is_none_or(|by| line.cut == by || line.cut == Cut::All);
        for line in book.coupons.iter().flatten().filter(wanted) {
            let of = if line.value.is_empty() && line.cut != Cut::All { "none" } else { &line.value };
            let mut row: Vec<String> = vec![book.month.to_string()];
            row.extend([book.state.name(), &line.offer, line.cut.name(), of].map(str::to_owned));
            row.extend(line.columns().map(|number| number.to_string()));
            row.push(line.liability_minor.map(|minor| minor.to_string()).unwrap_or_default());
            row.push(book.currency.clone());
            rows.push(row);
        }
    }
    let as_of = books.last().map_or(Ts::MIN, |book| book.until);
    Table { columns: columns.map(str::to_owned).to_vec(), rows, as_of, past: false, cut: None }
}
