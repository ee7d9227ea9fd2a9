-- What members told of themselves beside attributes: consent and dependants, sealed as attributes are; NULL where they told
-- nothing. (A program of before leaves the column as it is, and takes such items for ones without effect.)

ALTER TABLE {shard}.member ADD COLUMN personal bytea;
ALTER TABLE {shard}.member ALTER COLUMN personal SET STORAGE EXTERNAL;
