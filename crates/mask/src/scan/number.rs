//! Numbers (RFC 8259 section 6).

/// How much of a number has been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Number {
    /// `-`
    Minus,
    /// `0`, after which no digit may come
    Zero,
    /// Digits of the integer part.
    Integer,
    /// `.`
    Point,
    /// Digits of the fraction.
    Fraction,
    /// `e`
    Exponent,
    /// `e+`
    Sign,
    /// Digits of the exponent.
    Power,
}

impl Number {
    /// What `byte` begins, if it can begin a number.
    pub(crate) fn begin(byte: u8) -> Option<Self> {
        match byte {
            b'-' => Some(Self::Minus),
            b'0' => Some(Self::Zero),
            b'1'..=b'9' => Some(Self::Integer),
            _ => None,
        }
    }

    /// The number with `byte` added, if it can go on so.
    #[inline]
    pub(crate) fn next(self, byte: u8) -> Option<Self> {
        match (self, byte) {
            (Self::Minus, b'0') => Some(Self::Zero),
            (Self::Minus, b'1'..=b'9') | (Self::Integer, b'0'..=b'9') => Some(Self::Integer),
            (Self::Zero | Self::Integer, b'.') => Some(Self::Point),
            (Self::Point | Self::Fraction, b'0'..=b'9') => Some(Self::Fraction),
            (Self::Zero | Self::Integer | Self::Fraction, b'e' | b'E') => Some(Self::Exponent),
            (Self::Exponent, b'+' | b'-') => Some(Self::Sign),
            (Self::Exponent | Self::Sign | Self::Power, b'0'..=b'9') => Some(Self::Power),
            _ => None,
        }
    }

    /// Whether the number may end here.
    #[inline]
    pub(crate) fn complete(self) -> bool {
        matches!(self, Self::Zero | Self::Integer | Self::Fraction | Self::Power)
    }
}
