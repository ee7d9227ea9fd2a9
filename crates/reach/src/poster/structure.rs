//! What a drawing may have in it: shapes, texts, gradients, a few filters, pictures that it brings itself. Nothing runs, nothing is
//! fetched, and nothing small becomes much: what is used again and again is counted as often as it is used.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use resvg::usvg::roxmltree::{Attribute, Document, Node, NodeId};

use super::PosterError;

/// The namespace of drawings.
pub(super) const SVG: &str = "http://www.w3.org/2000/svg";
/// What is not drawn where it stands, and may be used from anywhere.
pub(super) const DEFINITIONS: [&str; 11] = [
    "defs",
    "style",
    "linearGradient",
    "radialGradient",
    "clipPath",
    "mask",
    "filter",
    "pattern",
    "marker",
    "symbol",
    "title",
];
/// What there may be.
const ELEMENTS: [&str; 46] = [
    "svg",
    "g",
    "defs",
    "symbol",
    "use",
    "style",
    "title",
    "desc",
    "metadata",
    "path",
    "rect",
    "circle",
    "ellipse",
    "line",
    "polyline",
    "polygon",
    "text",
    "tspan",
    "textPath",
    "image",
    "linearGradient",
    "radialGradient",
    "stop",
    "pattern",
    "clipPath",
    "mask",
    "marker",
    "filter",
    "feGaussianBlur",
    "feOffset",
    "feFlood",
    "feMerge",
    "feMergeNode",
    "feBlend",
    "feColorMatrix",
    "feComposite",
    "feComponentTransfer",
    "feFuncR",
    "feFuncG",
    "feFuncB",
    "feFuncA",
    "feDropShadow",
    "switch",
    "a",
    "view",
    "solidColor",
];
/// The most filters.
const FILTERS_MAX: usize = 20;
/// The most pictures, the largest one in bytes, and in pixels a side and in all.
const IMAGES_MAX: usize = 16;
const IMAGE_BYTES_MAX: usize = 400 * 1024;
const IMAGE_SIDE_MAX: usize = 4_096;
const IMAGE_PIXELS_MAX: usize = 9_000_000;
/// The most elements, counted as often as they are used, and the longest chain of what uses what.
const WEIGHT_MAX: u64 = 20_000;
const CHAIN_MAX: usize = 16;

fn external(what: &str) -> PosterError {
    PosterError::new("poster_external", format!("{what}: a drawing brings all it shows"))
}

fn much(message: impl Into<String>) -> PosterError {
    PosterError::new("poster_too_large", message)
}

/// Whether a picture is a PNG, else a JPEG; both of a bounded size.
pub(super) fn image(bytes: &[u8]) -> Result<bool, PosterError> {
    let is_png = bytes.starts_with(b"\x89PNG\r\n\x1a\n");
    if !is_png && !bytes.starts_with(b"\xff\xd8\xff") {
        return Err(external("a picture that is neither PNG nor JPEG"));
    }
    let size = imagesize::blob_size(bytes).map_err(|_| external("a picture that is broken"))?;
    let pixels = size.width.saturating_mul(size.height);
    if bytes.len() > IMAGE_BYTES_MAX
        || size.width.max(size.height) > IMAGE_SIDE_MAX
        || pixels > IMAGE_PIXELS_MAX
    {
        let most = IMAGE_BYTES_MAX / 1024;
        return Err(much(format!("a picture has at most {IMAGE_SIDE_MAX} pixels a side and {most} KiB")));
    }
    Ok(is_png)
}

/// A picture that stands in an address.
fn data(href: &str) -> Result<(), PosterError> {
    let kinds = ["data:image/png;base64,", "data:image/jpeg;base64,", "data:image/jpg;base64,"];
    let Some(text) = kinds.iter().find_map(|kind| href.strip_prefix(kind)) else {
        return Err(external("an address"));
    };
    let text: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let bytes = STANDARD.decode(text).map_err(|_| external("a picture that is broken"))?;
    image(&bytes).map(drop)
}

