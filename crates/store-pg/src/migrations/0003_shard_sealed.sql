-- Sealed homes. oldest: 1, until a home is sealed: then this one (store::seal::vault).

-- What a source calls its item, sealed, where message_id is a keyed hash of that.
ALTER TABLE {shard}.event ADD COLUMN called bytea;
ALTER TABLE {shard}.event ALTER COLUMN called SET STORAGE EXTERNAL;
