-- Names of a member by the first three bytes of the member's id: a member's names lie together all the same, in half of the room.
DROP INDEX identifier_member;
CREATE INDEX identifier_of ON identifier (substr(member, 1, 3));
