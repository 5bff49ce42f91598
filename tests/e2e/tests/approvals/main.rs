//! What policy asks about waits for a human; a yes is for exactly that, once.

mod again;
mod ahead;
mod answered;
mod collections;
mod effects;
mod ends;
mod secrets;
