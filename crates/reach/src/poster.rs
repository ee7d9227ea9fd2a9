//! Posters: an SVG with places for what is known of a member and for a code of theirs, drawn as PNG.
//!
//! A drawing comes from a brand and is not trusted: it is bounded, refers to nothing outside of itself and runs nothing
//! ([`structure`]). It is cut into what is the same on every poster, which is drawn once, and what names something, which is drawn for
//! each ([`cut`]); so a poster costs its few texts, its code, and being written as PNG. What a member is called is escaped, so it is a
//! text whatever it says. No glyph is made up: where no font has one, that is said by name ([`fonts`]).

mod cut;
pub mod fonts;
mod structure;

use std::collections::BTreeMap;
use std::sync::Arc;

use resvg::tiny_skia::{Color, Pixmap, PixmapPaint, Transform};
use resvg::usvg::roxmltree::{Document, ParsingOptions};
use resvg::usvg::{self, Node, Tree};

use crate::png;
use crate::qr::Qr;
use crate::template::{self, Templates};
use cut::Piece;
use fonts::Fonts;

/// The most pixels of a poster, and of a side.
const PIXELS_MAX: u32 = 8_000_000;
const SIDE_MAX: u32 = 4_096;
/// The most characters that one thing said on a poster has; more are cut off.
const VALUE_CHARS_MAX: usize = 200;
/// The most elements of a piece once it is filled in.
const NODES_MAX: u32 = 20_000;

/// Why there is no poster.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct PosterError {
    /// A name that never changes its meaning.
    pub code: &'static str,
    /// What is wrong, in words.
    pub message: String,
}

impl PosterError {
    fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

fn unreadable(error: impl std::fmt::Display) -> PosterError {
    PosterError::new("poster_unreadable", error.to_string())
}

/// What is drawn, from below.
enum Layer {
    /// The same on every poster, at its place.
    Still(Pixmap, i32, i32),
    /// Filled in for each, by its name among the templates.
    Drawn(String),
}

/// A poster that was read: what is the same on all is drawn already.
pub struct Poster {
    /// What lies below all else: white, and what of the drawing comes first and is the same on all.
    base: Pixmap,
    layers: Vec<Layer>,
    templates: Templates,
    /// Whether it has a place for a code.
    has_code: bool,
    fonts: Fonts,
}

impl std::fmt::Debug for Poster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Poster({}×{}, {} layers)", self.base.width(), self.base.height(), self.layers.len())
    }
}

fn parsed(text: &str) -> Result<Document<'_>, PosterError> {
    let options = ParsingOptions { allow_dtd: false, nodes_limit: NODES_MAX, ..ParsingOptions::default() };
    Document::parse_with_options(text, options).map_err(unreadable)
}

fn tree(text: &str, fonts: &Fonts) -> Result<Tree, PosterError> {
    let document = parsed(text)?;
    let says = document.descendants().any(|node| node.tag_name().name() == "text");
    if says && fonts.is_empty() {
        return Err(PosterError::new(
            "poster_no_font",
            "there is no font on this machine: name one with --font",
        ));
    }
    let tree = Tree::from_xmltree(&document, &fonts.options()).map_err(unreadable)?;
    whole(tree.root())?;
    Ok(tree)
}

/// Refuses a text of which a font has no glyph: an empty box is not what somebody is called.
fn whole(group: &usvg::Group) -> Result<(), PosterError> {
    for node in group.children() {
        match node {
            Node::Group(group) => whole(group)?,
            Node::Text(text) => {
                let glyphs = text.layouted().iter().flat_map(|span| &span.positioned_glyphs);
                let mut missing = glyphs.filter(|glyph| glyph.id.0 == 0).flat_map(|glyph| glyph.text.chars());
                if let Some(c) = missing.find(|c| fonts::is_seen(*c)) {
                    let message = format!(
                        "no font here has U+{:04X} ({c}): name one that has it with --font",
                        u32::from(c)
                    );
                    return Err(PosterError::new("poster_glyph_missing", message));
                }
            }
            Node::Path(_) | Node::Image(_) => {}
        }
    }
    Ok(())
}

