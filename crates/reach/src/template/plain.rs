//! Templates that only put variables into a text, cut into pieces once: what most messages are, said to everybody without running a
//! template each time. They say what the template says, to the letter.

use std::collections::BTreeMap;

/// A part of what is said.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// A variable by its name, alone or in its group.
    Variable(String),
}

/// A template that has no tag but `{{ name }}` and `{{ group.name }}`, and escapes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Plain(Vec<Piece>);

/// Words that stand for something else than a variable.
const WORDS: [&str; 14] =
    ["and", "elif", "else", "false", "False", "if", "in", "is", "none", "None", "not", "or", "true", "True"];

fn is_name(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic())
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !WORDS.contains(&name)
}

impl Plain {
    /// Cuts a template; `None` where it does more.
    pub(super) fn of(template: &str) -> Option<Self> {
        // A line's end at its end is left out by the template, and these open tags of other kinds.
        if template.ends_with(['\n', '\r']) || template.contains("{%") || template.contains("{#") {
            return None;
        }
        let (mut pieces, mut rest) = (Vec::new(), template);
        while let Some((text, tag)) = rest.split_once("{{") {
            let (name, behind) = tag.split_once("}}")?;
            let name = name.trim_matches(' ');
            let is_variable = match name.split_once('.') {
                Some((group, name)) => is_name(group) && is_name(name),
                None => is_name(name),
            };
            if !is_variable {
                return None;
            }
            pieces.push(Piece::Text(text.to_owned()));
            pieces.push(Piece::Variable(name.to_owned()));
            rest = behind;
        }
        pieces.push(Piece::Text(rest.to_owned()));
        Some(Self(pieces))
    }

    /// What it says of some variables; `None` where one names a whole group of them.
    pub(super) fn say(&self, variables: &BTreeMap<String, String>) -> Option<String> {
        let mut said = String::with_capacity(128);
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => said.push_str(text),
                Piece::Variable(name) => {
                    let is_in =
                        |one: &String| one.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
                    if !name.contains('.') && variables.keys().any(is_in) {
                        return None;
                    }
                    // What it does not know is empty.
                    said.push_str(variables.get(name).map_or("", String::as_str));
                }
            }
        }
        Some(said)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::{Answer, Templates};

    #[test]
    fn what_is_cut_into_pieces_says_what_the_template_says() {
        let pairs = [
            ("member.name", "小王 <b>{{ x }}"),
            ("points", "120"),
            ("tier", ""),
            ("a.b.c", "deep"),
            ("a", "top"),
        ];
        let known: BTreeMap<String, String> =
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        for (template, is_plain) in [
            ("", true),
            ("您好 { } }} % #", true),
            ("{{ member.name }}，您有 {{points}} 积分\nX", true),
            ("{{ member.city }}{{ nobody }}{{ tier }}{{ points.more }}.", true),
            ("{{ a }}", true),
            ("{{ member }}", true),
            ("{{ a.b }}", true),
            ("{{ a.b.c }}", false),
            ("{{- points }} ", false),
            ("{{ points -}} x", false),
            ("{{ points | upper }}", false),
            ("{{ 'a' }}", false),
            ("{{ true }}{{ None }}", false),
            ("{{ points }}\n", false),
            ("{% if points %}a{% endif %}", false),
            ("{# no #}a", false),
        ] {
            let plain = Plain::of(template);
            assert_eq!(plain.is_some(), is_plain, "{template}");
            let read = Templates::read([("hi".to_owned(), template)]);
            let run = read.run("hi", &known).unwrap();
            if let Some(said) = plain.and_then(|plain| plain.say(&known)) {
                assert_eq!(Answer::Says(said), run, "{template}");
            }
            assert_eq!(read.answer("hi", &known).unwrap(), run, "{template}");
        }
    }
}
