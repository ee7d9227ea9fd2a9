-- Coupons in the books (store::closing::coupons), once in a home. oldest: 1, until a month is closed with coupons: then this one.

-- Whether coupons are among what a month says: not of one that was closed before.
ALTER TABLE {home}.book_close ADD COLUMN coupons boolean NOT NULL DEFAULT false;

CREATE TABLE {home}.book_coupon (
  month integer NOT NULL,
  offer text COLLATE "C" NOT NULL,
  cut smallint NOT NULL,
  value text COLLATE "C" NOT NULL,
  opening bigint NOT NULL,
  issued bigint NOT NULL,
  redeemed bigint NOT NULL,
  expired bigint NOT NULL,
  withdrawn bigint NOT NULL,
  given_back bigint NOT NULL,
  moved bigint NOT NULL,
  closing bigint NOT NULL,
  given bigint NOT NULL,
  liability bigint,
  PRIMARY KEY (month, offer, cut, value)
);
CREATE TRIGGER book_coupon_comes BEFORE INSERT ON {home}.book_coupon FOR EACH ROW EXECUTE FUNCTION {home}.book_line_fits();
CREATE TRIGGER book_coupon_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON {home}.book_coupon
  FOR EACH STATEMENT EXECUTE FUNCTION {home}.book_closed();
CREATE FUNCTION {home}.book_close_needs_coupons() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN
    IF NEW.coupons THEN
      UPDATE {home}.migration SET oldest = number WHERE number = 20;
    END IF;
    RETURN NULL;
  END $$;
CREATE TRIGGER book_close_coupons AFTER INSERT ON {home}.book_close
  FOR EACH ROW EXECUTE FUNCTION {home}.book_close_needs_coupons();
