//! How many parts a message is billed as: what a phone gets as one message goes through the network in several, each of which costs.
//!
//! Within mainland China every sign counts as one of UCS-2, Latin letters too: 70 in one message, 67 in each of several. Elsewhere a text
//! that GSM-7 can say has 160, or 153 in each of several, where an extended sign counts as two. The signature counts with its brackets.
//!
//! Sources: help.aliyun.com/document_detail/44335.htm; cloud.tencent.com/document/product/382/18058.

/// Signs of the basic table of GSM-7 beside letters and digits (3GPP TS 23.038, 6.2.1).
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./:;<=>?¡ÄÖÑÜ§¿äöñüà";
/// Signs that are two of GSM-7.
const EXTENDED: &str = "|^€{}[]~\\";

/// How much one message bears: alone, and in each of several.
#[derive(Clone, Copy)]
struct Room {
    alone: usize,
    each: usize,
}

const UCS2: Room = Room { alone: 70, each: 67 };
const GSM7: Room = Room { alone: 160, each: 153 };

/// How many septets of GSM-7 a sign is; nothing where it has none.
fn septets(sign: char) -> Option<usize> {
    if sign.is_ascii_alphanumeric() || BASIC.contains(sign) {
        return Some(1);
    }
    EXTENDED.contains(sign).then_some(2)
}

/// How many messages signs of such sizes fill: no sign lies in two of them.
fn filled(sizes: impl Iterator<Item = usize> + Clone, room: Room) -> u32 {
    if sizes.clone().sum::<usize>() <= room.alone {
        return 1;
    }
    let (mut parts, mut used) = (1_u32, 0);
    for size in sizes {
        if used + size > room.each {
            (parts, used) = (parts.saturating_add(1), 0);
        }
        used += size;
    }
    parts
}

/// How many parts a text is billed as, with its signature in it.
pub fn parts(text: &str, mainland: bool) -> u32 {
    let gsm7: Option<Vec<usize>> = if mainland { None } else { text.chars().map(septets).collect() };
    match gsm7 {
        Some(sizes) => filled(sizes.iter().copied(), GSM7),
        None => filled(text.chars().map(char::len_utf16), UCS2),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_counted_as_they_are_billed() {
        let zh = |n: usize| "字".repeat(n);
        let en = |n: usize| "a".repeat(n);
        for (text, mainland, wanted) in [
            (String::new(), true, 1),
            (zh(70), true, 1),
            (zh(71), true, 2),
            (zh(134), true, 2),
            (zh(135), true, 3),
            // The platform's own examples: 160 signs are 3 messages; 350 letters abroad are 3; 150 signs abroad are 3.
            (zh(160), true, 3),
            (en(350), false, 3),
            (zh(150), false, 3),
            // Within the mainland letters count as signs do.
            (en(71), true, 2),
            (en(160), false, 1),
            (en(161), false, 2),
            (en(306), false, 2),
            (en(307), false, 3),
            // An extended sign counts twice, and is not cut in two.
            (format!("{}€", en(158)), false, 1),
            (format!("{}€", en(159)), false, 2),
            (format!("{}€{}", en(152), en(152)), false, 3),
            // One sign that GSM-7 has not makes all of it UCS-2.
            (format!("{}字", en(70)), false, 2),
            // A picture is two signs, and is not cut in two.
            ("😀".repeat(35), true, 1),
            ("😀".repeat(36), true, 2),
            ("😀".repeat(67), true, 3),
        ] {
            assert_eq!(parts(&text, mainland), wanted, "{} of {text}", text.chars().count());
        }
    }
}
