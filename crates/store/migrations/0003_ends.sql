-- When the end of a session, an expiry or a revocation, was recorded in the ledger: what a gate that was killed in
-- between has yet to tell. Microseconds since the Unix epoch, UTC.
DROP INDEX sessions_expiry_unrecorded;
DROP TRIGGER sessions_expire_once;
ALTER TABLE sessions RENAME COLUMN expiry_recorded_at TO end_recorded_at;

-- Revocations before this column told of them count as recorded.
UPDATE sessions SET end_recorded_at = revoked_at WHERE revoked_at IS NOT NULL;

CREATE INDEX sessions_end_unrecorded ON sessions (expires_at) WHERE end_recorded_at IS NULL;

CREATE TRIGGER sessions_end_recorded_once
BEFORE UPDATE OF end_recorded_at ON sessions
WHEN OLD.end_recorded_at IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'the end of a session is recorded once');
END;
