-- What campaigns change (docs/effects.md): arms of experiments are moves of runs, and who was assigned is found by campaign.
-- oldest: 1. (A program of before writes no moves.)

ALTER TABLE {shard}.run_move DROP CONSTRAINT run_move_kind_check;
ALTER TABLE {shard}.run_move ADD CONSTRAINT run_move_kind_check CHECK (kind >= 0);

-- Begun runs: who was assigned, in the order of members.
CREATE INDEX run_move_begun ON {shard}.run_move (campaign, member) WHERE kind = 0;
