//! E-mails written in MJML, made into the HTML of a template: once for a version of a playbook; for each member only the variables
//! are said.
//!
//! What stands in `{{ }}` and `{% %}` never reaches the renderer: each is a mark on its way through it, so it comes out as it was
//! written, and is escaped when it is said. Variables stand in texts, and in the attributes `href`, `src`, `alt` and `title`; in a
//! style nothing could be escaped. Nothing is fetched, by the home or by default by who reads it: there is no `mj-include`, and
//! elements whose pictures would come from somebody else's server are refused by name.

use std::panic::catch_unwind;

use htmlparser::{ElementEnd, StrSpan, Token, Tokenizer};
use mrml::prelude::parser::{Error, ParserOptions, Span};
use mrml::prelude::render::RenderOptions;

use crate::template;

/// How deep elements may stand in each other: the renderer goes as deep.
const DEPTH_MAX: usize = 32;
/// The marks between which a tag's number stands: characters that nobody writes. They are printed as they are, while the renderer
/// writes attributes as programs do: what it would escape (a backslash, wide spaces) goes through as a mark, too.
const OPEN: char = '⸨';
const CLOSE: char = '⸩';

/// What there is.
const ELEMENTS: [&str; 27] = [
    "mjml",
    "mj-all",
    "mj-attributes",
    "mj-body",
    "mj-breakpoint",
    "mj-button",
    "mj-class",
    "mj-column",
    "mj-divider",
    "mj-font",
    "mj-group",
    "mj-head",
    "mj-hero",
    "mj-image",
    "mj-navbar",
    "mj-navbar-link",
    "mj-preview",
    "mj-raw",
    "mj-section",
    "mj-social",
    "mj-social-element",
    "mj-spacer",
    "mj-style",
    "mj-table",
    "mj-text",
    "mj-title",
    "mj-wrapper",
];
/// In what elements stand; of what is not named, in any text.
fn stands_in(name: &str) -> &'static [&'static str] {
    match name {
        "mjml" => &[],
        "mj-head" | "mj-body" => &["mjml"],
        "mj-attributes" | "mj-breakpoint" | "mj-font" | "mj-preview" | "mj-style" | "mj-title" => {
            &["mj-head"]
        }
        "mj-wrapper" | "mj-hero" => &["mj-body"],
        "mj-section" => &["mj-body", "mj-wrapper"],
        "mj-group" => &["mj-section"],
        "mj-column" => &["mj-section", "mj-group"],
        "mj-button" | "mj-divider" | "mj-image" | "mj-navbar" | "mj-social" | "mj-spacer" | "mj-table"
        | "mj-text" => &["mj-column", "mj-hero"],
        "mj-navbar-link" => &["mj-navbar"],
        "mj-social-element" => &["mj-social"],
        "mj-raw" => &["mj-head", "mj-body", "mj-wrapper", "mj-section", "mj-group", "mj-column", "mj-hero"],
        _ => &["mj-text", "mj-button", "mj-table", "mj-raw", "mj-navbar-link", "mj-social-element"],
    }
}

/// What MJML has, and no e-mail of ours: their usual pictures lie on somebody else's server, and few mail programs open them.
const ABROAD: [&str; 2] = ["mj-accordion", "mj-carousel"];
/// Elements of HTML that have no end.
const VOID: [&str; 13] =
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"];
/// In these nothing is escaped, or nothing is said.
const NO_TEXT: [&str; 6] = ["mj-attributes", "mj-breakpoint", "mj-font", "mj-style", "script", "style"];
/// Attributes in which variables may stand.
const SPOKEN: [&str; 4] = ["alt", "href", "src", "title"];
/// Those of them that lead somewhere.
const LEADING: [&str; 2] = ["href", "src"];

/// Why something is no e-mail.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, `{element}`: {message}")]
pub struct MjmlError {
    /// The line at fault, from 1.
    pub line: usize,
    /// The element at fault.
    pub element: String,
    /// What is wrong, in words.
    pub message: String,
}

/// A source whose tags are marks.
struct Marked<'s> {
    text: String,
    tags: Vec<&'s str>,
}

impl<'s> Marked<'s> {
    fn of(source: &'s str) -> Self {
        let mut marked = Self { text: String::with_capacity(source.len()), tags: Vec::new() };
        let mut from = 0;
        for tag in template::tags(source) {
            marked.plain(&source[from..tag.start]);
            from = tag.end;
            marked.mark(&source[tag]);
        }
        marked.plain(&source[from..]);
        marked
    }

