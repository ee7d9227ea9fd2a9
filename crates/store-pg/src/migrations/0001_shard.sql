-- The first schema of a shard: what there is of members, and what is found by a hash. {shard} stands for its schema.
-- Rows of a member lie in the shard of the member's share; `message`, `identifier` and `order_place` in the shard of their
-- own hash. No statement of the pipeline joins across shards.

-- Dedupe, by (source, message id): kept as long as ids are remembered. `seq` is the event's place.
CREATE TABLE {shard}.message (
  source integer NOT NULL,
  message_id text COLLATE "C" NOT NULL,
  body_hash uuid NOT NULL,
  seq bigint NOT NULL,
  PRIMARY KEY (source, message_id)
);

CREATE TABLE {shard}.identifier (
  hash uuid PRIMARY KEY,
  namespace text COLLATE "C" NOT NULL,
  value bytea NOT NULL,
  member uuid NOT NULL,
  since bigint NOT NULL
);
CREATE INDEX identifier_member ON {shard}.identifier (member);

-- Whose an order is and where: so that an order is one order whoever reports it.
CREATE TABLE {shard}.order_place (
  id uuid PRIMARY KEY,
  member uuid NOT NULL,
  no bigint NOT NULL
);

-- The inbox and the log of events in one. A place says the month of acceptance (store::turn::place), and each month is a
-- partition; derived events said of a member by their own event have places above 2^62, in partitions of their own.
-- derived: 0 an item, 1 derived for someone else, 2 said of a member by their own event.
CREATE TABLE {shard}.event (
  seq bigint NOT NULL,
  id uuid NOT NULL,
  slot integer NOT NULL,
  source integer NOT NULL,
  message_id text COLLATE "C" NOT NULL,
  name text NOT NULL,
  time bigint NOT NULL,
  clock bigint NOT NULL,
  derived smallint NOT NULL,
  replay boolean NOT NULL,
  body bytea NOT NULL,
  member uuid NOT NULL,
  reached uuid,
  PRIMARY KEY (seq)
) PARTITION BY RANGE (seq);
-- Bodies are packed already (store::seal).
ALTER TABLE {shard}.event ALTER COLUMN body SET STORAGE EXTERNAL;
-- Events whose decision may reach other members: nothing that was accepted later is decided before them.
CREATE INDEX event_reaching ON {shard}.event (seq) WHERE reached IS NOT NULL AND derived = 0;

-- What waits beside the cursor: derived events for other members (after the inbox row they come from).
CREATE TABLE {shard}.queue (
  seq bigint PRIMARY KEY,
  slot integer NOT NULL,
  after bigint NOT NULL
);

CREATE TABLE {shard}.dead_letter (
  seq bigint PRIMARY KEY,
  code text NOT NULL,
  field text NOT NULL,
  message text NOT NULL,
  at bigint NOT NULL
);

-- Dead letters that were put back: decided once all that was accepted by then ("after") is done.
CREATE TABLE {shard}.retry (
  seq bigint PRIMARY KEY,
  slot integer NOT NULL,
  clock bigint NOT NULL,
  after bigint NOT NULL
);

-- A member's timeline: each decided event names the one decided before it, from member.last_event backwards.
CREATE TABLE {shard}.timeline (
  seq bigint PRIMARY KEY,
  member uuid NOT NULL,
  before bigint
);

-- All of a member's state is one row, rewritten in place (no indexed column changes but `wake`, and that rarely).
-- "accounts" is a list of [asset, active, pending, held, debt], "timers" of [kind, which, due]: the views account and
-- timer show them as rows. "wake" is when to look at the timers: never later than the first of them.
CREATE TABLE {shard}.member (
  id uuid PRIMARY KEY,
  slot integer NOT NULL,
  known_since bigint NOT NULL,
  enrolled_at bigint,
  decided_until bigint NOT NULL,
  version bigint NOT NULL,
  wake bigint,
  last_event bigint,
  tier text,
  term_from bigint,
  term_ends integer,
  stage text,
  stage_since bigint,
  accounts text NOT NULL,
  timers text NOT NULL,
  tags text NOT NULL,
  touches text NOT NULL,
  told_at text NOT NULL,
  attributes bytea NOT NULL,
  fingerprint text NOT NULL,
  growth_days bytea NOT NULL,
  leaves bytea NOT NULL
) WITH (fillfactor = 60, toast_tuple_target = 8160);
-- What is packed already is not packed again.
ALTER TABLE {shard}.member ALTER COLUMN attributes SET STORAGE EXTERNAL, ALTER COLUMN growth_days SET STORAGE EXTERNAL,
  ALTER COLUMN leaves SET STORAGE EXTERNAL;
CREATE INDEX member_wake ON {shard}.member (slot, wake, id) WHERE wake IS NOT NULL;

CREATE VIEW {shard}.account AS SELECT m.id AS member, (a.value ->> 0)::bigint AS asset, (a.value ->> 1)::bigint AS active,
  (a.value ->> 2)::bigint AS pending, (a.value ->> 3)::bigint AS held, (a.value ->> 4)::bigint AS debt
  FROM {shard}.member m CROSS JOIN LATERAL jsonb_array_elements(m.accounts::jsonb) a (value);