/// The code that stands in where only its place matters.
fn example() -> Result<Qr, PosterError> {
    Qr::of("https://s.example.com/q/123456789ABC").map_err(unreadable)
}

/// What texts of a poster may name: what is known of somebody, and the code.
fn named(variables: &BTreeMap<String, String>, code: Option<&Qr>) -> BTreeMap<String, String> {
    let plain = |value: &String| -> String {
        let seen = value.chars().filter(|c| !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}'));
        seen.take(VALUE_CHARS_MAX).collect()
    };
    let mut all: BTreeMap<String, String> =
        variables.iter().map(|(name, value)| (name.clone(), plain(value))).collect();
    if let Some(code) = code {
        all.insert("qr.size".to_owned(), code.side().to_string());
        all.insert("qr.path".to_owned(), code.path());
    }
    all
}

/// What is wrong with a drawing, whatever fonts there are: `known` is what its texts may name, with examples.
pub fn check(svg: &str, known: &BTreeMap<String, String>) -> Result<(), PosterError> {
    let pieces = cut::pieces(svg)?;
    let known = named(known, Some(&example()?));
    let mut filled = String::new();
    for piece in &pieces {
        if let Piece::Drawn(text) = piece {
            template::check_escaped(text, &known)
                .map_err(|error| PosterError::new("poster_text_unreadable", error.to_string()))?;
            let templates = Templates::escaping([(String::new(), text.as_str())]);
            filled = templates.render_whole("", &known).map_err(unreadable)?;
            parsed(&filled)?;
        } else if let Piece::Still(text) = piece {
            filled.clone_from(text);
        }
    }
    let size = Tree::from_xmltree(&parsed(&filled)?, &Fonts::none().options()).map_err(unreadable)?.size();
    bounds(size).map(drop)
}

/// Its size in pixels, within bounds.
fn bounds(size: usvg::Size) -> Result<(u32, u32), PosterError> {
    let size = size.to_int_size();
    let (width, height) = (size.width(), size.height());
    if width > SIDE_MAX || height > SIDE_MAX || width.saturating_mul(height) > PIXELS_MAX {
        let message = format!("{width}×{height}: at most {SIDE_MAX} a side and {PIXELS_MAX} pixels");
        return Err(PosterError::new("poster_too_large", message));
    }
    Ok((width, height))
}

/// The part of a picture in which there is anything, and where it lies.
fn cropped(picture: &Pixmap) -> Option<(Pixmap, i32, i32)> {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let is_seen = |row: usize, column: usize| picture.data()[(row * width + column) * 4 + 3] != 0;
    let rows: Vec<usize> = (0..height).filter(|row| (0..width).any(|column| is_seen(*row, column))).collect();
    let (top, bottom) = (*rows.first()?, *rows.last()?);
    let columns: Vec<usize> =
        (0..width).filter(|column| (top..=bottom).any(|row| is_seen(row, *column))).collect();
    let (left, right) = (*columns.first()?, *columns.last()?);
    let place = |at: usize| i32::try_from(at).unwrap_or(0);
    let wide = |from: usize, to: usize| u32::try_from(to - from + 1).unwrap_or(1);
    let rect =
        resvg::tiny_skia::IntRect::from_xywh(place(left), place(top), wide(left, right), wide(top, bottom))?;
    Some((picture.clone_rect(rect)?, place(left), place(top)))
}

