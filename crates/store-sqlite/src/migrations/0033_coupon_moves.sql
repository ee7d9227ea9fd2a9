-- Coupons are mostly issued: that move is found by its event, which is written at the end of its index, and not by its coupon,
-- which may lie anywhere. Later moves are found by their coupon as before.
-- oldest: 2. (A program of before looks through all moves where it shows those of one coupon.)

DROP INDEX coupon_move_of;
CREATE INDEX coupon_move_later ON coupon_move (coupon) WHERE kind <> 0;
CREATE INDEX coupon_move_issued ON coupon_move (event) WHERE kind = 0;
