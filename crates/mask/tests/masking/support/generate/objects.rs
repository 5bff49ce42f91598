//! Answers about other objects: variables, objects that say they are Secrets, and copies in annotations.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use mask::Placeholder;

use super::{CANARY, Document, LAST_APPLIED, Writer, any_text, spell};
use crate::support::Rng;

const PACKED: &str = "objectset.rio.cattle.io/applied";
const TELLING: &[&str] = &["DB_PASSWORD", "github_token", "AWS_SECRET_ACCESS_KEY", "SENTRY_DSN", "apiKey"];
const PLAIN: &[&str] = &["PORT", "LOG_LEVEL", "PASSWORD_FILE", "", "TOKEN_URL", "ключ"];

/// An answer about pods that is one document.
pub(crate) fn object(rng: &mut Rng) -> Document {
    let mut writer = Writer::new(rng, false);
    writer.space();
    if writer.rng.one_in(4) {
        let other = &mut |w: &mut Writer<'_>| w.other_member(2);
        let items = &mut |w: &mut Writer<'_>| w.place("items", |w| w.array(3, &mut Writer::pod));
        writer.object(&mut [other, items]);
    } else {
        writer.pod();
    }
    writer.space();
    writer.document
}

impl Writer<'_> {
    fn pod(&mut self) {
        let metadata = &mut |w: &mut Self| w.place("metadata", Self::pod_metadata);
        let spec = &mut |w: &mut Self| w.member("spec", |w| w.anything(3));
        let other = &mut |w: &mut Self| w.other_member(2);
        self.object(&mut [metadata, other, spec]);
    }

    /// An object or array with variables and Secrets somewhere in it.
    fn anything(&mut self, depth: usize) {
        match self.rng.below(if depth == 0 { 4 } else { 7 }) {
            0 => self.value(1),
            1 => {
                let env = &mut |w: &mut Self| w.place("env", |w| w.array(4, &mut Self::variable));
                let other = &mut |w: &mut Self| w.other_member(1);
                self.object(&mut [other, env]);
            }
            2 => self.embedded_secret(),
            3 => {
                // Not a list of variables.
                let env = &mut |w: &mut Self| w.place("env", |w| w.value(2));
                self.object(&mut [env]);
            }
            4 => self.array(3, &mut |w| w.anything(depth - 1)),
            _ => {
                let containers = &mut |w: &mut Self| w.member("containers", |w| w.anything(depth - 1));
                let other = &mut |w: &mut Self| w.other_member(1);
                self.object(&mut [containers, other]);
            }
        }
    }

    fn variable(&mut self) {
        let telling = self.rng.one_in(2);
        let name = *self.rng.pick(if telling { TELLING } else { PLAIN });
        let name_first = !self.rng.one_in(4);
        let named = &mut |w: &mut Self| {
            w.place("name", |w| {
                let spelled = spell(w.rng, name);
                w.document.same(&format!("\"{spelled}\""));
            });
        };
        let value = &mut |w: &mut Self| {
            w.place("value", |w| {
                if telling || !name_first { w.secret_value(Placeholder::Text) } else { w.value(1) }
            });
        };
        let other = &mut |w: &mut Self| w.other_member(1);
        if name_first {
            self.object(&mut [named, other, value])
        } else {
            self.object(&mut [value, named, other])
        }
    }

    /// An object that says it is a Secret, or may be one.
    fn embedded_secret(&mut self) {
        let version = &mut |w: &mut Self| w.member("apiVersion", |w| w.document.same("\"v1\""));
        let kind = &mut |w: &mut Self| {
            w.member("kind", |w| {
                let spelled = spell(w.rng, "Secret");
                w.document.same(&format!("\"{spelled}\""));
            });
        };
        let data = &mut |w: &mut Self| w.place("data", |w| w.values(Placeholder::Base64));
        let string_data = &mut |w: &mut Self| w.place("stringData", |w| w.values(Placeholder::Text));
        match self.rng.below(4) {
            0 => self.object(&mut [kind, data, string_data]),
            1 => self.object(&mut [version, data, kind, string_data]),
            2 => {
                let items = &mut |w: &mut Self| {
                    w.member("items", |w| {
                        w.array(3, &mut |w| {
                            let data = &mut |w: &mut Self| w.place("data", |w| w.values(Placeholder::Base64));
                            w.object(&mut [data]);
                        });
                    });
                };
                let list = &mut |w: &mut Self| w.member("kind", |w| w.document.same("\"SecretList\""));
                self.object(&mut [list, items]);
            }
            _ => {
                // What says that it is something else is not masked.
                let map = &mut |w: &mut Self| w.member("kind", |w| w.document.same("\"ConfigMap\""));
                let data = &mut |w: &mut Self| w.member("data", |w| w.value(2));
                self.object(&mut [version, map, data]);
            }
        }
    }

    fn pod_metadata(&mut self) {
        let annotations = &mut |w: &mut Self| {
            w.place("annotations", |w| {
                let other = &mut |w: &mut Self| w.other_member(1);
                let applied = &mut |w: &mut Self| w.member(LAST_APPLIED, Self::applied_pod);
                let packed = &mut |w: &mut Self| w.member(PACKED, Self::packed_pod);
                w.object(&mut [other, applied, packed]);
            });
        };
        let other = &mut |w: &mut Self| w.other_member(1);
        self.object(&mut [other, annotations]);
    }

    fn inner_pod(&mut self) -> Document {
        let mut inner = Writer::new(self.rng, true);
        inner.pod();
        inner.document
    }

    fn applied_pod(&mut self) {
        if self.embedded {
            return self.secret_value(Placeholder::Text);
        }
        let inner = self.inner_pod();
        self.document.masked += inner.masked;
        self.document.same("\"");
        for (input, expected) in inner.pieces {
            let spelled = spell(self.rng, &input);
            let expected = if input == expected { spelled.clone() } else { expected.replace('"', "\\\"") };
            self.document.pieces.push((spelled, expected));
        }
        self.document.same("\"");
    }

    fn packed_pod(&mut self) {
        if self.embedded {
            return self.secret_value(Placeholder::Text);
        }
        let inner = self.inner_pod();
        let text = match self.rng.below(8) {
            // Seldom: it takes long.
            0 => {
                let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
                gzip.write_all(inner.input().as_bytes()).unwrap();
                STANDARD.encode(gzip.finish().unwrap())
            }
            1 => format!("{CANARY} is no document {}", any_text(self.rng)),
            2..=4 => inner.input(),
            _ => STANDARD.encode(inner.input()),
        };
        let spelled = format!("\"{}\"", spell(self.rng, &text));
        if inner.masked > 0 || text.contains(CANARY) {
            self.replaced(&spelled, Placeholder::Text);
        } else {
            self.document.same(&spelled);
        }
    }
}
