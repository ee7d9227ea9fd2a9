//! What add-ons and exchanges draw on together: the points that the member may spend, and the pieces of the cart that are
//! "something else". Deals draw in the order of their ranks, so the order in which offers are written changes nothing.

use crate::deal::{Deal, Effect, Scene};

/// What is left to draw on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Purse {
    /// Points not spent yet.
    points: i64,
    /// Pieces that no add-on or exchange has taken.
    pieces: i64,
    /// Whether an add-on applies: then a piece must be left that none has taken.
    has_add_on: bool,
    /// Points spent.
    pub(crate) spent: i64,
}

impl Purse {
    pub(crate) fn of(scene: &Scene) -> Self {
        let pieces = scene.lines.iter().map(|line| line.pieces).sum();
        Self { points: scene.points, pieces, has_add_on: false, spent: 0 }
    }

    /// The deal, with no more pieces than points and other pieces allow.
    pub(crate) fn within(&self, deal: &Deal) -> Deal {
        let Effect::AddOn { price, pieces_max } = deal.effect else { return *deal };
        let others = self.pieces - 1;
        let most = match (deal.points_each, self.has_add_on) {
            (0, _) => others,
            (each, true) => (self.points / each).min(others),
            (each, false) => self.points / each,
        };
        Deal { effect: Effect::AddOn { price, pieces_max: pieces_max.min(most).max(0) }, ..*deal }
    }

    /// The deal takes so many pieces.
    pub(crate) const fn take(&mut self, deal: &Deal, pieces: i64) {
        if let Effect::AddOn { .. } = deal.effect {
            self.pieces -= pieces;
            self.points -= deal.points_each * pieces;
            self.spent += deal.points_each * pieces;
            self.has_add_on |= deal.points_each == 0 && pieces > 0;
        }
    }
}
