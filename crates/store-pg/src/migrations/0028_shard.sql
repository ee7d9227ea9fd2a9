-- What platforms last showed, and what a home made there, each in the shard of its id (docs/wecom-mirror.md).
-- oldest: 1. (A program of before sees nothing there and leaves these rows as they are.)
-- Times are the wall clock's. A body is sealed under what "about" names.

CREATE TABLE {shard}.reflection (
  id uuid PRIMARY KEY,
  version bigint NOT NULL CHECK (version > 0),
  kind text COLLATE "C" NOT NULL,
  part uuid NOT NULL,
  due bigint,
  about uuid NOT NULL,
  body bytea NOT NULL
);
CREATE INDEX reflection_part ON {shard}.reflection (kind, part, id);
CREATE INDEX reflection_due ON {shard}.reflection (kind, due, id) WHERE due IS NOT NULL;
CREATE INDEX reflection_about ON {shard}.reflection (about);