impl Poster {
    /// Reads a drawing and draws what is the same on every poster.
    pub fn read(svg: &str, fonts: &Fonts) -> Result<Self, PosterError> {
        let pieces = cut::pieces(svg)?;
        let has_code =
            pieces.iter().any(|piece| matches!(piece, Piece::Drawn(text) if text.contains("{{ qr.path }}")));
        let drawn = pieces.iter().enumerate().filter_map(|(n, piece)| match piece {
            Piece::Drawn(text) => Some((n.to_string(), text.as_str())),
            Piece::Still(_) => None,
        });
        let templates = Templates::escaping(drawn);
        // Any piece has the drawing's size.
        let bare = tree(&cut::bare(svg)?, &Fonts::none())?;
        let (width, height) = bounds(bare.size())?;
        let empty = || Pixmap::new(width, height).ok_or_else(|| unreadable("it has no size"));
        let (mut base, mut layers) = (empty()?, Vec::with_capacity(pieces.len()));
        base.fill(Color::WHITE);
        for (n, piece) in pieces.iter().enumerate() {
            match piece {
                Piece::Drawn(_) => layers.push(Layer::Drawn(n.to_string())),
                Piece::Still(text) if layers.is_empty() => {
                    resvg::render(&tree(text, fonts)?, Transform::identity(), &mut base.as_mut());
                }
                Piece::Still(text) => {
                    let mut picture = empty()?;
                    resvg::render(&tree(text, fonts)?, Transform::identity(), &mut picture.as_mut());
                    layers.extend(cropped(&picture).map(|(picture, x, y)| Layer::Still(picture, x, y)));
                }
            }
        }
        Ok(Self { base, layers, templates, has_code, fonts: fonts.clone() })
    }

    /// Whether it has a place for a code.
    pub fn has_code(&self) -> bool {
        self.has_code
    }

    /// One poster, as PNG.
    pub fn draw(
        &self,
        variables: &BTreeMap<String, String>,
        code: Option<&Qr>,
    ) -> Result<Vec<u8>, PosterError> {
        if self.has_code && code.is_none() {
            return Err(PosterError::new(
                "poster_needs_code",
                "it has a place for a code, and says no `link`",
            ));
        }
        let variables = named(variables, code);
        let mut picture = self.base.clone();
        for layer in &self.layers {
            match layer {
                Layer::Still(still, x, y) => {
                    let paint = PixmapPaint::default();
                    picture.draw_pixmap(*x, *y, still.as_ref(), &paint, Transform::identity(), None);
                }
                Layer::Drawn(name) => {
                    let text = self.templates.render_whole(name, &variables).map_err(unreadable)?;
                    resvg::render(&tree(&text, &self.fonts)?, Transform::identity(), &mut picture.as_mut());
                }
            }
        }
        // It lies on white, so nothing shines through.
        let mut colours = Vec::with_capacity(picture.data().len() / 4 * 3);
        for pixel in picture.data().chunks_exact(4) {
            colours.extend_from_slice(&pixel[..3]);
        }
        Ok(png::rgb(picture.width(), picture.height(), &colours))
    }
}

