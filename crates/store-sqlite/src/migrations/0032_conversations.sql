-- Conversations with members, as the inbox lists them (docs/inbox.md). What was said lies in "reflection", under the same id.
-- oldest: 2. (A program of before sees no inbox and leaves these rows as they are.)
-- Times are the wall clock's.

CREATE TABLE conversation (
  id BLOB NOT NULL PRIMARY KEY,
  persona TEXT NOT NULL,
  state INTEGER NOT NULL,
  assignee TEXT,
  at INTEGER NOT NULL
) STRICT;
CREATE INDEX conversation_state ON conversation (state, at, id);
CREATE INDEX conversation_assignee ON conversation (assignee, state, at, id) WHERE assignee IS NOT NULL;