CREATE VIEW {shard}.timer AS SELECT m.id AS member, (t.value ->> 0)::bigint AS kind, (t.value ->> 1)::bigint AS which,
  (t.value ->> 2)::bigint AS due FROM {shard}.member m CROSS JOIN LATERAL jsonb_array_elements(m.timers::jsonb) t (value);

-- "no" is the place of the event an order was first reported by.
CREATE TABLE {shard}.orders (
  no bigint PRIMARY KEY,
  id uuid NOT NULL,
  member uuid NOT NULL,
  time bigint NOT NULL,
  store text,
  channel text,
  paid bigint NOT NULL,
  refunded bigint NOT NULL,
  status smallint NOT NULL,
  event bigint NOT NULL,
  terms text NOT NULL
) WITH (fillfactor = 90);

CREATE TABLE {shard}.order_change (
  order_id uuid NOT NULL,
  at bigint NOT NULL,
  paid bigint NOT NULL,
  refunded bigint NOT NULL,
  counts boolean NOT NULL,
  PRIMARY KEY (order_id, at)
);

-- The journal. Written once: the triggers below refuse any change. "seq" is the order in which transfers were made: what
-- reverses another comes after it. They are found by the event that caused them.
CREATE TABLE {shard}.transfer (
  seq bigint GENERATED BY DEFAULT AS IDENTITY,
  id uuid NOT NULL,
  member uuid NOT NULL,
  asset smallint NOT NULL,
  kind smallint NOT NULL,
  amount bigint NOT NULL CHECK (amount > 0),
  event bigint NOT NULL,
  ordinal integer NOT NULL,
  at bigint NOT NULL,
  day integer NOT NULL,
  reverses uuid,
  order_id uuid,
  version bigint NOT NULL
);
CREATE INDEX transfer_event ON {shard}.transfer (event);
-- Only spends are looked up by id: they may come back.
CREATE INDEX transfer_spend ON {shard}.transfer (id) WHERE kind = 2;
CREATE INDEX transfer_reverses ON {shard}.transfer (reverses) WHERE reverses IS NOT NULL;

CREATE TABLE {shard}.allocation (
  no bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  member uuid NOT NULL,
  transfer uuid NOT NULL,
  lot uuid,
  amount bigint NOT NULL
);
CREATE INDEX allocation_transfer ON {shard}.allocation (transfer);

CREATE FUNCTION {shard}.written_once() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN RAISE EXCEPTION '% is written once: never changed, never deleted', TG_TABLE_NAME; END $$;
CREATE TRIGGER transfer_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON {shard}.transfer
  FOR EACH STATEMENT EXECUTE FUNCTION {shard}.written_once();
CREATE TRIGGER allocation_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON {shard}.allocation
  FOR EACH STATEMENT EXECUTE FUNCTION {shard}.written_once();

-- A member's lots, found in spending order.
CREATE TABLE {shard}.lot (
  id uuid NOT NULL,
  member uuid NOT NULL,
  asset smallint NOT NULL,
  granted bigint NOT NULL,
  remaining bigint NOT NULL CHECK (remaining >= 0 AND remaining <= granted),
  active_at bigint NOT NULL,
  expires_at bigint NOT NULL,
  active boolean NOT NULL,
  PRIMARY KEY (member, expires_at, active_at, id)
) WITH (fillfactor = 90);

-- One row a share, so that batches of different shares do not wait for each other; a balance is their sum.
CREATE TABLE {shard}.house_account (
  asset smallint NOT NULL,
  house text COLLATE "C" NOT NULL,
  slot integer NOT NULL,
  balance bigint NOT NULL,
  PRIMARY KEY (asset, house, slot)
) WITH (fillfactor = 50);

CREATE TABLE {shard}.hold (
  id uuid PRIMARY KEY,
  member uuid NOT NULL,
  asset smallint NOT NULL,
  amount bigint NOT NULL,
  open boolean NOT NULL
);

CREATE TABLE {shard}.term (
  no bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  member uuid NOT NULL,
  level text NOT NULL,
  at bigint NOT NULL,
  ends integer NOT NULL,
  event bigint NOT NULL,
  version bigint NOT NULL
);
CREATE INDEX term_member ON {shard}.term (member, at);

CREATE TABLE {shard}.stage_move (
  no bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  member uuid NOT NULL,
  was text,
  becomes text NOT NULL,
  at bigint NOT NULL,
  event bigint NOT NULL,
  version bigint NOT NULL
);
CREATE INDEX stage_move_member ON {shard}.stage_move (member, at);

CREATE TABLE {shard}.tag_move (
  no bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  member uuid NOT NULL,
  tag text NOT NULL,
  is_on boolean NOT NULL,
  at bigint NOT NULL,
  event bigint NOT NULL,
  version bigint NOT NULL
);
