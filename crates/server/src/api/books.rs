//! The books by month: read, and closed.

use axum::http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use zhiyin_engine::books::{self, MonthBook};
use zhiyin_model::role::{Bound, Operation};
use zhiyin_store::closing::{CouponLine, Cut, Line};

use super::caller::Caller;
use super::endpoint::Endpoint;
use crate::problem::Problem;

pub(crate) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get("books_read", "/v1/reports/books", Operation::ReportsRead, read)
            .says(
                "Read the books of a month",
                "查看月度账本",
                "What was owed to members when the month began, what moved, what is owed at its end and what that is worth: in \
                 all, by home store and by tier. A closed month stays what it was; an open one is of what is decided by now. Only \
                 for keys that are bound to no place.",
            )
            .refuses(&["books_month_bad", "books_not_begun", "outside_scope", "no_playbook", "bad_query"])
            .example(json!({"month": "2017-03", "by": "tier"})),
        Endpoint::change(Method::POST, "books_close", "/v1/books/close", Operation::BooksClose, close)
            .says(
                "Close a month of the books",
                "月度结账",
                "For good: what is booked later, though it be of a day of that month, counts in the first month that is open. Only \
                 the first month that is open can be closed, once it has ended in the brand's zone. Closing it again changes \
                 nothing and gives the same.",
            )
            .refuses(&[
                "books_month_bad",
                "books_not_ended",
                "books_earlier_open",
                "books_before_first",
                "books_empty",
                "books_unsettled",
                "books_busy",
                "import_unfinished",
                "no_playbook",
            ])
            .example(json!({"month": "2017-03"})),
    ]
}

/// Which month.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Asked {
    /// YYYY-MM; the last that has ended without it.
    month: Option<String>,
    /// By what members are told apart, beside all: store or tier; both without it.
    by: Option<String>,
}

/// Which month is closed.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Which {
    /// YYYY-MM.
    month: String,
}

/// What points are worth.
#[derive(Serialize, JsonSchema)]
struct WorthView {
    /// Minor units of money,
    minor: i64,
    /// for so many points.
    points: i64,
}

/// A line of the books: the opening and all that moved is the closing.
#[derive(Serialize, JsonSchema)]
struct LineView {
    /// Of what: `points`.
    asset: &'static str,
    /// By what it is told apart: `all`, `store` or `tier`.
    by: &'static str,
    /// The store or the tier; nothing for all, and for members who have none.
    of: Option<String>,
    /// Owed when the month began, less what members owe.
    opening: i64,
    /// Earned with orders.
    earned: i64,
    /// Spent.
    spent: i64,
    /// Expired.
    expired: i64,
    /// Taken back with orders, and spends that came back.
    reversed: i64,
    /// Given and taken by hand, gifts between members, debt that was written off.
    adjusted: i64,
    /// What an old system owed.
    taken_over: i64,
    /// Moved between members who were merged or parted; by store and by tier also what went elsewhere with its member.
    moved: i64,
    /// Owed at its end.
    closing: i64,
    /// What that is worth, in minor units; nothing where the playbook says no worth.
    liability_minor: Option<i64>,
}

impl From<Line> for LineView {
    fn from(line: Line) -> Self {
        let Line { asset, cut, value, opening, moves, closing, liability_minor } = line;
        Self {
            asset: asset.name(),
            by: cut.name(),
            of: Some(value).filter(|value| !value.is_empty()),
            opening,
            earned: moves.earned,
            spent: moves.spent,
            expired: moves.expired,
            reversed: moves.reversed,
            adjusted: moves.adjusted,
            taken_over: moves.taken_over,
            moved: moves.moved,
            closing,
            liability_minor,
        }
    }
}

