//! Texts that members read at their own pages: what a tier gives, what they agree to.

use super::super::names::Names;
use super::super::words::RawNames;
use super::super::yaml::Node;
use super::Check;

/// The most characters of what somebody agrees to.
pub(super) const TEXT_CHARS_MAX: usize = 4_000;
/// The most benefits of a tier, and the most characters of one.
const BENEFITS_MAX: usize = 12;
const BENEFIT_CHARS_MAX: usize = 120;

impl Check<'_> {
    /// A text in each language, in paragraphs where it has some.
    pub(super) fn said(&mut self, raw: RawNames, node: &Node, max: usize) -> Names {
        self.in_languages(raw, node, max, "nobody can read this")
    }

    /// The same, told `wrong` where a language has none, too much, or signs that are none.
    pub(super) fn in_languages(&mut self, raw: RawNames, node: &Node, max: usize, wrong: &str) -> Names {
        let text = Names { zh: raw.zh, en: raw.en };
        for (language, said) in [("zh", &text.zh), ("en", &text.en)] {
            let Some(said) = said else { continue };
            let is_control = |c: char| c.is_control() && c != '\n';
            if said.trim().is_empty() || said.chars().count() > max || said.chars().any(is_control) {
                let at = node.get(language).unwrap_or(node);
                self.problem(at.problem(wrong, Some(format!("1 to {max} characters"))));
                break;
            }
        }
        if text.is_nothing() && !node.is_broken() {
            self.problem(node.problem("a text in no language", Some("zh, en".into())));
        }
        text
    }

    /// What a tier gives, one after the other.
    pub(super) fn benefits(&mut self, raw: Option<Vec<RawNames>>, node: Option<&Node>) -> Vec<Names> {
        let (Some(raw), Some(node)) = (raw, node) else { return Vec::new() };
        if raw.len() > BENEFITS_MAX {
            self.problem(node.problem("too many benefits", Some(format!("at most {BENEFITS_MAX}"))));
        }
        let all = raw.into_iter().zip(node.elements());
        all.map(|(raw, at)| self.said(raw, at, BENEFIT_CHARS_MAX)).collect()
    }
}
