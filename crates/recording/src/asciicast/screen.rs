//! What a terminal shows, without what it does besides.
//!
//! Output can ask a terminal for more than text: to set its title, to fill the clipboard (OSC 52), to make a link (OSC 8), to take
//! another size. Who looks at a recording is to see a screen, and nothing else is to happen. So what passes is on a list, comes out
//! whole or not at all, and means the same to every terminal: none is left within a sequence by what it gets.

/// Characters of a sequence that are kept until its end; real ones are far shorter.
const MAX_SEQUENCE: usize = 256;
/// Digits of a number: more rows or columns than that no screen has.
const MAX_DIGITS: usize = 4;
/// Numbers of a sequence: of more, terminals take different ones.
const MAX_NUMBERS: usize = 32;

const ESC: char = '\u{1b}';
const CAN: char = '\u{18}';
const SUB: char = '\u{1a}';
const BEL: char = '\u{7}';
const DEL: char = '\u{7f}';

/// Takes out of a channel's text, whatever its pieces are, all but what is for the screen.
#[derive(Debug, Default)]
pub(super) struct Screen {
    state: State,
}

/// As in <https://vt100.net/emu/dec_ansi_parser>.
#[derive(Debug, Default)]
enum State {
    #[default]
    Text,
    /// After an `ESC`, and what else came of its sequence.
    Escape(String),
    /// In a control sequence, of which this came.
    Control(String),
    /// In a string: OSC, DCS, SOS, PM, APC.
    String,
}

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
            // These end anything.
            (_, CAN | SUB) => State::Text,
            (_, ESC) => State::Escape(String::new()),
            (_, '\u{80}'..='\u{9f}') => escape("", seven_bits(c), shown),
            (State::String, BEL) => State::Text,
            (State::String, _) => State::String,
            // These leave whatever they are in as it is.
            (state, DEL) => state,
            (state, '\0'..='\u{1f}') => {
                shown.extend(is_layout(c).then_some(c));
                state
            }
            (State::Escape(sequence), ' '..='/') => State::Escape(with(sequence, c)),
            (State::Escape(sequence), '0'..='~') => escape(&sequence, c, shown),
            (State::Control(sequence), '@'..='~') => {
                shown.extend(control(&sequence, c));
                State::Text
            }
            (State::Control(sequence), c) => State::Control(with(sequence, c)),
            (State::Text | State::Escape(_), c) => {
                shown.push(c);
                State::Text
            }
        };
    }
}

fn with(mut sequence: String, c: char) -> String {
    if sequence.len() <= MAX_SEQUENCE {
        sequence.push(c);
    }
    sequence
}

/// What moves the cursor, or takes another set of characters: `BS` to `SI`.
fn is_layout(c: char) -> bool {
    matches!(c, '\u{8}'..='\u{f}')
}

/// The last character of the sequence that a control of eight bits stands for (ECMA-48, 5.3).
fn seven_bits(c: char) -> char {
    char::from(u8::try_from(c).map_or(b'\\', |byte| byte.wrapping_sub(0x40)))
}

/// The end of an escape sequence, or the beginning of what is longer.
fn escape(sequence: &str, end: char, shown: &mut String) -> State {
    match (sequence, end) {
        ("", '[') => return State::Control(String::new()),
        ("", ']' | 'P' | 'X' | '^' | '_') => return State::String,
        // The cursor kept and put back, other lines, a tab stop, all anew; letters or lines; a screen of `E`.
        ("", '7' | '8' | 'D' | 'E' | 'H' | 'M' | 'c') | ("(" | ")", '0' | 'A' | 'B') | ("#", '8') => {
            shown.push(ESC);
            shown.push_str(sequence);
            shown.push(end);
        }
        _ => {}
    }
    State::Text
}

/// A control sequence, if it is for the screen.
fn control(sequence: &str, end: char) -> Option<String> {
    let numbers = sequence.trim_start_matches('?').trim_end_matches('!');
    let is_sound = |number: &str| number.len() <= MAX_DIGITS && number.bytes().all(|c| c.is_ascii_digit());
    let each = || numbers.split([';', ':']);
    if sequence.len() > MAX_SEQUENCE || each().count() > MAX_NUMBERS || !each().all(is_sound) {
        return None;
    }
    let parts = sequence.split_once(numbers).filter(|_| !numbers.is_empty());
    let (before, after) = parts.unwrap_or((sequence, ""));
    let count = numbers.split(';').count();
    let passes = match (before, after, end) {
        // Where the cursor is, what is erased, inserted, removed and repeated, tab stops, colours.
        ("", "", '@' | 'A'..='H' | 'J'..='M' | 'P' | 'X' | '`' | 'a' | 'd'..='g' | 'm') => true,
        // What the player does once for each of so many.
        ("", "", 'I' | 'Z' | 'b') => each().all(|number| number.parse().unwrap_or(0) <= super::LARGEST.0),
        // With more numbers these are something else.
        ("", "", 'S' | 'T') => count == 1,
        ("", "", 'r') => count <= 2,
        ("", "", 's' | 'u') => numbers.is_empty(),
        ("!", "", 'p') => true,
        ("", "", 'h' | 'l') => return modes(numbers, end, "", &["4", "20"]),
        ("?", "", 'h' | 'l') => {
            return modes(numbers, end, "?", &["6", "7", "25", "47", "1047", "1048", "1049"]);
        }
        _ => false,
    };
    passes.then(|| format!("{ESC}[{sequence}{end}"))
}

/// Of the modes those that change only what is shown.
fn modes(numbers: &str, end: char, mark: &str, known: &[&str]) -> Option<String> {
    let modes: Vec<&str> = numbers.split(';').filter(|mode| known.contains(mode)).collect();
    (!modes.is_empty()).then(|| format!("{ESC}[{mark}{}{end}", modes.join(";")))
}

#[cfg(test)]
mod tests;
