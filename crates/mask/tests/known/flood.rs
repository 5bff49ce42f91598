//! What somebody does who may write Secrets: the values of others must be masked all the same.

use mask::{Content, KnownValues, SecretValue};

use crate::support::{Rng, redact};

const VALUE: &str = "k3j9x0q2m5zt-another-team";

/// Values of some 9 KiB, of which 64 are in a Secret: sixteen lines each, so that the value, each line, and what is right of its
/// `=` are all looked for in every form. They come first in the order of values.
fn flood(secrets: usize) -> impl Iterator<Item = Vec<u8>> {
    let mut rng = Rng(7);
    let mut line = move || format!("-= {}", rng.text(500, "<>&\"\\abXYZ0189+/ é€"));
    (0..secrets * 64).map(move |_| (0..16).map(|_| line()).collect::<Vec<_>>().join("\n").into_bytes())
}

#[test]
#[ignore = "takes 20 s and 2 GB in a release build, minutes in others"]
fn a_flood_leaves_no_value_of_others_out() {
    let known = KnownValues::none();
    let values: Vec<_> = flood(6).collect();
    let (bytes, begun) = (values.iter().map(Vec::len).sum::<usize>(), std::time::Instant::now());
    let updated = known.update(values.into_iter().chain([VALUE.as_bytes().to_vec()]).map(SecretValue::new));
    let told = format!("{bytes} bytes of values: {updated:?}, {:?}", begun.elapsed());
    let shown = redact(&known, Content::Json, &format!("{{\"log\":\"{VALUE}\"}}"));
    assert!(!shown.contains(VALUE), "{told}");
}