    fn mark(&mut self, tag: &'s str) {
        self.text.push_str(&format!("{OPEN}{}{CLOSE}", self.tags.len()));
        self.tags.push(tag);
    }

    fn plain(&mut self, text: &'s str) {
        let is_odd = |c: char| !matches!(c, '"' | '\'' | '\n' | '\r' | '\t') && c.escape_debug().len() > 1;
        for part in text.split_inclusive(is_odd) {
            match part.char_indices().next_back().filter(|(_, c)| is_odd(*c)) {
                Some((at, _)) => {
                    self.text.push_str(&part[..at]);
                    self.mark(&part[at..]);
                }
                None => self.text.push_str(part),
            }
        }
    }

    /// Each part of a text: what stands before a mark, and the tag of it; the last has none.
    fn parts<'t>(&'t self, text: &'t str) -> impl Iterator<Item = (&'t str, Option<&'t str>)> {
        let mut rest = Some(text);
        std::iter::from_fn(move || {
            let now = rest.take()?;
            let Some((before, after)) = now.split_once(OPEN) else { return Some((now, None)) };
            let (number, after) = after.split_once(CLOSE).unwrap_or((after, ""));
            rest = Some(after);
            let tag = number.parse().ok().and_then(|at: usize| self.tags.get(at).copied());
            Some((before, tag))
        })
    }

    /// Whether a text has a tag in it.
    fn is_in(&self, text: &str) -> bool {
        self.parts(text).any(|(_, tag)| tag.is_some_and(|tag| tag.starts_with('{')))
    }

    /// What is wrong at a place of the text.
    fn wrong(&self, at: usize, element: &str, message: impl Into<String>) -> MjmlError {
        let before = self.text.get(..at).unwrap_or(&self.text);
        let lines = self.parts(before).map(|(text, tag)| lines_of(text) + tag.map_or(0, lines_of));
        MjmlError { line: 1 + lines.sum::<usize>(), element: element.to_owned(), message: message.into() }
    }

    /// The element that begins at a place or before it.
    fn element_at(&self, at: usize) -> &str {
        let end = self.text.len().min(at + 1);
        let begin = self.text.get(..end).and_then(|before| before.rfind('<')).map_or(0, |begin| begin + 1);
        let name = self.text.get(begin..).unwrap_or_default().trim_start_matches('/');
        let is_of_name = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | ':');
        name.split(|c| !is_of_name(c)).next().unwrap_or_default()
    }

    /// A rendered page with its tags as they were written. What only looks like one is parted by a space, which is none to a
    /// style.
    fn said(&self, page: &str) -> String {
        let mut said = String::with_capacity(page.len());
        for (text, tag) in self.parts(page) {
            said += &text.replace("{{", "{ {").replace("{%", "{ %").replace("{#", "{ #");
            if let Some(tag) = tag {
                if tag.starts_with('{') && said.ends_with('{') {
                    said.push(' ');
                }
                said += tag;
            }
        }
        said
    }
}

fn lines_of(text: &str) -> usize {
    text.matches('\n').count()
}

