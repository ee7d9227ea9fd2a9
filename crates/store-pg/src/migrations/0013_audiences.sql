-- In which standing audiences members are, and what held when that was last judged, packed; NULL where no audience stands.
-- oldest: 1. (A program of before leaves the column as it is, and members where they are until the newer one judges them again.)

ALTER TABLE {shard}.member ADD COLUMN audiences bytea;
ALTER TABLE {shard}.member ALTER COLUMN audiences SET STORAGE EXTERNAL;
