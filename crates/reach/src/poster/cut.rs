//! A drawing cut into pieces, from below: what is the same on every poster, and what is filled in for each.
//!
//! What lies side by side in the drawing and names nothing is one piece, what names something another. Each is a drawing of its own,
//! with the definitions of the whole, so pieces laid over each other are the whole: nothing at the top of a drawing shows what lies
//! below it otherwise but by laying itself over it. What blends with what is below is filled in, too.

use std::ops::Range;

use resvg::usvg::roxmltree::{Document, Node};

use super::structure::{self, DEFINITIONS, SVG};
use super::{PosterError, parsed};

/// The largest drawing, in bytes.
const BYTES_MAX: usize = 512 * 1024;
/// Who is replaced by the code.
const CODE: &str = "qr";

/// A piece, as a drawing of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// The same on every poster.
    Still(String),
    /// A template.
    Drawn(String),
}

fn wrong(message: impl Into<String>) -> PosterError {
    PosterError::new("poster_unreadable", message)
}

/// Whether a text names something, or asks for it.
fn is_filled(text: &str) -> bool {
    ["{{", "{%", "{#"].iter().any(|tag| text.contains(tag))
}

/// The tag with which an element begins.
fn open_tag(element: &str) -> Option<&str> {
    let mut quote = None;
    for (at, c) in element.char_indices() {
        match quote {
            Some(mark) if mark == c => quote = None,
            Some(_) => {}
            None if c == '"' || c == '\'' => quote = Some(c),
            None if c == '>' => return element.get(..=at),
            None => {}
        }
    }
    None
}

/// What holds for a drawing as a whole, not for each thing in it.
const AS_A_WHOLE: [&str; 6] = ["background", "opacity", "filter", "mask", "clip-path", "blend"];

/// A style without its remarks.
fn without_remarks(mut style: &str) -> String {
    let mut said = String::with_capacity(style.len());
    while let Some((before, rest)) = style.split_once("/*") {
        said.push_str(before);
        style = rest.split_once("*/").map_or("", |(_, rest)| rest);
    }
    said + style
}

/// Whether a selector may be of the drawing itself.
fn is_of_root(selector: &str, root: Node<'_, '_>) -> bool {
    // Nothing stands around it.
    if selector.contains('>') || selector.split_whitespace().count() != 1 {
        return false;
    }
    // By which attributes nobody looks.
    let plain = selector.split('[').next().unwrap_or_default();
    let (tag, marks) = plain.split_at(plain.find(['.', '#']).unwrap_or(plain.len()));
    let classes = root.attribute("class").unwrap_or_default();
    let has = |mark: &str| match mark.split_at(1) {
        (".", class) => classes.split_whitespace().any(|of| of == class),
        (_, id) => root.attribute("id") == Some(id),
    };
    let mut marks = marks.match_indices(['.', '#']).map(|(at, _)| {
        let end = marks[at + 1..].find(['.', '#']).map_or(marks.len(), |next| at + 1 + next);
        &marks[at..end]
    });
    let is_tag = matches!(tag, "" | "*" | "svg");
    is_tag && marks.all(has)
}

/// Styles hold for each piece by itself as well: what would hold for the drawing as a whole, or by what stands beside what, is refused.
fn styles(document: &Document<'_>) -> Result<(), PosterError> {
    let is_style = |node: &Node<'_, '_>| node.is_element() && node.tag_name().name() == "style";
    for style in document.descendants().filter(is_style) {
        let said: String = style.descendants().filter_map(|node| node.text()).collect();
        let said = without_remarks(&said);
        for (selectors, rules) in said.split('}').filter_map(|rule| rule.split_once('{')) {
            let word = AS_A_WHOLE.iter().find(|word| rules.to_ascii_lowercase().contains(**word));
            for selector in selectors.split(',').map(str::trim) {
                if selector.contains([':', '+', '~']) {
                    let message = format!(
                        "`{selector}` in <style>: pieces are drawn apart, so nothing is told by its place"
                    );
                    return Err(wrong(message));
                }
                if let Some(word) = word.filter(|_| is_of_root(selector, document.root_element())) {
                    let message = format!(
                        "`{word}` of `{selector}` in <style> stands in a rectangle or a <g>, not in <svg>"
                    );
                    return Err(wrong(message));
                }
            }
        }
    }
    Ok(())
}

/// The head of a drawing, without what is in it.
fn head<'t>(svg: &'t str, document: &Document<'_>) -> Result<&'t str, PosterError> {
    let root = document.root_element();
    if svg.len() > BYTES_MAX {
        return Err(PosterError::new("poster_too_large", format!("at most {BYTES_MAX} bytes")));
    }
    let open = svg.get(root.range()).and_then(open_tag).unwrap_or_default();
    let is_plain =
        open.strip_prefix("<svg").is_some_and(|rest| rest.starts_with([' ', '\n', '\t', '\r', '>']));
    if root.tag_name().namespace() != Some(SVG) || !is_plain || open.ends_with("/>") {
        return Err(wrong(
            "a drawing begins with <svg xmlns=\"http://www.w3.org/2000/svg\" …> and has something in it",
        ));
    }
    // What holds for the drawing as a whole would hold for each piece by itself.
    if let Some(word) = AS_A_WHOLE.iter().find(|word| open.contains(**word)) {
        return Err(wrong(format!("`{word}` stands in a rectangle or a <g>, not in <svg>")));
    }
    styles(document)?;
    if is_filled(open) {
        return Err(wrong("the size of a drawing is the same on every poster"));
    }
    Ok(open)
}

