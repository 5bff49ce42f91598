//! What of a value is public: PEM blocks that are made to be given away. They stand in many other places, and masking them
//! there would break those.

use zeroize::Zeroizing;

/// Labels of PEM blocks (RFC 7468) that hold nothing secret. A request for a certificate is not among them: it may hold a
/// challenge password (RFC 2985 §5.4.1).
const LABELS: [&[u8]; 5] =
    [b"CERTIFICATE", b"TRUSTED CERTIFICATE", b"PUBLIC KEY", b"RSA PUBLIC KEY", b"X509 CRL"];

/// The longest line of a body: RFC 7468 says 64, older tools write up to 76.
const LONGEST_LINE: usize = 76;

/// Whether `value` is public PEM blocks and nothing else: not even a comment, in which something else could stand.
#[must_use]
pub fn is_public_pem(value: &[u8]) -> bool {
    !value.trim_ascii().is_empty() && without_public_pem(value).trim_ascii().is_empty()
}

/// `value` without its public PEM blocks. Only a block that is whole is one: its first line, lines of base64 and blank ones,
/// and the last line with the same label. Whatever else stands in it, or where it has no end, all of it is kept.
pub(super) fn without_public_pem(value: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut kept = Zeroizing::new(Vec::with_capacity(value.len()));
    let mut rest = value;
    while let Some((line, after)) = first_line(rest) {
        match label(line, b"-----BEGIN ").filter(|label| LABELS.contains(label)) {
            Some(label) if let Some(after_block) = after_body(after, label) => rest = after_block,
            _ => {
                kept.extend_from_slice(line);
                rest = after;
            }
        }
    }
    kept
}

/// What comes after the last line of a block of this label whose body begins here. Looks at nothing beyond the first line
/// that belongs to no body, so that text full of first lines is read no more than twice.
fn after_body<'a>(mut rest: &'a [u8], begun: &[u8]) -> Option<&'a [u8]> {
    while let Some((line, after)) = first_line(rest) {
        if label(line, b"-----END ") == Some(begun) {
            return Some(after);
        }
        if !is_base64(line.trim_ascii_end()) {
            return None;
        }
        rest = after;
    }
    None
}

/// The first line with its end, and what comes after it.
fn first_line(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = text.iter().position(|byte| *byte == b'\n').map_or(text.len(), |at| at + 1);
    text.split_at_checked(end).filter(|(line, _after)| !line.is_empty())
}

fn label<'a>(line: &'a [u8], before: &[u8]) -> Option<&'a [u8]> {
    line.trim_ascii_end().strip_prefix(before)?.strip_suffix(b"-----")
}

fn is_base64(line: &[u8]) -> bool {
    line.len() <= LONGEST_LINE
        && line.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(label: &str) -> String {
        format!("-----BEGIN {label}-----\nMIIB+/8=\n-----END {label}-----\n")
    }

    #[test]
    fn certificates_are_public_and_nothing_beside_them() {
        let public = block("CERTIFICATE");
        let table = [
            (public.clone(), true),
            (public.replace('\n', "\r\n"), true),
            (format!("{public}\n{}", block("X509 CRL")), true),
            (block("PUBLIC KEY"), true),
            (block("RSA PUBLIC KEY"), true),
            (block("CERTIFICATE REQUEST"), false),
            (block("PRIVATE KEY"), false),
            (format!("{public}{}", block("RSA PRIVATE KEY")), false),
            (format!("password: x\n{public}"), false),
            (format!("{public}x"), false),
            (public.replace("MIIB", "pass word"), false),
            (public.replace("MIIB", &"A".repeat(77)), false),
            (public.replace("-----END CERTIFICATE-----", "-----END PUBLIC KEY-----"), false),
            (public.replace("-----END CERTIFICATE-----", ""), false),
            (String::new(), false),
            ("\n".to_owned(), false),
        ];
        for (text, expected) in table {
            assert_eq!(is_public_pem(text.as_bytes()), expected, "{text}");
        }
        assert!(!is_public_pem(b"\xff"));
    }

    #[test]
    fn only_whole_blocks_are_cut_out() {
        let public = block("CERTIFICATE");
        let cut = public.replace("-----END CERTIFICATE-----\n", "");
        let table = [
            (format!("a\n{public}b"), "a\nb".to_owned()),
            // What stands in a block is kept, and with it the block.
            (public.replace("MIIB", "secret: x\nMIIB"), public.replace("MIIB", "secret: x\nMIIB")),
            // A block that was cut short ends where no base64 follows; a whole one after it is cut out.
            (format!("{cut}{public}"), cut.clone()),
            (format!("{cut}secret\n-----END OTHER-----\n"), format!("{cut}secret\n-----END OTHER-----\n")),
        ];
        for (text, kept) in table {
            assert_eq!(String::from_utf8_lossy(&without_public_pem(text.as_bytes())), kept, "{text}");
        }
    }
}
