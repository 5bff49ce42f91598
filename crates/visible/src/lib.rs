//! Text of hostile origin, made safe to look at: what a reader would not see, or would see somewhere else, is written out.
//!
//! What an agent wrote must not move a terminal's cursor, reorder a line or hide a word from whoever decides about it. That
//! holds for terminals, pages and mails alike, each of which escapes what is special to it besides.

mod causes;

pub use causes::with_causes;

/// A piece of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    /// As it stands.
    Seen(&'a str),
    /// One character that a reader would not see.
    Unseen(char),
}

/// `text` with everything a reader would not see written as JSON escapes, so that JSON stays the same JSON.
#[must_use]
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for piece in pieces(text) {
        match piece {
            Piece::Seen(text) => shown.push_str(text),
            Piece::Unseen(c) => shown.push_str(&escape(c)),
        }
    }
    shown
}

/// `text` piece by piece, for whoever marks what is unseen in a way of their own.
pub fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        if is_unseen(first) {
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
            return Some(Piece::Unseen(first));
        }
        let (seen, more) = rest.split_at(rest.find(is_unseen).unwrap_or(rest.len()));
        rest = more;
        Some(Piece::Seen(seen))
    })
}

/// The JSON escape of a character: `\u202e`, or two of them beyond U+FFFF.
#[must_use]
pub fn escape(c: char) -> String {
    c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect()
}

/// Whether a reader would not see `c`, or would see something else in its place: control characters, spaces other
/// than U+0020, Unicode's general categories Cf, Co, Zl and Zp, its property Default_Ignorable_Code_Point
/// (bidirectional controls, joiners, variation selectors, tags, Hangul fillers), the blank Braille pattern, and what is no
/// character.
#[must_use]
pub fn is_unseen(c: char) -> bool {
    if c.is_control() || (c.is_whitespace() && c != ' ') || u32::from(c) & 0xfffe == 0xfffe {
        return true;
    }
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}'
        | '\u{890}'..='\u{891}' | '\u{8e2}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{e000}'..='\u{f8ff}'
        | '\u{fdd0}'..='\u{fdef}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{10ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_written_out() {
        assert_eq!(
            visible("a\u{1b}[2Jb\u{202e}c\nd é \u{e0041}"),
            "a\\u001b[2Jb\\u202ec\\u000ad é \\udb40\\udc41"
        );
        assert_eq!(
            visible("\u{2800}\u{1d173}\u{1bca0}\u{13430}ä☃"),
            "\\u2800\\ud834\\udd73\\ud82f\\udca0\\ud80d\\udc30ä☃"
        );
        assert_eq!(visible("\u{fffe}\u{fdd0}\u{1ffff}\u{fffd}"), "\\ufffe\\ufdd0\\ud83f\\udfff\u{fffd}");
        assert_eq!(visible(""), "");
    }

    #[test]
    fn pieces_are_the_text() {
        let found: Vec<_> = pieces("\u{202e}ab\u{200b}").collect();
        assert_eq!(found, [Piece::Unseen('\u{202e}'), Piece::Seen("ab"), Piece::Unseen('\u{200b}')]);
    }
}
