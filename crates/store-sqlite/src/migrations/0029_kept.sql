-- What was said is let go of by its age (docs/privacy.md): texts first, then rows that have none.
-- oldest: 2. (A program of before lets go of none.)

CREATE INDEX outbox_texts ON outbox (at, id) WHERE length(body) > 1;
CREATE INDEX outbox_bare ON outbox (at, id) WHERE length(body) <= 1;
