-- In which standing audiences members are, and what held when that was last judged, packed; NULL where no audience stands.
-- oldest: 2. (A program of before leaves the column as it is, and members where they are until the newer one judges them again.)

ALTER TABLE member ADD COLUMN audiences BLOB;
