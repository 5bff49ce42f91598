//! What is passed, recorded and printed in measurements.

use bytes::Bytes;

fn random() -> impl Iterator<Item = u64> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    })
}

pub(crate) fn noise(bytes: usize) -> Bytes {
    random().take(bytes / 8).flat_map(u64::to_le_bytes).collect()
}

/// Lines as services write them, of which no two are the same.
pub(crate) fn words(bytes: usize) -> Bytes {
    const LEVELS: [&str; 4] = ["INFO", "INFO", "DEBUG", "WARN"];
    const DOES: [&str; 6] = ["served", "queued", "retried", "cached", "rejected", "forwarded"];
    const WHAT: [&str; 6] = ["checkout", "cart", "payment", "invoice", "session", "shipment"];
    let any = |words: &'static [&'static str], random: u64| {
        words.get(usize::try_from(random).unwrap_or_default() % words.len()).copied().unwrap_or_default()
    };
    let mut text = String::with_capacity(bytes + 256);
    for (number, random) in random().enumerate() {
        if text.len() >= bytes {
            break;
        }
        text.push_str(&format!(
            "2026-06-01T12:{:02}:{:02}.{:03}Z {} {} {} request={:08x} customer={} took={}ms\n",
            number / 60_000 % 60,
            number / 1_000 % 60,
            number % 1_000,
            any(&LEVELS, random),
            any(&DOES, random >> 8),
            any(&WHAT, random >> 16),
            random >> 32,
            random >> 24 & 0xffff,
            random >> 40 & 0x3ff,
        ));
    }
    text.truncate(bytes);
    text.into()
}
