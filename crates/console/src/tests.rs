//! The console as browsers see it, over a real store, inbox, ledger and chronicle.

mod ahead;
mod assets;
mod bench;
mod changes;
mod deciding;
mod guard;
mod hostile;
mod listening;
mod live;
mod much;
mod passkeys;
mod paths;
mod reading;
mod replay;
mod seen;
mod signin;
mod undo;
