//! The section `draws`.

use super::super::phrase;
use super::super::raw::draw::{RawDraw, RawPrize};
use super::super::words::ById;
use super::super::yaml::Node;
use super::Check;
use super::offer::{Around, unknown};
use crate::money::Money;
use crate::playbook::draw::{Draw, DrawPrize};
use crate::playbook::offer::Offering;

/// The most draws of a playbook.
const MAX_DRAWS: usize = 64;
/// The most kinds of prizes, and pieces of all of them; alternates likewise.
const MAX_PRIZES: usize = 100;
const MAX_PIECES: u32 = 1_000_000;
/// Bytes of the words for a public value.
const SOURCE_BYTES_MAX: usize = 200;

impl Check<'_> {
    pub(super) fn draws(
        &mut self,
        raw: Option<ById<RawDraw>>,
        node: Option<&Node>,
        offering: &Offering,
        around: &Around<'_>,
    ) -> Vec<(String, Draw)> {
        let draws = self.by_id(raw, node, false, |check, raw, node| check.draw(raw, node, offering, around));
        if let Some(node) = node.filter(|_| draws.len() > MAX_DRAWS) {
            self.problem(node.problem("too many draws", Some(format!("at most {MAX_DRAWS}"))));
        }
        draws
    }

    fn draw(&mut self, raw: RawDraw, node: &Node, offering: &Offering, around: &Around<'_>) -> Option<Draw> {
        let name = self.names(raw.name, node);
        let from = self.required(raw.from, node, "from", "a day such as 2020-06-01")?;
        let from = self.phrase(&from.0, node.get("from"), phrase::day);
        let until = self.required(raw.until, node, "until", "a day such as 2020-06-30")?;
        let until = self.phrase(&until.0, node.get("until"), phrase::day);
        if let (Some(from), Some(until), Some(at)) = (from, until, node.get("until"))
            && until < from
        {
            let allowed = Some(format!("{from} or later"));
            self.problem(at.problem(format!("ends before it begins on {from}"), allowed));
        }
        let who = self.condition(raw.who, node.get("who"));
        let spend = raw.spend.and_then(|text| self.money(&text.0, node.get("spend"), &around.currency));
        let limits = self.limits(raw.limit, node.get("limit"));
        let prizes = self.required(raw.prizes, node, "prizes", "offers and pieces")?;
        let prizes = self.prizes(prizes, node.get("prizes")?, offering)?;
        let alternates = self.count(raw.alternates, node.get("alternates"), MAX_PIECES).unwrap_or(0);
        if let (Some(source), Some(at)) = (&raw.public_source, node.get("public_source"))
            && (source.is_empty() || source.len() > SOURCE_BYTES_MAX || source.chars().any(char::is_control))
        {
            let allowed = format!("1 to {SOURCE_BYTES_MAX} bytes on one line");
            self.problem(at.problem("this names no public value", Some(allowed)));
        }
        Some(Draw {
            name,
            from,
            until,
            who,
            spend: spend.unwrap_or(Money::ZERO),
            limits,
            prizes,
            alternates,
            public_source: raw.public_source,
        })
    }

    fn prizes(&mut self, raw: Vec<RawPrize>, node: &Node, offering: &Offering) -> Option<Vec<DrawPrize>> {
        let with_coupon = offering.offers.iter().filter(|offer| offer.coupon.is_some());
        let known: Vec<&str> = with_coupon.map(|offer| offer.id.as_str()).collect();
        let mut prizes: Vec<DrawPrize> = Vec::new();
        for (raw, node) in raw.into_iter().zip(node.elements()) {
            let offer = self.required(raw.offer, node, "offer", "the id of an offer with a coupon")?;
            let pieces = self.required(raw.pieces, node, "pieces", "how many there are")?;
            let pieces = self.count(Some(pieces), node.get("pieces"), MAX_PIECES)?;
            let at = node.get("offer").unwrap_or(node);
            if !known.contains(&offer.as_str()) {
                self.problem(unknown(at, "offer with a coupon", &offer, &known));
                return None;
            }
            if offering
                .offer(&offer)
                .and_then(|offer| offer.coupon.as_ref())
                .is_some_and(|terms| terms.codes.is_some())
            {
                // It may be used where we do not see it, and who comes next would be given another.
                let message =
                    "a partner's code that was shown is handed out to nobody else, and a prize rolls on";
                self.problem(at.problem(message, Some("an offer whose coupon says no `codes`".into())));
            }
            if prizes.iter().any(|prize| prize.offer == offer) {
                self.problem(at.problem(format!("the prize `{offer}` is there twice"), None));
            }
            let stock = offering.offer(&offer).and_then(|offer| offer.stock);
            if stock.is_some_and(|stock| stock < u64::from(pieces)) {
                let message = "the offer has fewer pieces than are to be won";
                self.problem(node.get("pieces").unwrap_or(node).problem(message, None));
            }
            prizes.push(DrawPrize { offer, pieces });
        }
        let pieces: u64 = prizes.iter().map(|prize| u64::from(prize.pieces)).sum();
        if prizes.is_empty() || prizes.len() > MAX_PRIZES || pieces > u64::from(MAX_PIECES) {
            let allowed = format!("1 to {MAX_PRIZES} kinds, {MAX_PIECES} pieces in all");
            self.problem(node.problem("no prizes, or too many", Some(allowed)));
            return None;
        }
        Some(prizes)
    }
}
