//! Fillings of ClickHouse: each time that everybody is sent there, with what is sent of changes after it.
//!
//! A filling has a number, which is the greatest part of the version of its rows, and follows the change feed under a name of its
//! own from before anything is read for it. So whatever those still send who go on with an earlier filling, and whatever part of
//! the feed they are done with, a later one has read and sent for itself. Several processes may fill at once under one name,
//! where they send the same: each row is of its time, and the newest wins.

use zhiyin_store::feed::Position;

use super::servers::Head;

/// Bits of a version that say how far the feed was read; those above say which filling it is.
pub(super) const POSITION_BITS: u32 = 48;
/// What names of consumers of the feed begin with that are fillings.
const NAMED: &str = "clickhouse-";

/// Which filling it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Filling {
    pub(super) number: u64,
    /// Of which layout its rows are, in short.
    pub(super) print: String,
}

impl Filling {
    /// As whom it follows the feed.
    pub(super) fn name(&self) -> String {
        format!("{NAMED}{}-{}", self.number, self.print)
    }

    /// The filling that follows the feed by a name, if it is one.
    pub(super) fn read(name: &str) -> Option<Self> {
        let (number, print) = name.strip_prefix(NAMED)?.split_once('-')?;
        Some(Self { number: number.parse().ok()?, print: print.to_owned() })
    }

    /// Whether rows of both would be taken for those of one filling.
    pub(super) fn collides(&self, other: &Self) -> bool {
        self.number == other.number && self.print != other.print
    }
}

/// A place in the feed as one number: by its transaction where there are several at a time, else by its own.
const fn place(position: Position) -> u64 {
    let place = if position.tx > 0 { position.tx } else { position.no };
    place.cast_unsigned() & ((1 << POSITION_BITS) - 1)
}

pub(super) const fn version(filling: u64, position: Position) -> u64 {
    filling << POSITION_BITS | place(position)
}

pub(super) const fn filling_of(version: u64) -> u64 {
    version >> POSITION_BITS
}

/// The filling that is begun: one of the same layout that somebody else began after the one that stands noted there, and may have
/// left; else a new one. One that may have been written to its end and cannot be gone on from is not begun again: what is in
/// it and in no record would stay.
pub(super) fn next(
    noted: Option<u64>,
    reached: u64,
    fillings: &[(Filling, Position)],
    print: &str,
) -> Filling {
    let print = print.to_owned();
    let last = fillings.iter().map(|(filling, _)| filling.number).max().unwrap_or(0);
    let mut of_last = fillings.iter().filter(|(filling, _)| filling.number == last);
    let is_open = noted.is_some_and(|noted| last > noted && last >= reached)
        && of_last.all(|(filling, _)| filling.print == print);
    Filling { number: if is_open { last } else { reached.max(last) + 1 }, print }
}

/// How things stand there and in the home, for somebody who would go on.
pub(super) struct Stand<'s> {
    /// What stands noted there.
    pub(super) head: Option<&'s Head>,
    /// What it is written by.
    pub(super) layout: &'s str,
    /// The same, in short.
    pub(super) print: &'s str,
    /// Who follows the feed.
    pub(super) fillings: &'s [(Filling, Position)],
    /// Where the feed ends.
    pub(super) end: Position,
}

