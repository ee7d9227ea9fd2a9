//! Operations that read: members, reports, what waits for somebody, the brand, the home. What they show and whom they find the
//! engine works out of the caller's grant; here is only how it is asked.

pub(crate) mod brand;
pub(crate) mod home;
pub(crate) mod intake;
pub(crate) mod members;
pub(crate) mod reports;

use super::caller::Caller;
use super::endpoint::Endpoint;
use crate::problem::Problem;
use zhiyin_model::time::Day;

/// How long a page is where nobody says otherwise.
const LIMIT: u16 = 50;

/// All of them.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    [members::endpoints(), reports::endpoints(), intake::endpoints(), brand::endpoints(), home::endpoints()]
        .into_iter()
        .flatten()
        .collect()
}

/// How long a page is to be.
pub(crate) fn limit(said: Option<u16>) -> usize {
    usize::from(said.unwrap_or(LIMIT))
}

/// A day that may be left out.
pub(crate) fn day(field: &str, said: Option<&str>) -> Result<Option<Day>, Problem> {
    let Some(text) = said else { return Ok(None) };
    let day = Day::parse(text);
    day.map(Some).ok_or_else(|| Problem::of("bad_query").at(field).says("a date is YYYY-MM-DD".to_owned()))
}
