//! YAML that can be read in one way only.
//!
//! Plain data: no anchors, aliases, tags, merge keys, directives or second documents. Readers of YAML 1.1 (Go's is one:
//! sigs.k8s.io/yaml) and of YAML 1.2 disagree about plain words such as `yes`, `017` and `1_000`; those are refused too, to be
//! written with quotes or as JSON has them.

use granit_parser::{Event, Parser, ScalarStyle, Span, StrInput, StructureStyle};
use serde_json::{Map, Number, Value};

use crate::budget::Budget;

/// Why a document is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// Names no value.
    pub(crate) what: &'static str,
    /// From 1; 0 if the text just ends.
    pub(crate) line: usize,
}

/// As deep as [`crate::json`] reads.
const MAX_DEPTH: usize = 127;

/// Reads one document.
///
/// # Errors
/// See the module; more values than the budget has left.
pub(crate) fn parse(text: &str, budget: &Budget) -> Result<Value, Problem> {
    check_breaks(text)?;
    let options = granit_parser::options! {
        strict_indentation: true,
        disallow_directives: true,
        block_scalar_eof_without_line_feed: true,
        emit_comments: false,
        block_nesting_limit: MAX_DEPTH,
        flow_nesting_limit: MAX_DEPTH,
    };
    let mut reader = Reader { events: Parser::new_from_str_with_options(text, options), budget };
    let mut document = None;
    loop {
        match reader.next()? {
            (Event::StreamEnd, _) => break,
            (Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd, _) => {}
            (_, line) if document.is_some() => return Err(Problem { what: "a second document", line }),
            event => document = Some(reader.value(event, Place { depth: 0, flow: false })?),
        }
    }
    document.ok_or(Problem { what: "it is empty", line: 0 })
}

/// Tabs as indentation, line breaks that only YAML 1.1 knows, and marks that are dropped or not.
fn check_breaks(text: &str) -> Result<(), Problem> {
    for (at, line) in text.lines().enumerate() {
        let content = line.trim_start_matches([' ', '\t']);
        if line.strip_suffix(content).is_some_and(|indentation| indentation.contains('\t')) {
            return Err(Problem { what: "a tab as indentation", line: at + 1 });
        }
        if line.contains(['\u{85}', '\u{2028}', '\u{2029}']) {
            return Err(Problem {
                what: "a line separator that not all readers know; escape it",
                line: at + 1,
            });
        }
        // Some readers drop it, others take it for a letter; at the beginning of a text all drop it.
        if line.char_indices().any(|(column, character)| character == '\u{feff}' && (at, column) != (0, 0)) {
            return Err(Problem { what: "a byte order mark inside the text; escape it", line: at + 1 });
        }
    }
    Ok(())
}

struct Reader<'text> {
    events: Parser<'text, StrInput<'text>>,
    budget: &'text Budget,
}

/// Where a value stands.
#[derive(Debug, Clone, Copy)]
struct Place {
    depth: usize,
    /// Inside `[..]` or `{..}`.
    flow: bool,
}

impl Place {
    fn below(self, style: StructureStyle) -> Self {
        Self { depth: self.depth + 1, flow: self.flow || matches!(style, StructureStyle::Flow) }
    }
}

type Next<'text> = (Event<'text>, usize);

impl<'text> Reader<'text> {
    fn next(&mut self) -> Result<Next<'text>, Problem> {
        match self.events.next() {
            Some(Ok((event, span))) => Ok((event, line(&span))),
            Some(Err(error)) => Err(Problem { what: "it does not parse", line: error.marker().line() }),
            None => Ok((Event::StreamEnd, 0)),
        }
    }

    fn value(&mut self, (event, line): Next<'text>, place: Place) -> Result<Value, Problem> {
        let refused = |what| Err(Problem { what, line });
        self.budget.take().ok_or(Problem { what: "too many values", line })?;
        match event {
            _ if place.depth > MAX_DEPTH => refused("deeper than 128 levels"),
            Event::Alias(_) | Event::UnresolvedAlias(_) => refused("an alias"),
            Event::Scalar(_, _, 1.., _)
            | Event::SequenceStart(_, 1.., _)
            | Event::MappingStart(_, 1.., _) => refused("an anchor"),
            Event::Scalar(.., Some(_))
            | Event::SequenceStart(.., Some(_))
            | Event::MappingStart(.., Some(_)) => refused("a tag"),
            // The parser tells nothing as `~`. Where a colon ends a word in there, readers differ.
            Event::Scalar(text, ScalarStyle::Plain, ..) if place.flow && matches!(&*text, "" | "~") => {
                refused("nothing where a value should be; write `null`")
            }
            Event::Scalar(text, ScalarStyle::Plain, ..) => {
                plain(&text).map_err(|what| Problem { what, line })
            }
            Event::Scalar(text, ..) => Ok(Value::String(text.into_owned())),
            Event::SequenceStart(style, ..) => self.sequence(place.below(style)),
            Event::MappingStart(style, ..) => self.mapping(place.below(style)),
            _ => refused("it does not parse"),
        }
    }

    fn sequence(&mut self, place: Place) -> Result<Value, Problem> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Value::Array(items)),
                item => items.push(self.value(item, place)?),
            }
        }
    }

    fn mapping(&mut self, place: Place) -> Result<Value, Problem> {
        let mut object = Map::new();
        loop {
            let (event, line) = self.next()?;
            let key = match event {
                Event::MappingEnd => return Ok(Value::Object(object)),
                Event::Scalar(key, style, 0, None) => key_text(&key, style)
                    .ok_or(Problem { what: "a key that is no plain word; quote it", line })?,
                _ => return Err(Problem { what: "a key that is no word", line }),
            };
            let value = self.next()?;
            let value = self.value(value, place)?;
            if object.insert(key, value).is_some() {
                return Err(Problem { what: "a key stands twice in one mapping", line });
            }
        }
    }
}

