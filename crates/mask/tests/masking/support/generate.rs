//! Documents from a seed, spelled in every legal way, together with what masking must make of them.

mod objects;

use mask::Placeholder;
pub(crate) use objects::object;

use super::Rng;

/// The text that must never come out.
pub(crate) const CANARY: &str = "CANARY";

const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// A document and its masked form, in pieces that are the same in both or differ.
#[derive(Debug, Default)]
pub(crate) struct Document {
    pieces: Vec<(String, String)>,
    /// How many values are replaced.
    pub(crate) masked: u64,
}

impl Document {
    pub(crate) fn input(&self) -> String {
        self.pieces.iter().map(|(input, _)| input.as_str()).collect()
    }

    pub(crate) fn expected(&self) -> String {
        self.pieces.iter().map(|(_, expected)| expected.as_str()).collect()
    }

    fn same(&mut self, text: &str) {
        self.pieces.push((text.to_owned(), text.to_owned()));
    }
}

/// An answer about Secrets that is one document.
pub(crate) fn answer(rng: &mut Rng) -> Document {
    let mut writer = Writer::new(rng, false);
    writer.space();
    match writer.rng.below(5) {
        0 => writer.list(),
        1 => writer.table(),
        _ => writer.secret(),
    }
    writer.space();
    writer.document
}

/// A watch's answer about Secrets: some events.
pub(crate) fn watch(rng: &mut Rng) -> Document {
    let mut writer = Writer::new(rng, false);
    for _ in 0..writer.rng.below(4) {
        writer.event();
        let end = *writer.rng.pick(&["\n", "", " \r\n\t"]);
        writer.document.same(end);
    }
    writer.document
}

struct Writer<'r> {
    rng: &'r mut Rng,
    document: Document,
    /// Whether this is the document in an annotation.
    embedded: bool,
}

impl<'r> Writer<'r> {
    fn new(rng: &'r mut Rng, embedded: bool) -> Self {
        Self { rng, document: Document::default(), embedded }
    }

    fn space(&mut self) {
        if self.rng.one_in(4) {
            let space = *self.rng.pick(&[" ", "\n", "\t", "\r\n", "  \n  "]);
            self.document.same(space);
        }
    }

    fn object(&mut self, members: &mut [&mut dyn FnMut(&mut Self)]) {
        self.document.same("{");
        for (index, member) in members.iter_mut().enumerate() {
            if index > 0 {
                self.document.same(",");
            }
            self.space();
            member(self);
            self.space();
        }
        self.document.same("}");
    }

    fn array(&mut self, most: usize, element: &mut dyn FnMut(&mut Self)) {
        self.document.same("[");
        for index in 0..self.rng.below(most + 1) {
            if index > 0 {
                self.document.same(",");
            }
            self.space();
            element(self);
            self.space();
        }
        self.document.same("]");
    }

    fn member(&mut self, key: &str, value: impl FnOnce(&mut Self)) {
        let spelled = spell(self.rng, key);
        self.document.same(&format!("\"{spelled}\""));
        self.space();
        self.document.same(":");
        self.space();
        value(self);
    }

    /// A key of a place, sometimes in the wrong case.
    fn place(&mut self, key: &str, value: impl FnOnce(&mut Self)) {
        let key = if self.rng.one_in(16) { key.to_ascii_uppercase() } else { key.to_owned() };
        self.member(&key, value);
    }

    fn secret(&mut self) {
        let mut members: Vec<&mut dyn FnMut(&mut Self)> = Vec::new();
        let kind = &mut |w: &mut Self| w.member("kind", |w| w.document.same("\"Secret\""));
        let data = &mut |w: &mut Self| w.place("data", |w| w.values(Placeholder::Base64));
        let again = &mut |w: &mut Self| w.place("data", |w| w.values(Placeholder::Base64));
        let string_data = &mut |w: &mut Self| w.place("stringData", |w| w.values(Placeholder::Text));
        let metadata = &mut |w: &mut Self| w.place("metadata", Self::metadata);
        let other = &mut |w: &mut Self| w.other_member(3);
        let shuffled: [&mut dyn FnMut(&mut Self); 6] = [kind, data, again, string_data, metadata, other];
        for member in shuffled {
            if self.rng.one_in(2) {
                let at = self.rng.below(members.len() + 1);
                members.insert(at, member);
            }
        }
        self.object(&mut members);
    }

