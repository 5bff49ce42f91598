//! Why an answer could not be understood.

/// An answer that is not what it must be; nothing after it may be delivered.
///
/// It says where and what, and never a byte of the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("malformed answer at byte {offset}: {what}")]
pub struct Malformed {
    /// Bytes of the answer before the place where it was found, as they came from upstream.
    pub offset: u64,
    /// What is wrong there.
    pub what: What,
}

/// What is wrong with a malformed answer (RFC 8259 unless said otherwise).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum What {
    /// A document does not begin with `{`; Kubernetes answers with objects alone.
    #[error("a document must be an object")]
    NotAnObject,
    /// A byte that the grammar does not allow here.
    #[error("unexpected byte")]
    Unexpected,
    /// An unescaped control character in a string (section 7).
    #[error("control character in a string")]
    ControlCharacter,
    /// A backslash followed by something that is no escape (section 7).
    #[error("unknown escape in a string")]
    BadEscape,
    /// Half of a surrogate pair (section 8.2): decoders disagree on what it means.
    #[error("lone surrogate in a string")]
    LoneSurrogate,
    /// A string that is not UTF-8 (section 8.1).
    #[error("string is not UTF-8")]
    NotUtf8,
    /// A number outside the grammar (section 6).
    #[error("bad number")]
    BadNumber,
    /// Something like `true`, `false` or `null`, but not quite (section 3).
    #[error("bad literal")]
    BadLiteral,
    /// Deeper than [`MAX_DEPTH`](crate::MAX_DEPTH) open objects and arrays.
    #[error("nested too deeply")]
    TooDeep,
    /// The answer ended within a document, or before it.
    #[error("ended early")]
    Truncated,
    /// Bytes in an answer that must have none.
    #[error("content where there must be none")]
    NotEmpty,
}

/// A malformed spot, counted from the start of the slice that was being scanned.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fault {
    pub(crate) at: usize,
    pub(crate) what: What,
}

impl Fault {
    pub(crate) fn new(at: usize, what: What) -> Self {
        Self { at, what }
    }
}
