-- What has happened and people are yet to be told, in its order. Kept by triggers, in the transaction in which it happens, so that no
-- code can forget to, and once the ledger has it. Gone once it is among the notices, or is none.
-- Times are microseconds since the Unix epoch, UTC.
CREATE TABLE happenings (
    -- None is used twice.
    number        INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    -- An approval that was asked (0) or took a step.
    approval      TEXT    REFERENCES approvals (id),
    step          INTEGER CHECK ((approval IS NULL) = (step IS NULL)),
    -- Or a session that was frozen: as it was, since a thaw forgets that.
    session       TEXT    REFERENCES sessions (id) CHECK ((session IS NULL) <> (approval IS NULL)),
    frozen_at     INTEGER CHECK ((session IS NULL) = (frozen_at IS NULL)),
    frozen_by     TEXT    CHECK ((session IS NULL) = (frozen_by IS NULL)),
    frozen_why    TEXT    CHECK ((session IS NULL) = (frozen_why IS NULL))
) STRICT;

-- A request is in the ledger before it is here.
CREATE TRIGGER approvals_asked_happen
AFTER INSERT ON approvals
BEGIN
    INSERT INTO happenings (approval, step) VALUES (NEW.id, 0);
END;
CREATE TRIGGER approval_steps_happen
AFTER UPDATE OF recorded_at ON approval_steps
WHEN NEW.recorded_at IS NOT NULL
BEGIN
    INSERT INTO happenings (approval, step) VALUES (NEW.approval, NEW.number);
END;
CREATE TRIGGER sessions_freezes_happen
AFTER UPDATE OF freeze_recorded_at ON sessions
WHEN NEW.frozen_at IS NOT NULL AND NEW.freeze_recorded_at IS NOT NULL
BEGIN
    INSERT INTO happenings (session, frozen_at, frozen_by, frozen_why)
    VALUES (NEW.id, NEW.frozen_at, NEW.frozen_by, NEW.frozen_why);
END;
