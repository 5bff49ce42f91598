//! What a browser got, as a reader sees it and as a browser takes it.

use std::collections::BTreeSet;

use axum::{body::to_bytes, response::Response};
use html5gum::{Token, Tokenizer};
use http::{HeaderMap, StatusCode, header};

/// Ends a line where a reader sees it end.
const BLOCKS: [&str; 20] = [
    "a", "br", "button", "dd", "details", "div", "dl", "dt", "form", "h1", "h2", "header", "label", "li",
    "p", "section", "summary", "table", "title", "tr",
];

/// More than any page of ours.
const LARGEST: usize = 64 << 20;

/// An answer, read to its end.
pub(super) struct Seen {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) html: String,
}

/// The elements of a page: their names, and those of their attributes.
pub(super) type Elements = BTreeSet<(String, Vec<String>)>;

impl Seen {
    pub(super) async fn of(response: Response) -> Self {
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, LARGEST).await.unwrap();
        Self {
            status: parts.status,
            headers: parts.headers,
            html: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }

    pub(super) fn header(&self, name: impl header::AsHeaderName) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(super) fn location(&self) -> &str {
        self.header(header::LOCATION)
    }

    pub(super) fn cookie(&self) -> &str {
        self.header(header::SET_COOKIE)
    }

    pub(super) fn between(&self, before: &str, after: &str) -> Option<&str> {
        Some(self.html.split_once(before)?.1.split_once(after)?.0)
    }

    /// Status and main text: what a refusal is held against.
    pub(super) fn told(&self) -> String {
        format!("{}: {}", self.status.as_u16(), self.main().replace('\n', " | "))
    }

    /// The text of the page without what is around every page.
    pub(super) fn main(&self) -> String {
        let main = self.between("<main", "</main>").map(|main| format!("<main{main}"));
        text(&main.unwrap_or_else(|| self.html.clone()))
    }

    /// The text of the page, a line where a reader sees one.
    pub(super) fn text(&self) -> String {
        text(&self.html)
    }

    /// The elements that a browser makes of it.
    pub(super) fn elements(&self) -> Elements {
        let names = |(name, mut attributes): (String, Vec<(String, String)>)| {
            attributes.sort_unstable();
            (name, attributes.into_iter().map(|(name, _)| name).collect())
        };
        tags(&self.html).into_iter().map(names).collect()
    }

    /// The values of all attributes of this name.
    pub(super) fn attributes(&self, wanted: &str) -> Vec<String> {
        let all = tags(&self.html).into_iter().flat_map(|(_, attributes)| attributes);
        all.filter(|(name, _)| name == wanted).map(|(_, value)| value).collect()
    }
}

fn utf8(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn tags(html: &str) -> Vec<(String, Vec<(String, String)>)> {
    let starts = Tokenizer::new(html).filter_map(|token| match token.unwrap() {
        Token::StartTag(tag) => {
            let attribute = |(name, value): (_, _)| (utf8(name), utf8(value));
            let attributes = tag.attributes.iter().map(|(name, value)| attribute((&name[..], &value[..])));
            Some((utf8(&tag.name), attributes.collect()))
        }
        Token::Error(error) => panic!("not well written: {error:?}"),
        _ => None,
    });
    starts.collect()
}

fn text(html: &str) -> String {
    let mut text = String::new();
    for token in Tokenizer::new(html) {
        match token.unwrap() {
            Token::String(part) => text.push_str(&utf8(&part).replace('\n', " ")),
            Token::StartTag(tag) if BLOCKS.contains(&&*utf8(&tag.name)) => text.push('\n'),
            Token::EndTag(tag) if BLOCKS.contains(&&*utf8(&tag.name)) => text.push('\n'),
            Token::StartTag(_) => text.push(' '),
            _ => {}
        }
    }
    let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}
