-- Months of the books that were closed, and what was booked too late for them (store::closing). oldest: 2, until a month is
-- closed: then this one. (A program of before knows nothing of it. What it books is put where it belongs by the trigger below,
-- whoever books; but what it backs up and restores would leave closed months behind.)

-- A closed month: [start, until) in business time. "hash" is NULL from when it was closed until its lines are written down.
CREATE TABLE book_close (
  month INTEGER PRIMARY KEY,
  start INTEGER NOT NULL,
  until INTEGER NOT NULL CHECK (until > start),
  closed_at INTEGER NOT NULL,
  closed_by TEXT NOT NULL,
  version INTEGER NOT NULL,
  worth_minor INTEGER,
  worth_points INTEGER,
  hash BLOB
) STRICT;
CREATE UNIQUE INDEX book_close_until ON book_close (until);

-- Its lines: "cut" 0 in all, 1 by store, 2 by tier.
CREATE TABLE book_line (
  month INTEGER NOT NULL,
  asset INTEGER NOT NULL,
  cut INTEGER NOT NULL,
  value TEXT NOT NULL,
  opening INTEGER NOT NULL,
  earned INTEGER NOT NULL,
  spent INTEGER NOT NULL,
  expired INTEGER NOT NULL,
  reversed INTEGER NOT NULL,
  adjusted INTEGER NOT NULL,
  taken_over INTEGER NOT NULL,
  moved INTEGER NOT NULL,
  closing INTEGER NOT NULL,
  liability INTEGER,
  PRIMARY KEY (month, asset, cut, value)
) STRICT, WITHOUT ROWID;

-- Transfers that bear an instant in a month that was closed when they were made: they count from "period" on, the first
-- instant that was open then.
CREATE TABLE book_late (
  no INTEGER PRIMARY KEY,
  period INTEGER NOT NULL,
  id BLOB NOT NULL,
  member BLOB NOT NULL,
  asset INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  amount INTEGER NOT NULL,
  at INTEGER NOT NULL
) STRICT;

-- Growth (1) is owed to nobody; holds and their ends (7, 8) move nothing.
CREATE TRIGGER transfer_late AFTER INSERT ON transfer
WHEN NEW.at < (SELECT MAX(until) FROM book_close) AND NEW.asset <> 1 AND NEW.kind NOT IN (7, 8)
BEGIN
  INSERT INTO book_late (period, id, member, asset, kind, amount, at)
  SELECT MAX(until), NEW.id, NEW.member, NEW.asset, NEW.kind, NEW.amount, NEW.at FROM book_close;
END;

-- INSERT OR REPLACE takes the row that is there away without asking the triggers of deletion (recursive_triggers is off): so
-- nothing is written that is there already.
CREATE TRIGGER book_close_comes BEFORE INSERT ON book_close
WHEN EXISTS (SELECT 1 FROM book_close WHERE month = NEW.month OR until = NEW.until)
BEGIN SELECT RAISE(ABORT, 'a closed month is never changed'); END;
CREATE TRIGGER book_line_once BEFORE INSERT ON book_line
WHEN EXISTS (
  SELECT 1 FROM book_line WHERE month = NEW.month AND asset = NEW.asset AND cut = NEW.cut AND value = NEW.value
)
BEGIN SELECT RAISE(ABORT, 'a line of the books is never changed'); END;
CREATE TRIGGER book_late_once BEFORE INSERT ON book_late
WHEN EXISTS (SELECT 1 FROM book_late WHERE no = NEW.no)
BEGIN SELECT RAISE(ABORT, 'what was booked late is never changed'); END;
CREATE TRIGGER book_close_known AFTER INSERT ON book_close
BEGIN UPDATE migration SET oldest = number WHERE number = 17; END;
CREATE TRIGGER book_close_stays BEFORE UPDATE ON book_close
WHEN OLD.hash IS NOT NULL OR OLD.month <> NEW.month OR OLD.start <> NEW.start OR OLD.until <> NEW.until
BEGIN SELECT RAISE(ABORT, 'a closed month is never changed'); END;
CREATE TRIGGER book_close_remains BEFORE DELETE ON book_close
BEGIN SELECT RAISE(ABORT, 'a closed month is never opened'); END;
CREATE TRIGGER book_line_comes BEFORE INSERT ON book_line
WHEN EXISTS (SELECT 1 FROM book_close WHERE month = NEW.month AND hash IS NOT NULL)
BEGIN SELECT RAISE(ABORT, 'a closed month is never changed'); END;
CREATE TRIGGER book_line_stays BEFORE UPDATE ON book_line
BEGIN SELECT RAISE(ABORT, 'a line of the books is never changed'); END;
CREATE TRIGGER book_line_remains BEFORE DELETE ON book_line
BEGIN SELECT RAISE(ABORT, 'a line of the books is never deleted'); END;
CREATE TRIGGER book_late_stays BEFORE UPDATE ON book_late
BEGIN SELECT RAISE(ABORT, 'what was booked late is never changed'); END;
CREATE TRIGGER book_late_remains BEFORE DELETE ON book_late
BEGIN SELECT RAISE(ABORT, 'what was booked late is never deleted'); END;
