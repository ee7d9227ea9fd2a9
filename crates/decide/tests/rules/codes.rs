//! C5: coupons that bear a partner's codes: those first that end first, none that is over, and never more than there are.

use zhiyin_model::coupon::codes::{CodeLot, codes_of};
use zhiyin_model::time::Ts;

use super::scenario::{World, check, order, track};

const OFFERS: &str = "partners:
  cinema: { name: { zh: 影院, en: Cinema }, ours: { zh: 样品, en: A sample }, theirs: { zh: 电影票, en: A ticket } }
offers:
  film:
    name: { zh: 电影票, en: Film }
    service: { zh: 电影票, en: A ticket }
    claim: {}
    coupon: { valid: 30d, remind: 2d, codes: cinema }
  one:
    name: { zh: 谢谢, en: Thanks }
    give: film
    spend: 10
  two:
    name: { zh: 多谢, en: Many thanks }
    give: film
    spend: 10
";

fn lot(world: &World, upload: i64, name: &str, codes: i64, until: Option<&str>) -> CodeLot {
    let valid_until = until.map_or(Ts::FOREVER, |until| world.time(until));
    CodeLot { upload, partner: "cinema".to_owned(), pool: codes_of(name), codes, valid_until }
}

#[test]
fn c5_codes_come_of_the_upload_that_ends_first_and_end_their_coupon() {
    let mut world = World::under(OFFERS);
    let lots = [
        // Of a partner whom the offer named before.
        CodeLot { partner: "theatre".to_owned(), ..lot(&world, 4, "theirs", 9, None) },
        lot(&world, 3, "over", 9, Some("2025-03-01 00:00")),
        lot(&world, 1, "soon", 1, Some("2025-03-05 00:00")),
        lot(&world, 2, "always", 2, None),
    ];
    world.record.codes.insert("film".to_owned(), lots.to_vec());
    let claim = || track("Coupon Claimed").with("offer", "film");
    check(
        &mut world,
        &[
            ("2025-03-02 10:00", claim().with("count", "4"), "refused=out_of_stock"),
            ("2025-03-02 10:01", claim().with("count", "2"), "points=0"),
            ("2025-03-02 10:02", claim().with("count", "2"), "refused=out_of_stock"),
            ("2025-03-02 10:03", claim(), "points=0"),
            ("2025-03-02 10:04", claim(), "refused=out_of_stock"),
        ],
    );
    let coupons = &world.record.coupons;
    let uploads: Vec<i64> = coupons.codes.iter().map(|take| take.upload).collect();
    let ends: Vec<Ts> = coupons.issued.iter().map(|coupon| coupon.valid_until).collect();
    let (soon, late) = (world.time("2025-03-05 00:00"), world.time("2025-04-01 00:00"));
    assert_eq!((uploads, ends), (vec![1, 2, 2], vec![soon, late, late]));
    assert_eq!(["soon", "always", "over", "theirs"].map(|name| coupons.took(&codes_of(name))), [1, 2, 0, 0]);
    for (take, coupon) in coupons.codes.iter().zip(&coupons.issued) {
        assert_eq!(take.coupon, coupon.id);
    }
}

/// An order may give one for two reasons: the last code is given once, and the order goes on.
#[test]
fn c5_the_last_code_is_given_once_also_by_one_order() {
    let mut world = World::under(OFFERS);
    let lots = vec![lot(&world, 1, "few", 1, None)];
    world.record.codes.insert("film".to_owned(), lots);
    check(&mut world, &[("2025-03-02 10:00", order("o1").paid("20"), "points=20")]);
    assert_eq!((world.record.coupons.codes.len(), world.record.coupons.took("codes/few")), (1, 1));
}
