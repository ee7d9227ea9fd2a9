-- What members told of themselves beside attributes: consent and dependants, sealed as attributes are; NULL where they told
-- nothing. oldest: 2. (A program of before leaves the column as it is, and takes such items for ones without effect.)

ALTER TABLE member ADD COLUMN personal BLOB;
