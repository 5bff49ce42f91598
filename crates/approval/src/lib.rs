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
//! Pure: times and ids come in as arguments. A clock that goes back never takes an approval back: a transition is no earlier
//! than the one before it.

mod approval;
mod asked;
mod assurance;
mod binding;
mod effects;
mod human;
mod shown;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod transition;
mod wanted;

pub use approval::{Approval, Consumed, State, Vote};
pub use asked::{Asked, Demand};
pub use assurance::{Assurance, Level, Signed, relying_party};
pub use binding::{Bound, Digest, Target};
pub use human::Human;
pub use shown::{Beside, Budget, Budgets, Changes, Count, Line, Listed, Listing, Shown, Why};
pub use transition::{Refusal, Transition, What};
pub use wanted::{Answer, WantedAccess, WantedCall, WantedChanges};
