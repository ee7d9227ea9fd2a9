//! Posters: drawings of the playbook, for one member each, with a code of theirs (S1; docs/posters.md).
//!
//! A drawing is read once for each version of the playbook, and what is the same on every poster is drawn then. The code on a poster
//! leads to the poster's page by a link of the member's own: drawn again it is the same link.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use zhiyin_decide::campaign::{VARIABLES, of_member};
use zhiyin_decide::state::State;
use zhiyin_model::event::Refusal;
use zhiyin_model::id::MemberId;
use zhiyin_model::link::{Followed, LinkCode};
use zhiyin_model::mask::Mask;
use zhiyin_model::playbook::{Playbook, Problem};
use zhiyin_model::role::Filter;
use zhiyin_reach::poster::fonts::Fonts;
use zhiyin_reach::poster::{self, Poster, PosterError};
use zhiyin_reach::qr::Qr;

use crate::boxed;
use crate::command::Whom;
use crate::{Engine, EngineError, Result, clock, links, rebuild};

/// What of a member posters may name beside attributes.
const NAMED: [&str; 3] = ["tier", "points", "store"];

type Refused<T> = std::result::Result<T, Refusal>;

/// Posters that were read, of the version of the playbook that was asked for last; and with which fonts.
pub(crate) struct Posters {
    named: Mutex<Vec<PathBuf>>,
    fonts: tokio::sync::OnceCell<Fonts>,
    read: Mutex<(i64, BTreeMap<String, Arc<Poster>>)>,
    /// As many are drawn at once as there are processors: whoever asks for many waits for their turn.
    turns: tokio::sync::Semaphore,
}

impl Default for Posters {
    fn default() -> Self {
        let turns = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            named: Mutex::default(),
            fonts: tokio::sync::OnceCell::new(),
            read: Mutex::default(),
            turns: tokio::sync::Semaphore::new(turns),
        }
    }
}

fn refused(error: PosterError) -> Refusal {
    Refusal::new(error.code, "poster", error.message)
}

/// What texts of a poster may name, with examples.
fn examples(playbook: &Playbook) -> BTreeMap<String, String> {
    let known = VARIABLES.iter().filter(|(name, _)| NAMED.contains(name) || *name == "member.name");
    let mut known: BTreeMap<String, String> =
        known.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    known.extend(playbook.attributes.keys().map(|name| (format!("member.{name}"), "1".to_owned())));
    known
}

/// What is wrong with the posters of a playbook.
pub(crate) fn problems(file: &str, playbook: &Playbook) -> Vec<Problem> {
    let known = examples(playbook);
    let wrong = playbook.posters.iter().filter_map(|(id, terms)| {
        let error = poster::check(&terms.svg, &known).err()?;
        Some(Problem {
            file: file.to_owned(),
            line: 1,
            column: 1,
            path: format!("posters.{id}.svg"),
            message: error.to_string(),
            allowed: Some(known.keys().cloned().collect::<Vec<_>>().join(", ")),
        })
    });
    wrong.collect()
}

/// Does something that takes long beside what waits.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| EngineError::Store(zhiyin_store::StoreError::Damaged(format!("a poster: {error}"))))
}

impl Engine {
    /// With which fonts posters are drawn: files and folders; where none is named, those in the machine's own folders. To be said
    /// before the first is drawn.
    pub fn poster_fonts(&self, named: Vec<PathBuf>) {
        *self.posters.named.lock().unwrap_or_else(PoisonError::into_inner) = named;
    }

    async fn fonts(&self) -> Result<Refused<Fonts>> {
        let named = self.posters.named.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let read = || async move { aside(move || Fonts::from(&named)).await?.map_err(EngineError::Poster) };
        match self.posters.fonts.get_or_try_init(read).await {
            Ok(fonts) => Ok(Ok(fonts.clone())),
            Err(EngineError::Poster(error)) => Ok(Err(refused(error))),
            Err(error) => Err(error),
        }
    }

