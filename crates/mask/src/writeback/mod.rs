//! Writes of what was shown masked.
//!
//! A client that reads an object, edits it and writes it back sends placeholders. Each is put right where it provably
//! belongs: where the object, masked anew for the same session, shows exactly this text at exactly this place, and only if it
//! will be masked there again. No value ever moves, and nothing is ever put right in a patch, which a server's error could quote: a patch is applied here and sent as an
//! update. Anything else is refused, with the place and what to do ([`Unwritable`]).
//!
//! A write that puts values back holds the placeholders of the session whose change it undoes. Each is put right from what was kept of
//! the object before that change, by the same rule: where that shows exactly this text at exactly this place.
//!
//! Writes to Secrets also carry a mark of their own, so that each changes the object: whether a guessed value was right
//! then shows in no version and in no event.

mod beside;
mod guess;
mod hidden;
mod kept;
mod live;
mod pointer;
mod restore;
mod unwritable;
mod update;

pub use kept::{Kept, ToKeep};
pub use live::{Live, NotKept};
pub use unwritable::Unwritable;
pub use update::{needs_live, placeholder_path};
