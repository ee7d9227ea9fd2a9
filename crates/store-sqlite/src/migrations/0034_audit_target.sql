-- Lines of the audit log by whom or what they are about: members see who did something with their data (docs/me.md).
-- oldest: 2. (A program of before writes lines as it did.)

CREATE INDEX audit_of ON audit (target, no);
