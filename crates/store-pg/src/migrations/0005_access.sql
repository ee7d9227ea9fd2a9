-- Who may do what, and what they did: API keys, approvals that wait, the audit log. {home} stands for its schema.
-- oldest: 1. Times are the wall clock's, in microseconds.

-- A key, found by its id; of its secret there is a keyed hash.
CREATE TABLE {home}.api_key (
  id text COLLATE "C" PRIMARY KEY,
  hash bytea NOT NULL,
  role text NOT NULL,
  place text,
  staff text,
  name text NOT NULL,
  scopes text,
  made_at bigint NOT NULL,
  made_by text NOT NULL,
  expires_at bigint,
  revoked_at bigint
);

-- What waits for a second person.
CREATE TABLE {home}.approval (
  no bigint PRIMARY KEY,
  operation text NOT NULL,
  request text NOT NULL,
  asked_by text COLLATE "C" NOT NULL,
  asked_at bigint NOT NULL,
  answer_by bigint NOT NULL,
  approved boolean,
  answered_by text COLLATE "C" CHECK (answered_by <> asked_by),
  answered_at bigint
);

-- The audit log: each line bears a hash over the one before and all that it says.
CREATE TABLE {home}.audit (
  no bigint PRIMARY KEY,
  at bigint NOT NULL,
  who text NOT NULL,
  role text NOT NULL,
  operation text NOT NULL,
  target text NOT NULL,
  outcome text NOT NULL,
  detail text NOT NULL,
  hash bytea NOT NULL
);
CREATE TRIGGER audit_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON {home}.audit
  FOR EACH STATEMENT EXECUTE FUNCTION {home}.written_once();
