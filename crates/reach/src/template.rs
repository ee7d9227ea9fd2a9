//! Texts with variables, turned into what is said: `{{ member.name }}`, `{% if tier == "gold" %}…{% endif %}`.
//!
//! A template may decide not to be said: `{{ abort_message("no store yet") }}`. Why is a fixed text, so that it may be kept beside
//! what was not said without anything personal in it.
//!
//! A template comes from a playbook and is still not trusted: it has variables, `if` and a few filters, and nothing that could make
//! much of little (no loops, no variables of its own, no `~` and `*`); it has so much fuel, reads no file and gives so many
//! characters at most. Channels that say plain text have nothing escaped; a template whose name ends in `.html` has its variables
//! escaped. It is a pure function: the same text and variables say
//! the same.

mod plain;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use minijinja::{AutoEscape, Environment, ErrorKind, UndefinedBehavior, Value, filters, tests as asked};
use plain::Plain;

/// How many steps a template may take.
const FUEL: u64 = 20_000;
/// How deep it may go.
const DEPTH_MAX: usize = 16;
/// The most characters that are said; more are cut off.
pub const SAID_CHARS_MAX: usize = 4_000;
/// The most characters of HTML that are said; more are not said at all, since a part of it would be broken.
pub const HTML_CHARS_MAX: usize = 60_000;

/// Why a template says nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TemplateError {
    /// The line at fault, from 1; 0 where none is.
    pub line: usize,
    /// What is wrong, in words.
    pub message: String,
}

impl From<minijinja::Error> for TemplateError {
    fn from(error: minijinja::Error) -> Self {
        let what = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
        Self { line: error.line().unwrap_or(0), message: what }
    }
}

/// A template decided not to be said, and why.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Aborted(String);

impl Aborted {
    /// Why a template decided not to be said, where that is what went wrong.
    fn of(error: &minijinja::Error) -> Option<String> {
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
        while let Some(one) = cause {
            if let Some(Self(reason)) = one.downcast_ref::<Self>() {
                return Some(reason.clone());
            }
            cause = one.source();
        }
        None
    }
}

/// What became of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It says this.
    Says(String),
    /// It decided not to be said, and why.
    Aborts(String),
}

/// The one function that there is.
const ABORT: &str = "abort_message";

/// Whether a function is called with a fixed text alone, in code whose texts are blanks (their first marks aside).
fn is_fixed(code: &str, called: &str) -> bool {
    code.match_indices(called).all(|(at, _)| {
        let rest = code[at + called.len()..].trim_start();
        let inside =
            rest.strip_prefix('(').and_then(|rest| rest.split_once(')')).map(|(inside, _)| inside.trim());
        inside.is_some_and(|text| text == "\"" || text == "'")
    })
}

/// The tags that there are.
const TAGS: [&str; 4] = ["if", "elif", "else", "endif"];

/// The filters that there are, what may be asked of a value, and words that a parenthesis may follow.
const FILTERS: [&str; 9] = ["upper", "lower", "trim", "default", "length", "int", "float", "round", "abs"];
const TESTS: [&str; 2] = ["defined", "undefined"];
const WORDS: [&str; 7] = ["if", "elif", "and", "or", "not", "in", ABORT];

/// Templates whose names end so are HTML.
pub const HTML: &str = ".html";

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The name of something that there is not in a tag, whose texts are blanks. So what is said to some members only is checked as
/// well, though no example comes there.
fn unknown(code: &str) -> Option<&str> {
    let filters = code.match_indices('|').map(|(at, _)| code[at + 1..].trim_start());
    let mut filters = filters.map(|rest| rest.split(|c| !is_of_word(c)).next().unwrap_or_default());
    let words: Vec<&str> = code.split(|c| !is_of_word(c)).filter(|word| !word.is_empty()).collect();
    let asked = words.iter().enumerate().filter(|(_, word)| **word == "is");
    let mut asked = asked.filter_map(|(i, _)| words[i + 1..].iter().find(|word| **word != "not").copied());
    let called = code.match_indices('(').find_map(|(at, _)| {
        let before = code[..at].trim_end();
        let name = before.rsplit(|c| !is_of_word(c)).next().unwrap_or_default();
        let of_value = before[..before.len() - name.len()].ends_with('.') || before.ends_with([')', ']']);
        let is_known = name.is_empty() || FILTERS.contains(&name) || WORDS.contains(&name);
        (of_value || !is_known).then_some(if name.is_empty() { "(" } else { name })
    });
    let filter = filters.find(|name| !FILTERS.contains(name));
    filter.or_else(|| asked.find(|name| !TESTS.contains(name))).or(called)
}

