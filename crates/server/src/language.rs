//! Which language a reader wants: by `?lang=`, else by `Accept-Language`, else Chinese.

use axum::http::{HeaderMap, header};

/// A language the pages and problems are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    Zh,
    En,
}

impl Language {
    /// The tag for `lang=` and `Content-Language`.
    pub(crate) fn tag(self) -> &'static str {
        match self {
            Self::Zh => "zh-CN",
            Self::En => "en",
        }
    }

    /// The language named by a tag such as `zh-Hant-TW` or `en`, if it is one of ours.
    pub(crate) fn named(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_']).next().unwrap_or_default();
        if primary.eq_ignore_ascii_case("zh") {
            Some(Self::Zh)
        } else if primary.eq_ignore_ascii_case("en") {
            Some(Self::En)
        } else {
            None
        }
    }

    /// The first of ours among those the reader weighs highest.
    pub(crate) fn accepted(headers: &HeaderMap) -> Self {
        let mut best = (0, Self::Zh);
        for value in headers.get_all(header::ACCEPT_LANGUAGE) {
            for range in value.to_str().unwrap_or_default().split(',') {
                let (tag, weight) = weighed(range);
                if let Some(language) = Self::named(tag)
                    && weight > best.0
                {
                    best = (weight, language);
                }
            }
        }
        best.1
    }
}

/// Splits `en;q=0.8` into its tag and its weight in thousandths; a weight that is none counts as 0.
fn weighed(range: &str) -> (&str, u32) {
    let mut parts = range.split(';').map(str::trim);
    let tag = parts.next().unwrap_or_default();
    let Some(weight) = parts.find_map(|part| part.strip_prefix("q=")) else {
        return (tag, 1000);
    };
    let (whole, fraction) = weight.split_once('.').unwrap_or((weight, ""));
    let digits = format!("{whole}{fraction:0<3}");
    let thousandths = if fraction.len() <= 3 { digits.parse().unwrap_or(0) } else { 0 };
    (tag, thousandths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_weight_wins_and_chinese_is_the_default() {
        let rows = [
            ("", Language::Zh),
            ("en", Language::En),
            ("en-GB,en;q=0.9", Language::En),
            ("zh-CN,zh;q=0.9,en;q=0.8", Language::Zh),
            ("fr,en;q=0.5,zh;q=0.4", Language::En),
            ("zh;q=0.2, EN-us;q=0.25", Language::En),
            ("en;q=0", Language::Zh),
            ("en;q=nonsense, fr", Language::Zh),
            ("*", Language::Zh),
            ("ja", Language::Zh),
        ];
        for (accepted, expected) in rows {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, accepted.parse().unwrap());
            assert_eq!(Language::accepted(&headers), expected, "{accepted}");
        }
    }
}
