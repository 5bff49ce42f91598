-- Every name by which a person of an identity provider was ever known: whoever changes theirs there is still who they were.
CREATE TABLE names (
    -- Issuer and subject: theirs for good.
    person        TEXT    NOT NULL,
    name          TEXT    NOT NULL,
    PRIMARY KEY (person, name)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER names_are_kept
BEFORE DELETE ON names
BEGIN
    SELECT RAISE(ABORT, 'names are kept');
END;
