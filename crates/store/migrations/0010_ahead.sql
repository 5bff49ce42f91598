-- What was asked ahead of calls, and what is open since the glass was broken.
-- `changes` or `access`; none: it is about one call.
ALTER TABLE approvals ADD COLUMN ahead TEXT;
-- Whether somebody has yet to sign off what was done by it.
ALTER TABLE approvals ADD COLUMN owes_review INTEGER NOT NULL DEFAULT 0 CHECK (owes_review IN (0, 1));

CREATE INDEX approvals_ahead ON approvals (session) WHERE ahead IS NOT NULL AND deadline IS NOT NULL;
CREATE INDEX approvals_unreviewed ON approvals (asked_at, id) WHERE owes_review = 1;

CREATE TRIGGER approvals_are_final_ahead
BEFORE UPDATE OF ahead ON approvals
BEGIN
    SELECT RAISE(ABORT, 'what was asked is final');
END;

-- Nobody has signed it off as long as no step says so.
CREATE TRIGGER approvals_are_reviewed_by_a_step
BEFORE UPDATE OF owes_review ON approvals
WHEN OLD.owes_review = 1 AND NEW.owes_review = 0 AND NOT EXISTS (
    SELECT 1 FROM approval_steps WHERE approval = NEW.id AND json_extract(step, '$.what.kind') = 'reviewed'
)
BEGIN
    SELECT RAISE(ABORT, 'it is not signed off');
END;
