//! Sizes, spans and commands, as people read them.

use jiff::{SignedDuration, Timestamp};

/// `17 B`, `3.4 KiB`.
pub(super) fn bytes(count: u64) -> String {
    let units = [(30, "GiB"), (20, "MiB"), (10, "KiB")];
    let Some((shift, unit)) = units.into_iter().find(|(shift, _)| count >> shift > 0) else {
        return format!("{count} B");
    };
    // Tenths, rounded down: a size is never told larger than it is.
    let tenths = (u128::from(count) * 10) >> shift;
    format!("{}.{} {unit}", tenths / 10, tenths % 10)
}

/// `1 stream`, `2 streams`.
pub(super) fn counted(count: u64, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
}

/// `0s`, `4m 10s`: whole seconds.
pub(super) fn span(from: Timestamp, to: Timestamp) -> String {
    format!("{:#}", SignedDuration::from_secs(to.duration_since(from).as_secs()))
}

/// `sh -c 'ls -l'`: words as a shell takes them.
pub(super) fn command<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.map(quoted).collect::<Vec<_>>().join(" ")
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./:=,@%+…".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_never_told_larger_than_they_are() {
        let table = [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1_048_575, "1023.9 KiB"),
            (3 << 30, "3.0 GiB"),
        ];
        for (count, text) in table {
            assert_eq!(bytes(count), text);
        }
        assert_eq!(bytes(u64::MAX), "17179869183.9 GiB");
    }

    #[test]
    fn a_command_can_be_typed_again() {
        let told = command(["sh", "-c", "echo 'a' > b", "", "é=1"].into_iter());
        assert_eq!(told, r"sh -c 'echo '\''a'\'' > b' '' é=1");
    }

    #[test]
    fn spans_are_whole_seconds() {
        let began: Timestamp = "2026-06-01T12:00:00Z".parse().unwrap();
        let of = |milliseconds| span(began, began + SignedDuration::from_millis(milliseconds));
        assert_eq!([of(0), of(1_499), of(250_500), of(7_200_000)], ["0s", "1s", "4m 10s", "2h"]);
    }
}
