//! Whether the server can read a label selector.
//!
//! Source: `Parse` in k8s.io/apimachinery/pkg/labels/selector.go (v0.37), token by token, oddities included: a selector
//! that the server cannot read makes it forget the name that a field selector beside it requires.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    Word(&'a [u8]),
    In,
    NotIn,
    Comma,
    Not,
    Equals,
    NotEquals,
    Compare,
    Open,
    Close,
    End,
}

impl<'a> Token<'a> {
    /// `in` and `notin` are words, too, where no operator can stand.
    fn as_word(self) -> Option<&'a [u8]> {
        match self {
            Self::Word(word) => Some(word),
            Self::In => Some(b"in"),
            Self::NotIn => Some(b"notin"),
            _ => None,
        }
    }
}

/// Whether `labels.Parse` takes it.
pub(crate) fn is_label_selector(selector: &str) -> bool {
    let tokens = Lexer { rest: selector.as_bytes() }.tokens();
    Parser { tokens: tokens.into_iter() }.selector().is_some()
}

struct Lexer<'a> {
    rest: &'a [u8],
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

fn is_special(byte: u8) -> bool {
    matches!(byte, b'=' | b'!' | b'(' | b')' | b',' | b'>' | b'<')
}

impl<'a> Lexer<'a> {
    fn tokens(mut self) -> Vec<Token<'a>> {
        let mut tokens = Vec::new();
        loop {
            let token = self.token();
            tokens.push(token);
            if token == Token::End {
                return tokens;
            }
        }
    }

    fn token(&mut self) -> Token<'a> {
        while let [first, rest @ ..] = self.rest
            && is_space(*first)
        {
            self.rest = rest;
        }
        // A NUL ends the text, as it does there.
        match self.rest {
            [] | [0, ..] => Token::End,
            [first, ..] if is_special(*first) => self.symbol(),
            _ => self.word(),
        }
    }

    fn symbol(&mut self) -> Token<'a> {
        let (token, rest) = match self.rest {
            [b'=', b'=', rest @ ..] | [b'=', rest @ ..] => (Token::Equals, rest),
            [b'!', b'=', rest @ ..] => (Token::NotEquals, rest),
            [b'!', rest @ ..] => (Token::Not, rest),
            [b'(', rest @ ..] => (Token::Open, rest),
            [b')', rest @ ..] => (Token::Close, rest),
            [b',', rest @ ..] => (Token::Comma, rest),
            [b'>' | b'<', rest @ ..] => (Token::Compare, rest),
            rest => (Token::End, rest),
        };
        self.rest = skip_nul(rest);
        token
    }

    fn word(&mut self) -> Token<'a> {
        let end = self.rest.iter().position(|&byte| byte == 0 || is_special(byte) || is_space(byte));
        let (word, rest) =
            self.rest.split_at_checked(end.unwrap_or(self.rest.len())).unwrap_or((self.rest, &[]));
        self.rest = skip_nul(rest);
        match word {
            b"in" => Token::In,
            b"notin" => Token::NotIn,
            word => Token::Word(word),
        }
    }
}

/// A NUL right behind a token is swallowed with it.
fn skip_nul(rest: &[u8]) -> &[u8] {
    rest.strip_prefix(&[0]).unwrap_or(rest)
}

struct Parser<'a> {
    tokens: std::vec::IntoIter<Token<'a>>,
}

