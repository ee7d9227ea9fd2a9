-- Leases of tills that sell without a network: how each stands, and whom it names (docs/tills.md).
-- oldest: 2.

CREATE TABLE till_lease (
  name TEXT PRIMARY KEY,
  revision INTEGER NOT NULL,
  due INTEGER,
  state TEXT NOT NULL,
  members TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX till_lease_due ON till_lease (due) WHERE due IS NOT NULL;
