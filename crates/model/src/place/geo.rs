//! Where places are, and how far apart. Maps in China speak three languages: WGS-84 (satellites), GCJ-02 (what maps there must
//! use: Amap, Tencent, WeChat) and BD-09 (Baidu); the same numbers lie up to a kilometre apart. A point therefore bears its
//! datum, and two points are compared in WGS-84.
//!
//! The transformation from WGS-84 to GCJ-02 was never published by its makers; the formula here is the one known from its
//! first open implementation (eviltransform, 2013) and used by all since, on the ellipsoid of Krasovsky 1940. The other
//! way is found by approximation. BD-09 is Baidu's own shift on top of GCJ-02, and its reverse as Baidu's users wrote it down
//! (coordtransform, 2015), good to some centimetres. Distances are by the haversine on a sphere of the mean radius of the
//! Earth (IUGG: 6 371 008.8 m), at most half a percent from the ellipsoid.
#![expect(clippy::float_arithmetic, reason = "the Earth is round; no amount of anything is reckoned here")]

use std::f64::consts::PI;

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};

use super::words;
use crate::event::Refusal;
use crate::money::parse_decimal;

words! {
    /// What latitude and longitude are measured against.
    Datum, "bad_datum":
    /// WGS-84.
    Wgs84 = "wgs84",
    /// GCJ-02.
    Gcj02 = "gcj02",
    /// BD-09.
    Bd09 = "bd09",
}

/// A point in whole ten-millionths of a degree (about a centimetre), with its datum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Point {
    /// Latitude, north positive.
    pub lat_e7: i32,
    /// Longitude, east positive.
    pub lon_e7: i32,
    /// Against what.
    pub datum: Datum,
}

const OF_A_DEGREE: i64 = 10_000_000;
const EARTH_RADIUS_M: f64 = 6_371_008.8;
/// Krasovsky 1940: semi-major axis and square of the eccentricity.
const KRASOVSKY_AXIS_M: f64 = 6_378_245.0;
const KRASOVSKY_ECCENTRICITY_2: f64 = 0.006_693_421_622_965_943;
/// Baidu's pi.
const BAIDU_PI: f64 = PI * 3000.0 / 180.0;

/// Reads degrees: a decimal number, rounded to seven digits.
pub fn read(field: &str, text: &str, degrees_max: i64) -> Result<i32, Refusal> {
    let wrong = || {
        let message = format!("{text:?} is no number of degrees from -{degrees_max} to {degrees_max}");
        Refusal::new("bad_coordinate", field, message)
    };
    let number = parse_decimal(text).map_err(|_| wrong())?;
    if number.abs() > Decimal::from(degrees_max) {
        return Err(wrong());
    }
    let whole = (number * Decimal::from(OF_A_DEGREE))
        .round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero);
    i32::try_from(whole).map_err(|_| wrong())
}

/// Degrees as a decimal number.
pub fn degrees(e7: i32) -> String {
    Decimal::new(i64::from(e7), 7).normalize().to_string()
}

impl Point {
    /// Latitude and longitude in degrees.
    fn degrees(self) -> (f64, f64) {
        let of = |e7: i32| f64::from(e7) / 1e7;
        (of(self.lat_e7), of(self.lon_e7))
    }

    /// Latitude and longitude in degrees of WGS-84.
    pub fn wgs84(self) -> (f64, f64) {
        let (lat, lon) = self.degrees();
        match self.datum {
            Datum::Wgs84 => (lat, lon),
            Datum::Gcj02 => gcj02_to_wgs84(lat, lon),
            Datum::Bd09 => {
                let (lat, lon) = bd09_to_gcj02(lat, lon);
                gcj02_to_wgs84(lat, lon)
            }
        }
    }

    /// The same, rounded to seven digits, as it is shown.
    pub fn shown(self) -> (f64, f64) {
        let round = |degrees: f64| (degrees * 1e7).round() / 1e7;
        let (lat, lon) = self.wgs84();
        (round(lat), round(lon))
    }

    /// Metres from one point to another, whatever their datums.
    pub fn distance_m(self, other: Self) -> f64 {
        if self.datum == other.datum && (self.lat_e7, self.lon_e7) == (other.lat_e7, other.lon_e7) {
            return 0.0;
        }
        haversine_m(self.wgs84(), other.wgs84())
    }
}

fn haversine_m((lat_a, lon_a): (f64, f64), (lat_b, lon_b): (f64, f64)) -> f64 {
    let half = |from: f64, to: f64| ((to - from).to_radians() / 2.0).sin().powi(2);
    let along = lat_a.to_radians().cos() * lat_b.to_radians().cos();
    let of_chord = half(lat_a, lat_b) + along * half(lon_a, lon_b);
    2.0 * EARTH_RADIUS_M * of_chord.sqrt().min(1.0).asin()
}