/// The drawing without anything in it: it has the size of the whole.
pub(super) fn bare(svg: &str) -> Result<String, PosterError> {
    let document = parsed(svg)?;
    Ok(format!("{}</svg>", head(svg, &document)?))
}

/// The pieces of a drawing, from below.
pub(super) fn pieces(svg: &str) -> Result<Vec<Piece>, PosterError> {
    let document = parsed(svg)?;
    let head = head(svg, &document)?;
    structure::check(&document)?;
    let root = document.root_element();
    let is_definition =
        |node: &Node<'_, '_>| node.is_element() && DEFINITIONS.contains(&node.tag_name().name());
    let mut defined = String::new();
    for node in root.children().filter(is_definition) {
        let text = &svg[node.range()];
        if is_filled(text) {
            return Err(wrong("definitions are the same on every poster"));
        }
        defined.push_str(text);
    }
    let mut runs: Vec<(bool, String)> = Vec::new();
    // From a word that asks for something to the word that ends it, all is filled in.
    let asked: Vec<Range<usize>> = root
        .children()
        .filter(|node| node.is_text() && is_filled(&svg[node.range()]))
        .map(|node| node.range())
        .collect();
    let between = asked.first().zip(asked.last()).map(|(first, last)| first.start..last.end);
    for node in root.children().filter(|node| !is_definition(node) && (node.is_element() || node.is_text())) {
        let text = with_code(svg, node)?;
        if node.is_text() && text.trim().is_empty() {
            continue;
        }
        let is_between = between.as_ref().is_some_and(|between| between.contains(&node.range().start));
        let drawn = is_between || is_filled(&text) || text.contains("mix-blend-mode");
        match runs.last_mut().filter(|(last, _)| *last == drawn) {
            Some((_, run)) => run.push_str(&text),
            None => runs.push((drawn, text)),
        }
    }
    let piece = |(drawn, text)| {
        let whole = format!("{head}{defined}{text}</svg>");
        if drawn { Piece::Drawn(whole) } else { Piece::Still(whole) }
    };
    let pieces: Vec<Piece> = runs.into_iter().map(piece).collect();
    if pieces.is_empty() { Err(wrong("there is nothing in the drawing")) } else { Ok(pieces) }
}

