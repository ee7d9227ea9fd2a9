-- The tables of the plain baseline: what a good engineer would lay out by hand for points and growth
-- of one shop's members. Run by psql: `psql ADDRESS -v members=N -f plain-schema.sql`; then
-- plain.sql by pgbench. Made anew each time, in a schema of its own.
--
-- Kind to the baseline: only the indexes that the work needs, no foreign keys, room in the pages of
-- rows that change (fillfactor), so that an update stays on its page and touches no index.
\if :{?members}
\else
  \set members 100000
\endif
\set ON_ERROR_STOP on
SET client_min_messages = warning;

DROP SCHEMA IF EXISTS plain CASCADE;
CREATE SCHEMA plain;

CREATE TABLE plain.members (
  id bigint PRIMARY KEY,
  points bigint NOT NULL,
  growth bigint NOT NULL,
  orders int NOT NULL,
  paid bigint NOT NULL,           -- minor units
  tier text NOT NULL,
  updated_at timestamptz NOT NULL
) WITH (fillfactor = 80);

-- What came in, once each: ids are remembered apart from events, which are archived.
CREATE TABLE plain.messages_seen (
  source text NOT NULL,
  message_id text NOT NULL,
  PRIMARY KEY (source, message_id)
);

CREATE TABLE plain.events (
  id bigserial PRIMARY KEY,
  source text NOT NULL,
  message_id text NOT NULL,
  body jsonb NOT NULL,
  received_at timestamptz NOT NULL DEFAULT now()
);

-- Every change of an account, and what caused it.
CREATE TABLE plain.journal (
  id bigserial PRIMARY KEY,
  member bigint NOT NULL,
  asset text NOT NULL,
  amount bigint NOT NULL,
  event bigint NOT NULL,
  at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON plain.journal (member);

CREATE TABLE plain.balances (
  member bigint NOT NULL,
  asset text NOT NULL,
  balance bigint NOT NULL,
  PRIMARY KEY (member, asset)
) WITH (fillfactor = 80);

-- Stands for the numbers that the source gives its messages: they differ between runs and lie together.
CREATE SEQUENCE plain.messages START 1000000000 CACHE 100;

INSERT INTO plain.members
SELECT id, 0, 0, 0, 0, 'regular', now() FROM generate_series(1, :members) AS id;
INSERT INTO plain.balances
SELECT id, asset, 0 FROM generate_series(1, :members) AS id, (VALUES ('growth'), ('points')) AS of (asset);

VACUUM ANALYZE plain.members, plain.messages_seen, plain.events, plain.journal, plain.balances;
