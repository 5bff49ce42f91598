//! Protobuf's wire format (protobuf.dev/programming-guides/encoding), as strictly as it can be read.

/// A field as it stands on the wire, without its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wire<'a> {
    Varint(u64),
    Delimited(&'a [u8]),
}

/// Splits the first field off: its number, its content, and what follows. `None` if it does not parse, or has one of
/// the wire types that no Kubernetes message has (fixed-width numbers and groups).
pub(super) fn field(bytes: &[u8]) -> Option<(u32, Wire<'_>, &[u8])> {
    let (key, rest) = varint(bytes)?;
    let number = u32::try_from(key >> 3).ok()?;
    match key & 7 {
        0 => {
            let (value, rest) = varint(rest)?;
            Some((number, Wire::Varint(value), rest))
        }
        2 => {
            let (length, rest) = varint(rest)?;
            let (content, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
            Some((number, Wire::Delimited(content), rest))
        }
        _ => None,
    }
}

/// At most ten bytes, of which the last holds one bit.
fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0_u64;
    for (at, byte) in bytes.iter().enumerate().take(10) {
        let bits = u64::from(byte & 0x7f);
        if at == 9 && bits > 1 {
            return None;
        }
        value |= bits << (7 * at);
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(at + 1..)?));
        }
    }
    None
}

impl<'a> Wire<'a> {
    pub(super) fn delimited(self) -> Option<&'a [u8]> {
        match self {
            Self::Delimited(content) => Some(content),
            Self::Varint(_) => None,
        }
    }

    pub(super) fn text(self) -> Option<&'a str> {
        std::str::from_utf8(self.delimited()?).ok()
    }

    /// Negative numbers are sign-extended to 64 bits, whatever their type.
    pub(super) fn int64(self) -> Option<i64> {
        match self {
            Self::Varint(value) => Some(value.cast_signed()),
            Self::Delimited(_) => None,
        }
    }

    /// A number that needs more bits is refused; Go's reader would cut them off.
    pub(super) fn int32(self) -> Option<i32> {
        i32::try_from(self.int64()?).ok()
    }

    pub(super) fn boolean(self) -> Option<bool> {
        match self {
            Self::Varint(0) => Some(false),
            Self::Varint(1) => Some(true),
            Self::Varint(_) | Self::Delimited(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_split_off() {
        assert_eq!(field(&[0x0a, 2, b'h', b'i', 9]), Some((1, Wire::Delimited(b"hi"), &[9][..])));
        assert_eq!(field(&[0x10, 0x96, 1]), Some((2, Wire::Varint(150), &[][..])));
        let minus_one = [[0x10].as_slice(), &[0xff; 9], &[1]].concat();
        assert_eq!(field(&minus_one).unwrap().1.int32(), Some(-1));
    }

    #[test]
    fn what_does_not_parse_is_refused() {
        let too_long = [[0x10].as_slice(), &[0xff; 9], &[2]].concat();
        for bytes in [&[][..], &[0x0a], &[0x0a, 3, 1], &[0x0d, 0, 0, 0, 0], &[0x0b], &[0x10, 0x80], &too_long]
        {
            assert_eq!(field(bytes), None, "{bytes:?}");
        }
        assert_eq!(Wire::Varint(1 << 40).int32(), None);
        assert_eq!(Wire::Varint(2).boolean(), None);
    }
}
