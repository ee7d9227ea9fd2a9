//! docs/webhooks.md lists the kinds of messages as the table has them. `ZHIYIN_BLESS=1` writes it anew.

use zhiyin_model::webhook;

#[test]
fn the_documentation_lists_every_kind() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/webhooks.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (begin, end) = ("<!-- the kinds: generated -->\n", "<!-- end -->\n");
    let (before, rest) = text.split_once(begin).unwrap();
    let (_, after) = rest.split_once(end).unwrap();
    let expected = format!("{before}{begin}{}{end}{after}", webhook::markdown());
    if std::env::var_os("ZHIYIN_BLESS").is_some() {
        std::fs::write(path, &expected).unwrap();
    }
    assert!(text == expected, "docs/webhooks.md: write it anew with ZHIYIN_BLESS=1");
}
