//! Any text, in any pieces, with nothing more coming after any of them.

use proptest::prelude::*;

use super::support::*;
use super::*;

/// Beginnings and ends of a value in two of its forms, sequences and what breaks them, and what else there is.
fn part() -> impl Strategy<Value = Vec<u8>> {
    let fragment = |form: &'static str| {
        (0..form.len(), 0..=form.len()).prop_map(|(from, to)| form.as_bytes()[from..to.max(from)].to_vec())
    };
    prop_oneof![
        2 => fragment(VALUE),
        1 => fragment("YazlmVHEyTG04Wn"),
        4 => prop::sample::select(SEQUENCES.to_vec()).prop_map(|sequence| sequence.as_bytes().to_vec()),
        2 => prop::sample::select(vec!["\x1b", "\x1b[", "[", ";1", "m", "\x1b]", "\x1b\\", "\x07", "\n", " ", "\0"])
            .prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::sample::select(vec!["ghp_", "0123456789abcdef", "password=", "://a:", "@", "é"])
            .prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..20),
    ]
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(part(), 0..30).prop_map(|parts| parts.concat())
}

/// Lengths of pieces, and whether nothing comes for a while after each.
fn pieces() -> impl Strategy<Value = Vec<(usize, bool)>> {
    prop::collection::vec((1_usize..20, any::<bool>()), 1..10)
}

fn redact(known: &KnownValues, text: &[u8], pieces: &[(usize, bool)], idle: bool) -> (Vec<u8>, u64) {
    let mut redactor = Redactor::new(known.clone(), Content::Text);
    let (mut rest, mut chunks, mut idles) = (text, Vec::new(), Vec::new());
    for (length, then_idle) in pieces.iter().cycle() {
        let (chunk, after) = rest.split_at((*length).min(rest.len()));
        chunks.push(chunk);
        idles.push(*then_idle && idle);
        rest = after;
        if rest.is_empty() {
            break;
        }
    }
    let mut idles = idles.into_iter();
    let out = steps(&mut redactor, chunks, || idles.next().unwrap());
    (out, redactor.masked())
}

/// A form of the value with sequences in it, what of it depends on nothing else, and the same without sequences.
fn spaced() -> impl Strategy<Value = (Vec<u8>, String, Range<usize>)> {
    let spaces =
        prop::collection::vec(prop::option::weighted(0.3, prop::sample::select(SEQUENCES.to_vec())), 64);
    (prop::sample::select(forms()), spaces).prop_map(|((form, core), spaces)| {
        let mut text = Vec::new();
        for (letter, space) in form.bytes().zip(spaces) {
            text.push(letter);
            // What ends like it would go with it: the value stands there a second time, and begins in the sequence.
            let space = space.map(str::as_bytes).filter(|space| space.last() != Some(&letter));
            text.extend_from_slice(space.unwrap_or_default());
        }
        (text, form, core)
    })
}

/// Without the sequences that there are.
fn without_sequences(out: &[u8]) -> String {
    let mut sequences = SEQUENCES.to_vec();
    // Of two, the second may come after the placeholder.
    sequences.push("\x1b[01;31m");
    sequences.sort_by_key(|sequence| std::cmp::Reverse(sequence.len()));
    sequences.iter().fold(shown(out), |out, sequence| out.replace(sequence, ""))
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn chunks_do_not_matter(text in text(), pieces in pieces()) {
        let known = known(&[VALUE]);
        let whole = redact(&known, &text, &[(usize::MAX, false)], false);
        prop_assert_eq!(shown(&redact(&known, &text, &pieces, false).0), shown(&whole.0));
        prop_assert_eq!(redact(&known, &text, &[(1, false)], false), whole);
    }

    /// Whenever nothing more comes, nothing is lost and nothing is put in where nothing is found in what is there by then.
    #[test]
    fn what_holds_no_match_stays(text in text(), pieces in pieces()) {
        let known = known(&[VALUE]);
        let holds_none = |end: usize| redact(&known, &text[..end], &[(usize::MAX, false)], false).1 == 0;
        let ends = pieces.iter().cycle().scan(0, |end, (length, _)| {
            *end += length;
            Some(*end)
        });
        if ends.take_while(|end| *end < text.len()).chain([text.len()]).all(holds_none) {
            prop_assert_eq!(redact(&known, &text, &[(usize::MAX, false)], false), (text.clone(), 0));
            prop_assert_eq!(redact(&known, &text, &pieces, true), (text, 0));
        }
    }

    /// Whenever nothing more comes, the same is masked but for the beginning of a value, and of its three first bytes.
    #[test]
    fn no_value_is_shown((spaced, form, core) in spaced(), pieces in pieces(), before in "[ .,;]{0,9}", after in "[ .,;]{0,9}") {
        let known = known(&[VALUE]);
        let text = [before.as_bytes(), &spaced, after.as_bytes()].concat();
        let line = format!("{before}{form}{after}");
        let core = before.len() + core.start..before.len() + core.end;
        for pieces in [pieces, vec![(1, true)]] {
            let (out, masked) = redact(&known, &text, &pieces, true);
            let out = without_sequences(&out);
            let (seen, rest) = out.split_once('#').unwrap();
            prop_assert_eq!(masked, 1);
            prop_assert!(line.starts_with(seen) && seen.len() <= core.start + 3, "{:?}", out);
            prop_assert!(line.ends_with(rest) && rest.len() <= line.len() - core.end, "{:?}", out);
        }
    }

    /// Anything beside the value: it is not shown whole.
    #[test]
    fn no_value_is_shown_among_anything(before in text(), (spaced, form, core) in spaced(), after in text(), pieces in pieces()) {
        let known = known(&[VALUE]);
        let text = [before.as_slice(), b"\n", &spaced, &after].concat();
        let (out, _) = redact(&known, &text, &pieces, true);
        let out = String::from_utf8_lossy(&out).into_owned();
        let line = without_sequences(out.as_bytes());
        prop_assert!(!line.contains(&form[core]), "{:?} of {:?}", out, String::from_utf8_lossy(&text));
    }
}
