-- What a message costs that leaves the home, where each does: as how many parts it is billed, and what those cost in ten-thousandths of the
-- brand's money; and when a receipt said that it arrived (docs/connect-sms.md). What was taken has no receipt for a while: it is asked for.
-- oldest: 2. (A program of before sends nothing that costs, and leaves these columns empty.)

ALTER TABLE send ADD COLUMN parts INTEGER;
ALTER TABLE send ADD COLUMN cost INTEGER;
ALTER TABLE send ADD COLUMN arrived_at INTEGER;
CREATE INDEX send_unheard ON send (channel, due, id) WHERE state IN (2, 3) AND parts IS NOT NULL AND arrived_at IS NULL;
CREATE INDEX send_receipt ON send (receipt) WHERE parts IS NOT NULL;