/// Where the tags of a template stand: `{{ … }}`, `{% … %}`, `{# … #}`. One that does not end is none.
pub(crate) fn tags(template: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(begin) = template.get(at..).and_then(|rest| rest.find('{')).map(|found| at + found) {
        let close = match template.get(begin..begin + 2) {
            Some("{{") => "}}",
            Some("{%") => "%}",
            Some("{#") => "#}",
            _ => {
                at = begin + 1;
                continue;
            }
        };
        let inside = &template[begin + 2..];
        let (mut quote, mut escaped, mut end) = (None, false, None);
        for (i, c) in inside.char_indices() {
            match quote {
                Some(_) if escaped => escaped = false,
                Some(_) if c == '\\' => escaped = true,
                Some(mark) if c == mark => quote = None,
                Some(_) => {}
                None if inside[i..].starts_with(close) => {
                    end = Some(begin + 2 + i + close.len());
                    break;
                }
                None if matches!(c, '"' | '\'') && close != "#}" => quote = Some(c),
                None => {}
            }
        }
        let Some(end) = end else { break };
        found.push(begin..end);
        at = end;
    }
    found
}

/// Whether a template keeps to what templates may do, whatever else its language knows.
fn simple(template: &str) -> Result<(), TemplateError> {
    let wrong = |message: String| Err(TemplateError { line: 0, message });
    let mut rest = template;
    while let Some(at) = rest.find('{') {
        let tag = &rest[at..];
        let close = match tag.get(..2) {
            Some("{{") => "}}",
            Some("{%") => "%}",
            Some("{#") => {
                rest = tag.split_once("#}").map_or("", |(_, rest)| rest);
                continue;
            }
            _ => {
                rest = &tag[1..];
                continue;
            }
        };
        let inside = &tag[2..];
        if close == "%}" {
            let word = inside.trim_start_matches(['-', '+']).trim_start();
            let word = word.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
            if !TAGS.contains(&word) {
                return wrong(format!("there is no `{word}` here: only {}", TAGS.join(", ")));
            }
        }
        let (mut quote, mut escaped, mut end) = (None, false, None);
        let mut code = String::new();
        for (i, c) in inside.char_indices() {
            code.push(if quote.is_some() { ' ' } else { c });
            match quote {
                Some(_) if escaped => escaped = false,
                Some(_) if c == '\\' => escaped = true,
                Some(mark) if c == mark => quote = None,
                Some(_) => {}
                None if inside[i..].starts_with(close) => {
                    end = Some(i + close.len());
                    code.pop();
                    break;
                }
                None if matches!(c, '"' | '\'') => quote = Some(c),
                None if matches!(c, '~' | '*' | '{') => return wrong(format!("there is no `{c}` here")),
                None => {}
            }
        }
        if !is_fixed(&code, ABORT) {
            return wrong(format!("`{ABORT}` says why in a fixed text, such as {ABORT}(\"no store yet\")"));
        }
        if let Some(name) = unknown(&code) {
            return wrong(format!("there is nothing called `{name}` here"));
        }
        rest = end.map_or("", |end| &inside[end..]);
    }
    Ok(())
}

fn environment<'t>(undefined: UndefinedBehavior, escape: AutoEscape) -> Environment<'t> {
    let mut environment = Environment::empty();
    environment.add_filter("upper", filters::upper);
    environment.add_filter("lower", filters::lower);
    environment.add_filter("trim", filters::trim);
    environment.add_filter("default", filters::default);
    environment.add_filter("length", filters::length);
    environment.add_filter("int", filters::int);
    environment.add_filter("float", filters::float);
    environment.add_filter("round", filters::round);
    environment.add_filter("abs", filters::abs);
    environment.add_test("defined", asked::is_defined);
    environment.add_test("undefined", asked::is_undefined);
    environment.add_function(ABORT, |reason: String| -> Result<String, minijinja::Error> {
        let error = minijinja::Error::new(ErrorKind::InvalidOperation, "the message is not for them");
        Err(error.with_source(Aborted(reason)))
    });
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(DEPTH_MAX);
    let is_html = move |name: &str| if name.ends_with(HTML) { AutoEscape::Html } else { escape };
    environment.set_auto_escape_callback(is_html);
    environment.set_undefined_behavior(undefined);
    environment
}