    fn metadata(&mut self) {
        let annotations = &mut |w: &mut Self| w.place("annotations", Self::annotations);
        let other = &mut |w: &mut Self| w.other_member(2);
        if self.rng.one_in(3) { self.object(&mut [other]) } else { self.object(&mut [other, annotations]) }
    }

    fn annotations(&mut self) {
        let other = &mut |w: &mut Self| w.other_member(1);
        let applied = &mut |w: &mut Self| {
            w.member(LAST_APPLIED, |w| match w.rng.below(8) {
                _ if w.embedded => w.secret_value(Placeholder::Text),
                0 => w.replaced("[\"CANARY\"]", Placeholder::Text),
                1 => w.no_document(),
                _ => w.applied(),
            });
        };
        self.object(&mut [other, applied]);
    }

    /// A string that should have a manifest in it, and has not.
    fn no_document(&mut self) {
        let start =
            *self.rng.pick(&[CANARY, " ", "\n{\"CANARY\": 1}", "[", "null", "12", "\"CANARY\"", "\u{0}"]);
        let text = format!("{start}{}", any_text(self.rng));
        let spelled = spell(self.rng, &text);
        self.replaced(&format!("\"{spelled}\""), Placeholder::Text);
    }

    /// A string with a Secret's manifest in it.
    fn applied(&mut self) {
        let mut inner = Writer::new(self.rng, true);
        inner.secret();
        let inner = inner.document;
        self.document.masked += inner.masked;
        self.document.same("\"");
        for (input, expected) in inner.pieces {
            let spelled = spell(self.rng, &input);
            let expected = if input == expected { spelled.clone() } else { expected.replace('"', "\\\"") };
            self.document.pieces.push((spelled, expected));
        }
        self.document.same("\"");
    }

    /// What `data` or `stringData` may be: mostly members with values.
    fn values(&mut self, placeholder: Placeholder) {
        match self.rng.below(12) {
            0 => self.document.same("null"),
            1 => {
                // Not a map: replaced whole, whatever it is.
                let leaf = *self.rng.pick(&["\"CANARY\"", "[\"CANARY\", {}]", "0", "true", "\"\"", "[]"]);
                self.replaced(leaf, Placeholder::Text);
            }
            _ => {
                self.document.same("{");
                for index in 0..self.rng.below(5) {
                    if index > 0 {
                        self.document.same(",");
                    }
                    let long = "k".repeat(self.rng.below(100));
                    let key = *self.rng.pick(&["password", "data", "", "tls.crt", long.as_str()]);
                    self.member(key, |w| w.secret_value(placeholder));
                }
                self.document.same("}");
            }
        }
    }

    fn secret_value(&mut self, placeholder: Placeholder) {
        match self.rng.below(10) {
            0 => self.document.same("null"),
            1 => {
                let mut leaves = String::new();
                for _ in 0..self.rng.below(3) {
                    leaves.push_str(&secret_leaf(self.rng));
                    leaves.push_str(", ");
                }
                self.replaced(&format!("[{leaves}{{\"data\": {{\"{CANARY}\": 1}}}}]"), placeholder);
            }
            2..=3 => {
                let leaf = secret_leaf(self.rng);
                self.replaced(&leaf, placeholder);
            }
            _ => {
                let text = format!("{}{CANARY}{}", any_text(self.rng), any_text(self.rng));
                let spelled = spell(self.rng, &text);
                self.replaced(&format!("\"{spelled}\""), placeholder);
            }
        }
    }

