-- Coupons, how they moved, the terms they were issued under, what is taken of pools, and issues to many (docs/coupons.md).
-- oldest: 2. (A program of before leaves the column as it is, and coupons where they are.)
-- Accounts: 0 stock, 1 held, 2 locked, 3 redeemed, 4 expired, 5 withdrawn.

ALTER TABLE member ADD COLUMN holdings BLOB;

-- A member's coupons lie together.
CREATE TABLE coupon (
  id BLOB NOT NULL,
  member BLOB NOT NULL,
  offer TEXT NOT NULL,
  terms BLOB NOT NULL,
  account INTEGER NOT NULL CHECK (account BETWEEN 1 AND 5),
  valid_from INTEGER NOT NULL,
  valid_until INTEGER NOT NULL,
  at INTEGER NOT NULL,
  cause BLOB NOT NULL,
  ordinal INTEGER NOT NULL,
  PRIMARY KEY (member, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX coupon_id ON coupon (id);

CREATE TABLE coupon_move (
  no INTEGER PRIMARY KEY,
  coupon BLOB NOT NULL,
  member BLOB NOT NULL,
  offer TEXT NOT NULL,
  kind INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 7),
  gives INTEGER NOT NULL CHECK (gives BETWEEN 0 AND 5),
  takes INTEGER NOT NULL CHECK (takes BETWEEN 0 AND 5 AND takes <> gives),
  at INTEGER NOT NULL,
  event INTEGER NOT NULL,
  ordinal INTEGER NOT NULL,
  version INTEGER NOT NULL
) STRICT;
CREATE INDEX coupon_move_of ON coupon_move (coupon);
CREATE TRIGGER coupon_move_stays BEFORE UPDATE ON coupon_move BEGIN SELECT RAISE(ABORT, 'a move of a coupon is never changed'); END;
CREATE TRIGGER coupon_move_remains BEFORE DELETE ON coupon_move BEGIN SELECT RAISE(ABORT, 'a move of a coupon is never deleted'); END;

CREATE TABLE coupon_terms (
  hash BLOB PRIMARY KEY,
  offer TEXT NOT NULL,
  terms TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE pool (
  pool TEXT PRIMARY KEY,
  taken INTEGER NOT NULL CHECK (taken >= 0)
) STRICT, WITHOUT ROWID;

CREATE TABLE issue (
  no INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  offer TEXT NOT NULL,
  audience TEXT NOT NULL,
  asked_by TEXT NOT NULL,
  at INTEGER NOT NULL,
  members INTEGER,
  parts INTEGER
) STRICT;

CREATE TABLE issue_part (
  issue INTEGER NOT NULL,
  part INTEGER NOT NULL,
  members BLOB NOT NULL,
  PRIMARY KEY (issue, part)
) STRICT, WITHOUT ROWID;