/// A line of coupons, in pieces: the opening and all that moved is the closing.
#[derive(Serialize, JsonSchema)]
struct CouponLineView {
    /// Of which offer.
    offer: String,
    /// By what it is told apart: `all`, `store` or `tier`.
    by: &'static str,
    /// The store or the tier; nothing for all, and for members who have none.
    of: Option<String>,
    /// Held by members when the month began.
    opening: i64,
    /// Issued.
    issued: i64,
    /// Used, less.
    redeemed: i64,
    /// Their time was over, less.
    expired: i64,
    /// Taken back, less: by a person, or because they were not used in their time.
    withdrawn: i64,
    /// What they were used for came back.
    given_back: i64,
    /// By store and by tier, what went elsewhere with its member.
    moved: i64,
    /// Held at its end.
    closing: i64,
    /// What they took off when they were used, less what came back, in minor units.
    given_minor: i64,
    /// What those that are held are worth by their face, in minor units; nothing where none has a fixed one.
    liability_minor: Option<i64>,
}

impl From<CouponLine> for CouponLineView {
    fn from(line: CouponLine) -> Self {
        let CouponLine { offer, cut, value, opening, moves, closing, liability_minor, given_minor } = line;
        Self {
            offer,
            by: cut.name(),
            of: Some(value).filter(|value| !value.is_empty()),
            opening,
            issued: moves.issued,
            redeemed: moves.redeemed,
            expired: moves.expired,
            withdrawn: moves.withdrawn,
            given_back: moves.given_back,
            moved: moves.moved,
            closing,
            given_minor,
            liability_minor,
        }
    }
}

/// The books of a month.
#[derive(Serialize, JsonSchema)]
struct BookView {
    /// YYYY-MM.
    month: String,
    /// `before_first` (before the first month of the books), `running`, `open` or `closed`.
    state: &'static str,
    /// Its first instant.
    start: String,
    /// The first instant after it.
    until: String,
    /// When it was closed, in business time.
    closed_at: Option<String>,
    /// By whom.
    closed_by: Option<String>,
    /// The chain of closed months up to it, 64 hexadecimal digits.
    hash: Option<String>,
    /// The currency of what it is worth.
    currency: String,
    /// What points are worth here.
    worth: Option<WorthView>,
    /// Its lines.
    lines: Vec<LineView>,
    /// Those of coupons, by offer; nothing of a month that was closed before coupons were in the books.
    coupons: Option<Vec<CouponLineView>>,
}

impl BookView {
    fn of(book: MonthBook, by: Option<Cut>) -> Self {
        let wanted = |cut: Cut| by.is_none_or(|by| cut == by || cut == Cut::All);
        let coupons = |lines: Vec<CouponLine>| {
            lines.into_iter().filter(|line| wanted(line.cut)).map(CouponLineView::from).collect()
        };
        Self {
            month: book.month.to_string(),
            state: book.state.name(),
            start: book.start.rfc3339(),
            until: book.until.rfc3339(),
            closed_at: book.closed.as_ref().map(|closed| closed.closed_at.rfc3339()),
            closed_by: book.closed.as_ref().map(|closed| closed.closed_by.clone()),
            hash: book.closed.as_ref().map(zhiyin_store::closing::Closed::hash_text),
            currency: book.currency,
            worth: book.worth.map(|(minor, points)| WorthView { minor, points }),
            lines: book.lines.into_iter().filter(|line| wanted(line.cut)).map(LineView::from).collect(),
            coupons: book.coupons.map(coupons),
        }
    }
}

async fn read(caller: Caller, asked: Asked) -> Result<BookView, Problem> {
    if caller.filter.bound != Bound::Everything {
        return Err(Problem::of("outside_scope"));
    }
    let by = match asked.by.as_deref() {
        None => None,
        Some("store") => Some(Cut::Store),
        Some("tier") => Some(Cut::Tier),
        Some(_) => return Err(Problem::of("bad_query").at("by").says("store or tier".to_owned())),
    };
    let month = match asked.month {
        Some(text) => books::month(&text)?,
        None => caller.engine().last_month().await?,
    };
    let mut found = caller.engine().month_books(month, month).await?;
    let book = found.pop().ok_or_else(|| Problem::of("reading_failed"))?;
    Ok(BookView::of(book, by))
}

async fn close(caller: Caller, which: Which) -> Result<BookView, Problem> {
    let book = caller.engine().close_books(&caller.grant, books::month(&which.month)?).await?;
    Ok(BookView::of(book, None))
}
