//! Compression, as the client wishes, of what has been masked already: nothing secret is left to show in its length.
//!
//! As the API server does it (`k8s.io/apiserver/pkg/endpoints/handlers/responsewriters/writers.go`): gzip alone, at its
//! fastest, and of long answers only. A stream is never compressed, so that each event leaves at once.

use std::{collections::VecDeque, fmt, io::Write};

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use http::{HeaderMap, HeaderValue, header};

/// Whether the client takes gzip, read as the API server reads it (`negotiateEncoding`).
pub(crate) fn wanted(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT_ENCODING);
    let texts = values.iter().filter_map(|value| value.to_str().ok());
    texts.flat_map(|text| text.split(',')).any(|token| token.trim() == "gzip")
}

/// One answer being compressed (RFC 1952).
pub(crate) struct Gzip(GzEncoder<Vec<u8>>);

impl Gzip {
    pub(crate) fn new() -> Self {
        Self(GzEncoder::new(Vec::new(), Compression::fast()))
    }

    /// Says so in the answer's head.
    pub(crate) fn announce(headers: &mut HeaderMap) {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        headers.append(header::VARY, HeaderValue::from_static("accept-encoding"));
    }

    /// What there is to pass on after `parts`; it may be nothing yet.
    pub(crate) fn parts(&mut self, parts: &VecDeque<Bytes>) -> VecDeque<Bytes> {
        written(parts.iter().try_for_each(|part| self.0.write_all(part)));
        let out = std::mem::take(self.0.get_mut());
        if out.is_empty() { VecDeque::new() } else { [Bytes::from(out)].into() }
    }

    /// The end.
    pub(crate) fn finish(self) -> Bytes {
        written(self.0.finish()).into()
    }
}

/// Writing into a `Vec` cannot fail. If it did, the stream would miss a part, which its checksum shows to the client.
fn written<T: Default>(result: std::io::Result<T>) -> T {
    result.unwrap_or_default()
}

impl fmt::Debug for Gzip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gzip")
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::MultiGzDecoder;

    use super::*;

    #[test]
    fn wishes_are_read_as_the_api_server_reads_them() {
        for (text, expected) in [
            ("gzip", true),
            ("deflate, gzip", true),
            ("br,gzip ,x", true),
            ("gzip;q=0", false),
            ("*", false),
            ("identity", false),
            ("GZIP", false),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(text))]);
            assert_eq!(wanted(&headers), expected, "{text}");
        }
        assert!(!wanted(&HeaderMap::new()));
    }

    #[test]
    fn what_comes_out_is_one_gzip_member_of_what_went_in() {
        let mut gzip = Gzip::new();
        let mut out = Vec::new();
        let mut expected = Vec::new();
        for part in 0..100u8 {
            let data = Bytes::from(vec![part; 3000]);
            expected.extend_from_slice(&data);
            let parts = gzip.parts(&[data.clone(), Bytes::new()].into());
            out.extend(parts.into_iter().flatten());
        }
        out.extend_from_slice(&gzip.finish());
        let mut read = Vec::new();
        MultiGzDecoder::new(out.as_slice()).read_to_end(&mut read).unwrap();
        assert_eq!(read, expected);
    }
}
