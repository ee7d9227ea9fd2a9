-- What the door knows of names beside whose they are. It holds the home's row while it writes here, so these lie in the
-- home's schema.

-- When a name was seen last that is believed for a time only; a name that is not here was seen when it was attached.
CREATE TABLE {home}.identifier_seen (
  hash uuid PRIMARY KEY,
  seen bigint NOT NULL
);

-- Names of items that were given up, without their values. "reason": 0 somebody else's, 1 beyond a limit.
CREATE TABLE {home}.given_up (
  -- The item's place, and which of those it gave up.
  seq bigint NOT NULL,
  no integer NOT NULL,
  namespace text COLLATE "C" NOT NULL,
  reason smallint NOT NULL CHECK (reason BETWEEN 0 AND 1),
  PRIMARY KEY (seq, no)
);
