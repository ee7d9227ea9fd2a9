//! The XML that WeCom sends: elements with a text or with elements in them, and nothing else.
//!
//! No attributes, no document types, no entities but the five, no instructions, no comments: whoever sends one is refused, so nothing
//! can be expanded, fetched or hidden. Size, depth, the number of elements and the length of names are bounded, and it reads once through.

use super::CallbackProblem;

/// The largest document, in bytes.
pub const BYTES_MAX: usize = 64 * 1024;
/// How deep elements lie in each other at most (locations and pictures of messages: 4).
const DEPTH_MAX: usize = 8;
/// The most elements: a group has 500 members at most, who may all leave at once.
const ELEMENTS_MAX: usize = 4_096;
/// Bytes of a name at most.
const NAME_BYTES_MAX: usize = 64;

/// An element.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Element {
    /// Its name.
    pub name: String,
    /// Its text; blank, where it has elements in it.
    pub text: String,
    /// What is in it.
    pub children: Vec<Element>,
}

impl Element {
    /// The first element of a name in it.
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The text of the first element of a name in it, trimmed; `None`, where there is none, or nothing in it.
    pub fn said(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.trim()).filter(|text| !text.is_empty())
    }
}

/// Reads a document.
///
/// # Errors
/// [`CallbackProblem`], by what is wrong.
pub fn read(bytes: &[u8]) -> Result<Element, CallbackProblem> {
    if bytes.len() > BYTES_MAX {
        return Err(CallbackProblem::TooLarge);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| CallbackProblem::NotUtf8)?;
    let mut reader = Reader { rest: text.trim_start_matches('\u{feff}').trim_start(), elements: 0 };
    reader.declaration()?;
    let root = reader.root()?;
    if reader.rest.trim().is_empty() { Ok(root) } else { Err(CallbackProblem::XmlMalformed) }
}

struct Reader<'t> {
    rest: &'t str,
    elements: usize,
}

impl<'t> Reader<'t> {
    /// What a document may say of itself before it begins.
    fn declaration(&mut self) -> Result<(), CallbackProblem> {
        if let Some(rest) = self.rest.strip_prefix("<?xml ") {
            let (said, rest) = rest.split_once("?>").ok_or(CallbackProblem::XmlTruncated)?;
            let said = said.to_ascii_lowercase();
            if said.contains("encoding") && !said.contains("utf-8") {
                return Err(CallbackProblem::NotUtf8);
            }
            self.rest = rest.trim_start();
        }
        Ok(())
    }

    fn root(&mut self) -> Result<Element, CallbackProblem> {
        let mut open: Vec<Element> = Vec::new();
        loop {
            let Some(at) = self.rest.find('<') else { return Err(CallbackProblem::XmlTruncated) };
            let (text, rest) = self.rest.split_at(at);
            match open.last_mut() {
                Some(element) => plain(text, &mut element.text)?,
                None if text.trim().is_empty() => {}
                None => return Err(CallbackProblem::XmlMalformed),
            }
            self.rest = rest;
            if let Some(rest) = self.rest.strip_prefix("<![CDATA[") {
                let element = open.last_mut().ok_or(CallbackProblem::XmlMalformed)?;
                let (text, rest) = rest.split_once("]]>").ok_or(CallbackProblem::XmlTruncated)?;
                element.text.push_str(text);
                self.rest = rest;
            } else if self.rest.starts_with("<!") || self.rest.starts_with("<?") {
                // Document types, entities, comments, instructions: nothing of them is ever read.
                return Err(CallbackProblem::XmlDeclares);
            } else if let Some(rest) = self.rest.strip_prefix("</") {
                let (name, rest) = rest.split_once('>').ok_or(CallbackProblem::XmlTruncated)?;
                self.rest = rest;
                let closed = open.pop().ok_or(CallbackProblem::XmlMalformed)?;
                if let Some(root) = ended(closed, name.trim_end(), &mut open)? {
                    return Ok(root);
                }
            } else if let Some(root) = self.begun(&mut open)? {
                return Ok(root);
            }
        }
    }

    /// An element begins, and ends where it is empty.
    fn begun(&mut self, open: &mut Vec<Element>) -> Result<Option<Element>, CallbackProblem> {
        let tag = self.rest.strip_prefix('<').ok_or(CallbackProblem::XmlMalformed)?;
        let (tag, rest) = tag.split_once('>').ok_or(CallbackProblem::XmlTruncated)?;
        self.rest = rest;
        let (name, is_empty) = match tag.strip_suffix('/') {
            Some(name) => (name.trim_end(), true),
            None => (tag.trim_end(), false),
        };
        let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
        if name.is_empty() || name.len() > NAME_BYTES_MAX || !name.chars().all(is_name) {
            return Err(CallbackProblem::XmlMalformed);
        }
        self.elements += 1;
        if self.elements > ELEMENTS_MAX || open.len() >= DEPTH_MAX {
            return Err(CallbackProblem::XmlTooDeep);
        }
        let element = Element { name: name.to_owned(), ..Element::default() };
        if is_empty {
            let name = element.name.clone();
            return ended(element, &name, open);
        }
        open.push(element);
        Ok(None)
    }
}

