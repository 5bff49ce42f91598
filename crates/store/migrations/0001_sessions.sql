-- Sessions: one run of one agent for one delegator on one cluster.
-- Times are microseconds since the Unix epoch, UTC.
CREATE TABLE sessions (
    id            TEXT    NOT NULL PRIMARY KEY,
    -- SHA-256 of the secret part of the session's token; the secret itself is never stored.
    token_hash    BLOB    NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    agent         TEXT    NOT NULL,
    delegator     TEXT    NOT NULL,
    cluster       TEXT    NOT NULL,
    reason        TEXT    NOT NULL,
    created_at    INTEGER NOT NULL,
    expires_at    INTEGER NOT NULL CHECK (expires_at > created_at),
    revoked_at    INTEGER,
    revoked_by    TEXT,
    revoked_why   TEXT,
    CHECK ((revoked_at IS NULL) = (revoked_by IS NULL)),
    CHECK ((revoked_at IS NULL) = (revoked_why IS NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX sessions_live ON sessions (expires_at) WHERE revoked_at IS NULL;
CREATE INDEX sessions_newest ON sessions (created_at, id);

-- A session's facts are evidence: none may change, and it may not be brought back to life.
CREATE TRIGGER sessions_facts_are_final
BEFORE UPDATE OF id, token_hash, agent, delegator, cluster, reason, created_at, expires_at ON sessions
BEGIN
    SELECT RAISE(ABORT, 'the facts of a session are final');
END;
CREATE TRIGGER sessions_end_once
BEFORE UPDATE OF revoked_at, revoked_by, revoked_why ON sessions
WHEN OLD.revoked_at IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'a session is revoked once');
END;
CREATE TRIGGER sessions_are_kept
BEFORE DELETE ON sessions
BEGIN
    SELECT RAISE(ABORT, 'sessions are kept');
END;