fn line(span: &Span) -> usize {
    span.start.line()
}

/// A key as JSON has it: text, or a whole number, which Go's reader turns into text as well.
fn key_text(key: &str, style: ScalarStyle) -> Option<String> {
    if !matches!(style, ScalarStyle::Plain) {
        return Some(key.to_owned());
    }
    match plain(key) {
        Ok(Value::String(text)) if text != "<<" => Some(text),
        Ok(Value::Number(number)) if !number.is_f64() && number.to_string() == key => Some(key.to_owned()),
        _ => None,
    }
}

/// A scalar without quotes, if all readers agree about it.
fn plain(text: &str) -> Result<Value, &'static str> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Value::Null),
        "true" | "True" | "TRUE" => return Ok(Value::Bool(true)),
        "false" | "False" | "FALSE" => return Ok(Value::Bool(false)),
        _ => {}
    }
    if ["y", "n", "yes", "no", "on", "off"].iter().any(|word| text.eq_ignore_ascii_case(word)) {
        return Err("a word that some readers take for a boolean; quote it");
    }
    if text.starts_with('?') {
        return Err("a word that some readers take for a key; quote it");
    }
    if is_json_number(text) {
        return number(text).ok_or("a number that is too large; quote it");
    }
    if is_number_to_some(&text.replace('_', "")) {
        return Err("a number in a form that not all readers know; quote it, or write it as in JSON");
    }
    Ok(Value::String(text.to_owned()))
}

/// RFC 8259 section 6.
fn is_json_number(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let integer = unsigned.split(['.', 'e', 'E']).next().unwrap_or_default();
    (integer == "0" || !integer.starts_with('0')) && !integer.is_empty() && !unsigned.ends_with('.') && {
        !unsigned.contains(".e") && !unsigned.contains(".E") && is_decimal(unsigned)
    }
}