impl Stand<'_> {
    /// From where it goes on that stands noted there, if it can: what the home's feed has forgotten must be there, what is there
    /// must be of a time that the home has come to, and nobody may have begun a later filling.
    pub(super) fn goes_on(&self) -> Option<(Filling, Position)> {
        let head = self.head.filter(|head| head.layout == self.layout)?;
        let number = filling_of(head.version);
        if self.fillings.iter().any(|(other, _)| other.number > number) {
            return None;
        }
        let filling = Filling { number, print: self.print.to_owned() };
        let (_, followed) = self.fillings.iter().find(|(other, _)| *other == filling)?;
        let reached = head.version & ((1 << POSITION_BITS) - 1);
        (place(*followed) <= reached && reached <= place(self.end)).then_some((filling, *followed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(tx: i64, no: i64) -> Position {
        Position { tx, no }
    }

    fn filling(number: u64, print: &str) -> Filling {
        Filling { number, print: print.to_owned() }
    }

    #[test]
    fn a_later_filling_and_a_later_place_in_the_feed_make_a_greater_version() {
        let ascending = [
            version(1, at(0, 0)),
            version(1, at(0, 9)),
            version(1, at(40, 1)),
            version(2, at(0, 0)),
            version(2, at(7, i64::MAX)),
            version(65_535, at(1 << 40, 3)),
        ];
        assert!(ascending.is_sorted_by(|a, b| a < b), "{ascending:?}");
        assert_eq!(filling_of(ascending[4]), 2);
    }

    #[test]
    fn it_goes_on_only_where_nothing_can_be_missing() {
        let head = |filling, no| Head { version: version(filling, at(0, no)), layout: "a".to_owned() };
        let third = |no| vec![(filling(3, "a"), at(0, no))];
        let with = |other: Filling| [third(9), vec![(other, at(0, 9))]].concat();
        for (why, head, layout, fillings, end, expected) in [
            ("as it was left", Some(head(3, 9)), "a", third(9), 12, Some(9)),
            ("killed before the home knew", Some(head(3, 9)), "a", third(7), 12, Some(7)),
            ("an earlier one is there still", Some(head(3, 9)), "a", with(filling(2, "a")), 12, Some(9)),
            ("nothing lies there", None, "a", third(9), 12, None),
            ("other attributes", Some(head(3, 9)), "b", third(9), 12, None),
            ("the feed was let go of", Some(head(3, 9)), "a", vec![], 12, None),
            ("the servers were set back", Some(head(3, 5)), "a", third(9), 12, None),
            ("the home was set back", Some(head(3, 9)), "a", third(2), 4, None),
            ("a later one was begun", Some(head(3, 9)), "a", with(filling(4, "a")), 12, None),
            ("a later one of others", Some(head(3, 9)), "a", with(filling(4, "b")), 12, None),
        ] {
            let (fillings, end) = (fillings.as_slice(), at(0, end));
            let stand = Stand { head: head.as_ref(), layout, print: layout, fillings, end };
            let expected = expected.map(|no| (filling(3, "a"), at(0, no)));
            assert_eq!(stand.goes_on(), expected, "{why}");
        }
    }

    #[test]
    fn a_filling_is_joined_where_it_sends_the_same_and_has_a_number_of_its_own_else() {
        for (why, noted, reached, fillings, expected) in [
            ("the first", None, 0, vec![], 1),
            ("the first, at the same time", None, 0, vec![filling(1, "a")], 2),
            ("the servers were set back", Some(3), 3, vec![filling(3, "a")], 4),
            ("begun, and nothing was sent yet", Some(3), 3, vec![filling(3, "b"), filling(4, "a")], 4),
            ("begun, and left", Some(3), 4, vec![filling(3, "a"), filling(4, "a")], 4),
            ("of another layout", Some(3), 3, vec![filling(4, "b")], 5),
            ("both at once", Some(3), 3, vec![filling(4, "a"), filling(4, "b")], 5),
            ("nobody follows", Some(7), 7, vec![], 8),
            ("rows of one that nobody follows", Some(3), 5, vec![filling(4, "a")], 6),
            ("the database was dropped", None, 0, vec![filling(3, "a")], 4),
        ] {
            let fillings: Vec<_> = fillings.into_iter().map(|filling| (filling, at(0, 0))).collect();
            assert_eq!(next(noted, reached, &fillings, "a"), filling(expected, "a"), "{why}");
        }
        assert!(filling(4, "a").collides(&filling(4, "b")) && !filling(4, "a").collides(&filling(4, "a")));
    }

    #[test]
    fn its_name_says_which_it_is() {
        let one = filling(12, "00ff");
        assert_eq!(Filling::read(&one.name()), Some(one));
        for other in ["clickhouse", "clickhouse-end", "clickhouse-x-y", "audience-12-00ff"] {
            assert_eq!(Filling::read(other), None, "{other}");
        }
    }
}
