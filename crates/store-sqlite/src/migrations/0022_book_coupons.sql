-- Coupons in the books (store::closing::coupons). oldest: 2, until a month is closed with coupons: then this one.

-- What a coupon took off when it was used, in minor units; below zero where that came back.
ALTER TABLE coupon_move ADD COLUMN given INTEGER NOT NULL DEFAULT 0;
-- Whether coupons are among what a month says: not of one that was closed before.
ALTER TABLE book_close ADD COLUMN coupons INTEGER NOT NULL DEFAULT 0;

CREATE TABLE book_coupon (
  month INTEGER NOT NULL,
  offer TEXT NOT NULL,
  cut INTEGER NOT NULL,
  value TEXT NOT NULL,
  opening INTEGER NOT NULL,
  issued INTEGER NOT NULL,
  redeemed INTEGER NOT NULL,
  expired INTEGER NOT NULL,
  withdrawn INTEGER NOT NULL,
  given_back INTEGER NOT NULL,
  moved INTEGER NOT NULL,
  closing INTEGER NOT NULL,
  given INTEGER NOT NULL,
  liability INTEGER,
  PRIMARY KEY (month, offer, cut, value)
) STRICT, WITHOUT ROWID;

-- Moves that bear an instant in a month that was closed when they were made: they count from "period" on.
CREATE TABLE coupon_late (
  no INTEGER PRIMARY KEY,
  period INTEGER NOT NULL,
  coupon BLOB NOT NULL,
  offer TEXT NOT NULL,
  kind INTEGER NOT NULL,
  at INTEGER NOT NULL,
  given INTEGER NOT NULL
) STRICT;

-- Locks and unlocks (1, 2) change nothing that the books speak of, nor do chances of draws.
CREATE TRIGGER coupon_move_late AFTER INSERT ON coupon_move
WHEN NEW.at < (SELECT MAX(until) FROM book_close) AND NEW.kind NOT IN (1, 2) AND NEW.offer NOT LIKE 'draw:%'
BEGIN
  INSERT INTO coupon_late (period, coupon, offer, kind, at, given)
  SELECT MAX(until), NEW.coupon, NEW.offer, NEW.kind, NEW.at, NEW.given FROM book_close;
END;

CREATE TRIGGER book_coupon_once BEFORE INSERT ON book_coupon
WHEN EXISTS (
  SELECT 1 FROM book_coupon WHERE month = NEW.month AND offer = NEW.offer AND cut = NEW.cut AND value = NEW.value
)
BEGIN SELECT RAISE(ABORT, 'a line of the books is never changed'); END;
CREATE TRIGGER book_coupon_comes BEFORE INSERT ON book_coupon
WHEN EXISTS (SELECT 1 FROM book_close WHERE month = NEW.month AND hash IS NOT NULL)
BEGIN SELECT RAISE(ABORT, 'a closed month is never changed'); END;
CREATE TRIGGER book_coupon_stays BEFORE UPDATE ON book_coupon
BEGIN SELECT RAISE(ABORT, 'a line of the books is never changed'); END;
CREATE TRIGGER book_coupon_remains BEFORE DELETE ON book_coupon
BEGIN SELECT RAISE(ABORT, 'a line of the books is never deleted'); END;
CREATE TRIGGER coupon_late_once BEFORE INSERT ON coupon_late
WHEN EXISTS (SELECT 1 FROM coupon_late WHERE no = NEW.no)
BEGIN SELECT RAISE(ABORT, 'what was booked late is never changed'); END;
CREATE TRIGGER coupon_late_stays BEFORE UPDATE ON coupon_late
BEGIN SELECT RAISE(ABORT, 'what was booked late is never changed'); END;
CREATE TRIGGER coupon_late_remains BEFORE DELETE ON coupon_late
BEGIN SELECT RAISE(ABORT, 'what was booked late is never deleted'); END;
CREATE TRIGGER book_close_coupons AFTER INSERT ON book_close WHEN NEW.coupons <> 0
BEGIN UPDATE migration SET oldest = number WHERE number = 22; END;
