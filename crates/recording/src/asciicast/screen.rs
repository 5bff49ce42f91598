//! What a terminal shows, without what it does besides.
//!
//! Output can ask a terminal for more than text: to set its title, to fill the clipboard (OSC 52), to make a link (OSC 8), to take
//! another size. Who looks at a recording is to see a screen, and nothing else is to happen.

/// Characters of a control sequence that are kept until its end; real ones are far shorter.
const MAX_SEQUENCE: usize = 256;

/// Takes out of a channel's text, whatever its pieces are, the strings of a terminal (OSC, DCS, SOS, PM, APC) and the control
/// sequences for its window (those that end with `t`).
#[derive(Debug, Default)]
pub(super) struct Screen {
    state: State,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Text,
    /// After an `ESC`.
    Escape,
    /// In a control sequence.
    Control(String),
    /// In a string, perhaps after an `ESC`.
    String { escape: bool },
}

const ESC: char = '\u{1b}';

impl Screen {
    /// What of this is for the screen.
    pub(super) fn of(&mut self, text: &str) -> String {
        let mut shown = String::with_capacity(text.len());
        for c in text.chars() {
            self.next(c, &mut shown);
        }
        shown
    }

    fn next(&mut self, c: char, shown: &mut String) {
        self.state = match (std::mem::take(&mut self.state), c) {
            // What ends anything.
            (_, '\u{18}' | '\u{1a}') => State::Text,
            (State::String { escape: true }, '\\') | (State::String { .. }, '\u{7}' | '\u{9c}') => {
                State::Text
            }
            (State::String { escape: true }, c) => Self::after_escape(c, shown),
            (State::String { escape: false }, ESC) => State::String { escape: true },
            (State::String { escape: false }, _) => State::String { escape: false },
            (State::Text | State::Escape | State::Control(_), ESC) => State::Escape,
            (State::Text | State::Escape | State::Control(_), '\u{80}'..='\u{9f}') => {
                Self::eight_bits(c, shown)
            }
            (State::Text, c) => {
                shown.push(c);
                State::Text
            }
            (State::Escape, c) => Self::after_escape(c, shown),
            (State::Control(sequence), c) => Self::in_control(sequence, c, shown),
        };
    }

    fn after_escape(c: char, shown: &mut String) -> State {
        match c {
            '[' => State::Control(String::new()),
            ']' | 'P' | 'X' | '^' | '_' => State::String { escape: false },
            ESC => State::Escape,
            c => {
                shown.extend([ESC, c]);
                State::Text
            }
        }
    }

    /// The same controls as one character each.
    fn eight_bits(c: char, shown: &mut String) -> State {
        match c {
            '\u{9b}' => State::Control(String::new()),
            '\u{90}' | '\u{98}' | '\u{9d}' | '\u{9e}' | '\u{9f}' => State::String { escape: false },
            c => {
                shown.push(c);
                State::Text
            }
        }
    }

    fn in_control(mut sequence: String, c: char, shown: &mut String) -> State {
        match c {
            // Controls within a sequence take effect at once.
            '\0'..='\u{1f}' => {
                shown.push(c);
                State::Control(sequence)
            }
            '\u{40}'..='\u{7e}' => {
                if c != 't' && sequence.len() <= MAX_SEQUENCE {
                    shown.extend([ESC, '[']);
                    shown.push_str(&sequence);
                    shown.push(c);
                }
                State::Text
            }
            c => {
                if sequence.len() <= MAX_SEQUENCE {
                    sequence.push(c);
                }
                State::Control(sequence)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_shown_is_left_wherever_it_is_cut() {
        for (text, shown) in [
            ("\u{1b}[1;31mred\u{1b}[0m\r\n", "\u{1b}[1;31mred\u{1b}[0m\r\n"),
            ("a\u{1b}]0;title\u{7}b\u{1b}]52;c;c2VjcmV0\u{1b}\\c", "abc"),
            ("\u{1b}]8;;javascript:alert(1)\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link"),
            ("\u{9d}8;;https://evil.example\u{9c}x\u{90}q\u{9c}y\u{9b}31mz", "xy\u{1b}[31mz"),
            ("\u{1b}Pdcs\u{1b}[2Jb\u{1b}_apc\u{18}c\u{1b}^pm\u{1a}d\u{1b}Xsos\u{9c}e", "\u{1b}[2Jbcde"),
            ("\u{1b}[8;9999;9999tx\u{1b}[22;0ty\u{9b}18tz", "xyz"),
            (
                "\u{1b}[3\n1mx\u{1b}\u{1b}[1m\u{1b}(B\u{1b}7\u{1b}[?25l",
                "\n\u{1b}[31mx\u{1b}[1m\u{1b}(B\u{1b}7\u{1b}[?25l",
            ),
            ("never \u{1b}]0;ends", "never "),
        ] {
            assert_eq!(Screen::default().of(text), shown, "{text:?}");
            let mut cut = Screen::default();
            let pieces: String = text.chars().map(|c| cut.of(&c.to_string())).collect();
            assert_eq!(pieces, shown, "{text:?}");
        }
        let endless = format!("\u{1b}[{}", "1;".repeat(10_000));
        let mut screen = Screen::default();
        assert_eq!(screen.of(&endless), "");
        assert_eq!(screen.of("mx"), "x");
    }
}
