//! What all ends of upgraded connections have in common.

use bytes::Bytes;

/// One end of an upgraded connection: pieces of bytes come in, and what they say comes out; what is said goes in, and pieces come
/// out. Over a WebSocket a piece is a message.
pub trait Endpoint {
    /// What the other side says.
    type Hears;
    /// What is said to it.
    type Says;
    /// What it may not do: end the connection.
    type Error: std::error::Error + Send + Sync + 'static;

    /// Reads on in a piece until something was said, which may be empty; `None`: all of it was read. A message is read whole.
    ///
    /// # Errors
    /// The other side may not say it.
    fn receive(&mut self, input: &mut Bytes) -> Result<Option<Self::Hears>, Self::Error>;

    /// Says something. What the other side has closed, or never opened, it is not told.
    ///
    /// # Errors
    /// It cannot be said, or not yet.
    fn send(&mut self, said: &Self::Says) -> Result<(), Self::Error>;

    /// Whether something was said that is not told yet and needs no further piece: what was sent has made room for it.
    fn has_said(&self) -> bool {
        false
    }

    /// The next piece to be sent, if there is one.
    fn take_output(&mut self) -> Option<Bytes>;

    /// Whether there is one.
    fn has_output(&self) -> bool;
}
