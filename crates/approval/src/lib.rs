//! What a human's yes is worth, as a state machine.
//!
//! ```text
//!            ┌─ approved ─┬─ consumed
//!  requested ┤            ├─ expired
//!            ├─ refused   ├─ withdrawn
//!            ├─ expired   └─ superseded
//!            ├─ withdrawn
//!            └─ superseded
//! ```
//!
//! An [`Approval`] is what was asked ([`Asked`]) and the [`Transition`]s since. Each transition has the next number, and is checked
//! in full when it is applied: whether the human may decide, whether it is in time, whether the bytes are those that were
//! asked about. So what is read back from a store that somebody wrote to is held against the same rules as what people do,
//! and whoever stores transitions under their numbers, each once, has an approval that is used at most once however many try.
//!
//! What is asked about is one call, used once; or several changes, each used once; or access to a scope, which ends with its time and is not
//! used up. Access that broke the glass stays open until somebody else has signed it off ([`Approval::owes_review`]).
//!
//! Pure: times and ids come in as arguments. A clock that goes back never takes an approval back: a transition is no earlier
//! than the one before it.

mod access;
mod approval;
mod asked;
mod assurance;
mod binding;
mod changes;
mod diff;
mod effects;
mod human;
mod parts;
mod shown;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod transition;
mod wanted;

pub use access::{Access, BadScope, BreakGlass, Scope, Usage, time};
pub use approval::{Approval, Caller, Consumed, Grant, Making, Review, State, Vote};
pub use asked::{Asked, Demand};
pub use assurance::{Assurance, Level, Signed, relying_party};
pub use binding::{Bound, Call, Container, Digest, Subject, Target};
pub use changes::{APPLIED, Change, Changes, Outcome};
pub use diff::{Diff, Limit, Line};
pub use human::Human;
pub use parts::Part;
pub use shown::{Beside, Budget, Budgets, Count, Listed, Listing, Runs, Shown, Why};
pub use transition::{Refusal, Transition, What};
pub use wanted::{
    ACCESS_PATH, APPROVALS_PATH, Answer, CHANGES_PATH, MOST_CHANGES, RESTORE_HEADER, Standing, WantedAccess,
    WantedCall, WantedChanges,
};