/// Reads images that stand in a drawing: PNG and JPEG of a bounded size, and nothing from elsewhere.
fn images<'o>() -> usvg::ImageHrefResolver<'o> {
    usvg::ImageHrefResolver {
        resolve_data: Box::new(|_, data: Arc<Vec<u8>>, _| {
            structure::image(&data).ok().map(|is_png| match is_png {
                true => usvg::ImageKind::PNG(data),
                false => usvg::ImageKind::JPEG(data),
            })
        }),
        resolve_string: Box::new(|_, _| None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"40\" height=\"30\">";

    fn drawing(inside: &str) -> String {
        format!("{HEAD}{inside}</svg>")
    }

    fn known(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    /// The picture that a PNG is.
    fn picture(png: &[u8]) -> Pixmap {
        Pixmap::decode_png(png).unwrap()
    }

    #[test]
    fn a_poster_is_drawn_from_below_with_what_is_filled_in() {
        let svg = drawing(
            "<rect width=\"40\" height=\"30\" fill=\"#ff0000\"/><rect width=\"10\" height=\"30\" fill=\"{{ member.colour }}\"/>\
             <rect x=\"5\" width=\"5\" height=\"30\" fill=\"#00ff00\"/>",
        );
        let poster = Poster::read(&svg, &Fonts::none()).unwrap();
        assert_eq!(poster.layers.len(), 2, "what comes first is below all");
        let drawn = picture(&poster.draw(&known(&[("member.colour", "#0000ff")]), None).unwrap());
        assert_eq!((drawn.width(), drawn.height()), (40, 30));
        let at = |x| drawn.pixel(x, 15).map(|pixel| (pixel.red(), pixel.green(), pixel.blue()));
        assert_eq!([at(2), at(7), at(20)], [Some((0, 0, 255)), Some((0, 255, 0)), Some((255, 0, 0))]);
    }

    #[test]
    fn a_code_is_drawn_in_its_place_and_one_is_needed() {
        let poster =
            Poster::read(&drawing("<rect id=\"qr\" width=\"29\" height=\"29\"/>"), &Fonts::none()).unwrap();
        assert!(poster.has_code());
        assert_eq!(poster.draw(&known(&[]), None).unwrap_err().code, "poster_needs_code");
        let drawn = picture(&poster.draw(&known(&[]), Some(&Qr::of("x").unwrap())).unwrap());
        let is_dark = |x, y| drawn.pixel(x, y).map(|pixel| pixel.red() < 128);
        // Its corner lies behind a border of four squares, of one pixel each.
        assert_eq!(
            [is_dark(3, 3), is_dark(4, 4), is_dark(5, 5), is_dark(6, 6)],
            [Some(false), Some(true), Some(false), Some(true)]
        );
    }

    #[test]
    fn what_somebody_is_called_is_a_text_whatever_it_says() {
        let svg = drawing(
            "<g fill=\"{{ member.name }}\"><title>{{ member.name }}</title><rect width=\"4\" height=\"4\"/></g>",
        );
        let poster = Poster::read(&svg, &Fonts::none()).unwrap();
        for name in
            ["</g><script>x</script>", "\"/><image href=\"/etc/passwd\"/>", "a & b ]]> \u{0}\u{ffff}", "&#0;"]
        {
            let drawn = poster.draw(&known(&[("member.name", name)]), None);
            assert!(drawn.is_ok(), "{name}: {drawn:?}");
        }
    }

    #[test]
    fn a_drawing_is_checked_whatever_fonts_there_are() {
        let names = known(&[("member.name", "x")]);
        assert_eq!(check(&drawing("<text>{{ member.name }}</text>"), &names), Ok(()));
        let large = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"5000\" height=\"30\"><rect/></svg>";
        for (svg, code) in [
            (drawing("<text>{{ member.nmae }}</text>"), "poster_text_unreadable"),
            (drawing("<text>{% for a in [1] %}{% endfor %}</text>"), "poster_text_unreadable"),
            (drawing("<script/>"), "poster_script"),
            (large.to_owned(), "poster_too_large"),
            ("<svg".to_owned(), "poster_unreadable"),
        ] {
            assert_eq!(check(&svg, &names).unwrap_err().code, code, "{svg}");
        }
    }

    #[test]
    fn no_glyph_is_made_up() {
        let svg = drawing("<text y=\"20\">{{ member.name }}</text>");
        let nobody = Poster::read(&svg, &Fonts::none()).unwrap();
        assert_eq!(nobody.draw(&known(&[("member.name", "x")]), None).unwrap_err().code, "poster_no_font");
        assert_eq!(
            Fonts::from(&[std::path::PathBuf::from("/nowhere/font.ttf")]).unwrap_err().code,
            "poster_no_font"
        );
        let fonts = Fonts::from(&[]).unwrap();
        if fonts.is_empty() {
            return;
        }
        let poster = Poster::read(&svg, &fonts).unwrap();
        assert!(poster.draw(&known(&[("member.name", "Ann")]), None).is_ok());
        // Nobody has a glyph for what stands for nothing.
        let missing = poster.draw(&known(&[("member.name", "\u{2fffd}")]), None);
        assert_eq!(missing.unwrap_err().code, "poster_glyph_missing");
    }
}
