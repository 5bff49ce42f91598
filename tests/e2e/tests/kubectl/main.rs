//! kubectl through the gate does what it does directly: same exit code, same output but for times and masked values. Where
//! the gate has a say of its own, its words are told here.

mod own_words;
mod reads;
mod watches;
mod writes;
