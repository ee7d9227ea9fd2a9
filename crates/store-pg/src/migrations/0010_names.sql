-- Names that came into other hands, and erasures that whoever accepts items must know of.

-- In how many hands a name was before it came into those in which it is: what is sealed for each has a key of its own.
ALTER TABLE {home}.identifier_seen ADD COLUMN hands integer NOT NULL DEFAULT 0;

-- How often somebody was erased.
ALTER TABLE {home}.home ADD COLUMN erasures bigint NOT NULL DEFAULT 0;

-- More reasons for which a name is given up: 2 as many names as one may have, 3 sent by who may be anybody.
ALTER TABLE {home}.given_up DROP CONSTRAINT given_up_reason_check;
