-- People who sign in, and their sessions (docs/sign-in.md). {home} stands for its schema.
-- oldest: 1. Times are the wall clock's, in microseconds.

-- Who they are lies in the state, as JSON; the name is folded, and nobody else ever bears it.
CREATE TABLE {home}.person (
  id text COLLATE "C" PRIMARY KEY,
  revision bigint NOT NULL,
  name text COLLATE "C" NOT NULL UNIQUE,
  owns boolean NOT NULL,
  state text NOT NULL
);

-- A session, found by the hash of its token.
CREATE TABLE {home}.person_session (
  hash bytea PRIMARY KEY,
  person text COLLATE "C" NOT NULL,
  began_at bigint NOT NULL,
  until bigint NOT NULL,
  ends_at bigint NOT NULL
);
CREATE INDEX person_session_of ON {home}.person_session (person, until);
CREATE INDEX person_session_lapses ON {home}.person_session (until);