/// Digits, with a fraction or an exponent, such as Go's reader takes for a float (`yamlStyleFloat` in its resolver),
/// without a sign.
fn is_decimal(text: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (mantissa, exponent) = text.split_once(['e', 'E']).map_or((text, None), |(m, e)| (m, Some(e)));
    let (integer, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent = exponent.map(|exponent| exponent.strip_prefix(['+', '-']).unwrap_or(exponent));
    digits(integer)
        && digits(fraction)
        && !(integer.is_empty() && fraction.is_empty())
        && exponent.is_none_or(|exponent| !exponent.is_empty() && digits(exponent))
}

fn number(text: &str) -> Option<Value> {
    if text.contains(['.', 'e', 'E']) {
        return text.parse::<f64>().ok().and_then(Number::from_f64).map(Value::Number);
    }
    text.parse::<i64>()
        .map(Number::from)
        .or_else(|_| text.parse::<u64>().map(Number::from))
        .ok()
        .map(Value::Number)
}

/// What YAML 1.1 or 1.2 takes for a number and JSON does not: signs, leading zeros, other bases, infinities.
fn is_number_to_some(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let based = |prefixes: [&str; 2], radix| {
        let digits = prefixes.into_iter().find_map(|prefix| unsigned.strip_prefix(prefix));
        // Go's reader takes a second sign behind `0b`.
        let digits = digits.map(|digits| digits.strip_prefix(['+', '-']).unwrap_or(digits));
        digits.is_some_and(|digits| !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix)))
    };
    is_decimal(unsigned)
        || based(["0x", "0X"], 16)
        || based(["0o", "0O"], 8)
        || based(["0b", "0B"], 2)
        || [".inf", ".nan"].iter().any(|word| unsigned.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        match parse(text, &Budget::new()) {
            Ok(value) => value.to_string(),
            Err(problem) => format!("{} (line {})", problem.what, problem.line),
        }
    }

    #[test]
    fn what_all_readers_agree_about_is_read() {
        for (yaml, json) in [
            ("a: 1\nb: [x, 'yes', true]\n", r#"{"a":1,"b":["x","yes",true]}"#),
            ("---\na: ~\nb:\n...\n", r#"{"a":null,"b":null}"#),
            ("{\"a\": 1.5, b: -2}", r#"{"a":1.5,"b":-2}"#),
            ("a: 18446744073709551615\nb: 1e3", r#"{"a":18446744073709551615,"b":1000.0}"#),
            (
                "ip: 10.0.0.0/8\nv: 1.2.3\nd: 2026-01-31\nt: 12:30:45\nm: 100m",
                r#"{"ip":"10.0.0.0/8","v":"1.2.3","d":"2026-01-31","t":"12:30:45","m":"100m"}"#,
            ),
            ("8080: a\n'true': b", r#"{"8080":"a","true":"b"}"#),
            ("a: |\n  x\n  y\nb: >-\n  x\n  y\n", r#"{"a":"x\ny\n","b":"x y"}"#),
            ("a: '1_000'\n# note\nb: \"\\u00e9\"", r#"{"a":"1_000","b":"é"}"#),
            ("\u{feff}a: x", r#"{"a":"x"}"#),
            ("text", r#""text""#),
        ] {
            assert_eq!(read(yaml), json, "{yaml}");
        }
    }

    #[test]
    fn what_readers_disagree_about_is_refused() {
        let deep = format!("a: {}1{}", "[".repeat(130), "]".repeat(130));
        let mut told = Vec::new();
        for yaml in [
            "a: &x 1\nb: 2",
            "a: 1\nb: *x",
            "a: !!binary aGk=",
            "a: !local 1",
            "<<: {a: 1}\nb: 2",
            "%YAML 1.1\n---\na: 1",
            "a: 1\n---\nb: 2",
            "a: 1\na: 2",
            "a: yes",
            "a: Off",
            "a: 017",
            "a: 0x1F",
            "a: 0o17",
            "a: 1_000",
            "a: +5",
            "a: .5",
            "a: 5.",
            "a: .inf",
            "a: -.NaN",
            "a: 1e999",
            "a: 99999999999999999999",
            "yes: 1",
            "1.5: x",
            "~: x",
            "? [a]\n: 1",
            "a: [1",
            "\ta: 1",
            "a:\n \t- 1",
            "a: x\u{2028}y",
            "a: 1\n\u{feff}b: 2",
            "a: 0b+1",
            "a: ?b",
            "[a:]",
            "",
            &deep,
        ] {
            let shown: String = yaml.escape_debug().take(24).collect();
            told.push(format!("{shown}: {}", read(yaml)));
        }
        insta::assert_snapshot!(told.join("\n"), @r"
        a: &x 1\nb: 2: an anchor (line 1)
        a: 1\nb: *x: it does not parse (line 2)
        a: !!binary aGk=: a tag (line 1)
        a: !local 1: a tag (line 1)
        <<: {a: 1}\nb: 2: a key that is no plain word; quote it (line 1)
        %YAML 1.1\n---\na: 1: it does not parse (line 1)
        a: 1\n---\nb: 2: a second document (line 3)
        a: 1\na: 2: a key stands twice in one mapping (line 2)
        a: yes: a word that some readers take for a boolean; quote it (line 1)
        a: Off: a word that some readers take for a boolean; quote it (line 1)
        a: 017: a number in a form that not all readers know; quote it, or write it as in JSON (line 1)
        a: 0x1F: a number in a form that not all readers know; quote it, or write it as in JSON (line 1)
        a: 0o17: a number in a form that not all readers know; quote it, or write it as in JSON (line 1)
        a: 1_000: a number in a form that not all readers know; quote it, or write it as in JSON (line 1)
        a: +5: a number in a form that not all readers know; quote it, or write it as in JSON (line 1)
        a: .5: a number in a form that not all readers know; quote it, or write it as in JSON (line 1)
        a: 5.: a number in a form that not all readers know; quote it, or write it as in JSON (line 1)
        a: .inf: a number in a form that not all readers know; quote it, or write it as in JSON (line 1)
        a: -.NaN: a number in a form that not all readers know; quote it, or write it as in JSON (line 1)
        a: 1e999: a number that is too large; quote it (line 1)
        a: 99999999999999999999: a number that is too large; quote it (line 1)
        yes: 1: a key that is no plain word; quote it (line 1)
        1.5: x: a key that is no plain word; quote it (line 1)
        ~: x: a key that is no plain word; quote it (line 1)
        ? [a]\n: 1: a key that is no word (line 1)
        a: [1: it does not parse (line 1)
        \ta: 1: a tab as indentation (line 1)
        a:\n \t- 1: a tab as indentation (line 2)
        a: x\u{2028}y: a line separator that not all readers know; escape it (line 1)
        a: 1\n\u{feff}b: 2: a byte order mark inside the text; escape it (line 2)
        a: 0b+1: a number in a form that not all readers know; quote it, or write it as in JSON (line 1)
        a: ?b: a word that some readers take for a key; quote it (line 1)
        [a:]: nothing where a value should be; write `null` (line 1)
        : it is empty (line 0)
        a: [[[[[[[[[[[[[[[[[[[[[: it does not parse (line 1)
        ");
    }
}