/// Elements that are open, and what was seen of the last that began.
struct Walk<'m> {
    marked: &'m Marked<'m>,
    open: Vec<(&'m str, usize)>,
    /// The element whose attributes are read, where it begins, and whether it names a picture.
    last: (&'m str, usize, bool),
}

impl<'m> Walk<'m> {
    fn is_in(&self, any: &[&str]) -> bool {
        self.open.iter().any(|(name, _)| any.contains(name))
    }

    fn wrong(&self, message: impl Into<String>) -> MjmlError {
        self.marked.wrong(self.last.1, self.last.0, message)
    }

    fn may_stand(&self, name: &str) -> bool {
        let Some((parent, _)) = self.open.last() else { return name == "mjml" };
        let is_html = !parent.starts_with("mj") && !name.starts_with("mj");
        is_html || *parent == "mj-attributes" || stands_in(name).contains(parent)
    }

    fn begins(&mut self, name: &'m str, at: usize) -> Result<(), MjmlError> {
        self.last = (name, at, false);
        let message = match name {
            "mj-include" => "there are no includes: nothing is read from anywhere".to_owned(),
            name if ABROAD.iter().any(|abroad| name.starts_with(abroad)) => {
                "there is none: its pictures lie on somebody else's server".to_owned()
            }
            name if name.starts_with("mj") && !ELEMENTS.contains(&name) => {
                "there is no such element".to_owned()
            }
            name if !self.may_stand(name) => "does not stand here".to_owned(),
            _ if self.open.len() >= DEPTH_MAX => format!("more than {DEPTH_MAX} elements deep"),
            _ => return Ok(()),
        };
        Err(self.wrong(message))
    }

    fn attribute(&mut self, name: &str, value: Option<&str>) -> Result<(), MjmlError> {
        self.last.2 |= name == "src";
        let value = value.unwrap_or_default();
        if value.contains('"') {
            return Err(self.wrong(format!("a `\"` in `{name}` is written &quot;")));
        }
        if value.contains(['\n', '\r', '\t']) {
            return Err(self.wrong(format!("`{name}` is one line")));
        }
        if name.contains(OPEN) {
            return Err(self.wrong("variables stand in texts, and in the values of href, src, alt and title"));
        }
        if !self.marked.is_in(value) {
            return Ok(());
        }
        if self.is_in(&NO_TEXT) || !SPOKEN.contains(&name) {
            return Err(self.wrong(format!(
                "no variable stands in `{name}`: only in texts, and in href, src, alt and title"
            )));
        }
        // Where something leads is not for a member to say.
        let mut is_fixed = false;
        for (text, tag) in self.marked.parts(value) {
            is_fixed |= !text.trim().is_empty();
            let variable = tag.and_then(|tag| tag.strip_prefix("{{"));
            let is_link = |tag: &str| tag.trim_start_matches(['-', '+']).trim_start().starts_with("link.");
            if LEADING.contains(&name) && !is_fixed && variable.is_some_and(|tag| !is_link(tag)) {
                let message =
                    format!("`{name}` begins with a fixed text, or with a link such as {{{{ link.PAGE }}}}");
                return Err(self.wrong(message));
            }
        }
        Ok(())
    }

    fn ends(&mut self, end: &ElementEnd<'m>, at: usize) -> Result<(), MjmlError> {
        let (name, _, has_picture) = self.last;
        match end {
            ElementEnd::Close(prefix, local) => {
                let name = called(prefix, local);
                match self.open.pop() {
                    Some((open, _)) if open == name => Ok(()),
                    Some((open, _)) => {
                        Err(self.marked.wrong(at, &name, format!("ends here, where `{open}` is open")))
                    }
                    None => Err(self.marked.wrong(at, &name, "ends here, and never began")),
                }
            }
            _ if name == "mj-social-element" && !has_picture && !self.is_in(&["mj-attributes"]) => {
                Err(self.wrong("names no picture of its own: `src`"))
            }
            ElementEnd::Open if !VOID.contains(&name) => {
                self.open.push((name, self.last.1));
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

fn called(prefix: &StrSpan<'_>, local: &StrSpan<'_>) -> String {
    if prefix.is_empty() { local.as_str().to_owned() } else { format!("{prefix}:{local}") }
}

/// Looks at every token: what is refused is refused by its name.
fn walk(marked: &Marked<'_>) -> Result<(), MjmlError> {
    let mut walk = Walk { marked, open: Vec::new(), last: ("mjml", 0, false) };
    let mut at = 0;
    for token in Tokenizer::from(marked.text.as_str()) {
        let Ok(token) = token else {
            let element = walk.open.last().map_or(walk.last.0, |(name, _)| name);
            return Err(marked.wrong(at, element, "what follows here does not read"));
        };
        let span = token.span();
        at = span.end();
        match token {
            Token::ElementStart { .. } => {
                walk.begins(span.as_str().trim_start_matches('<'), span.start())?;
            }
            Token::Attribute { prefix, local, value, .. } => {
                walk.attribute(&called(&prefix, &local), value.as_ref().map(StrSpan::as_str))?;
            }
            Token::ElementEnd { end, .. } => walk.ends(&end, span.start())?,
            Token::Text { text } if !marked.is_in(&text) || !walk.is_in(&NO_TEXT) => {}
            _ if marked.is_in(&span) => {
                let element = walk.open.last().map_or("mjml", |(name, _)| name);
                return Err(marked.wrong(
                    span.start(),
                    element,
                    "no variable stands in a style or a comment",
                ));
            }
            _ => {}
        }
    }
    match walk.open.last() {
        Some((name, at)) => Err(marked.wrong(*at, name, "never ends")),
        None => Ok(()),
    }
}

/// What the renderer's reader says, at the line and the element that it means.
fn read_wrong(marked: &Marked<'_>, error: &Error) -> MjmlError {
    let at = |position: &Span, message: &str| {
        marked.wrong(position.start, marked.element_at(position.start), message)
    };
    match error {
        Error::UnexpectedElement { position, .. } => at(position, "does not stand here"),
        Error::UnexpectedToken { position, .. } => at(position, "nothing of this kind stands here"),
        Error::MissingAttribute { name, position, .. } => at(position, &format!("lacks `{name}`")),
        Error::InvalidAttribute { position, .. } => at(position, "has an attribute that does not read"),
        Error::InvalidFormat { position, .. } => at(position, "does not read"),
        Error::IncludeLoaderError { position, .. } => at(position, "nothing is read from anywhere"),
        Error::NoRootNode => marked.wrong(0, "mjml", "there is none"),
        Error::EndOfStream { .. } | Error::SizeLimit { .. } | Error::ParserError { .. } => {
            marked.wrong(marked.text.len(), "mjml", "ends too soon")
        }
    }
}

/// The HTML of an e-mail that is written in MJML: a template, whose name must end in [`template::HTML`] so that its variables are
/// escaped. The same source makes the same page.
pub fn html(source: &str) -> Result<String, MjmlError> {
    let whole =
        |message: &str| MjmlError { line: 1, element: "mjml".to_owned(), message: message.to_owned() };
    if source.contains([OPEN, CLOSE]) {
        return Err(whole(&format!("has {OPEN} or {CLOSE} in it, which mark what is said of members")));
    }
    let marked = Marked::of(source);
    walk(&marked)?;
    // What somebody else's code trips over is a template that is refused, and no more.
    let text = marked.text.as_str();
    let made = catch_unwind(|| {
        // The usual reader loads nothing.
        let read = mrml::parse_with_options(text, &ParserOptions::default())?;
        let options = RenderOptions { fonts: Default::default(), ..RenderOptions::default() };
        let odd = read.warnings.into_iter().next().map(|odd| (odd.span, odd.kind.as_str()));
        Ok((odd, read.element.render(&options)))
    });
    match made {
        Ok(Ok((Some((span, kind)), _))) => {
            let message = format!("has what is not done here ({kind})");
            Err(marked.wrong(span.start, marked.element_at(span.start), message))
        }
        Ok(Ok((None, Ok(page)))) => Ok(marked.said(&page)),
        Ok(Err(error)) => Err(read_wrong(&marked, &error)),
        Ok(Ok((None, Err(_)))) | Err(_) => Err(whole("cannot be made into a page")),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::template::{Templates, check};

    fn body(inside: &str) -> String {
        format!(
            "<mjml>\n<mj-body>\n<mj-section><mj-column>\n{inside}\n</mj-column></mj-section>\n</mj-body>\n</mjml>"
        )
    }

    fn said(source: &str, variables: &[(&str, &str)]) -> String {
        let page = html(source).unwrap();
        let variables: BTreeMap<String, String> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        assert_eq!(check(&page, &variables), Ok(()));
        Templates::read([("hi.html".to_owned(), page.as_str())]).render("hi.html", &variables).unwrap()
    }

    #[test]
    fn a_page_says_its_variables_escaped_in_chinese_and_in_english() {
        let source = body(
            "<mj-text>您好 {{ member.name }}<br>Hello &amp; welcome</mj-text>\n\
             <mj-button href=\"{{ link.card }}\" title='{{ member.name }}'>看看</mj-button>",
        );
        let page = said(
            &source,
            &[("member.name", "</b>\"王'<script>"), ("link.card", "https://s.example/c/ab?x=1&y")],
        );
        assert!(page.contains("您好 &lt;&#x2f;b&gt;&quot;王&#x27;&lt;script&gt;"), "{page}");
        assert!(page.contains("Hello &amp; welcome") && page.contains("看看") && page.contains("<br"));
        assert!(page.contains("href=\"https:&#x2f;&#x2f;s.example&#x2f;c&#x2f;ab?x=1&amp;y\""), "{page}");
        assert!(!page.contains("<script>") && page.ends_with("</html>") && page.contains("</body>"));
        assert!(!page.contains([OPEN, CLOSE]));
    }

    #[test]
    fn conditions_stand_in_texts_and_between_elements() {
        let source = body(
            "<mj-text>{% if points | int < 100 and tier == \"a>b\" %}少{% else %}多{% endif %}</mj-text>\n\
             <mj-raw>{% if tier == \"gold\" %}<p>金卡</p>{% endif %}</mj-raw>",
        );
        assert!(said(&source, &[("points", "5"), ("tier", "a>b")]).contains('少'));
        let gold = said(&source, &[("points", "500"), ("tier", "gold")]);
        assert!(gold.contains('多') && gold.contains("<p>金卡</p>"));
        assert!(!said(&source, &[("points", "500"), ("tier", "silver")]).contains("金卡"));
    }

    #[test]
    fn what_only_looks_like_a_tag_is_none() {
        let marked = Marked::of("{{ a }}");
        assert_eq!(marked.said("x{#a{%b{{c{⸨0⸩"), "x{ #a{ %b{ {c{ {{ a }}");
    }

    #[test]
    fn whatever_stands_in_a_text_or_an_attribute_comes_out_as_it_was_written() {
        for odd in ["\u{3000}全角", "a\\b", "❤\u{fe0f}", "é\u{301}", "it's", "&quot;"] {
            let page = said(
                &body(&format!("<mj-text><a href=\"https://x.example\" title=\"{odd}\">{odd}</a></mj-text>")),
                &[],
            );
            assert!(page.contains(&format!("title=\"{odd}\">{odd}</a>")), "{odd}: {page}");
        }
    }

    #[test]
    fn nothing_is_fetched_from_anybody_who_was_not_named() {
        let page = said(
            &body(
                "<mj-text>hi</mj-text><mj-social><mj-social-element src=\"https://shop.example/w.png\" href=\"https://shop.example\">x</mj-social-element></mj-social>",
            ),
            &[],
        );
        let mut hosts =
            page.split("://").skip(1).map(|rest| rest.split(['/', '"', ')', ' ']).next().unwrap());
        assert!(hosts.all(|host| ["www.w3.org", "shop.example"].contains(&host)), "{page}");
    }

    #[test]
    fn what_is_no_e_mail_is_refused_at_its_line_and_element() {
        for (inside, line, element, says) in [
            ("<mj-include path=\"a.mjml\" />", 4, "mj-include", "no includes"),
            (
                "<mj-text>\n<mj-include path=\"https://x.example/a\"></mj-include></mj-text>",
                5,
                "mj-include",
                "no includes",
            ),
            ("<mj-carousel></mj-carousel>", 4, "mj-carousel", "somebody else's server"),
            ("\n<mj-txt>hi</mj-txt>", 5, "mj-txt", "no such element"),
            ("<mj-text>a</mj-text><mj-head></mj-head>", 4, "mj-head", "does not stand here"),
            ("<mj-text>a</mj-text><mj-section></mj-section>", 4, "mj-section", "does not stand here"),
            ("<p>a</p>", 4, "p", "does not stand here"),
            ("<mj-image alt=\"a\nb\" src=\"https://x.example/a.png\" />", 4, "mj-image", "one line"),
            ("<mj-text>a", 5, "mj-column", "ends here, where `mj-text` is open"),
            ("<mj-text color=\"{{ tier }}\">a</mj-text>", 4, "mj-text", "`color`"),
            ("<mj-text {{ tier }}=\"a\">a</mj-text>", 4, "mj-text", ""),
            ("<mj-button href=\"{{ member.page }}\">a</mj-button>", 4, "mj-button", "fixed text"),
            ("<mj-text><a href='{% if tier %}{{ tier }}{% endif %}'>a</a></mj-text>", 4, "a", "fixed text"),
            ("<mj-image alt='a \"b\"' src=\"https://x.example/a.png\" />", 4, "mj-image", "&quot;"),
            (
                "<mj-social><mj-social-element name=\"facebook\">x</mj-social-element></mj-social>",
                4,
                "mj-social-element",
                "`src`",
            ),
            ("<mj-raw><style>a{color:{{ tier }}}</style></mj-raw>", 4, "style", "style"),
            ("<mj-text>{{ member\n.name }}<!-- {{ tier }} --></mj-text>", 5, "mj-text", "comment"),
            (&format!("<mj-raw>{}", "<b>".repeat(99)), 4, "b", "deep"),
        ] {
            let error = html(&body(inside)).unwrap_err();
            assert_eq!((error.line, error.element.as_str()), (line, element), "{inside}: {error}");
            assert!(error.message.contains(says), "{inside}: {error}");
        }
        for (source, says) in [
            ("", "there is none"),
            ("hello", ""),
            ("<mjml><mj-body></mj-body>", "never ends"),
            ("<p>hi</p>", ""),
            (
                "<mjml><mj-head><mj-style inline=\"inline\">a{}</mj-style></mj-head><mj-body/></mjml>",
                "not done here",
            ),
            ("<mjml>⸨0⸩</mjml>", "which mark"),
        ] {
            let error = html(source).unwrap_err();
            assert!(error.message.contains(says), "{source}: {error}");
        }
        assert!(html(&body("<mj-text><a href=\"https://shop.example/{{ store }}\">a</a></mj-text>")).is_ok());
    }
}
