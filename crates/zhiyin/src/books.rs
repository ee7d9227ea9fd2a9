//! `zhiyin books show | close | export`: what was owed to members, what moved, what is owed; month by month.

use std::process::ExitCode;

use anyhow::Result;
use zhiyin_engine::books::{self, MonthBook};
use zhiyin_engine::reports::Table;
use zhiyin_store::closing::Cut;

use crate::arguments::{BooksAction, By, Format, OfBooks, Place};
use crate::report::print;
use crate::say::say;
use crate::who;

/// How many are decided at once before books are looked at.
const BATCH: usize = 1024;

/// Does with the books what was asked.
pub async fn books(place: &Place, action: BooksAction) -> Result<ExitCode> {
    let engine = place.open_existing().await?;
    // What waits and is due belongs into the books.
    engine.drain(BATCH, None, |_| ()).await?;
    match action {
        BooksAction::Show { month, by, of, format } => {
            let month = match month {
                Some(text) => books::month(&text)?,
                None => engine.last_month().await?,
            };
            let shown = engine.month_books(month, month).await?;
            let by = by.map(|by| match by {
                By::Store => Cut::Store,
                By::Tier => Cut::Tier,
            });
            let table = table_of(of, &shown, by.or(Some(Cut::All)));
            print(&table.columns, &table.rows, format)?;
            if format == Format::Table {
                shown.iter().for_each(said);
            }
        }
        BooksAction::Close { month } => {
            let closed = engine.close_books(&who::system(), books::month(&month)?).await?;
            let table = books::table(std::slice::from_ref(&closed), Some(Cut::All));
            print(&table.columns, &table.rows, Format::Table)?;
            said(&closed);
        }
        BooksAction::Export { from, to, of } => {
            let shown = engine.month_books(books::month(&from)?, books::month(&to)?).await?;
            let table = table_of(of, &shown, None);
            print(&table.columns, &table.rows, Format::Csv)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What books are of.
fn table_of(of: OfBooks, shown: &[MonthBook], by: Option<Cut>) -> Table {
    match of {
        OfBooks::Points => books::table(shown, by),
        OfBooks::Coupons => books::coupon_table(shown, by),
    }
}

/// Says how a month stands.
fn said(book: &MonthBook) {
    let (start, until) = (book.start, book.until);
    match &book.closed {
        Some(closed) => {
            let (at, by, hash) = (closed.closed_at, &closed.closed_by, closed.hash_text());
            say!("{}: {start} to {until}, closed at {at} by {by}; chain {hash}", book.month);
        }
        None => say!("{}: {start} to {until}, {}", book.month, book.state.name()),
    }
    if let Some((minor, points)) = book.worth {
        say!("{points} points are worth {minor} minor units of {}", book.currency);
    }
}
