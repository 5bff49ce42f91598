//! Bodies made up, normal and hostile.

use kube_api::generate::Random;

/// Characters that some reader treats in a way of its own.
const CHARACTERS: &[char] = &[
    'a',
    'b',
    'Z',
    '0',
    '1',
    '9',
    ' ',
    ' ',
    '"',
    '\'',
    '\\',
    '/',
    '\n',
    '\r',
    '\t',
    '\u{0}',
    '\u{1b}',
    '\u{7f}',
    '\u{80}',
    '\u{85}',
    '\u{9f}',
    '\u{a0}',
    'é',
    '中',
    '\u{2028}',
    '\u{2029}',
    '\u{d7ff}',
    '\u{e000}',
    '\u{feff}',
    '\u{fffd}',
    '\u{fffe}',
    '\u{ffff}',
    '🔑',
    '\u{10ffff}',
    '{',
    '}',
    '[',
    ']',
    ':',
    ',',
    '#',
    '-',
    '?',
    '&',
    '*',
    '!',
    '|',
    '>',
    '%',
    '@',
    '`',
    '<',
    '=',
    '~',
    '.',
    '_',
    '+',
    'e',
    'x',
];
/// Words and keys that YAML takes for something else when they stand alone.
const WORDS: &[&str] = &[
    "",
    "<<",
    "yes",
    "No",
    "on",
    "y",
    "null",
    "~",
    "true",
    "=",
    "---",
    "...",
    "-",
    "0x1f",
    "017",
    "1_000",
    "1:30",
    "1e3",
    ".5",
    "2026-01-31",
    "name",
    "data",
    "metadata",
    "a",
    "b",
    "#",
    "!!str",
    "&a",
    "*a",
    "- a",
    "a: b",
    "%YAML 1.2",
    " a",
    "a ",
];
const NUMBERS: &[&str] = &[
    "0",
    "-0",
    "1",
    "-12",
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "0.5",
    "-2.50",
    "1e5",
    "1E+05",
    "3.25e-3",
    "1.0",
    "1e300",
    "123456789.123456789",
    "100000000000000000000000",
];

/// An object in JSON, each character of its strings in one of its spellings.
pub(crate) fn json(random: &mut Random) -> String {
    let mut text = String::new();
    object(random, &mut text, 3);
    text
}

/// The same with a few characters put in, taken out or said twice.
pub(crate) fn damaged_json(random: &mut Random) -> String {
    let mut text = json(random);
    while random.chance(40) {
        damage(random, &mut text);
    }
    text
}

/// A block mapping, or whatever becomes of it by damage.
pub(crate) fn yaml(random: &mut Random) -> String {
    let mut text = String::new();
    if random.chance(10) {
        text.push_str(random.pick(&["---\n", "# note\n", "\n", "%YAML 1.1\n---\n", "--- # a\n", "\u{feff}"]));
    }
    mapping(random, &mut text, 0, 3);
    if random.chance(10) {
        text.push_str(random.pick(&["...\n", "---\n", "# end", "\n\n", "...\n---\n", " "]));
    }
    while random.chance(50) {
        damage(random, &mut text);
    }
    text
}

fn damage(random: &mut Random, text: &mut String) {
    let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
    let at = random.pick(&places);
    match random.below(4) {
        0 => drop((at < text.len()).then(|| text.remove(at))),
        1 => text.insert_str(at, random.pick(WORDS)),
        2 => text.insert_str(at, random.pick(NUMBERS)),
        _ => text.insert(at, random.pick(CHARACTERS)),
    }
}

fn word(random: &mut Random) -> String {
    match random.below(4) {
        0 => random.pick(WORDS).to_owned(),
        1 => random.pick(NUMBERS).to_owned(),
        _ => (0..random.below(9)).map(|_| random.pick(CHARACTERS)).collect(),
    }
}

// JSON

fn space(random: &mut Random) -> &'static str {
    if random.chance(80) { "" } else { random.pick(&[" ", "\n", "\t", "\r\n", "  "]) }
}

fn object(random: &mut Random, text: &mut String, depth: usize) {
    text.push('{');
    for at in 0..random.below(4) {
        if at > 0 {
            text.push(',');
        }
        text.push_str(space(random));
        let key = word(random);
        // Mostly no key stands twice.
        let key = if random.chance(95) { format!("{key}{at}") } else { key };
        string(random, text, &key);
        text.push_str(space(random));
        text.push(':');
        text.push_str(space(random));
        value(random, text, depth);
    }
    text.push_str(space(random));
    text.push('}');
}

fn value(random: &mut Random, text: &mut String, depth: usize) {
    match random.below(if depth == 0 { 6 } else { 9 }) {
        0 => text.push_str(random.pick(&["null", "true", "false"])),
        1 => text.push_str(random.pick(NUMBERS)),
        2..=5 => {
            let word = word(random);
            string(random, text, &word);
        }
        6 => {
            text.push('[');
            for at in 0..random.below(4) {
                text.push_str(if at > 0 { "," } else { "" });
                text.push_str(space(random));
                value(random, text, depth - 1);
            }
            text.push(']');
        }
        _ => object(random, text, depth - 1),
    }
}

fn string(random: &mut Random, text: &mut String, content: &str) {
    text.push('"');
    for character in content.chars() {
        match character {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '/' if random.chance(50) => text.push_str("\\/"),
            _ if character >= ' ' && random.chance(70) => text.push(character),
            _ => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    text.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    text.push('"');
}

// YAML

fn indent(text: &mut String, by: usize) {
    text.push_str(&" ".repeat(by));
}

fn mapping(random: &mut Random, text: &mut String, by: usize, depth: usize) {
    for at in 0..=random.below(3) {
        indent(text, by);
        let key = if random.chance(90) { format!("k{at}") } else { word(random) };
        scalar(random, text, &key, by, 10);
        text.push(':');
        entry(random, text, by, depth);
    }
}

/// What stands behind `key:` or `-`.
fn entry(random: &mut Random, text: &mut String, by: usize, depth: usize) {
    match random.below(if depth == 0 { 6 } else { 9 }) {
        0 => text.push('\n'),
        1 => {
            text.push(' ');
            value(random, text, depth.min(1));
            text.push('\n');
        }
        2..=5 => {
            text.push_str(random.pick(&[" ", " ", " ", "  ", "\t", "\n  "]));
            let word = word(random);
            scalar(random, text, &word, by, 50);
            text.push_str(random.pick(&["\n", "\n", "\n", " # note\n", " \n", "\r\n", "\n\n", "#\n"]));
        }
        6 | 7 => {
            text.push('\n');
            let more = random.pick(&[1, 2, 4]);
            mapping(random, text, by + more, depth - 1);
        }
        _ => {
            text.push('\n');
            let more = random.pick(&[0, 2]);
            for _ in 0..random.below(4) {
                indent(text, by + more);
                text.push('-');
                entry(random, text, by + more, depth - 1);
            }
        }
    }
}

/// In one of YAML's five styles; so often without quotes, whatever that makes of it.
fn scalar(random: &mut Random, text: &mut String, content: &str, by: usize, block: usize) {
    match random.below(100) {
        style if style < block / 2 => {
            text.push_str(random.pick(&["|", ">", "|-", ">-", "|+", ">+", "|2", ">1-"]));
            for line in content.lines() {
                text.push('\n');
                indent(text, by + random.below(4));
                text.push_str(line);
            }
        }
        style if style < 60 => text.push_str(content),
        style if style < 80 => {
            text.push('\'');
            text.push_str(&content.replace('\'', "''"));
            text.push('\'');
        }
        _ => string(random, text, content),
    }
}
