-- Conversations with members, as the inbox lists them, each in the shard of its id (docs/inbox.md). What was said lies in "reflection", under
-- the same id.
-- oldest: 1. (A program of before sees no inbox and leaves these rows as they are.)
-- Times are the wall clock's.

CREATE TABLE {shard}.conversation (
  id uuid PRIMARY KEY,
  persona text NOT NULL,
  state bigint NOT NULL,
  assignee text,
  at bigint NOT NULL
);
CREATE INDEX conversation_state ON {shard}.conversation (state, at, id);
CREATE INDEX conversation_assignee ON {shard}.conversation (assignee, state, at, id) WHERE assignee IS NOT NULL;