/// What an attribute refers to within the drawing; anything else that it refers to is refused.
fn referred<'d>(node: &Node<'_, '_>, attribute: &Attribute<'d, '_>) -> Result<Vec<&'d str>, PosterError> {
    let (name, value) = (attribute.name(), attribute.value());
    if name.to_ascii_lowercase().starts_with("on") {
        return Err(PosterError::new("poster_script", format!("`{name}`: a drawing runs nothing")));
    }
    if name == "href" || name == "src" {
        if let Some(id) = value.strip_prefix('#') {
            return if id.contains(['{', '}']) { Err(external(value)) } else { Ok(vec![id]) };
        }
        return if node.tag_name().name() == "image" {
            data(value).map(|()| Vec::new())
        } else {
            Err(external("an address"))
        };
    }
    let lower = value.to_ascii_lowercase();
    if lower.contains("javascript:") || lower.contains("@import") {
        return Err(PosterError::new("poster_script", format!("`{name}`: a drawing runs nothing")));
    }
    let mut ids = Vec::new();
    for (at, _) in lower.match_indices("url(") {
        let inside = value[at + 4..].split(')').next().unwrap_or_default();
        let id =
            inside.trim().trim_matches(['"', '\'']).strip_prefix('#').filter(|id| !id.contains(['{', '}']));
        ids.push(id.ok_or_else(|| external(inside))?);
    }
    Ok(ids)
}

/// What uses what.
struct Uses<'d> {
    /// Elements by their id.
    by_id: BTreeMap<&'d str, NodeId>,
    /// What each element itself refers to.
    refers: BTreeMap<u32, Vec<&'d str>>,
    /// What was weighed; nothing, while it is.
    weights: BTreeMap<u32, Option<u64>>,
}

impl<'d> Uses<'d> {
    fn of(document: &'d Document<'d>) -> Result<Self, PosterError> {
        let (mut by_id, mut refers) = (BTreeMap::new(), BTreeMap::new());
        for node in document.descendants().filter(Node::is_element) {
            let mut ids = Vec::new();
            for attribute in node.attributes() {
                ids.extend(referred(&node, &attribute)?);
                if attribute.name() == "id" && attribute.namespace().is_none() {
                    by_id.insert(attribute.value(), node.id());
                }
            }
            if !ids.is_empty() {
                refers.insert(node.id().get(), ids);
            }
        }
        Ok(Self { by_id, refers, weights: BTreeMap::new() })
    }

    /// How many elements one is with all that it uses.
    fn weight(&mut self, document: &Document<'_>, id: NodeId, depth: usize) -> Result<u64, PosterError> {
        match self.weights.get(&id.get()) {
            Some(Some(weight)) => return Ok(*weight),
            Some(None) => return Err(much("something in the drawing uses itself")),
            None if depth > CHAIN_MAX => {
                return Err(much(format!("at most {CHAIN_MAX} things that use one another")));
            }
            None => {}
        }
        self.weights.insert(id.get(), None);
        let mut weight = 0u64;
        let inside = document.get_node(id).into_iter().flat_map(|node| node.descendants());
        for inner in inside.filter(Node::is_element) {
            weight = weight.saturating_add(1);
            let named = self.refers.get(&inner.id().get()).into_iter().flatten();
            let used: Vec<NodeId> = named.filter_map(|id| self.by_id.get(id).copied()).collect();
            for used in used {
                weight = weight.saturating_add(self.weight(document, used, depth + 1)?);
            }
            if weight > WEIGHT_MAX {
                return Err(much(format!(
                    "at most {WEIGHT_MAX} elements, counted as often as they are used"
                )));
            }
        }
        self.weights.insert(id.get(), Some(weight));
        Ok(weight)
    }

    /// Whether each of what lies at the top uses itself and definitions only.
    fn apart(&self, document: &Document<'_>) -> Result<(), PosterError> {
        let root = document.root_element();
        let at_top = |id: NodeId| {
            let node = document.get_node(id)?;
            node.ancestors().find(|above| above.parent().is_some_and(|parent| parent.id() == root.id()))
        };
        for (user, ids) in &self.refers {
            let from = at_top(NodeId::new(*user)).map(|node| node.id());
            for id in ids {
                let Some(used) = self.by_id.get(id).copied().and_then(at_top) else { continue };
                if Some(used.id()) != from && !DEFINITIONS.contains(&used.tag_name().name()) {
                    let message = format!("#{id} is used elsewhere in the drawing: it belongs into <defs>");
                    return Err(PosterError::new("poster_unreadable", message));
                }
            }
        }
        Ok(())
    }
}

