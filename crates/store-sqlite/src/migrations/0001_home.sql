-- The first schema. Times are microseconds since 1970-01-01 UTC, days are days since then, money is minor units.
-- Identifiers, names and bodies are sealed (store::seal). Documents that SQL never searches are JSON text.
-- Rows that grow with events are appended by rowid; what is looked up by a hash has an index of its own.

CREATE TABLE home (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  id_key BLOB NOT NULL,
  offset_us INTEGER NOT NULL DEFAULT 0,
  live_since INTEGER,
  clock INTEGER NOT NULL,
  batch INTEGER NOT NULL DEFAULT 0,
  cursor INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE playbook (
  version INTEGER PRIMARY KEY,
  id TEXT NOT NULL,
  hash TEXT NOT NULL,
  source TEXT NOT NULL,
  applied_at INTEGER NOT NULL
) STRICT;

CREATE TABLE source (
  no INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  user_namespace TEXT NOT NULL
) STRICT;

CREATE TABLE import (
  name TEXT PRIMARY KEY,
  position INTEGER NOT NULL,
  done INTEGER NOT NULL
) STRICT;

-- The inbox and the log of events in one: rows beyond home.cursor wait, unless they are derived (1: for someone else, 2:
-- said of a member by their own event).
CREATE TABLE event (
  seq INTEGER PRIMARY KEY,
  id BLOB NOT NULL,
  source INTEGER NOT NULL REFERENCES source (no),
  message_id TEXT NOT NULL,
  body_hash BLOB NOT NULL,
  name TEXT NOT NULL,
  time INTEGER NOT NULL,
  clock INTEGER NOT NULL,
  derived INTEGER NOT NULL,
  replay INTEGER NOT NULL,
  body BLOB NOT NULL
) STRICT;
-- Dedupe goes by what the source calls an item, not by the hash of it: most sources number theirs, so that what comes
-- together lies together. What was said of a member by their own event (derived = 2) is found through its cause only.
CREATE UNIQUE INDEX event_message ON event (source, message_id) WHERE derived < 2;

-- Derived events for other members, until they are decided.
CREATE TABLE queue (
  seq INTEGER PRIMARY KEY REFERENCES event (seq)
) STRICT;

CREATE TABLE dead_letter (
  seq INTEGER PRIMARY KEY REFERENCES event (seq),
  code TEXT NOT NULL,
  field TEXT NOT NULL,
  message TEXT NOT NULL,
  at INTEGER NOT NULL
) STRICT;

-- Dead letters that were put back: decided once all that was accepted by then ("after") is done.
CREATE TABLE retry (
  seq INTEGER PRIMARY KEY REFERENCES event (seq),
  clock INTEGER NOT NULL,
  after INTEGER NOT NULL
) STRICT;

-- All of a member's state is one row, so that an event reads and writes one place. "accounts" is a list of [asset,
-- active, pending, held, debt], "timers" of [kind, which, due]: the views account and timer show them as rows.
-- "wake" is when to look at the timers: never later than the first of them, often earlier, so that its index
-- need not be touched each time a timer moves further away. "last_event" is where the member's timeline ends.
CREATE TABLE member (
  no INTEGER PRIMARY KEY,
  id BLOB NOT NULL,
  known_since INTEGER NOT NULL,
  enrolled_at INTEGER,
  decided_until INTEGER NOT NULL,
  version INTEGER NOT NULL,
  wake INTEGER,
  last_event INTEGER,
  tier TEXT,
  term_from INTEGER,
  term_ends INTEGER,
  stage TEXT,
  stage_since INTEGER,
  accounts TEXT NOT NULL,
  timers TEXT NOT NULL,
  tags TEXT NOT NULL,
  touches TEXT NOT NULL,
  told_at TEXT NOT NULL,
  attributes BLOB NOT NULL,
  fingerprint TEXT NOT NULL,
  growth_days BLOB NOT NULL,
  leaves BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX member_id ON member (id);
CREATE INDEX member_wake ON member (wake, id) WHERE wake IS NOT NULL;

CREATE VIEW account AS SELECT m.id AS member, a.value ->> 0 AS asset, a.value ->> 1 AS active,
  a.value ->> 2 AS pending, a.value ->> 3 AS held, a.value ->> 4 AS debt FROM member m, json_each(m.accounts) a;
CREATE VIEW timer AS SELECT m.id AS member, t.value ->> 0 AS kind, t.value ->> 1 AS which, t.value ->> 2 AS due
  FROM member m, json_each(m.timers) t;

CREATE TABLE identifier (
  hash BLOB PRIMARY KEY,
  namespace TEXT NOT NULL,
  value BLOB NOT NULL,
  member BLOB NOT NULL,
  since INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX identifier_member ON identifier (member);

-- A member's timeline: each decided event names the one decided before it, from member.last_event backwards. So it
-- grows at its end only, where an index by member would touch a place of its own for each event.
CREATE TABLE timeline (
  seq INTEGER PRIMARY KEY REFERENCES event (seq),
  member INTEGER NOT NULL REFERENCES member (no),
  before INTEGER
) STRICT;

-- An order stands at the place of the event that brought it: a member's orders are found through their timeline.
CREATE TABLE orders (
  no INTEGER PRIMARY KEY,
  id BLOB NOT NULL,
  member BLOB NOT NULL,
  time INTEGER NOT NULL,
  store TEXT,
  channel TEXT,
  paid INTEGER NOT NULL,
  refunded INTEGER NOT NULL,
  status INTEGER NOT NULL,
  event INTEGER NOT NULL REFERENCES event (seq),
  terms TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX orders_id ON orders (id);

CREATE TABLE order_change (
  order_id BLOB NOT NULL,
  at INTEGER NOT NULL,
  paid INTEGER NOT NULL,
  refunded INTEGER NOT NULL,
  counts INTEGER NOT NULL,
  PRIMARY KEY (order_id, at)
) STRICT, WITHOUT ROWID;

-- The journal. Written once: the triggers below refuse any change.
CREATE TABLE transfer (
  seq INTEGER PRIMARY KEY,
  id BLOB NOT NULL,
  member BLOB NOT NULL,
  asset INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  amount INTEGER NOT NULL CHECK (amount > 0),
  event INTEGER NOT NULL,
  ordinal INTEGER NOT NULL,
  at INTEGER NOT NULL,
  day INTEGER NOT NULL,
  reverses BLOB,
  order_id BLOB,
  version INTEGER NOT NULL
) STRICT;
CREATE INDEX transfer_event ON transfer (event);
-- Only spends are looked up by id: they may come back.
CREATE INDEX transfer_spend ON transfer (id) WHERE kind = 2;
CREATE INDEX transfer_reverses ON transfer (reverses) WHERE reverses IS NOT NULL;

CREATE TABLE allocation (
  no INTEGER PRIMARY KEY,
  transfer BLOB NOT NULL,
  lot BLOB,
  amount INTEGER NOT NULL
) STRICT;
CREATE INDEX allocation_transfer ON allocation (transfer);

CREATE TRIGGER transfer_stays BEFORE UPDATE ON transfer BEGIN SELECT RAISE(ABORT, 'a transfer is never changed'); END;
CREATE TRIGGER transfer_remains BEFORE DELETE ON transfer BEGIN SELECT RAISE(ABORT, 'a transfer is never deleted'); END;
CREATE TRIGGER allocation_stays BEFORE UPDATE ON allocation BEGIN SELECT RAISE(ABORT, 'an allocation is never changed'); END;
CREATE TRIGGER allocation_remains BEFORE DELETE ON allocation BEGIN SELECT RAISE(ABORT, 'an allocation is never deleted'); END;

-- A member's lots lie together, in spending order: one page is touched for a new one, not three.
CREATE TABLE lot (
  id BLOB NOT NULL,
  member BLOB NOT NULL,
  asset INTEGER NOT NULL,
  granted INTEGER NOT NULL,
  remaining INTEGER NOT NULL CHECK (remaining >= 0 AND remaining <= granted),
  active_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  active INTEGER NOT NULL,
  PRIMARY KEY (member, expires_at, active_at, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE house_account (
  asset INTEGER NOT NULL,
  house TEXT NOT NULL,
  balance INTEGER NOT NULL,
  PRIMARY KEY (asset, house)
) STRICT, WITHOUT ROWID;

CREATE TABLE hold (
  id BLOB PRIMARY KEY,
  member BLOB NOT NULL,
  asset INTEGER NOT NULL,
  amount INTEGER NOT NULL,
  open INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE term (
  no INTEGER PRIMARY KEY,
  member BLOB NOT NULL,
  level TEXT NOT NULL,
  at INTEGER NOT NULL,
  ends INTEGER NOT NULL,
  event INTEGER NOT NULL,
  version INTEGER NOT NULL
) STRICT;
CREATE INDEX term_member ON term (member, at);

CREATE TABLE stage_move (
  no INTEGER PRIMARY KEY,
  member BLOB NOT NULL,
  was TEXT,
  becomes TEXT NOT NULL,
  at INTEGER NOT NULL,
  event INTEGER NOT NULL,
  version INTEGER NOT NULL
) STRICT;
CREATE INDEX stage_move_member ON stage_move (member, at);

CREATE TABLE tag_move (
  no INTEGER PRIMARY KEY,
  member BLOB NOT NULL,
  tag TEXT NOT NULL,
  is_on INTEGER NOT NULL,
  at INTEGER NOT NULL,
  event INTEGER NOT NULL,
  version INTEGER NOT NULL
) STRICT;
