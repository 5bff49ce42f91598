//! How long what a rule permits may go on.

use std::fmt;
use std::time::Duration;

use crate::action::Action;

/// What a rule may say at most: a session seldom lasts longer.
const MOST: Duration = Duration::from_secs(24 * 3600);

/// How long a stream may last: exec, copies, attach, port-forwards, watches and logs that are followed. What nothing limits goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// It ends when nothing has passed for so long, in either direction.
    pub idle: Option<Duration>,
    /// It ends after so long, whatever passes.
    pub longest: Option<Duration>,
}

impl Limits {
    /// Of both, whatever is shorter.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let shorter = |one: Option<Duration>, other| one.into_iter().chain(other).min();
        Self { idle: shorter(self.idle, other.idle), longest: shorter(self.longest, other.longest) }
    }

    /// Whether there is no limit.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// What the annotations of a rule say, each `None` if it has none.
    pub(crate) fn read(idle: Option<&str>, longest: Option<&str>, wrong: &mut Vec<String>) -> Self {
        let mut limit = |name: &str, written: Option<&str>| {
            let limit = span(written?).filter(|limit| *limit <= MOST);
            if limit.is_none() {
                let written = written?.escape_debug();
                wrong.push(format!(
                    "`@{name}` must be a time of at most 24h, as `90s`, `5m` or `1h`, not `{written}`"
                ));
            }
            limit
        };
        let limits = Self { idle: limit("idle", idle), longest: limit("longest", longest) };
        if let Self { idle: Some(idle), longest: Some(longest) } = limits
            && idle >= longest
        {
            wrong.push("`@idle` must be shorter than `@longest`, or it ends nothing".to_owned());
        }
        limits
    }
}

/// Whether what the action permits can go on for as long as either side likes.
pub(crate) fn can_go_on(action: Action) -> bool {
    action.runs() || matches!(action, Action::Get | Action::Watch | Action::PortForward)
}

/// `90s`, `5m` or `1h`.
pub(crate) fn span(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let number: u64 = number.parse().ok().filter(|number| *number > 0)?;
    let seconds = match unit {
        "s" => number,
        "m" => number.checked_mul(60)?,
        "h" => number.checked_mul(3600)?,
        _ => return None,
    };
    Some(Duration::from_secs(seconds))
}

/// A time as rules have it: `90s`, `5m`, `1h`.
#[must_use]
pub fn written(span: Duration) -> String {
    match span.as_secs() {
        seconds if seconds % 3600 == 0 => format!("{}h", seconds / 3600),
        seconds if seconds % 60 == 0 => format!("{}m", seconds / 60),
        seconds => format!("{seconds}s"),
    }
}

/// `after 5m in which nothing passes, or after 1h`; empty without limits.
impl fmt::Display for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let idle = self.idle.map(|idle| format!("after {} in which nothing passes", written(idle)));
        let longest = self.longest.map(|longest| format!("after {}", written(longest)));
        let said: Vec<String> = idle.into_iter().chain(longest).collect();
        f.write_str(&said.join(", or "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shortest_of_all_counts() {
        let limits = |idle: Option<u64>, longest: Option<u64>| Limits {
            idle: idle.map(Duration::from_secs),
            longest: longest.map(Duration::from_secs),
        };
        let none = Limits::default();
        for (one, other, both) in [
            (none, none, none),
            (limits(Some(1), None), none, limits(Some(1), None)),
            (limits(Some(1), Some(9)), limits(Some(2), Some(8)), limits(Some(1), Some(8))),
            (limits(None, Some(9)), limits(Some(2), None), limits(Some(2), Some(9))),
        ] {
            assert_eq!((one.and(other), other.and(one)), (both, both));
        }
        assert!(none.is_none() && !limits(Some(1), None).is_none());
    }

    #[test]
    fn times_are_written_as_they_are_told() {
        for (text, seconds) in [("90s", 90), ("5m", 300), ("1h", 3600), ("24h", 86400)] {
            assert_eq!(span(text), Some(Duration::from_secs(seconds)));
            assert_eq!(written(Duration::from_secs(seconds)), text);
        }
        for text in [
            "",
            "0s",
            "5",
            "m",
            "-1s",
            "5 m",
            "1d",
            "1.5h",
            "5µ",
            "99999999999999999999s",
            "9999999999999999h",
        ] {
            assert_eq!(span(text), None, "{text}");
        }
    }
}
