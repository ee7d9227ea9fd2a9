-- Who may do what, and what they did: API keys, approvals that wait, the audit log.
-- oldest: 2. Times are the wall clock's, in microseconds.

-- A key, found by its id; of its secret there is a keyed hash.
CREATE TABLE api_key (
  id TEXT PRIMARY KEY,
  hash BLOB NOT NULL,
  role TEXT NOT NULL,
  place TEXT,
  staff TEXT,
  name TEXT NOT NULL,
  scopes TEXT,
  made_at INTEGER NOT NULL,
  made_by TEXT NOT NULL,
  expires_at INTEGER,
  revoked_at INTEGER
) STRICT;

-- What waits for a second person.
CREATE TABLE approval (
  no INTEGER PRIMARY KEY,
  operation TEXT NOT NULL,
  request TEXT NOT NULL,
  asked_by TEXT NOT NULL,
  asked_at INTEGER NOT NULL,
  answer_by INTEGER NOT NULL,
  approved INTEGER,
  answered_by TEXT CHECK (answered_by <> asked_by),
  answered_at INTEGER
) STRICT;

-- The audit log: each line bears a hash over the one before and all that it says.
CREATE TABLE audit (
  no INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  who TEXT NOT NULL,
  role TEXT NOT NULL,
  operation TEXT NOT NULL,
  target TEXT NOT NULL,
  outcome TEXT NOT NULL,
  detail TEXT NOT NULL,
  hash BLOB NOT NULL
) STRICT;
CREATE TRIGGER audit_stays BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'a line of the audit log is never changed'); END;
CREATE TRIGGER audit_remains BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'a line of the audit log is never deleted'); END;