    fn replaced(&mut self, input: &str, placeholder: Placeholder) {
        self.document.masked += 1;
        let placeholder = placeholder.as_str();
        // A string keeps its quotation marks, which within a string may be spelled in more than one way.
        if let Some(text) = input.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
            self.document.same("\"");
            self.document.pieces.push((text.to_owned(), placeholder.to_owned()));
            self.document.same("\"");
        } else {
            self.document.pieces.push((input.to_owned(), format!("\"{placeholder}\"")));
        }
    }

    fn list(&mut self) {
        let other = &mut |w: &mut Self| w.other_member(2);
        let items = &mut |w: &mut Self| w.place("items", |w| w.array(4, &mut Self::secret));
        self.object(&mut [other, items]);
    }

    fn table(&mut self) {
        let row = &mut |w: &mut Self| {
            let cells = &mut |w: &mut Self| w.member("cells", |w| w.array(4, &mut |w| w.value(1)));
            let object = &mut |w: &mut Self| w.place("object", Self::secret);
            w.object(&mut [cells, object]);
        };
        let other = &mut |w: &mut Self| w.other_member(2);
        let rows = &mut |w: &mut Self| w.place("rows", |w| w.array(3, row));
        self.object(&mut [other, rows]);
    }

    fn event(&mut self) {
        let kind = &mut |w: &mut Self| w.member("type", |w| w.document.same("\"MODIFIED\""));
        let object = &mut |w: &mut Self| {
            w.place("object", |w| match w.rng.below(4) {
                0 => w.list(),
                1 => w.table(),
                _ => w.secret(),
            });
        };
        self.object(&mut [kind, object]);
    }

    /// A member that is at no place and leads to none.
    fn other_member(&mut self, depth: usize) {
        let key = *self.rng.pick(&["type", "immutable", "labels", "", "dat", "datas", "d\\ata", "ключ"]);
        self.member(key, |w| w.value(depth));
    }

    fn value(&mut self, depth: usize) {
        match self.rng.below(if depth == 0 { 6 } else { 8 }) {
            0 => self.document.same("null"),
            1 => self.document.same("true"),
            2 => self.document.same("false"),
            3 => {
                let number = number(self.rng);
                self.document.same(&number);
            }
            4 | 5 => {
                let text = any_text(self.rng);
                let spelled = spell(self.rng, &text);
                self.document.same(&format!("\"{spelled}\""));
            }
            6 => self.array(3, &mut |w| w.value(depth - 1)),
            _ => {
                let member = &mut |w: &mut Self| w.member("data", |w| w.value(depth - 1));
                let other = &mut |w: &mut Self| w.other_member(depth - 1);
                self.object(&mut [member, other]);
            }
        }
    }
}

fn secret_leaf(rng: &mut Rng) -> String {
    (*rng.pick(&["12345.5e1", "true", "-0", "[]", "{}", "[\"CANARY\"]", "{\"a\":{\"CANARY\":[null]}}"]))
        .to_owned()
}

fn number(rng: &mut Rng) -> String {
    (*rng.pick(&[
        "0",
        "-0",
        "1",
        "-12",
        "9223372036854775807",
        "0.50",
        "1e5",
        "1E+05",
        "-3.25e-3",
        "18446744073709551616",
    ]))
    .to_owned()
}

/// Text with characters of every kind, sometimes none, sometimes long.
fn any_text(rng: &mut Rng) -> String {
    const CHARACTERS: &[char] = &[
        'a', 'Z', '0', ' ', '"', '\\', '/', '\n', '\t', '\u{0}', '\u{7f}', 'é', 'ÿ', '中', '\u{2028}', '🔑',
        '{', '}', ':',
    ];
    let length = if rng.one_in(16) { rng.below(300) } else { rng.below(12) };
    (0..length).map(|_| *rng.pick(CHARACTERS)).collect()
}

/// `text` as the inside of a JSON string, each character in one of its legal spellings.
pub(crate) fn spell(rng: &mut Rng, text: &str) -> String {
    let mut spelled = String::new();
    for character in text.chars() {
        let short = match character {
            '"' => Some("\\\""),
            '\\' => Some("\\\\"),
            '\n' => Some("\\n"),
            '\t' => Some("\\t"),
            '/' if rng.one_in(2) => Some("\\/"),
            _ => None,
        };
        match short {
            Some(short) if !rng.one_in(8) => spelled.push_str(short),
            None if character >= ' ' && !rng.one_in(24) => spelled.push(character),
            _ => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    let hex = if rng.one_in(2) { format!("{unit:04x}") } else { format!("{unit:04X}") };
                    spelled.push_str(&format!("\\u{hex}"));
                }
            }
        }
    }
    spelled
}
