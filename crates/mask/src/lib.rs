//! Masks secrets in what an API server answers, while it streams.
//!
//! An answer comes [`Sealed`]: nobody has looked at it, and nobody can. [`Sealed::open`] decides from the *request* what it may
//! be, holds its media type against a table, and makes it [`Masked`], the only body there is for a client. What is not in
//! the table is [`Unmaskable`]; a failure about Secrets is told anew instead of relayed.
//!
//! Three nets, in two stages:
//!
//! | net | module | what it is |
//! |---|---|---|
//! | places | `places`, `scan`, [`Masker`] | a strict JSON scanner that replaces what stands at known places |
//! | known values | [`KnownValues`], `known` | what a cluster's Secrets hold, in every spelling |
//! | shapes | `shapes` | what looks like a credential |
//!
//! The last two are `redact`, over the bytes that the scanner gives out and over logs. A [`Guard`] holds what is particular to a
//! cluster, a [`View`] to whom an answer is shown. What the scanner cannot parse is [`Malformed`], never a guess: the answer breaks
//! off, so that no client takes a part for the whole. Any chunking of an answer gives the same bytes, in constant memory.
//!
//! Streams have channels instead of bodies: a [`Channel`] masks one, of which every [`SealedPiece`] is as closed as a `Sealed` answer.
//!
//! What comes back is `writeback`: [`Live`] is an object that the gate keeps to itself, to put placeholders right, [`Kept`] one as it was
//! before it was changed, to put its values back.
//!
//! Pure: no clock, no I/O, no randomness.

mod binding;
mod channel;
mod guard;
mod held;
mod helm;
mod kind;
mod known;
mod malformed;
mod masked;
mod masker;
mod media;
mod nested;
mod placeholder;
mod places;
mod redact;
mod scan;
mod sealed;
mod sent;
mod shapes;
mod splice;
mod status;
mod writeback;

pub use channel::{Channel, SealedPiece};
pub use guard::{Guard, Reveal, View};
pub use known::{KnownValues, SecretValue, Updated, is_public_pem};
pub use malformed::{Malformed, What};
pub use masked::{BodyError, Masked};
pub use masker::{Framing, Masker};
pub use media::Unmaskable;
pub use placeholder::{Placeholder, placeholder_in, unbound};
pub use places::{BadPlace, Catalogue, CustomPlace, Rules};
pub use redact::{Content, Redactor};
pub use scan::MAX_DEPTH;
pub use sealed::{Opened, Sealed};
pub use sent::sent;
pub use writeback::{Kept, Live, NotKept, ToKeep, Unwritable, needs_live, placeholder_path};