    /// A poster of the live playbook, read.
    async fn poster(&self, name: &str) -> Result<Refused<Arc<Poster>>> {
        let live = self.live()?;
        let version = live.version.version;
        let Some(terms) = live.playbook.posters.get(name) else {
            return Ok(Err(Refusal::new("poster_unknown", "name", "the playbook has no poster of this id")));
        };
        let known = || self.posters.read.lock().unwrap_or_else(PoisonError::into_inner);
        let found = Some(known()).filter(|read| read.0 == version).and_then(|read| read.1.get(name).cloned());
        if let Some(found) = found {
            return Ok(Ok(found));
        }
        let fonts = match self.fonts().await? {
            Ok(fonts) => fonts,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let svg = terms.svg.clone();
        let read = match aside(move || Poster::read(&svg, &fonts)).await? {
            Ok(read) => Arc::new(read),
            Err(error) => return Ok(Err(refused(error))),
        };
        let mut all = known();
        if all.0 < version {
            *all = (version, BTreeMap::new());
        }
        if all.0 == version {
            all.1.insert(name.to_owned(), Arc::clone(&read));
        }
        Ok(Ok(read))
    }

    /// A member's poster, as PNG. Whoever sees people masked gets none that says who somebody is.
    #[boxed]
    pub async fn draw_poster(
        &self,
        filter: &Filter,
        (whom, field): (&Whom, &str),
        name: &str,
    ) -> Result<Refused<Vec<u8>>> {
        let read = match self.poster(name).await? {
            Ok(read) => read,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if filter.mask != Mask::Full {
            let message = "a poster says who it is of, and this key sees people masked";
            return Ok(Err(Refusal::new("poster_shows_people", "name", message)));
        }
        let stored = match self.reachable(filter, whom, field).await? {
            Ok(stored) => stored,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let live = self.live()?;
        let state = rebuild::state(self.store().as_ref(), &live.rules, stored).await?;
        self.drawn(name, read, &state).await
    }

    /// The poster of somebody to whom it is sent.
    pub(crate) async fn poster_for(&self, name: &str, state: &State) -> Result<Refused<Vec<u8>>> {
        match self.poster(name).await? {
            Ok(read) => self.drawn(name, read, state).await,
            Err(refusal) => Ok(Err(refusal)),
        }
    }

    async fn drawn(&self, name: &str, read: Arc<Poster>, state: &State) -> Result<Refused<Vec<u8>>> {
        let member = state.member.id;
        let variables = of_member(state);
        let code = if read.has_code() { self.code_of(name, member).await? } else { None };
        // Nobody closes it.
        let _turn = self.posters.turns.acquire().await.ok();
        let drawn = aside(move || read.draw(&variables, code.as_ref())).await?;
        Ok(drawn.map_err(refused))
    }

    /// A poster that says nothing of anybody, as PNG; its code says `url`, where it has one.
    #[boxed]
    pub(crate) async fn draw_for_anybody(&self, name: &str, url: Option<String>) -> Result<Refused<Vec<u8>>> {
        let read = match self.poster(name).await? {
            Ok(read) => read,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let code = url.filter(|_| read.has_code()).and_then(|url| Qr::of(&url).ok());
        // Nobody closes it.
        let _turn = self.posters.turns.acquire().await.ok();
        let drawn = aside(move || read.draw(&BTreeMap::new(), code.as_ref())).await?;
        Ok(drawn.map_err(refused))
    }

    /// The code on a member's poster: a link of their own to the poster's page.
    async fn code_of(&self, name: &str, member: MemberId) -> Result<Option<Qr>> {
        let (live, home) = (self.live()?, self.home().await?);
        let page = live.playbook.posters.get(name).and_then(|terms| terms.link.as_ref());
        let pages = &live.playbook.links.pages;
        let Some((id, page)) = page.and_then(|id| Some((id, pages.get(id)?))) else { return Ok(None) };
        let parts: [&[u8]; 4] = [b"poster", name.as_bytes(), id.as_bytes(), member.bytes()];
        let code = LinkCode::of(&home.id_key, &parts);
        let url = links::url(&live.playbook.links, Followed::Scanned, &code);
        // A poster has no end of its own: the page's days count from when it was first drawn.
        let link = zhiyin_model::link::Link {
            message: Some(format!("poster {name}")),
            ..links::of_member(code, (id, page), member, clock::now(&home))
        };
        self.store().coupons().campaigns().links().put_links(vec![link]).await?;
        Ok(Qr::of(&url).ok())
    }

    /// A code as it is printed: a text, as SVG.
    pub fn qr_svg(text: &str) -> Option<String> {
        Qr::of(text).ok().map(|code| code.svg())
    }

    /// The same as PNG, so many pixels a side at most.
    pub fn qr_png(text: &str, pixels: u32) -> Option<Vec<u8>> {
        Qr::of(text).ok().map(|code| code.png(pixels))
    }
}
