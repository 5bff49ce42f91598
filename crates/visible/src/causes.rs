//! Errors, told with what caused them.

use std::error::Error;

/// An error with its causes, where they say more. What others wrote may be in it.
#[must_use]
pub fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::{fmt, io};

    use super::*;

    #[derive(Debug)]
    struct Outer(io::Error);

    impl fmt::Display for Outer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("no connection")
        }
    }

    impl Error for Outer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }

    #[test]
    fn causes_that_say_more_are_told() {
        let outer = |text: &str| with_causes(&Outer(io::Error::other(text.to_owned())));
        assert_eq!(outer("timed out"), "no connection: timed out");
        assert_eq!(outer("no connection"), "no connection");
    }
}
