-- Notices that people are to be told, and which target is still owed which: what a gate that was killed has yet to tell.
-- Times are microseconds since the Unix epoch, UTC.
CREATE TABLE notices (
    -- Their order.
    number        INTEGER NOT NULL PRIMARY KEY,
    -- Each is taken once: told again, it is the same notice.
    id            TEXT    NOT NULL UNIQUE,
    added_at      INTEGER NOT NULL,
    notice        TEXT    NOT NULL CHECK (json_valid(notice))
) STRICT;

CREATE INDEX notices_oldest ON notices (added_at);

-- Gone once the target has it, or was given up. The next of a target is its first by this key.
CREATE TABLE notice_deliveries (
    target        TEXT    NOT NULL,
    -- Not to be tried before.
    due           INTEGER NOT NULL,
    notice        INTEGER NOT NULL REFERENCES notices (number),
    attempts      INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    PRIMARY KEY (target, due, notice)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX notice_deliveries_of ON notice_deliveries (notice, target);

-- Told is told: a notice does not change on its way.
CREATE TRIGGER notices_are_final
BEFORE UPDATE ON notices
BEGIN
    SELECT RAISE(ABORT, 'a notice is final');
END;
