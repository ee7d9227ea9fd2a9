//! Texts of clients that cut them anywhere: within a character that JSON writes in two halves, of which one alone is none.

/// What stands for half of a character.
const REPLACED: &[u8; 4] = b"fffd";

/// Puts a mark in the place of each half of a character that stands alone (`\ud83c`), as browsers and other servers of this
/// family do: no parser of ours takes it, and what it stands in would be lost.
pub(super) fn whole_characters(json: &mut [u8]) {
    let mut at = 0;
    // Where the first half of one stands whose second may follow.
    let mut first = None;
    while let Some(found) = json[at..].iter().position(|byte| *byte == b'\\') {
        let escape = at + found;
        // Whatever it escapes is passed over with it: of two backslashes the second begins nothing.
        at = (escape + 2).min(json.len());
        let half = json.get(escape + 1..escape + 6).and_then(half);
        if let Some(before) = first.take() {
            if half == Some(Half::Second) && escape == before + 6 {
                continue;
            }
            replace(json, before);
        }
        match half {
            Some(Half::First) => first = Some(escape),
            Some(Half::Second) => replace(json, escape),
            None => {}
        }
    }
    if let Some(before) = first {
        replace(json, before);
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Half {
    First,
    Second,
}

/// Which half of a character an escape is: `ud83c` without its backslash.
fn half(escape: &[u8]) -> Option<Half> {
    match escape {
        [b'u', b'd' | b'D', third, a, b] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() => match third {
            b'8' | b'9' | b'a' | b'b' | b'A' | b'B' => Some(Half::First),
            b'c'..=b'f' | b'C'..=b'F' => Some(Half::Second),
            _ => None,
        },
        _ => None,
    }
}

fn replace(json: &mut [u8], escape: usize) {
    json[escape + 2..escape + 6].copy_from_slice(REPLACED);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_character_is_replaced_and_all_else_stays() {
        for (said, whole) in [
            (r#""\ud83c""#, r#""\ufffd""#),
            (r#""\udf81""#, r#""\ufffd""#),
            (r#""\ud83c\udf81""#, r#""\ud83c\udf81""#),
            (r#""\uD83C\uDF81\uDF81""#, r#""\uD83C\uDF81\ufffd""#),
            (r#""\ud83c\ud83c\udf81""#, r#""\ufffd\ud83c\udf81""#),
            (r#""\ud83c \udf81""#, r#""\ufffd \ufffd""#),
            (r#""\ud83c\n""#, r#""\ufffd\n""#),
            (r#""\\ud83c""#, r#""\\ud83c""#),
            (r#""\\\ud83c""#, r#""\\\ufffd""#),
            (r#""\ud83""#, r#""\ud83""#),
            (r#""\ud7ff\ue000 ud83c""#, r#""\ud7ff\ue000 ud83c""#),
            (r#"\"#, r#"\"#),
            (r#"\ud8"#, r#"\ud8"#),
            ("", ""),
        ] {
            let mut bytes = said.as_bytes().to_vec();
            whole_characters(&mut bytes);
            assert_eq!(String::from_utf8_lossy(&bytes), whole, "{said}");
        }
    }
}
