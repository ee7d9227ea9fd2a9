//! Fonts: those that were named, or what the machine has in its folders.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use resvg::usvg::{FontResolver, Options, fontdb};

use super::PosterError;

/// The largest font that is read, in bytes.
const FONT_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Fonts with which posters are drawn, the first before the others.
#[derive(Clone, Debug, Default)]
pub struct Fonts(Arc<fontdb::Database>);

/// Whether a character is seen, so that a font must have it: blanks, joiners and selectors are not.
pub(super) fn is_seen(c: char) -> bool {
    let is_joint = matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{e0100}'..='\u{e01ef}');
    !c.is_whitespace() && !c.is_control() && !is_joint
}

impl Fonts {
    /// None: what says nothing can be drawn.
    pub fn none() -> Self {
        Self::default()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Fonts from these files and folders; where none is named, those in the machine's own folders.
    pub fn from(named: &[PathBuf]) -> Result<Self, PosterError> {
        let mut fonts = fontdb::Database::new();
        if named.is_empty() {
            fonts.load_system_fonts();
        }
        for path in named {
            load(&mut fonts, path)?;
        }
        // Words such as `serif` name a font that may not be here: the first that is stands in.
        let first = fonts.faces().next().and_then(|face| face.families.first()).map(|(name, _)| name.clone());
        if let Some(first) = first {
            fonts.set_serif_family(first.clone());
            fonts.set_sans_serif_family(first.clone());
            fonts.set_monospace_family(first.clone());
            fonts.set_cursive_family(first.clone());
            fonts.set_fantasy_family(first);
        }
        Ok(Self(Arc::new(fonts)))
    }

    /// How a drawing is read with them.
    pub(super) fn options(&self) -> Options<'static> {
        let by_name = FontResolver::default_font_selector();
        let font_resolver = FontResolver {
            select_font: Box::new(move |font, fonts| {
                by_name(font, fonts).or_else(|| fonts.faces().next().map(|face| face.id))
            }),
            select_fallback: FontResolver::default_fallback_selector(),
        };
        Options {
            font_family: "sans-serif".to_owned(),
            fontdb: Arc::clone(&self.0),
            font_resolver,
            image_href_resolver: super::images(),
            ..Options::default()
        }
    }
}

fn load(fonts: &mut fontdb::Database, path: &Path) -> Result<(), PosterError> {
    let unread = |what: String| PosterError::new("poster_no_font", format!("{}: {what}", path.display()));
    let about = std::fs::metadata(path).map_err(|error| unread(error.to_string()))?;
    let before = fonts.len();
    if about.is_dir() {
        fonts.load_fonts_dir(path);
    } else if about.len() > FONT_BYTES_MAX {
        return Err(unread(format!("larger than {FONT_BYTES_MAX} bytes")));
    } else {
        fonts.load_font_data(std::fs::read(path).map_err(|error| unread(error.to_string()))?);
    }
    if fonts.len() == before { Err(unread("there is no font in it".to_owned())) } else { Ok(()) }
}
