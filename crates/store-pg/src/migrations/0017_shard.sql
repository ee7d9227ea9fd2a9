-- Checkouts: where each stands, what it takes of what is bounded, and its body, which a sealed home seals (docs/checkout.md);
-- in the shard of the checkout's own hash, so that each is found by it.
-- oldest: 1. (A program of before leaves them where they are.)
-- States: 0 locked, 1 redeemed, 2 returned, 3 cancelled, 4 released.

CREATE TABLE {shard}.checkout (
  id uuid PRIMARY KEY,
  member uuid NOT NULL,
  state smallint NOT NULL CHECK (state BETWEEN 0 AND 4),
  at bigint NOT NULL,
  until bigint NOT NULL,
  cause uuid NOT NULL,
  order_id uuid,
  takes bytea NOT NULL,
  body bytea NOT NULL
);
CREATE INDEX checkout_member ON {shard}.checkout (member, at);