/// Outside of China nothing is shifted: this is the rectangle that the published formula draws around it.
fn in_china(lat: f64, lon: f64) -> bool {
    (0.8293..=55.8271).contains(&lat) && (72.004..=137.8347).contains(&lon)
}

/// What the two shifts have in common.
fn waves(x: f64) -> f64 {
    (20.0 * (6.0 * x * PI).sin() + 20.0 * (2.0 * x * PI).sin()) * 2.0 / 3.0
}

/// By how much GCJ-02 lies beside WGS-84, in degrees.
fn shift(lat: f64, lon: f64) -> (f64, f64) {
    let (x, y) = (lon - 105.0, lat - 35.0);
    let root = x.abs().sqrt();
    let north = -100.0
        + 2.0 * x
        + 3.0 * y
        + 0.2 * y * y
        + 0.1 * x * y
        + 0.2 * root
        + waves(x)
        + (20.0 * (y * PI).sin() + 40.0 * (y / 3.0 * PI).sin()) * 2.0 / 3.0
        + (160.0 * (y / 12.0 * PI).sin() + 320.0 * (y / 30.0 * PI).sin()) * 2.0 / 3.0;
    let east = 300.0
        + x
        + 2.0 * y
        + 0.1 * x * x
        + 0.1 * x * y
        + 0.1 * root
        + waves(x)
        + (20.0 * (x * PI).sin() + 40.0 * (x / 3.0 * PI).sin()) * 2.0 / 3.0
        + (150.0 * (x / 12.0 * PI).sin() + 300.0 * (x / 30.0 * PI).sin()) * 2.0 / 3.0;
    let latitude = lat.to_radians();
    let magic = 1.0 - KRASOVSKY_ECCENTRICITY_2 * latitude.sin().powi(2);
    let along_meridian = KRASOVSKY_AXIS_M * (1.0 - KRASOVSKY_ECCENTRICITY_2) / (magic * magic.sqrt());
    let along_parallel = KRASOVSKY_AXIS_M / magic.sqrt() * latitude.cos();
    (north.to_degrees() / along_meridian, east.to_degrees() / along_parallel)
}

/// WGS-84 to GCJ-02: latitude and longitude in degrees.
pub fn wgs84_to_gcj02(lat: f64, lon: f64) -> (f64, f64) {
    if !in_china(lat, lon) {
        return (lat, lon);
    }
    let (north, east) = shift(lat, lon);
    (lat + north, lon + east)
}

/// GCJ-02 to WGS-84, by approximation: each step takes back what the last guess is off by.
pub fn gcj02_to_wgs84(lat: f64, lon: f64) -> (f64, f64) {
    if !in_china(lat, lon) {
        return (lat, lon);
    }
    let mut guess = (lat, lon);
    for _ in 0..30 {
        let (north, east) = shift(guess.0, guess.1);
        let off = (guess.0 + north - lat, guess.1 + east - lon);
        guess = (guess.0 - off.0, guess.1 - off.1);
        if off.0.abs().max(off.1.abs()) < 1e-10 {
            break;
        }
    }
    guess
}

/// GCJ-02 to BD-09: latitude and longitude in degrees.
pub fn gcj02_to_bd09(lat: f64, lon: f64) -> (f64, f64) {
    let radius = lon.hypot(lat) + 0.000_02 * (lat * BAIDU_PI).sin();
    let angle = lat.atan2(lon) + 0.000_003 * (lon * BAIDU_PI).cos();
    (radius * angle.sin() + 0.006, radius * angle.cos() + 0.0065)
}

