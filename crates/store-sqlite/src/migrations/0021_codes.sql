-- Codes of partners: uploads in parts, and which coupon bears which (docs/coupons.md).
-- oldest: 2.

CREATE TABLE code_upload (
  no INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  offer TEXT NOT NULL,
  partner TEXT NOT NULL,
  valid_until INTEGER NOT NULL,
  asked_by TEXT NOT NULL,
  at INTEGER NOT NULL,
  codes INTEGER,
  withdrawn INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX code_upload_of ON code_upload (offer);

CREATE TABLE code_part (
  upload INTEGER NOT NULL,
  part INTEGER NOT NULL,
  hash BLOB NOT NULL,
  codes INTEGER NOT NULL,
  twice INTEGER NOT NULL,
  known INTEGER NOT NULL,
  named TEXT NOT NULL,
  PRIMARY KEY (upload, part)
) STRICT, WITHOUT ROWID;

-- Places of an upload follow each other from 0 on.
CREATE TABLE partner_code (
  upload INTEGER NOT NULL,
  place INTEGER NOT NULL,
  hash BLOB NOT NULL UNIQUE,
  code BLOB NOT NULL,
  PRIMARY KEY (upload, place)
) STRICT, WITHOUT ROWID;

CREATE TABLE coupon_code (
  coupon BLOB PRIMARY KEY,
  upload INTEGER NOT NULL,
  place INTEGER NOT NULL,
  UNIQUE (upload, place)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER coupon_code_stays BEFORE UPDATE ON coupon_code BEGIN SELECT RAISE(ABORT, 'a code that was handed out stays'); END;
CREATE TRIGGER coupon_code_remains BEFORE DELETE ON coupon_code BEGIN SELECT RAISE(ABORT, 'a code that was handed out stays'); END;
