-- A freeze: the session is refused until a human thaws it. Only how it is frozen now; earlier freezes are in the ledger.
-- Times are microseconds since the Unix epoch, UTC.
ALTER TABLE sessions ADD COLUMN frozen_at INTEGER;
ALTER TABLE sessions ADD COLUMN frozen_by TEXT CHECK ((frozen_at IS NULL) = (frozen_by IS NULL));
ALTER TABLE sessions ADD COLUMN frozen_why TEXT CHECK ((frozen_at IS NULL) = (frozen_why IS NULL));
-- When the freeze was recorded in the ledger: what a gate that was killed in between has yet to tell.
ALTER TABLE sessions ADD COLUMN freeze_recorded_at INTEGER;
-- Known secret values, and guesses at them, that it has sent since it began or was last thawed.
ALTER TABLE sessions ADD COLUMN values_sent INTEGER NOT NULL DEFAULT 0 CHECK (values_sent >= 0);

CREATE INDEX sessions_freeze_unrecorded ON sessions (frozen_at)
WHERE frozen_at IS NOT NULL AND freeze_recorded_at IS NULL;

-- A freeze is told as it was until a thaw ends it; and what ended is neither frozen nor thawed any more.
CREATE TRIGGER sessions_freeze_once
BEFORE UPDATE OF frozen_at, frozen_by, frozen_why ON sessions
WHEN OLD.revoked_at IS NOT NULL OR (OLD.frozen_at IS NOT NULL AND NEW.frozen_at IS NOT NULL)
BEGIN
    SELECT RAISE(ABORT, 'a session is frozen once until it is thawed, and not once it is revoked');
END;
