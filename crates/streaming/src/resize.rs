//! The size of a terminal, as clients tell it.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error, IgnoredAny, MapAccess, Visitor},
};

/// Columns and rows: `TerminalSize` in k8s.io/client-go/tools/remotecommand/resize.go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct TerminalSize {
    /// Columns.
    pub width: u16,
    /// Rows.
    pub height: u16,
}

/// Not a size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a terminal's size is written as `{{\"Width\":80,\"Height\":24}}`, each from 0 to 65535")]
pub struct NotASize;

impl TerminalSize {
    /// Reads one size and nothing beside it; members that are not known do not matter. Names are taken in any case, as Go takes them: client-go
    /// writes `Width`, and the client for JavaScript `width`.
    ///
    /// # Errors
    /// It is something else.
    pub fn parse(json: &[u8]) -> Result<Self, NotASize> {
        match json.len() {
            0..=MOST => serde_json::from_slice(json).map_err(|_| NotASize),
            _ => Err(NotASize),
        }
    }

    /// The line that kubectl sends (`json.Encoder` in k8s.io/client-go/tools/remotecommand/v3.go).
    #[must_use]
    pub fn to_json(self) -> Vec<u8> {
        format!("{{\"Width\":{},\"Height\":{}}}\n", self.width, self.height).into_bytes()
    }
}

impl<'de> Deserialize<'de> for TerminalSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(InAnyCase)
    }
}

struct InAnyCase;

impl<'de> Visitor<'de> for InAnyCase {
    type Value = TerminalSize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with a width and a height")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<TerminalSize, A::Error> {
        let (mut width, mut height) = (None, None);
        while let Some(name) = members.next_key::<String>()? {
            let side = match &*name {
                name if name.eq_ignore_ascii_case("width") => &mut width,
                name if name.eq_ignore_ascii_case("height") => &mut height,
                _ => {
                    members.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            if side.replace(members.next_value()?).is_some() {
                return Err(A::Error::custom("it is there twice"));
            }
        }
        let (Some(width), Some(height)) = (width, height) else {
            return Err(A::Error::custom("one is missing"));
        };
        Ok(TerminalSize { width, height })
    }
}

/// How many bytes a size may have.
const MOST: usize = 256;

/// The sizes in a SPDY stream, which is bytes without borders: half a size may come, or several at once.
#[derive(Debug, Default)]
pub struct Sizes {
    /// The beginning of the next one. INVARIANT: at most `MOST` bytes.
    held: Vec<u8>,
}

impl Sizes {
    /// The sizes that are complete with `bytes`.
    ///
    /// # Errors
    /// Something else came; nothing sensible can follow.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<TerminalSize>, NotASize> {
        self.held.extend_from_slice(bytes);
        let mut values = serde_json::Deserializer::from_slice(&self.held).into_iter();
        let mut sizes = Vec::new();
        loop {
            match values.next() {
                Some(Ok(size)) => sizes.push(size),
                Some(Err(error)) if !error.is_eof() => return Err(NotASize),
                Some(Err(_)) | None => break,
            }
        }
        let read = values.byte_offset();
        self.held.drain(..read);
        if self.held.len() > MOST { Err(NotASize) } else { Ok(sizes) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_found_however_they_are_cut() {
        let sizes = [(80, 24), (0, 0), (65535, 1)].map(|(width, height)| TerminalSize { width, height });
        let stream: Vec<u8> = sizes.iter().flat_map(|size| size.to_json()).collect();
        for cut in 0..=stream.len() {
            let mut reader = Sizes::default();
            let (first, second) = stream.split_at(cut);
            let mut found = reader.push(first).unwrap();
            found.extend(reader.push(second).unwrap());
            assert_eq!(found, sizes, "cut at {cut}");
        }
    }

    #[test]
    fn what_is_no_size_is_refused() {
        let refused = [
            "",
            "{}",
            "80x24",
            r#"{"Width":65536,"Height":1}"#,
            r#"{"Width":-1,"Height":1}"#,
            r#"{"Width":1,"Width":2,"Height":1}"#,
            r#"{"Width":1,"width":2,"Height":1}"#,
            r#"{"Width":null,"Height":1}"#,
            "[80,24]",
            r#"{"Width":1,"Height":1}{"Width":1,"Height":1}"#,
        ];
        for text in refused {
            assert_eq!(TerminalSize::parse(text.as_bytes()), Err(NotASize), "{text}");
        }
        let beside = TerminalSize::parse(br#" {"Height":1,"Width":2,"Depth":3} "#);
        assert_eq!(beside, Ok(TerminalSize { width: 2, height: 1 }));
        let by_javascript = TerminalSize::parse(br#"{"height":24,"width":80}"#);
        assert_eq!(by_javascript, Ok(TerminalSize { width: 80, height: 24 }));
        assert_eq!(TerminalSize::parse(&[b' '; 300]), Err(NotASize));
        assert_eq!(Sizes::default().push(b"{\"Width\":1,]"), Err(NotASize));
        let mut endless = Sizes::default();
        assert_eq!(endless.push(b"{\"Depth\":\""), Ok(Vec::new()));
        assert_eq!(endless.push(&[b'x'; 300]), Err(NotASize), "held without end");
    }
}
