-- Draws: how each stands, and its closed list in parts (docs/draws.md): once in a home.
-- oldest: 1.

CREATE TABLE {home}.draw (
  name text COLLATE "C" PRIMARY KEY,
  revision bigint NOT NULL,
  state text NOT NULL
);

CREATE TABLE {home}.draw_part (
  list bytea NOT NULL,
  part bigint NOT NULL,
  entries bytea NOT NULL,
  PRIMARY KEY (list, part)
);
ALTER TABLE {home}.draw_part ALTER COLUMN entries SET STORAGE EXTERNAL;
