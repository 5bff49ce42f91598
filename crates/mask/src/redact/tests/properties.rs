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

/// Lengths of pieces, and what comes after each.
type Pieces = [(usize, Lull)];

const WHOLE: &Pieces = &[(usize::MAX, Lull::None)];

fn pieces(lulls: &'static [Lull]) -> impl Strategy<Value = Vec<(usize, Lull)>> {
    prop::collection::vec((1_usize..20, prop::sample::select(lulls)), 1..10)
}

fn redact(known: &KnownValues, text: &[u8], pieces: &Pieces) -> (Vec<u8>, u64) {
    let mut redactor = Redactor::new(known.clone(), Content::Text);
    let (mut rest, mut chunks, mut lulls) = (text, Vec::new(), Vec::new());
    for (length, lull) in pieces.iter().cycle() {
        let (chunk, after) = rest.split_at((*length).min(rest.len()));
        chunks.push(chunk);
        lulls.push(*lull);
        rest = after;
        if rest.is_empty() {
            break;
        }
    }
    let mut lulls = lulls.into_iter();
    let out = steps(&mut redactor, chunks, || lulls.next().unwrap());
    (out, redactor.masked())
}

/// A form of a value with sequences in it, and the same without them.
fn spaced(value: &'static str) -> impl Strategy<Value = (Vec<u8>, Spelling)> {
    let spaces =
        prop::collection::vec(prop::option::weighted(0.3, prop::sample::select(SEQUENCES.to_vec())), 80);
    (prop::sample::select(forms(value)), spaces).prop_map(|(form, spaces)| {
        let mut text = Vec::new();
        for (letter, space) in form.text.bytes().zip(spaces) {
            text.push(letter);
            // What ends like it would go with it: the value stands there a second time, and begins in the sequence.
            let space = space.map(str::as_bytes).filter(|space| space.last() != Some(&letter));
            text.extend_from_slice(space.unwrap_or_default());
        }
        (text, form)
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
    fn chunks_do_not_matter(text in text(), pieces in pieces(&[Lull::None])) {
        let known = known(&[VALUE, LONG]);
        let whole = redact(&known, &text, WHOLE);
        prop_assert_eq!(shown(&redact(&known, &text, &pieces).0), shown(&whole.0));
        prop_assert_eq!(redact(&known, &text, &[(1, Lull::None)]), whole);
    }

    /// Whenever nothing more comes, nothing is lost and nothing is put in where nothing is found in what is there by then.
    #[test]
    fn what_holds_no_match_stays(text in text(), pieces in pieces(&[Lull::None, Lull::Pause, Lull::Idle])) {
        let known = known(&[VALUE]);
        let holds_none = |end: usize| redact(&known, &text[..end], WHOLE).1 == 0;
        let ends = pieces.iter().cycle().scan(0, |end, (length, _)| {
            *end += length;
            Some(*end)
        });
        if ends.take_while(|end| *end < text.len()).chain([text.len()]).all(holds_none) {
            prop_assert_eq!(redact(&known, &text, WHOLE), (text.clone(), 0));
            prop_assert_eq!(redact(&known, &text, &pieces), (text, 0));
        }
    }

    /// Whenever nothing more comes for a moment, the same is masked; for a while, the same but for the beginning of a value.
    #[test]
    fn no_value_is_shown(
        (spaced, form) in spaced(LONG),
        pauses in pieces(&[Lull::None, Lull::Pause]),
        idles in pieces(&[Lull::None, Lull::Pause, Lull::Idle]),
        before in "[ .,;]{0,9}",
        after in "[ .,;]{0,9}",
    ) {
        let known = known(&[LONG]);
        let text = [before.as_bytes(), &spaced, after.as_bytes()].concat();
        let line = format!("{before}{}{after}", form.text);
        let (first, head, end) = (before.len() + form.core.start, before.len() + form.head, before.len() + form.core.end);
        let byte_by_byte = |lull| vec![(1, lull)];
        for (pieces, most) in [
            (pauses, first),
            (byte_by_byte(Lull::Pause), first),
            (idles, head - 1),
            (byte_by_byte(Lull::Idle), head - 1),
        ] {
            let (out, masked) = redact(&known, &text, &pieces);
            let out = without_sequences(&out);
            let (seen, rest) = out.split_once('#').unwrap();
            prop_assert_eq!(masked, 1);
            prop_assert!(line.starts_with(seen) && seen.len() <= most, "{:?}", out);
            prop_assert!(line.ends_with(rest) && rest.len() <= line.len() - end, "{:?}", out);
        }
    }

    /// Anything beside the value: it is not shown whole.
    #[test]
    fn no_value_is_shown_among_anything(
        before in text(),
        (spaced, form) in spaced(VALUE),
        after in text(),
        pieces in pieces(&[Lull::None, Lull::Pause, Lull::Idle]),
    ) {
        let known = known(&[VALUE]);
        let text = [before.as_slice(), b"\n", &spaced, &after].concat();
        let (out, _) = redact(&known, &text, &pieces);
        let out = String::from_utf8_lossy(&out).into_owned();
        let line = without_sequences(out.as_bytes());
        prop_assert!(!line.contains(&form.text[form.core]), "{:?} of {:?}", out, String::from_utf8_lossy(&text));
    }

    /// Whoever decides what is written, and when, learns nothing of a value but whether it has its first twelve bytes already.
    #[test]
    fn no_part_of_a_value_can_be_guessed(
        form in prop::sample::select(forms(LONG)),
        length in 0_usize..80,
        other in "[A-Za-z0-9+/_-]",
        after in prop::sample::select(vec!["", " ", "x", " x", "\n", "\x1b[0m", "=\""]),
        lull in prop::sample::select(vec![Lull::None, Lull::Pause, Lull::Idle]),
        again in any::<bool>(),
    ) {
        let known = known(&[LONG]);
        let length = length.min(form.core.len() - 2);
        let from = form.core.start;
        let guess = |right: bool| {
            let next = if right { &form.text[from + length..=from + length] } else { &other };
            format!("$ {}{next}{after}", &form.text[from..from + length])
        };
        // How much comes out when, and what of it is masked.
        let seen = |right: bool| {
            let mut redactor = Redactor::new(known.clone(), Content::Text);
            let mut out = Vec::new();
            for _ in 0..=usize::from(again) {
                out.push(redactor.push(Bytes::from(guess(right)), &[]));
                out.push(match lull {
                    Lull::None => Bytes::new(),
                    Lull::Pause => redactor.pause(),
                    Lull::Idle => redactor.idle(),
                });
            }
            out.push(redactor.finish());
            let alike = |out: &Bytes| shown(out).replace(|shown| shown != '#', ".");
            (out.iter().map(alike).collect::<Vec<_>>(), redactor.masked())
        };
        // The byte that completes the twelve is the first that can be told, with all of them.
        if form.core.start + length + 1 != form.head {
            prop_assert_eq!(seen(true), seen(false));
        }
    }
}
