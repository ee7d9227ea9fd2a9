-- What leaves the home, on its way: a row beside each of the outbox on a channel outside of it, in the same shard
-- (docs/channels.md).
-- oldest: 1. (A program of before says nothing on such channels and leaves these rows as they are.)
-- States: 0 waiting, 1 handed, 2 sent, 3 unknown, 4 failed, 5 stopped, 6 dropped, 7 bounced. Times are the wall clock's, but for "at".
-- "told" is false where the pipeline is yet to be told what came of it.

CREATE TABLE {shard}.send (
  id uuid PRIMARY KEY,
  channel text NOT NULL,
  at bigint NOT NULL,
  state smallint NOT NULL CHECK (state BETWEEN 0 AND 7),
  attempts bigint NOT NULL,
  due bigint NOT NULL,
  tried_at bigint,
  receipt text,
  error text,
  others text NOT NULL,
  told boolean NOT NULL
);
CREATE INDEX send_due ON {shard}.send (channel, due, id) WHERE state = 0;
CREATE INDEX send_handed ON {shard}.send (channel, due, id) WHERE state = 1;
CREATE INDEX send_untold ON {shard}.send (id) WHERE NOT told;
CREATE INDEX send_in ON {shard}.send (state, at, id);
CREATE INDEX send_at ON {shard}.send (at, id);
