-- How far a channel's pace has come: what all dispatchers of a home share, once in a home. oldest: 1.

CREATE TABLE {home}.channel_pace (
  channel text COLLATE "C" PRIMARY KEY,
  at bigint NOT NULL
);
