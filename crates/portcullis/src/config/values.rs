//! Readers of the file's small languages: time spans, sizes, addresses, URLs.

use std::{net::SocketAddr, time::Duration};

use http::{Uri, uri::Scheme};

/// Reads `8h`, `30s`, `500ms`, `1h30m`, `2d`: whole numbers with units, none missing.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is not a time span; write it as `30s`, `15m` or `8h`");
    let mut rest = text;
    let mut total = Duration::ZERO;
    if rest.is_empty() {
        return Err(wrong());
    }
    while !rest.is_empty() {
        let (count, after) = leading_number(rest).ok_or_else(wrong)?;
        let unit_ends = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at_checked(unit_ends).ok_or_else(wrong)?;
        let milliseconds = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60 * 1_000,
            "h" => 60 * 60 * 1_000,
            "d" => 24 * 60 * 60 * 1_000,
            _ => return Err(wrong()),
        };
        let part = count.checked_mul(milliseconds).map(Duration::from_millis).ok_or_else(wrong)?;
        total = total.checked_add(part).ok_or_else(wrong)?;
        rest = after;
    }
    Ok(total)
}

/// Writes what [`duration`] reads, in the largest of hours, minutes and seconds without a remainder.
pub(super) fn duration_text(span: Duration) -> String {
    let seconds = span.as_secs();
    let units = [(3_600, "h"), (60, "m")];
    let unit = units.into_iter().find(|(factor, _)| seconds >= *factor && seconds.is_multiple_of(*factor));
    unit.map_or_else(|| format!("{seconds}s"), |(factor, unit)| format!("{}{unit}", seconds / factor))
}

/// Reads `512B`, `64KiB`, `3MiB`, `1GiB`, in bytes.
pub(crate) fn size(text: &str) -> Result<usize, String> {
    let wrong = || format!("`{text}` is not a size; write it as `64KiB` or `3MiB`");
    let (count, unit) = leading_number(text).ok_or_else(wrong)?;
    let factor: u64 = match unit {
        "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return Err(wrong()),
    };
    let bytes = count.checked_mul(factor).ok_or_else(wrong)?;
    usize::try_from(bytes).map_err(|_| wrong())
}

/// Writes what [`size`] reads, in the largest unit without a remainder.
pub(super) fn size_text(bytes: usize) -> String {
    let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    let unit = units.into_iter().find(|(factor, _)| bytes >= *factor && bytes.is_multiple_of(*factor));
    unit.map_or_else(|| format!("{bytes}B"), |(factor, unit)| format!("{}{unit}", bytes / factor))
}

/// Reads `127.0.0.1:8443` or `[::1]:8443`; names are not resolved, so that what is listened on is what is written.
pub(crate) fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        format!("`{text}` is not an IP address with a port; write it as `127.0.0.1:8443` or `[::]:8443`")
    })
}

/// Reads the gate's own address: `https`, a host, perhaps a port, and nothing after it. No trailing slash.
pub(crate) fn public_url(text: &str) -> Result<String, String> {
    let wrong = |what: &str| format!("`{text}` {what}; write it as `https://gate.example.com:8443`");
    let uri: Uri = text.parse().map_err(|_| wrong("is not a URL"))?;
    if uri.scheme() != Some(&Scheme::HTTPS) {
        return Err(wrong("does not begin with `https://`"));
    }
    let authority = uri.authority().filter(|authority| !authority.host().is_empty());
    let authority = authority.ok_or_else(|| wrong("names no host"))?;
    if authority.as_str().contains('@') {
        return Err(wrong("holds a user name"));
    }
    if !matches!(uri.path(), "" | "/") || uri.query().is_some() || text.contains('#') {
        return Err(wrong("has something after the host"));
    }
    Ok(format!("https://{authority}"))
}

fn leading_number(text: &str) -> Option<(u64, &str)> {
    let ends = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at_checked(ends)?;
    Some((digits.parse().ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_spans_are_whole_numbers_with_units() {
        let read = [
            ("30s", 30_000),
            ("500ms", 500),
            ("8h", 8 * 3_600_000),
            ("1h30m", 90 * 60_000),
            ("2d", 48 * 3_600_000),
            ("0s", 0),
        ];
        for (text, milliseconds) in read {
            assert_eq!(duration(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
        for text in
            ["", "30", "s", "1.5h", "-1s", "8 h", "1w", "99999999999999999999s", "18446744073709551615d"]
        {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_have_binary_units() {
        assert_eq!(size("64KiB"), Ok(65_536));
        assert_eq!(size("3MiB"), Ok(3 << 20));
        assert_eq!(size("10B"), Ok(10));
        for text in ["", "64", "64KB", "1.5MiB", "KiB", "18446744073709551615GiB"] {
            assert!(size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_public_url_is_https_and_a_host() {
        assert_eq!(public_url("https://gate.example.com"), Ok("https://gate.example.com".to_owned()));
        assert_eq!(public_url("https://[::1]:8443/"), Ok("https://[::1]:8443".to_owned()));
        for text in [
            "http://x",
            "gate:8443",
            "https://",
            "https://u@x",
            "https://x/y",
            "https://x?y",
            "https://x/#y",
            "",
        ] {
            assert!(public_url(text).is_err(), "{text}");
        }
    }
}
