//! QR codes: a text as dark and light squares, as SVG, as PNG, or as a path that a drawing takes in.

use std::fmt::Write as _;

use fast_qr::{ECL, QRBuilder};

use crate::png;

/// The light border that readers need, in squares.
const QUIET: usize = 4;
/// The longest text, in bytes: codes with more are hard to read from paper.
pub const TEXT_BYTES_MAX: usize = 512;
/// The largest picture, in pixels a side.
pub const SIDE_PIXELS_MAX: u32 = 2_048;

/// Why there is no code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a QR code says at most {TEXT_BYTES_MAX} bytes")]
pub struct TooLong;

/// A QR code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Qr {
    /// How many squares a side has, without its border.
    size: usize,
    /// Row by row: which are dark.
    dark: Vec<bool>,
}

impl Qr {
    /// The code that says a text. A seventh of it may be hidden or torn (level M).
    pub fn of(text: &str) -> Result<Self, TooLong> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(TooLong);
        }
        let code = QRBuilder::new(text).ecl(ECL::M).build().map_err(|_| TooLong)?;
        let dark =
            (0..code.size).flat_map(|row| code[row].iter().map(|module| module.value()).collect::<Vec<_>>());
        Ok(Self { size: code.size, dark: dark.collect() })
    }

    /// How many squares a side has, with its border.
    pub fn side(&self) -> usize {
        self.size + 2 * QUIET
    }

    /// Whether a square is dark, counted from the border's corner.
    fn is_dark(&self, x: usize, y: usize) -> bool {
        let inside = |at: usize| (QUIET..QUIET + self.size).contains(&at);
        inside(x) && inside(y) && self.dark[(y - QUIET) * self.size + x - QUIET]
    }

    /// The dark squares as the data of an SVG path, one unit each, with their border: dark squares in a row are one piece.
    pub fn path(&self) -> String {
        let mut path = String::new();
        for y in 0..self.side() {
            let mut x = 0;
            while x < self.side() {
                let run = (x..self.side()).take_while(|x| self.is_dark(*x, y)).count();
                if run > 0 {
                    // A text is always written to.
                    let _ = write!(path, "M{x} {y}h{run}v1h-{run}z");
                }
                x += run.max(1);
            }
        }
        path
    }

    /// As an SVG of its own.
    pub fn svg(&self) -> String {
        let (side, path) = (self.side(), self.path());
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\">\
             <rect width=\"{side}\" height=\"{side}\" fill=\"#ffffff\"/><path d=\"{path}\" fill=\"#000000\"/></svg>"
        )
    }

    /// As a PNG: squares of whole pixels, as many as fit into about so many a side.
    pub fn png(&self, pixels: u32) -> Vec<u8> {
        let squares = u32::try_from(self.side()).unwrap_or(u32::MAX);
        let scale = (pixels.min(SIDE_PIXELS_MAX) / squares).max(1);
        let side = squares * scale;
        let mut grey = Vec::with_capacity((side * side) as usize);
        for y in 0..side {
            let row = (y / scale) as usize;
            grey.extend((0..side).map(|x| if self.is_dark((x / scale) as usize, row) { 0 } else { 255 }));
        }
        png::grey(side, side, &grey)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_its_corners_and_its_border() {
        let qr = Qr::of("https://s.example.com/q/123456789ABC").unwrap();
        assert_eq!(qr.size % 4, 1, "a side has 17 squares and 4 a version");
        assert_eq!(qr.side(), qr.size + 8);
        // The ring of a corner: seven dark squares, then light ones.
        let ring: Vec<bool> = (0..9).map(|x| qr.is_dark(QUIET + x, QUIET)).collect();
        assert_eq!(ring[..8], [true, true, true, true, true, true, true, false]);
        assert!((0..qr.side()).all(|at| !qr.is_dark(at, 0) && !qr.is_dark(0, at)));
        assert_eq!(Qr::of(&"x".repeat(TEXT_BYTES_MAX + 1)), Err(TooLong));
    }

    #[test]
    fn a_path_draws_each_dark_square_once() {
        let qr = Qr::of("x").unwrap();
        let dark = qr.dark.iter().filter(|dark| **dark).count();
        let path = qr.path();
        let drawn: usize = path
            .split('h')
            .skip(1)
            .filter(|rest| !rest.starts_with('-'))
            .filter_map(|rest| rest.split('v').next().and_then(|n| n.parse::<usize>().ok()))
            .sum();
        assert_eq!(drawn, dark);
        assert!(qr.svg().contains(&path));
    }

    #[test]
    fn a_picture_is_of_whole_squares() {
        let qr = Qr::of("x").unwrap();
        for (pixels, scale) in [(0, 1), (29, 1), (300, 10), (9_999, 70)] {
            let png = qr.png(pixels);
            let side = u32::from_be_bytes([png[16], png[17], png[18], png[19]]);
            assert_eq!(side, 29 * scale, "{pixels}");
        }
    }
}
