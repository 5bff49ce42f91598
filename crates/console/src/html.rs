//! What makes text of any origin inert in a page.

use std::fmt::{self, Write};

use askama::filters::{Escaper, Html};
use visible::{Piece, pieces};

/// Writes out what a reader would not see, and escapes what is special to HTML: in a text and in a quoted attribute alike.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Inert;

impl Escaper for Inert {
    fn write_escaped_str<W: Write>(&self, mut dest: W, text: &str) -> fmt::Result {
        for piece in pieces(text) {
            match piece {
                Piece::Seen(text) => Html.write_escaped_str(&mut dest, text)?,
                Piece::Unseen(c) => dest.write_str(&visible::escape(c))?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn hostile_text_is_inert() {
        let mut shown = String::new();
        Inert.write_escaped_str(&mut shown, "<b onclick='x'>\"&\u{202e}\u{1b}[2J\n\u{200b}раypal").unwrap();
        insta::assert_snapshot!(shown, @r"&#60;b onclick=&#39;x&#39;&#62;&#34;&#38;\u202e\u001b[2J\u000a\u200bраypal");
    }

    #[test]
    fn no_template_takes_a_way_around_it() {
        for template in fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/templates")).unwrap() {
            let path = template.unwrap().path();
            let text = fs::read_to_string(&path).unwrap();
            for way in ["|safe", "| safe", "|escape", "| escape", "<script>", "style=", " on", "javascript:"]
            {
                let found = match way {
                    // An event's handler: `onclick=`.
                    " on" => text.split(way).skip(1).any(|rest| {
                        let name = rest.trim_start_matches(|c: char| c.is_ascii_lowercase());
                        name.len() < rest.len() && name.starts_with('=')
                    }),
                    way => text.contains(way),
                };
                assert!(!found, "{} has `{way}`", path.display());
            }
        }
    }
}
