-- Checkouts: where each stands, what it takes of what is bounded, and its body, which a sealed home seals (docs/checkout.md).
-- oldest: 2. (A program of before leaves them where they are.)
-- States: 0 locked, 1 redeemed, 2 returned, 3 cancelled, 4 released.

CREATE TABLE checkout (
  id BLOB PRIMARY KEY,
  member BLOB NOT NULL,
  state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 4),
  at INTEGER NOT NULL,
  until INTEGER NOT NULL,
  cause BLOB NOT NULL,
  order_id BLOB,
  takes BLOB NOT NULL,
  body BLOB NOT NULL
) STRICT;
CREATE INDEX checkout_member ON checkout (member, at);
