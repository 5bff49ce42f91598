-- When the expiry of a session was recorded in the ledger: what a gate that was down, or was killed in between, has
-- yet to tell. Microseconds since the Unix epoch, UTC.
ALTER TABLE sessions ADD COLUMN expiry_recorded_at INTEGER;

CREATE INDEX sessions_expiry_unrecorded ON sessions (expires_at)
WHERE revoked_at IS NULL AND expiry_recorded_at IS NULL;

CREATE TRIGGER sessions_expire_once
BEFORE UPDATE OF expiry_recorded_at ON sessions
WHEN OLD.expiry_recorded_at IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'the expiry of a session is recorded once');
END;