/// `None` is a selector that cannot be read.
impl<'a> Parser<'a> {
    fn peek(&self) -> Token<'a> {
        self.tokens.as_slice().first().copied().unwrap_or(Token::End)
    }

    fn next(&mut self) -> Token<'a> {
        self.tokens.next().unwrap_or(Token::End)
    }

    fn selector(&mut self) -> Option<()> {
        if self.peek() == Token::End {
            return Some(());
        }
        loop {
            self.requirement()?;
            match self.next() {
                Token::End => return Some(()),
                Token::Comma => {}
                _ => return None,
            }
        }
    }

    fn requirement(&mut self) -> Option<()> {
        let absent = self.peek() == Token::Not;
        if absent {
            self.next();
        }
        let key = self.next().as_word()?;
        if !is_key(key) {
            return None;
        }
        if absent || matches!(self.peek(), Token::End | Token::Comma) {
            return Some(());
        }
        match self.next() {
            Token::In | Token::NotIn => self.values(),
            Token::Equals | Token::NotEquals => is_value(self.value()?).then_some(()),
            Token::Compare => {
                let value = self.value()?;
                let number = std::str::from_utf8(value).ok().and_then(|text| text.parse::<i64>().ok());
                (number.is_some() && is_value(value)).then_some(())
            }
            _ => None,
        }
    }

    fn value(&mut self) -> Option<&'a [u8]> {
        if matches!(self.peek(), Token::End | Token::Comma) { Some(b"") } else { self.next().as_word() }
    }

    /// `(a,b)`; an empty place is an empty value.
    fn values(&mut self) -> Option<()> {
        if self.next() != Token::Open {
            return None;
        }
        if self.peek() == Token::Close {
            self.next();
            return Some(());
        }
        loop {
            match self.next() {
                Token::Comma if self.peek() == Token::Close => break,
                Token::Comma => {}
                word => {
                    if !is_value(word.as_word()?) {
                        return None;
                    }
                    match self.peek() {
                        Token::Comma => {}
                        Token::Close => break,
                        _ => return None,
                    }
                }
            }
        }
        self.next();
        Some(())
    }
}

/// `IsLabelKey` in k8s.io/apimachinery/pkg/api/validate/content/kube.go: an optional DNS subdomain, a slash, a name.
fn is_key(key: &[u8]) -> bool {
    let mut parts = key.split(|byte| *byte == b'/');
    let name = match (parts.next(), parts.next(), parts.next()) {
        (Some(name), None, _) => name,
        (Some(prefix), Some(name), None) if is_subdomain(prefix) => name,
        _ => return false,
    };
    !name.is_empty() && is_value(name)
}

fn is_subdomain(text: &[u8]) -> bool {
    let label =
        |label: &[u8]| is_word(label, |byte| byte.is_ascii_lowercase() || byte.is_ascii_digit(), b"-");
    text.len() <= 253 && text.split(|byte| *byte == b'.').all(label)
}

/// `IsLabelValue` in the same file: empty, or at most 63 characters from letter or digit to letter or digit.
fn is_value(value: &[u8]) -> bool {
    value.is_empty() || (value.len() <= 63 && is_word(value, |byte| byte.is_ascii_alphanumeric(), b"-_."))
}

fn is_word(text: &[u8], edge: impl Fn(u8) -> bool, inner: &[u8]) -> bool {
    let (Some(&first), Some(&last)) = (text.first(), text.last()) else { return false };
    edge(first) && edge(last) && text.iter().all(|byte| edge(*byte) || inner.contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn label_selectors_are_read() {
        for good in [
            "",
            " ",
            "a=b",
            "a==b,c!=d",
            "!a",
            "a",
            "in",
            "a in (b, c),d notin (e)",
            "x.io/a=b",
            "a=",
            "a=,b",
            "n>5",
            "a in (b)",
            "a in ()",
            "a in (,b,,c,)",
            "a in (in)",
            "notin in (notin)",
            "a=b\0",
            "\0=",
        ] {
            assert!(is_label_selector(good), "{good:?}");
        }
        for bad in [
            "=",
            "a=b,",
            ",a",
            "a in b",
            "a in (b",
            "-a=b",
            "a=b c",
            "X.io/a=b",
            "a=b!",
            "n>x",
            "n>-5",
            "a,,b",
            "!a=b",
            "a/b/c",
            "/a",
            "a in (b c)",
            "a=b\0c",
            "a=é",
            "a===b",
            "n>",
        ] {
            assert!(!is_label_selector(bad), "{bad:?}");
        }
    }
}
