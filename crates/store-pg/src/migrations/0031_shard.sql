-- What a message costs that leaves the home, where each does: as how many parts it is billed, and what those cost in ten-thousandths of the
-- brand's money; and when a receipt said that it arrived (docs/connect-sms.md). What was taken has no receipt for a while: it is asked for.
-- oldest: 1. (A program of before sends nothing that costs, and leaves these columns empty.)

ALTER TABLE {shard}.send ADD COLUMN parts bigint;
ALTER TABLE {shard}.send ADD COLUMN cost bigint;
ALTER TABLE {shard}.send ADD COLUMN arrived_at bigint;
CREATE INDEX send_unheard ON {shard}.send (channel, due, id) WHERE state IN (2, 3) AND parts IS NOT NULL AND arrived_at IS NULL;
CREATE INDEX send_receipt ON {shard}.send (receipt) WHERE parts IS NOT NULL;
