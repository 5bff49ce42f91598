-- What is in the ledger, by what people look for. Nothing here is evidence: it is made from the ledger, and made anew when it is lost.
-- Times are microseconds since the Unix epoch, UTC. `leaf` is an index in the ledger.
CREATE TABLE read (
    -- How many leaves were read.
    leaves        INTEGER NOT NULL
) STRICT;
INSERT INTO read VALUES (0);

CREATE TABLE calls (
    leaf          INTEGER NOT NULL PRIMARY KEY,
    call          TEXT    NOT NULL,
    time          INTEGER NOT NULL,
    -- None: a call that was refused before anybody knew whose it was.
    session       TEXT,
    agent         TEXT,
    -- For whom it runs.
    delegator     TEXT,
    cluster       TEXT,
    -- What was asked, as one would type it.
    asked         TEXT    NOT NULL,
    -- `open`, `completed`, `failed`, `denied`, `cut`; `refused`, `answered`.
    state         TEXT    NOT NULL,
    rules         TEXT    NOT NULL,
    status        INTEGER,
    -- Why it was refused, or what ended it.
    message       TEXT,
    duration_us   INTEGER,
    masked        INTEGER,
    approval      TEXT,
    -- Whether the gate asks it for another call.
    look          INTEGER NOT NULL
) STRICT;

-- Its outcome finds it by this. A call that was put off and sent again has more than one.
CREATE INDEX calls_open ON calls (call) WHERE state = 'open';
CREATE INDEX calls_of_session ON calls (session, leaf);
CREATE INDEX calls_by_approval ON calls (approval, leaf) WHERE approval IS NOT NULL;
CREATE INDEX calls_refused ON calls (leaf) WHERE state = 'refused';

-- Everything else.
CREATE TABLE happenings (
    leaf          INTEGER NOT NULL PRIMARY KEY,
    time          INTEGER NOT NULL,
    kind          TEXT    NOT NULL,
    session       TEXT,
    told          TEXT    NOT NULL
) STRICT;

CREATE INDEX happenings_of_session ON happenings (session, leaf);
CREATE INDEX happenings_of_kind ON happenings (kind, leaf);

-- Whose approvals are.
CREATE TABLE approvals (
    id            TEXT    NOT NULL PRIMARY KEY,
    session       TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

-- The segments of recordings, by what they are told apart from others.
CREATE TABLE segments (
    session       TEXT    NOT NULL,
    segment       INTEGER NOT NULL,
    sha256        BLOB    NOT NULL,
    PRIMARY KEY (session, segment)
) STRICT, WITHOUT ROWID;
