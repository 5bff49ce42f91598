//! What is revealed, and what an object looks like to whom it was shown.

use kube_api::Head;

use super::*;
use crate::guard::Reveal;
use crate::known::KnownValues;
use crate::places::Catalogue;

const SECRET: &str = r#"{"kind":"Secret","metadata":{"uid":"u","resourceVersion":"1","annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{\"data\":{\"shown\":\"CANARY\"}}"}},"data":{"a":"CANARY","shown":"SEEN","b":"CANARY"},"stringData":{"shown":"CANARY"}}"#;

fn guard() -> Guard {
    Guard::new("dev", Catalogue::builtin(), KnownValues::none(), [7; 16])
}

fn view(keys: &[&str], others: bool) -> View {
    let keys = keys.iter().map(|key| (*key).to_owned()).collect();
    View { session: "s".to_owned(), reveal: Reveal { keys, others } }
}

/// What comes out in pieces of `chunk` bytes, and what of it is revealed.
fn mask(input: &str, view: &View, chunk: usize) -> (String, String) {
    let guard = guard();
    let rules = guard.catalogue().rules_for("", "secrets", None);
    let mut masker = Masker::new(Framing::One, &rules).bound(&guard, view);
    let (mut all, mut revealed) = (Vec::new(), Vec::new());
    let mut rest = Bytes::copy_from_slice(input.as_bytes());
    while !rest.is_empty() {
        let out = masker.push(rest.split_to(chunk.min(rest.len()))).unwrap();
        for range in masker.revealed() {
            revealed.extend_from_slice(&out[range.clone()]);
        }
        all.extend_from_slice(&out);
    }
    masker.finish().unwrap();
    (String::from_utf8(all).unwrap(), String::from_utf8(revealed).unwrap())
}

#[test]
fn the_keys_that_policy_names_are_revealed() {
    let hidden = mask(SECRET, &view(&[], false), usize::MAX);
    assert_eq!(hidden.1, "");
    for chunk in 1..SECRET.len() {
        let (out, revealed) = mask(SECRET, &view(&["shown", "c"], false), chunk);
        assert_eq!(revealed, "SEEN", "{chunk}");
        assert!(out.contains(r#","shown":"SEEN","#) && !out.contains("CANARY"), "{out}");
        // Nothing else looks different for it.
        let around = |text: &str| {
            let (before, rest) = text.split_once(r#""shown":""#).unwrap();
            (before.to_owned(), rest.split_once('"').unwrap().1.to_owned())
        };
        assert_eq!(around(&out), around(&hidden.0));
    }
}

#[test]
fn names_must_match_exactly() {
    for key in ["Shown", "SHOWN", "show", "shown ", ""] {
        assert_eq!(mask(SECRET, &view(&[key], false), usize::MAX).1, "", "{key}");
    }
    let escaped = SECRET.replace(r#""shown":"SEEN""#, r#""sh\u006fwn":"S\u0045EN""#);
    assert_eq!(mask(&escaped, &view(&["shown"], false), 3).1, r"S\u0045EN");
}

#[test]
fn all_others_can_be_revealed() {
    let (out, revealed) = mask(SECRET, &view(&[], true), usize::MAX);
    assert_eq!(revealed, "CANARYSEENCANARY");
    assert_eq!(out.matches("CANARY").count(), 2);
    let odd = r#"{"data":{"a":{"b":[1]},"c":null,"d":12}}"#;
    assert_eq!(mask(odd, &view(&[], true), 1), (odd.to_owned(), r#"{"b":[1]}12"#.to_owned()));
}

#[test]
fn nothing_is_revealed_in_lists_tables_and_events() {
    for around in [r#"{"items":[@]}"#, r#"{"object":@}"#, r#"{"rows":[{"object":@}]}"#] {
        let input = around.replace('@', r#"{"data":{"shown":"CANARY"}}"#);
        let (out, revealed) = mask(&input, &view(&["shown"], true), 5);
        assert!(revealed.is_empty() && !out.contains("CANARY"), "{out}");
    }
}

#[test]
fn an_object_looks_as_it_was_shown() {
    let head = http::Request::get("/api/v1/namespaces/a/secrets/db").body(()).unwrap().into_parts().0;
    let request = Head::parse(&head).unwrap().with_body(b"").unwrap();
    for view in [view(&[], false), view(&["shown"], false)] {
        let shown =
            masked_whole(&guard(), &view, &Kind::of(&Catalogue::builtin(), &request), SECRET.into()).unwrap();
        assert_eq!(shown, mask(SECRET, &view, 7).0);
    }
    assert!(
        masked_whole(&guard(), &view(&[], false), &Kind::of(&Catalogue::builtin(), &request), "{".into())
            .is_err()
    );
}