/// Variables by their dotted names, as maps inside of maps.
fn tree<'v>(variables: impl IntoIterator<Item = (&'v str, &'v str)>) -> Value {
    let mut top: BTreeMap<&str, Value> = BTreeMap::new();
    let mut inner: BTreeMap<&str, BTreeMap<&str, &str>> = BTreeMap::new();
    for (name, value) in variables {
        match name.split_once('.') {
            Some((group, name)) => drop(inner.entry(group).or_default().insert(name, value)),
            None => drop(top.insert(name, Value::from(value))),
        }
    }
    top.extend(inner.into_iter().map(|(group, values)| (group, values.into_iter().collect())));
    top.into_iter().collect()
}

/// All of some variables.
fn every(variables: &BTreeMap<String, String>) -> impl Iterator<Item = (&str, &str)> {
    variables.iter().map(|(name, value)| (name.as_str(), value.as_str()))
}

/// No more than is said of a text.
fn cut(mut said: String) -> String {
    if let Some((end, _)) = said.char_indices().nth(SAID_CHARS_MAX) {
        said.truncate(end);
    }
    said
}

/// Templates that are read once and said often: of one version of a playbook.
#[derive(Debug)]
pub struct Templates {
    environment: Environment<'static>,
    /// What each names.
    named: BTreeMap<String, BTreeSet<String>>,
    /// Those that only put variables into a text.
    plain: BTreeMap<String, Plain>,
}

impl Templates {
    /// Reads templates by their names. One that does not read ([`check`]) is none: to say it fails.
    pub fn read<'t>(texts: impl IntoIterator<Item = (String, &'t str)>) -> Self {
        Self::read_with(texts, AutoEscape::None)
    }

    /// The same where what is said stands in XML: variables are texts in it, whatever they say.
    pub fn escaping<'t>(texts: impl IntoIterator<Item = (String, &'t str)>) -> Self {
        Self::read_with(texts, AutoEscape::Html)
    }

    fn read_with<'t>(texts: impl IntoIterator<Item = (String, &'t str)>, escape: AutoEscape) -> Self {
        let environment = environment(UndefinedBehavior::Chainable, escape);
        let mut all = Self { environment, named: BTreeMap::new(), plain: BTreeMap::new() };
        for (name, text) in texts {
            if let Ok(named) = all.add(&name, text) {
                let plain = Plain::of(text).filter(|_| escape == AutoEscape::None && !name.ends_with(HTML));
                all.plain.extend(plain.map(|plain| (name.clone(), plain)));
                all.named.insert(name, named);
            }
        }
        all
    }

    fn add(&mut self, name: &str, text: &str) -> Result<BTreeSet<String>, TemplateError> {
        simple(text)?;
        self.environment.add_template_owned(name.to_owned(), text.to_owned())?;
        Ok(self.environment.get_template(name)?.undeclared_variables(true).into_iter().collect())
    }

    /// What a template says of some variables; what it does not know is empty.
    pub fn answer(&self, name: &str, variables: &BTreeMap<String, String>) -> Result<Answer, TemplateError> {
        match self.plain.get(name).and_then(|plain| plain.say(variables)) {
            Some(said) => Ok(Answer::Says(cut(said))),
            None => self.run(name, variables),
        }
    }

    /// The same by running it.
    fn run(&self, name: &str, variables: &BTreeMap<String, String>) -> Result<Answer, TemplateError> {
        // What it does not name it cannot say.
        match self.environment.get_template(name)?.render(tree(self.names(name, variables))) {
            Ok(said) if name.ends_with(HTML) => {
                let fits = said.chars().count() <= HTML_CHARS_MAX;
                let long = || TemplateError { line: 0, message: "more than is ever said".to_owned() };
                if fits { Ok(Answer::Says(said)) } else { Err(long()) }
            }
            Ok(said) => Ok(Answer::Says(cut(said))),
            Err(error) => Aborted::of(&error).map(Answer::Aborts).ok_or_else(|| error.into()),
        }
    }

    /// The same; what decides not to be said says nothing.
    pub fn render(&self, name: &str, variables: &BTreeMap<String, String>) -> Result<String, TemplateError> {
        Ok(match self.answer(name, variables)? {
            Answer::Says(said) => said,
            Answer::Aborts(_) => String::new(),
        })
    }

    /// The same, whole: of templates whose length is bounded elsewhere.
    pub fn render_whole(
        &self,
        name: &str,
        variables: &BTreeMap<String, String>,
    ) -> Result<String, TemplateError> {
        Ok(self.environment.get_template(name)?.render(tree(self.names(name, variables)))?)
    }

    /// Those of some variables that a template names, alone or by the group that they are in.
    pub fn names<'v>(
        &'v self,
        name: &str,
        variables: &'v BTreeMap<String, String>,
    ) -> impl Iterator<Item = (&'v str, &'v str)> {
        let named = self.named.get(name);
        let is_named = move |name: &str| {
            let group = name.split_once('.').map_or(name, |(group, _)| group);
            named.is_some_and(|named| named.contains(name) || named.contains(group))
        };
        every(variables).filter(move |(name, _)| is_named(name))
    }
}

