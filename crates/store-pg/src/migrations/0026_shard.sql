-- What came from platforms, each in the shard of its id, kept before whoever brought it is answered (docs/wecom-callbacks.md).
-- oldest: 1. (A program of before takes nothing in and leaves these rows as they are.)
-- States: 0 waiting, 1 done, 2 failed, 3 dropped. Times are the wall clock's. A body is sealed under what "about" names.

CREATE TABLE {shard}.arrival (
  id uuid PRIMARY KEY,
  channel text COLLATE "C" NOT NULL,
  lane text COLLATE "C" NOT NULL,
  at bigint NOT NULL,
  about uuid NOT NULL,
  state smallint NOT NULL CHECK (state BETWEEN 0 AND 3),
  tries bigint NOT NULL,
  due bigint NOT NULL,
  why text,
  body bytea NOT NULL
);
CREATE INDEX arrival_due ON {shard}.arrival (channel, lane, due, id) WHERE state = 0;
CREATE INDEX arrival_in ON {shard}.arrival (state, at, id);
CREATE INDEX arrival_at ON {shard}.arrival (at, id);
CREATE INDEX arrival_about ON {shard}.arrival (about);
