-- What leaves the home, on its way: a row beside each of the outbox on a channel outside of it (docs/channels.md).
-- oldest: 2. (A program of before says nothing on such channels and leaves these rows as they are.)
-- States: 0 waiting, 1 handed, 2 sent, 3 unknown, 4 failed, 5 stopped, 6 dropped, 7 bounced. Times are the wall clock's, but for "at".
-- "told" is 0 where the pipeline is yet to be told what came of it.

CREATE TABLE send (
  id BLOB PRIMARY KEY,
  channel TEXT NOT NULL,
  at INTEGER NOT NULL,
  state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 7),
  attempts INTEGER NOT NULL,
  due INTEGER NOT NULL,
  tried_at INTEGER,
  receipt TEXT,
  error TEXT,
  others TEXT NOT NULL,
  told INTEGER NOT NULL CHECK (told IN (0, 1))
) STRICT, WITHOUT ROWID;
CREATE INDEX send_due ON send (channel, due, id) WHERE state = 0;
CREATE INDEX send_handed ON send (channel, due, id) WHERE state = 1;
CREATE INDEX send_untold ON send (id) WHERE told = 0;
CREATE INDEX send_in ON send (state, at, id);
CREATE INDEX send_at ON send (at, id);

-- How far a channel's pace has come: what all dispatchers of a home share.
CREATE TABLE channel_pace (
  channel TEXT PRIMARY KEY,
  at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