/// Whether it depends on its variables in more than words what a template says, and whether it says anything: it has a tag `if`, or
/// may decide not to be said.
pub fn decides(template: &str) -> bool {
    template.contains("{%") || template.contains(ABORT)
}

/// Whether a template says something of a group of variables (`coupon`) without asking before whether it is defined: then it is
/// for nobody who has none. One that decides itself not to be said without them has asked.
pub fn needs(template: &str, known: &BTreeMap<String, String>, group: &str) -> bool {
    let is_of = |name: &String| name.split_once('.').is_some_and(|(of, _)| of == group);
    let mut without = known.clone();
    without.retain(|name, _| !is_of(name));
    let environment = environment(UndefinedBehavior::SemiStrict, AutoEscape::None);
    let rendered = environment.render_str(template, tree(every(&without)));
    rendered.is_err_and(|error| Aborted::of(&error).is_none())
}

/// Checks a template: it reads well, and names nothing beside what there may be.
pub fn check(template: &str, known: &BTreeMap<String, String>) -> Result<(), TemplateError> {
    check_with(template, known, AutoEscape::None)
}

/// The same for one that stands in XML.
pub fn check_escaped(template: &str, known: &BTreeMap<String, String>) -> Result<(), TemplateError> {
    check_with(template, known, AutoEscape::Html)
}

