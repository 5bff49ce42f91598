-- Passkeys of humans, each recorded in the ledger before it is here. Times are microseconds since the Unix epoch, UTC.
CREATE TABLE passkeys (
    -- The credential's id, base64url.
    id            TEXT    NOT NULL PRIMARY KEY,
    -- The human's name for good.
    subject       TEXT    NOT NULL,
    -- What they call it.
    name          TEXT    NOT NULL,
    -- Where it can be used.
    origin        TEXT    NOT NULL,
    -- The credential as it was enrolled.
    credential    TEXT    NOT NULL CHECK (json_valid(credential)),
    -- How sure it was who enrolled it: JSON.
    enrolled_by   TEXT    NOT NULL CHECK (json_valid(enrolled_by)),
    enrolled_at   INTEGER NOT NULL,
    -- The newest count of signatures that it told: a copy of it would tell an old one.
    sign_count    INTEGER NOT NULL,
    used_at       INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX passkeys_of ON passkeys (subject, enrolled_at);

CREATE TRIGGER passkeys_are_final
BEFORE UPDATE OF id, subject, name, origin, credential, enrolled_by, enrolled_at ON passkeys
BEGIN
    SELECT RAISE(ABORT, 'an enrolled passkey is final');
END;
