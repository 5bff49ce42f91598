//! Taking connections, and how many of them each client may have: for every listener of the gate.

mod accept;
mod network;
mod slots;

pub use accept::next;
pub use network::network;
pub use slots::{Slot, Slots};

/// The protocols offered by ALPN, in order of preference.
pub const ALPN: [&[u8]; 2] = [b"h2", b"http/1.1"];
