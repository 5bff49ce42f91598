-- Requests for approval, each recorded in the ledger before it is here, and the steps since: an approval is the one and the others in their order (crate `approval`).
-- Times are microseconds since the Unix epoch, UTC.
CREATE TABLE approvals (
    id            TEXT    NOT NULL PRIMARY KEY,
    session       TEXT    NOT NULL REFERENCES sessions (id),
    -- Digest, under a key of the gate's, of the request that it is for: the same request sent again is found by it.
    request       TEXT    NOT NULL,
    asked_at      INTEGER NOT NULL,
    asked         TEXT    NOT NULL CHECK (json_valid(asked)),
    -- What would be done and what for, in words.
    act           TEXT    NOT NULL,
    reason        TEXT    NOT NULL,
    -- Where it stands after its last step.
    state         TEXT    NOT NULL,
    -- Until when it can be decided or used; none once it has ended.
    deadline      INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX approvals_open ON approvals (session, request) WHERE deadline IS NOT NULL;
CREATE INDEX approvals_of_session ON approvals (session);
CREATE INDEX approvals_newest ON approvals (asked_at, id);
CREATE INDEX approvals_deadline ON approvals (deadline) WHERE deadline IS NOT NULL;

-- What approvers are shown, masked: large, and read for one approval at a time.
CREATE TABLE approval_shown (
    approval      TEXT    NOT NULL PRIMARY KEY REFERENCES approvals (id),
    shown         TEXT    NOT NULL CHECK (json_valid(shown))
) STRICT, WITHOUT ROWID;

-- Each number is taken once: of two who would take the same step, one comes too late.
CREATE TABLE approval_steps (
    approval      TEXT    NOT NULL REFERENCES approvals (id),
    number        INTEGER NOT NULL CHECK (number > 0),
    step          TEXT    NOT NULL CHECK (json_valid(step)),
    -- When it was recorded in the ledger: what a gate that was killed in between has yet to tell.
    recorded_at   INTEGER,
    PRIMARY KEY (approval, number)
) STRICT, WITHOUT ROWID;

CREATE INDEX approval_steps_unrecorded ON approval_steps (approval, number) WHERE recorded_at IS NULL;

-- They are evidence: none may change, and none may go.
CREATE TRIGGER approvals_are_final
BEFORE UPDATE OF id, session, request, asked_at, asked, act, reason ON approvals
BEGIN
    SELECT RAISE(ABORT, 'what was asked is final');
END;
CREATE TRIGGER approval_shown_is_final
BEFORE UPDATE ON approval_shown
BEGIN
    SELECT RAISE(ABORT, 'what was shown is final');
END;
CREATE TRIGGER approval_shown_is_kept
BEFORE DELETE ON approval_shown
BEGIN
    SELECT RAISE(ABORT, 'what was shown is kept');
END;
CREATE TRIGGER approvals_are_kept
BEFORE DELETE ON approvals
BEGIN
    SELECT RAISE(ABORT, 'approvals are kept');
END;
CREATE TRIGGER approval_steps_are_final
BEFORE UPDATE OF approval, number, step ON approval_steps
BEGIN
    SELECT RAISE(ABORT, 'a step is final');
END;
CREATE TRIGGER approval_steps_are_recorded_once
BEFORE UPDATE OF recorded_at ON approval_steps
WHEN OLD.recorded_at IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'a step is recorded once');
END;
CREATE TRIGGER approval_steps_are_kept
BEFORE DELETE ON approval_steps
BEGIN
    SELECT RAISE(ABORT, 'steps are kept');
END;
