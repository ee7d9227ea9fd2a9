//! Lists that come in pages: each page says by a cursor where the next begins.

use super::bounds::CURSOR_BYTES_MAX;
use super::trouble::{Fault, Trouble};

/// One page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// What is on it; it may be nothing though there is a next one.
    pub items: Vec<T>,
    /// Where the next begins; `None` where this is the last.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// A page whose next begins at a cursor that is empty where there is none.
    pub(crate) fn of(items: Vec<T>, next_cursor: String) -> Self {
        Self { items, next: Some(next_cursor).filter(|cursor| !cursor.is_empty()) }
    }
}

/// A cursor as it may be said.
pub(crate) fn cursor(given: Option<&str>) -> Result<&str, Trouble> {
    let cursor = given.unwrap_or_default();
    if cursor.len() > CURSOR_BYTES_MAX {
        return Err(Trouble::input("cursor", format!("at most {CURSOR_BYTES_MAX} bytes")));
    }
    Ok(cursor)
}

/// All pages of a list, of which there are at most so many. Where there are more, or one leads to itself, nothing is given: half a list
/// is none. `page` asks for the page at a cursor.
pub async fn all<T, F>(pages_max: usize, page: impl Fn(Option<String>) -> F) -> Result<Vec<T>, Trouble>
where
    F: Future<Output = Result<Page<T>, Trouble>>,
{
    let refused = |name| Err(Trouble::Refused { code: 0, name, fault: Fault::Ours });
    let (mut items, mut at) = (Vec::new(), None);
    for _ in 0..pages_max {
        let got = page(at.clone()).await?;
        items.extend(got.items);
        match got.next {
            None => return Ok(items),
            next if next == at => return refused("cursor_stuck"),
            next => at = next,
        }
    }
    refused("pages_at_most")
}