fn check_with(
    template: &str,
    known: &BTreeMap<String, String>,
    escape: AutoEscape,
) -> Result<(), TemplateError> {
    simple(template)?;
    let strict = environment(UndefinedBehavior::Strict, escape);
    let parsed = strict.template_from_str(template)?;
    let unknown: Option<String> = parsed
        .undeclared_variables(true)
        .into_iter()
        .filter(|name| {
            let is_group = || known.keys().any(|known| known.starts_with(&format!("{name}.")));
            name != ABORT && !known.contains_key(name) && !is_group()
        })
        .min();
    if let Some(name) = unknown {
        return Err(TemplateError { line: 0, message: format!("there is nothing called `{name}`") });
    }
    match parsed.render(tree(every(known))) {
        // Not for whom the examples are of: for others it may be.
        Err(error) if Aborted::of(&error).is_none() => Err(error.into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(template: &str, variables: &BTreeMap<String, String>) -> Result<String, TemplateError> {
        Templates::read([("hi".to_owned(), template)]).render("hi", variables)
    }

    fn variables(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_text_says_its_variables_and_escapes_nothing() {
        let known = variables(&[("member.name", "小王 <b>"), ("points", "120")]);
        for (template, said) in [
            ("您好", "您好"),
            ("{{ member.name }}，您有 {{ points }} 积分", "小王 <b>，您有 120 积分"),
            ("{% if points | int > 100 %}a{% else %}b{% endif %}", "a"),
            ("{{ member.city }}.", "."),
            ("{{ coupon.until }}.", "."),
        ] {
            assert_eq!(render(template, &known).as_deref(), Ok(said), "{template}");
        }
    }

    #[test]
    fn html_has_its_variables_escaped_and_nothing_else() {
        let known = variables(&[("member.name", "<b>&\"王'"), ("points", "1")]);
        let read =
            Templates::read([("hi.html".to_owned(), "<p title=\"{{ member.name }}\">{{ points }}</p>")]);
        let said = read.render("hi.html", &known).unwrap();
        assert_eq!(said, "<p title=\"&lt;b&gt;&amp;&quot;王&#x27;\">1</p>");
        let long = "字".repeat(HTML_CHARS_MAX + 1);
        assert!(Templates::read([("hi.html".to_owned(), long.as_str())]).render("hi.html", &known).is_err());
    }

    #[test]
    fn only_what_a_template_names_is_known_of_who_it_is_for() {
        let known =
            variables(&[("member.name", "x"), ("member.phone", "1"), ("points", "1"), ("tier", "gold")]);
        for (template, named) in [
            ("hi", &[][..]),
            ("{{ member . name }}{% if points %}{% endif %}", &["member.name", "points"]),
            ("{{ member['name'] }}", &["member.name", "member.phone"]),
        ] {
            let read = Templates::read([("hi".to_owned(), template)]);
            let found: Vec<&str> = read.names("hi", &known).map(|(name, _)| name).collect();
            assert!(named.iter().all(|name| found.contains(name)), "{template}: {found:?}");
            assert!(!found.contains(&"tier"), "{template}: {found:?}");
        }
        let read = Templates::read([("hi".to_owned(), "{{ member.name }}")]);
        assert_eq!(read.names("hi", &known).collect::<Vec<_>>(), [("member.name", "x")]);
    }

    #[test]
    fn what_is_said_of_a_coupon_needs_one_unless_it_asks_before() {
        let known = variables(&[("coupon.until", "2025-12-31"), ("points", "1"), ("member.name", "x")]);
        for (template, needed) in [
            ("until {{ coupon.until }}", true),
            ("{% if points | int > 0 %}until {{ coupon.until }}{% endif %}", true),
            ("{% if coupon is defined %}until {{ coupon.until }}{% endif %}", false),
            ("{{ points }} {{ member.name }}", false),
        ] {
            assert_eq!(needs(template, &known, "coupon"), needed, "{template}");
        }
    }

    #[test]
    fn a_template_may_decide_not_to_be_said_and_says_why_in_a_fixed_text() {
        let known = variables(&[("tier", "gold"), ("coupon.until", "2025-12-31")]);
        let answer = |template: &str, known: &BTreeMap<String, String>| {
            assert_eq!(check(template, known), Ok(()), "{template}");
            Templates::read([("hi".to_owned(), template)]).answer("hi", known)
        };
        let aborts = |reason: &str| Ok(Answer::Aborts(reason.to_owned()));
        let only_silver =
            "{% if tier != \"silver\" %}{{ abort_message(\"not (silver)\") }}{% endif %}hi {{ tier }}";
        assert_eq!(answer(only_silver, &known), aborts("not (silver)"));
        assert_eq!(answer("{{abort_message( 'never' )}}", &known), aborts("never"));
        let silver = variables(&[("tier", "silver")]);
        assert_eq!(answer(only_silver, &silver), Ok(Answer::Says("hi silver".to_owned())));
        assert!(decides(only_silver) && decides("{{ abort_message('x') }}") && !decides("{{ tier }}"));
        let asks = "{% if coupon is not defined %}{{ abort_message(\"none\") }}{% endif %}{{ coupon.until }}";
        assert!(!needs(asks, &known, "coupon"), "it asks itself");
        for wrong in [
            "{{ abort_message() }}",
            "{{ abort_message(tier) }}",
            "{{ abort_message(\"a\", tier) }}",
            "{{ abort_message(\"a\" if tier else tier) }}",
            "{{ abort_message }}",
            "{{ (abort_message)(tier) }}",
            "{% if abort_message %}{% endif %}",
        ] {
            assert!(check(wrong, &known).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_template_that_is_broken_or_names_what_there_is_not_does_not_pass() {
        let known = variables(&[("member.name", "x"), ("points", "1"), ("tier", "gold")]);
        assert_eq!(check("{{ member.name }} {{ points }}", &known), Ok(()));
        let spoken = "{{ (points | int + 1) | round(1) }}\
                      {% if not (tier == \"(|x is odd\" or tier is not defined) %}{% endif %}";
        assert_eq!(check(spoken, &known), Ok(()));
        let plain =
            "{% if points | int > 9 %}*~ { {%- elif points is defined %}{{ \"}} * ~\" }}{% endif %}{# for #}";
        assert_eq!(check(plain, &known), Ok(()));
        for wrong in [
            "{{ member.name",
            "{% if %}",
            "{{ nobody }}",
            "{{ member.nmae }}",
            "{{ 1 | nofilter }}",
            "{% for x in [1, 2] %}{{ x }}{% endfor %}",
            "{%- set a = points %}{{ a }}",
            "{{ points ~ points }}",
            "{{ \"}}\" * 9 }}",
            "{{ {\"a\": {\"b\": 1}} ~ points }}",
            "{{ points | replace(\"1\", \"11\") }}",
            "{{ points | pprint }}",
            "{% if tier == \"x\" %}{{ points | pprint }}{% endif %}",
            "{% if tier == \"x\" %}{{ points.upper() }}{% endif %}",
            "{% if tier == \"x\" %}{{ range(9) }}{% endif %}",
            "{% if tier is odd %}{% endif %}",
        ] {
            assert!(check(wrong, &known).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_template_that_does_not_end_is_ended_and_one_that_says_much_is_cut() {
        let known = BTreeMap::new();
        let endless = "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}";
        assert!(render(endless, &known).is_err());
        let itself = "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}";
        assert!(render(itself, &known).is_err());
        let long = format!("{}{{{{ 1 }}}}", "字".repeat(SAID_CHARS_MAX + 5));
        assert_eq!(render(&long, &known).unwrap().chars().count(), SAID_CHARS_MAX);
    }
}
