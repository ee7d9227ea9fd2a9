-- Months of the books that were closed (store::closing). What is booked is put where it belongs by a trigger in the shards,
-- whoever books: a program of before too. But what that backs up and restores would leave closed months behind: once a month is
-- closed, a program must know this migration to open the home.

-- A closed month: [start, until) in business time. "hash" is NULL from when it was closed until its lines are written down.
CREATE TABLE {home}.book_close (
  month integer PRIMARY KEY,
  start bigint NOT NULL,
  until bigint NOT NULL UNIQUE CHECK (until > start),
  closed_at bigint NOT NULL,
  closed_by text NOT NULL,
  version bigint NOT NULL,
  worth_minor bigint,
  worth_points bigint,
  hash bytea
);

-- Its lines: "cut" 0 in all, 1 by store, 2 by tier.
CREATE TABLE {home}.book_line (
  month integer NOT NULL,
  asset smallint NOT NULL,
  cut smallint NOT NULL,
  value text COLLATE "C" NOT NULL,
  opening bigint NOT NULL,
  earned bigint NOT NULL,
  spent bigint NOT NULL,
  expired bigint NOT NULL,
  reversed bigint NOT NULL,
  adjusted bigint NOT NULL,
  taken_over bigint NOT NULL,
  moved bigint NOT NULL,
  closing bigint NOT NULL,
  liability bigint,
  PRIMARY KEY (month, asset, cut, value)
);

CREATE FUNCTION {home}.book_closed() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN RAISE EXCEPTION 'a closed month is never changed'; END $$;
CREATE FUNCTION {home}.book_line_fits() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN
    IF EXISTS (SELECT 1 FROM {home}.book_close c WHERE c.month = NEW.month AND c.hash IS NOT NULL) THEN
      RAISE EXCEPTION 'a closed month is never changed';
    END IF;
    RETURN NEW;
  END $$;
CREATE TRIGGER book_close_stays BEFORE UPDATE ON {home}.book_close FOR EACH ROW
  WHEN (OLD.hash IS NOT NULL OR OLD.month <> NEW.month OR OLD.start <> NEW.start OR OLD.until <> NEW.until)
  EXECUTE FUNCTION {home}.book_closed();
CREATE TRIGGER book_close_remains BEFORE DELETE OR TRUNCATE ON {home}.book_close
  FOR EACH STATEMENT EXECUTE FUNCTION {home}.book_closed();
CREATE TRIGGER book_line_comes BEFORE INSERT ON {home}.book_line FOR EACH ROW EXECUTE FUNCTION {home}.book_line_fits();
CREATE TRIGGER book_line_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON {home}.book_line
  FOR EACH STATEMENT EXECUTE FUNCTION {home}.book_closed();
CREATE FUNCTION {home}.book_close_needs() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN UPDATE {home}.migration SET oldest = number WHERE number = 15; RETURN NULL; END $$;
CREATE TRIGGER book_close_known AFTER INSERT ON {home}.book_close
  FOR EACH STATEMENT EXECUTE FUNCTION {home}.book_close_needs();