/// BD-09 to GCJ-02: latitude and longitude in degrees.
pub fn bd09_to_gcj02(lat: f64, lon: f64) -> (f64, f64) {
    let (y, x) = (lat - 0.006, lon - 0.0065);
    let radius = x.hypot(y) - 0.000_02 * (y * BAIDU_PI).sin();
    let angle = y.atan2(x) - 0.000_003 * (x * BAIDU_PI).cos();
    (radius * angle.sin(), radius * angle.cos())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near((lat, lon): (f64, f64), (expected_lat, expected_lon): (f64, f64), degrees: f64) {
        let off = (lat - expected_lat).abs().max((lon - expected_lon).abs());
        assert!(off < degrees, "({lat}, {lon}) is {off} degrees from ({expected_lat}, {expected_lon})");
    }

    #[test]
    fn datums_are_converted_as_the_known_implementations_do() {
        // eviltransform's own vectors: Shanghai, Shenzhen, Beijing.
        for (wgs, gcj) in [
            ((31.177_427_6, 121.527_210_6), (31.175_303_983_645_97, 121.531_541_859_215)),
            ((22.543_847, 113.912_316), (22.540_796_131_694_766, 113.917_176_480_836_3)),
            ((39.911_954, 116.377_817), (39.913_345_455_360_69, 116.384_047_224_556_57)),
        ] {
            near(wgs84_to_gcj02(wgs.0, wgs.1), gcj, 1e-9);
            near(gcj02_to_wgs84(gcj.0, gcj.1), wgs, 1e-9);
        }
        // coordtransform's.
        let at = (39.915, 116.404);
        near(wgs84_to_gcj02(at.0, at.1), (39.916_404_281_501_64, 116.410_244_499_169_38), 1e-9);
        near(gcj02_to_bd09(at.0, at.1), (39.921_336_993_510_22, 116.410_369_493_710_29), 1e-9);
        near(bd09_to_gcj02(at.0, at.1), (39.908_656_739_576_31, 116.397_627_291_193_15), 1e-9);
    }

    #[test]
    fn a_conversion_and_back_is_the_same_point() {
        for lat in [3.5, 18.3, 22.5, 31.2, 39.9, 47.8] {
            for lon in [75.9, 87.6, 104.1, 113.3, 121.5, 131.0] {
                let gcj = wgs84_to_gcj02(lat, lon);
                near(gcj02_to_wgs84(gcj.0, gcj.1), (lat, lon), 1e-9);
                let bd = gcj02_to_bd09(gcj.0, gcj.1);
                // Some centimetres: the reverse is no exact one.
                near(bd09_to_gcj02(bd.0, bd.1), gcj, 2e-6);
            }
        }
        // London, New York and the South Pole are where they are.
        for (lat, lon) in [(51.5, -0.12), (40.7, -74.0), (-90.0, 0.0)] {
            assert_eq!(wgs84_to_gcj02(lat, lon), (lat, lon));
            assert_eq!(gcj02_to_wgs84(lat, lon), (lat, lon));
        }
    }

    fn point(lat: &str, lon: &str, datum: Datum) -> Point {
        Point { lat_e7: read("lat", lat, 90).unwrap(), lon_e7: read("lon", lon, 180).unwrap(), datum }
    }

    #[test]
    fn distances_hold_across_datums() {
        use Datum::{Bd09, Gcj02, Wgs84};
        let beijing = point("39.9042", "116.4074", Wgs84);
        let shanghai = point("31.2304", "121.4737", Wgs84);
        let apart = beijing.distance_m(shanghai);
        assert!((apart - 1_067_311.0).abs() < 500.0, "{apart}");
        assert!((apart - shanghai.distance_m(beijing)).abs() < 1e-6);
        // The same door on three maps.
        let door = point("31.1774276", "121.5272106", Wgs84);
        let on_amap = point("31.1753040", "121.5315419", Gcj02);
        let (lat, lon) = gcj02_to_bd09(31.175_304, 121.531_541_9);
        let on_baidu = point(&format!("{lat:.7}"), &format!("{lon:.7}"), Bd09);
        for (a, b) in [(door, on_amap), (door, on_baidu), (on_amap, on_baidu)] {
            assert!(a.distance_m(b) < 0.5, "{} m", a.distance_m(b));
        }
        // Taken for one datum they would lie 470 m apart.
        let mistaken = Point { datum: Wgs84, ..on_amap };
        assert!(door.distance_m(mistaken) > 400.0);
        // A quarter and a half of the way round, over the date line and between the poles.
        let quarter = EARTH_RADIUS_M * PI / 2.0;
        for (a, b, metres) in [
            (point("0", "0", Wgs84), point("0", "90", Wgs84), quarter),
            (point("90", "0", Wgs84), point("-90", "0", Wgs84), 2.0 * quarter),
            (point("0", "179.5", Wgs84), point("0", "-179.5", Wgs84), quarter / 90.0),
            (door, door, 0.0),
        ] {
            assert!((a.distance_m(b) - metres).abs() < 0.01, "{} m, not {metres}", a.distance_m(b));
        }
    }

    #[test]
    fn degrees_are_bounded_and_written_as_read() {
        for (text, written) in
            [("31.23040", "31.2304"), ("-0.00000004", "0"), ("180", "180"), ("-179.99999995", "-180")]
        {
            assert_eq!(degrees(read("lon", text, 180).unwrap()), written);
        }
        for text in ["180.0000001", "-181", "x", "", "1e400", "NaN", "12,5"] {
            let refusal = read("lon", text, 180).unwrap_err();
            assert_eq!((refusal.code, refusal.field.as_str()), ("bad_coordinate", "lon"), "{text}");
        }
    }
}