/// Refuses a drawing that has in it what it may not.
pub(super) fn check(document: &Document<'_>) -> Result<(), PosterError> {
    let (mut filters, mut images) = (0, 0);
    for node in document.descendants() {
        if node.is_pi() {
            return Err(external("an instruction to whoever reads it"));
        }
        if !node.is_element() || node.tag_name().namespace() != Some(SVG) {
            continue;
        }
        let name = node.tag_name().name();
        if name == "script" || name == "foreignObject" {
            return Err(PosterError::new("poster_script", format!("<{name}>: a drawing runs nothing")));
        }
        if !ELEMENTS.contains(&name) {
            return Err(PosterError::new(
                "poster_unreadable",
                format!("<{name}> is nothing that posters have"),
            ));
        }
        filters += usize::from(name == "filter");
        images += usize::from(name == "image");
        if name == "style" {
            let said: String = node.descendants().filter_map(|node| node.text()).collect();
            let said = said.to_ascii_lowercase();
            if said.contains("url(") || said.contains('@') || said.contains('\\') {
                return Err(external("a style that refers to something"));
            }
        }
    }
    if filters > FILTERS_MAX || images > IMAGES_MAX {
        return Err(much(format!("at most {FILTERS_MAX} filters and {IMAGES_MAX} pictures")));
    }
    let mut uses = Uses::of(document)?;
    uses.apart(document)?;
    uses.weight(document, document.root_element().id(), 0).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One light pixel.
    const PIXEL: &str = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";

    fn checked(inside: &str) -> Result<(), &'static str> {
        let text = format!(
            "<svg xmlns=\"{SVG}\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" width=\"10\" height=\"10\">{inside}</svg>"
        );
        let document = super::super::parsed(&text).map_err(|error| error.code)?;
        check(&document).map_err(|error| error.code)
    }

    #[test]
    fn a_drawing_brings_all_it_shows_and_runs_nothing() {
        let doubled = |n: usize| -> String {
            let next =
                |i: usize| format!("<g id=\"a{}\"><use href=\"#a{i}\"/><use href=\"#a{i}\"/></g>", i + 1);
            format!(
                "<defs><g id=\"a0\"><rect/></g>{}</defs><use href=\"#a{n}\"/>",
                (0..n).map(next).collect::<String>()
            )
        };
        for (inside, wanted) in [
            ("<rect/><g><text>a</text></g>".to_owned(), Ok(())),
            (format!("<image href=\"{PIXEL}\"/>"), Ok(())),
            (format!("<image xlink:href=\"{PIXEL}\"/>"), Ok(())),
            (doubled(3), Ok(())),
            (doubled(15), Err("poster_too_large")),
            (doubled(40), Err("poster_too_large")),
            (
                "<defs><pattern id=\"a\"><rect fill=\"url(#a)\"/></pattern></defs>".to_owned(),
                Err("poster_too_large"),
            ),
            ("<script>x</script>".to_owned(), Err("poster_script")),
            ("<foreignObject/>".to_owned(), Err("poster_script")),
            ("<rect onclick=\"x\"/>".to_owned(), Err("poster_script")),
            ("<a href=\"javascript:x\"><rect/></a>".to_owned(), Err("poster_external")),
            ("<image href=\"/etc/passwd\"/>".to_owned(), Err("poster_external")),
            ("<image href=\"https://a.example/b.png\"/>".to_owned(), Err("poster_external")),
            ("<image href=\"{{ member.name }}\"/>".to_owned(), Err("poster_external")),
            ("<image href=\"data:image/svg+xml;base64,PHN2Zy8+\"/>".to_owned(), Err("poster_external")),
            ("<image href=\"data:image/png;base64,AAAA\"/>".to_owned(), Err("poster_external")),
            ("<use href=\"other.svg#a\"/>".to_owned(), Err("poster_external")),
            ("<rect fill=\"url(https://a.example/#b)\"/>".to_owned(), Err("poster_external")),
            ("<rect style=\"fill:URL( 'x.svg#a' )\"/>".to_owned(), Err("poster_external")),
            ("<style>@import 'x'</style>".to_owned(), Err("poster_external")),
            ("<style>.a { fill: red }</style>".to_owned(), Ok(())),
            ("<?xml-stylesheet href=\"a.css\"?><rect/>".to_owned(), Err("poster_external")),
            ("<filter id=\"f\"><feTurbulence/></filter>".to_owned(), Err("poster_unreadable")),
            ("<rect id=\"a\"/><use href=\"#a\"/>".to_owned(), Err("poster_unreadable")),
            ("<g><rect id=\"a\"/><use href=\"#a\"/></g>".to_owned(), Ok(())),
            ("<defs><rect id=\"a\"/></defs><use href=\"#a\"/><use href=\"#gone\"/>".to_owned(), Ok(())),
        ] {
            assert_eq!(checked(&inside), wanted, "{inside}");
        }
    }
}
