//! Somebody else's text in messages of ours.

/// The beginning of `text`, fit for a line.
pub(crate) fn excerpt(text: &[u8]) -> String {
    String::from_utf8_lossy(text.get(..100).unwrap_or(text)).chars().flat_map(char::escape_debug).collect()
}
