-- Short links, each in the shard of its code's hash, by which it is found, and how often it was followed (docs/links.md).
-- oldest: 1. (A program of before reads none, and leaves whom they name where they stand.)
-- A link leads to a page of the playbook, or to a target of its own. One with a message stands in something that was sent, or on
-- a poster; one without was made by hand.

CREATE TABLE {shard}.link (
  id uuid PRIMARY KEY,
  code text NOT NULL,
  page text NOT NULL,
  target text NOT NULL,
  touchpoint text,
  campaign text,
  message text,
  member uuid,
  sharer uuid,
  at bigint NOT NULL,
  until bigint,
  clicks bigint NOT NULL DEFAULT 0,
  scans bigint NOT NULL DEFAULT 0
);
CREATE INDEX link_made ON {shard}.link (at, id) WHERE message IS NULL;
CREATE INDEX link_of ON {shard}.link (member) WHERE member IS NOT NULL;
CREATE INDEX link_by ON {shard}.link (sharer) WHERE sharer IS NOT NULL;