/// An element as it is written, with the code in the place of the rectangle that stands for it.
fn with_code(svg: &str, node: Node<'_, '_>) -> Result<String, PosterError> {
    let mut text = svg[node.range()].to_owned();
    let mut codes = node.descendants().filter(|inner| inner.attribute("id") == Some(CODE));
    let Some(code) = codes.next() else { return Ok(text) };
    let number = |name: &str| -> Result<&str, PosterError> {
        let value = code.attribute(name).unwrap_or(if name == "x" || name == "y" { "0" } else { "" });
        let is_number = !value.is_empty()
            && value.len() <= 16
            && value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.' || byte == b'-');
        is_number.then_some(value).ok_or_else(|| wrong(format!("`{name}` of #{CODE} is a plain number")))
    };
    if code.tag_name().name() != "rect" || codes.next().is_some() {
        return Err(wrong(format!("#{CODE} is one rectangle, in whose place the code is drawn")));
    }
    let [x, y, width, height] = [number("x")?, number("y")?, number("width")?, number("height")?];
    let fill = code.attribute("fill").filter(|fill| {
        fill.len() <= 7
            && fill.strip_prefix('#').is_some_and(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
    });
    let turned = code.attribute("transform").map(|turn| format!(" transform=\"{turn}\"")).unwrap_or_default();
    if turned.matches('"').count() > 2 || turned.contains(['<', '&', '{']) {
        return Err(wrong(format!("`transform` of #{CODE} is plain")));
    }
    let drawn = format!(
        "<g{turned}><svg x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {{{{ qr.size }}}} {{{{ qr.size }}}}\" shape-rendering=\"crispEdges\">\
         <rect width=\"{{{{ qr.size }}}}\" height=\"{{{{ qr.size }}}}\" fill=\"#ffffff\"/>\
         <path d=\"{{{{ qr.path }}}}\" fill=\"{}\"/></svg></g>",
        fill.unwrap_or("#000000")
    );
    let (start, place) = (node.range().start, code.range());
    text.replace_range(place.start - start..place.end - start, &drawn);
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(inside: &str) -> Result<Vec<Piece>, PosterError> {
        pieces(&format!("<svg xmlns=\"{SVG}\" width=\"10\" height=\"10\">{inside}</svg>"))
    }

    fn kinds(inside: &str) -> String {
        let letter = |piece: &Piece| if matches!(piece, Piece::Still(_)) { 's' } else { 'd' };
        cut(inside).unwrap_or_else(|error| panic!("{inside}: {error}")).iter().map(letter).collect()
    }

    #[test]
    fn what_names_something_is_filled_in_and_the_rest_is_drawn_once() {
        for (inside, wanted) in [
            ("<rect/><rect/>", "s"),
            ("<rect/><text>{{ member.name }}</text><g><rect/></g>", "sds"),
            ("<rect/> <text>{{ a }}</text> <text>{{ b }}</text>", "sd"),
            ("<text>a</text>{% if tier %}<rect/>{% endif %}<rect/>", "sds"),
            ("<g><rect id=\"qr\" width=\"4\" height=\"4\"/></g><rect/>", "ds"),
            ("<rect style=\"mix-blend-mode:multiply\"/><rect/>", "ds"),
            (
                "<defs><linearGradient id=\"a\"/></defs><rect fill=\"url(#a)\"/><text fill=\"url(#a)\">{{ x }}</text>",
                "sd",
            ),
        ] {
            assert_eq!(kinds(inside), wanted, "{inside}");
        }
        let pieces = cut("<defs><linearGradient id=\"a\"/></defs><text>{{ x }}</text>").unwrap();
        let [Piece::Drawn(text)] = pieces.as_slice() else { panic!("{pieces:?}") };
        assert!(text.contains("linearGradient") && text.ends_with("<text>{{ x }}</text></svg>"), "{text}");
    }

    #[test]
    fn a_rectangle_gives_its_place_to_the_code() {
        let pieces =
            cut("<g><rect id=\"qr\" x=\"1\" y=\"2.5\" width=\"4\" height=\"4\" fill=\"#123\"/></g>").unwrap();
        let [Piece::Drawn(text)] = pieces.as_slice() else { panic!("{pieces:?}") };
        assert!(text.contains(
            "<svg x=\"1\" y=\"2.5\" width=\"4\" height=\"4\" viewBox=\"0 0 {{ qr.size }} {{ qr.size }}\""
        ));
        assert!(text.contains("<path d=\"{{ qr.path }}\" fill=\"#123\"/>"), "{text}");
        for wrong in [
            "<circle id=\"qr\" r=\"4\"/>",
            "<rect id=\"qr\" width=\"4\"/>",
            "<rect id=\"qr\" width=\"4em\" height=\"4\"/>",
            "<g><rect id=\"qr\" width=\"4\" height=\"4\"/><rect id=\"qr\" width=\"4\" height=\"4\"/></g>",
        ] {
            assert!(cut(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_style_that_holds_for_the_whole_or_by_a_place_is_refused_by_name() {
        let styled = |style: &str| {
            let open = format!("<svg xmlns=\"{SVG}\" id=\"root\" class=\"a b\" width=\"10\" height=\"10\">");
            pieces(&format!("{open}<style>{style}</style><rect class=\"c\"/><text>{{{{ x }}}}</text></svg>"))
        };
        for fine in [
            ".c { opacity: 0.5 } /* svg { opacity: 0 } */",
            "rect, text { fill: red } svg { fill: blue }",
            "svg rect { opacity: 0.5 } svg > rect { mask: none }",
            ".a.c { filter: none } #other { opacity: 0 }",
        ] {
            assert!(styled(fine).is_ok(), "{fine}: {:?}", styled(fine));
        }
        for (wrong, says) in [
            ("svg { opacity: 0.5 }", "`opacity` of `svg`"),
            ("* { OPACITY: 0.5 }", "`opacity` of `*`"),
            ("rect, .b { filter: url }", "`filter` of `.b`"),
            ("svg#root.a { background: red }", "`background` of `svg#root.a`"),
            ("[width] { mix-blend-mode: multiply }", "`blend` of `[width]`"),
            (":root { fill: red }", "`:root`"),
            ("rect:first-child { fill: red }", "`rect:first-child`"),
            ("rect + text { fill: red }", "`rect + text`"),
        ] {
            let error = styled(wrong).unwrap_err();
            assert!(error.to_string().contains(says), "{wrong}: {error}");
        }
    }

    #[test]
    fn what_is_no_drawing_says_so() {
        for wrong in [
            "",
            "<svg/>",
            "<svg width=\"1\"><rect/></svg>",
            "<html/>",
            "<!DOCTYPE svg [<!ENTITY a \"b\">]><svg xmlns=\"http://www.w3.org/2000/svg\"><text>&a;</text></svg>",
            "<svg xmlns=\"http://www.w3.org/2000/svg\"> </svg>",
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{{ a }}\"><rect/></svg>",
            "<svg xmlns=\"http://www.w3.org/2000/svg\" style=\"background-color: red\"><rect/></svg>",
            "<svg xmlns=\"http://www.w3.org/2000/svg\" opacity=\"0.5\"><rect/></svg>",
            "<svg xmlns=\"http://www.w3.org/2000/svg\"><defs><linearGradient id=\"{{ a }}\"/></defs><rect/></svg>",
            "<s:svg xmlns:s=\"http://www.w3.org/2000/svg\"><s:rect/></s:svg>",
        ] {
            assert!(pieces(wrong).is_err(), "{wrong}");
        }
    }
}
