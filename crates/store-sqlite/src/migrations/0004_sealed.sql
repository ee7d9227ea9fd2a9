-- Sealed homes. oldest: 2, until a home is sealed: then this one (store::seal::vault).

-- What a source calls its item, sealed, where message_id is a keyed hash of that.
ALTER TABLE event ADD COLUMN called BLOB;
