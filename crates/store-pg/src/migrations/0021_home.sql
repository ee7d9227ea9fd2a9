-- Leases of tills that sell without a network: how each stands, and whom it names (docs/tills.md): once in a home.
-- oldest: 1.

CREATE TABLE {home}.till_lease (
  name text COLLATE "C" PRIMARY KEY,
  revision bigint NOT NULL,
  due bigint,
  state text NOT NULL,
  members text NOT NULL
);

CREATE INDEX till_lease_due ON {home}.till_lease (due) WHERE due IS NOT NULL;
