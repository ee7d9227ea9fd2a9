//! What a code is.

/// A code.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Code {
    /// Its status.
    pub(crate) status: u16,
    /// Its name, which never changes its meaning.
    pub(crate) name: &'static str,
    /// What it is called in Chinese.
    pub(crate) zh: &'static str,
    /// What it is called in English.
    pub(crate) en: &'static str,
    /// A sentence more, in English and Chinese; empty where what exactly went wrong is said case by case.
    pub(crate) detail: [&'static str; 2],
}

pub(super) const fn c(status: u16, name: &'static str, [zh, en]: [&'static str; 2]) -> Code {
    Code { status, name, zh, en, detail: ["", ""] }
}

pub(super) const fn d(
    status: u16,
    name: &'static str,
    [zh, en]: [&'static str; 2],
    detail: [&'static str; 2],
) -> Code {
    Code { status, name, zh, en, detail }
}