/// An element ends: it is in the one around it, or was the whole.
fn ended(closed: Element, name: &str, open: &mut [Element]) -> Result<Option<Element>, CallbackProblem> {
    let is_mixed = !closed.children.is_empty() && !closed.text.trim().is_empty();
    if closed.name != name || is_mixed {
        return Err(CallbackProblem::XmlMalformed);
    }
    match open.last_mut() {
        Some(around) => {
            around.children.push(closed);
            Ok(None)
        }
        None => Ok(Some(closed)),
    }
}

/// A text with the five entities.
fn plain(text: &str, to: &mut String) -> Result<(), CallbackProblem> {
    let mut parts = text.split('&');
    to.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let (entity, rest) = part.split_once(';').ok_or(CallbackProblem::XmlEntity)?;
        to.push(match entity {
            "lt" => '<',
            "gt" => '>',
            "amp" => '&',
            "quot" => '"',
            "apos" => '\'',
            _ => return Err(CallbackProblem::XmlEntity),
        });
        to.push_str(rest);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{ProptestConfig, any, proptest};

    use super::*;

    #[test]
    fn texts_lists_and_empty_elements_are_read() {
        let text = "\u{feff}<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<xml>\n <A><![CDATA[a<b&c]]></A><B>1 &lt; 2 &amp; &apos;3&apos;</B>\
                    <Empty/><List><Item>x</Item><Item><![CDATA[y]]]]><![CDATA[>]]></Item></List></xml>\n";
        let read = read(text.as_bytes()).unwrap();
        assert_eq!((read.said("A"), read.said("B")), (Some("a<b&c"), Some("1 < 2 & '3'")));
        assert_eq!((read.said("Empty"), read.said("Nothing")), (None, None));
        let items: Vec<&str> =
            read.child("List").unwrap().children.iter().map(|item| item.text.as_str()).collect();
        assert_eq!(items, ["x", "y]]>"]);
    }

    #[test]
    fn whatever_else_there_is_in_xml_is_refused_by_name() {
        let deep = format!("{}{}", "<a>".repeat(9), "</a>".repeat(9));
        let many = format!("<a>{}</a>", "<b/>".repeat(4_096));
        let long = format!("<a>{}</a>", "x".repeat(BYTES_MAX));
        let bomb = "<!DOCTYPE a [<!ENTITY b \"bbbb\"><!ENTITY c \"&b;&b;&b;\">]><a>&c;</a>";
        for (text, problem) in [
            (bomb, CallbackProblem::XmlDeclares),
            ("<a><!-- x --></a>", CallbackProblem::XmlDeclares),
            ("<a><?php x?></a>", CallbackProblem::XmlDeclares),
            ("<a>&b;</a>", CallbackProblem::XmlEntity),
            ("<a>&#65;</a>", CallbackProblem::XmlEntity),
            ("<a>& </a>", CallbackProblem::XmlEntity),
            ("", CallbackProblem::XmlTruncated),
            ("<a>", CallbackProblem::XmlTruncated),
            ("<a", CallbackProblem::XmlTruncated),
            ("<a><![CDATA[x</a>", CallbackProblem::XmlTruncated),
            ("<a></b>", CallbackProblem::XmlMalformed),
            ("</a>", CallbackProblem::XmlMalformed),
            ("x<a/>", CallbackProblem::XmlMalformed),
            ("<a/><b/>", CallbackProblem::XmlMalformed),
            ("<a b=\"c\"/>", CallbackProblem::XmlMalformed),
            ("<a>x<b/></a>", CallbackProblem::XmlMalformed),
            ("<>x</>", CallbackProblem::XmlMalformed),
            ("<?xml version=\"1.0\" encoding=\"GBK\"?><a/>", CallbackProblem::NotUtf8),
            (&deep, CallbackProblem::XmlTooDeep),
            (&many, CallbackProblem::XmlTooDeep),
            (&long, CallbackProblem::TooLarge),
        ] {
            assert_eq!(read(text.as_bytes()), Err(problem), "{text:.60}");
        }
        assert_eq!(read(b"<a>\xff</a>"), Err(CallbackProblem::NotUtf8));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

        /// Nothing breaks it, and what is cut short is never taken for the whole.
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _read = read(&bytes).is_ok();
        }

        #[test]
        fn pieces_of_xml_in_any_order_are_read_or_refused(
            pieces in proptest::collection::vec(
                proptest::sample::select(vec!["<a>", "</a>", "<b/>", "<![CDATA[", "]]>", "&lt;", "&x;", "<!", "<?xml ", "?>", "x", ">", "<", " "]),
                0..40,
            ),
        ) {
            let _read = read(pieces.concat().as_bytes()).is_ok();
        }

        #[test]
        fn what_is_cut_short_is_refused(cut: proptest::sample::Index) {
            let whole = "<xml><A><![CDATA[会员]]></A><L><I>x</I><I>y</I></L></xml>".as_bytes();
            let cut = cut.index(whole.len());
            assert!(read(&whole[..cut]).is_err());
        }
    }
}
