//! The handshake of a WebSocket, from headers of any kind: what is not asked or answered as it must be is refused.
//!
//! `PORTCULLIS_CASES` and `PORTCULLIS_SEED` choose how many cases and which; `cargo xtask fuzz` sets them.

#![expect(clippy::unwrap_used, reason = "helpers of tests: a failure in them is a failed test")]

use http::{HeaderMap, HeaderName, HeaderValue, header};
use wire::handshake::{Refusal, answer, ask};

/// SplitMix64: small, seeded, the same everywhere.
struct Rng(u64);

impl Rng {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) % end as u64).unwrap()
    }

    /// These headers, some of them left out, doubled, or with another byte.
    fn some_of(&mut self, headers: &HeaderMap) -> HeaderMap {
        let mut some = HeaderMap::new();
        for (name, value) in headers {
            for _ in 0..[0, 1, 1, 1, 1, 1, 1, 2].get(self.below(8)).copied().unwrap_or_default() {
                let value = if self.below(4) == 0 { self.damaged(value) } else { value.clone() };
                some.append(name, value);
            }
        }
        some
    }

    fn damaged(&mut self, value: &HeaderValue) -> HeaderValue {
        let mut bytes = value.as_bytes().to_vec();
        let at = self.below(bytes.len());
        match self.below(3) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, b' ' + u8::try_from(self.below(95)).unwrap()),
            _ => *bytes.get_mut(at).unwrap() = b' ' + u8::try_from(self.below(95)).unwrap(),
        }
        HeaderValue::from_bytes(&bytes).unwrap()
    }
}

fn cases(default: u64) -> std::ops::Range<u64> {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let first = number("PORTCULLIS_SEED").unwrap_or(0);
    first..first + number("PORTCULLIS_CASES").unwrap_or(default)
}

fn only(headers: &HeaderMap, name: &HeaderName) -> Option<HeaderValue> {
    let mut values = headers.get_all(name).iter();
    values.next().filter(|_| values.next().is_none()).cloned()
}

#[test]
fn who_is_answered_asked_as_it_must_be_and_whose_answer_counts_answered_that() {
    for seed in cases(2_000) {
        let mut rng = Rng(seed);
        let mut asking = HeaderMap::new();
        let asked = ask(&mut asking).unwrap();
        let right = answer(&asking).unwrap();
        let came = rng.some_of(&asking);
        match answer(&came) {
            Ok(accept) => {
                assert_eq!(only(&came, &header::SEC_WEBSOCKET_VERSION).unwrap(), "13", "seed {seed}");
                let key = only(&came, &header::SEC_WEBSOCKET_KEY).unwrap();
                assert!(key.len() == 24 && key.as_bytes().ends_with(b"=="), "seed {seed}");
                // Another key has another answer.
                assert_eq!(
                    accept == right,
                    Some(&key) == asking.get(header::SEC_WEBSOCKET_KEY),
                    "seed {seed}"
                );
            }
            Err(refusal) => {
                assert!(matches!(refusal, Refusal::Version | Refusal::Key) && came != asking, "seed {seed}");
            }
        }
        let mut answered = HeaderMap::from_iter([(header::SEC_WEBSOCKET_ACCEPT, right.clone())]);
        if rng.below(8) == 0 {
            answered.insert(header::SEC_WEBSOCKET_EXTENSIONS, HeaderValue::from_static("permessage-deflate"));
        }
        let answered = rng.some_of(&answered);
        let counts = only(&answered, &header::SEC_WEBSOCKET_ACCEPT) == Some(right)
            && !answered.contains_key(header::SEC_WEBSOCKET_EXTENSIONS);
        assert_eq!(asked.confirm(&answered).is_ok(), counts, "seed {seed}: {answered:?}");
    }
}
