use zeroize::Zeroizing;

use super::*;

const KEEP: Duration = Duration::from_secs(60);

fn name(text: &str) -> Name {
    Name { namespace: "n".to_owned(), name: text.to_owned() }
}

fn values(texts: &[&str]) -> Vec<Value> {
    texts.iter().map(|text| Value::new(Zeroizing::new(text.as_bytes().to_vec()))).collect()
}

fn known(held: &Held) -> String {
    let mut texts: Vec<_> = held.snapshot().into_ordered().values.iter().map(Value::text).collect();
    texts.sort_unstable();
    texts.join(" ")
}

#[test]
fn what_was_replaced_or_deleted_stays_known_for_a_while() {
    let mut held = Held::new(2, 10_000, 10_000, KEEP);
    let begun = Instant::now();
    let at = |seconds| begun + Duration::from_secs(seconds);
    assert_eq!(held.put(0, name("a"), values(&["one", "two"]), at(0)), Ok(Change::Known));
    assert_eq!(held.put(0, name("a"), values(&["one", "two"]), at(1)), Ok(Change::Nothing));
    assert_eq!(held.put(1, name("a"), values(&["other"]), at(1)), Ok(Change::Known));
    assert_eq!(held.put(0, name("a"), values(&["one", "three"]), at(10)), Ok(Change::Known));
    held.remove(1, &name("a"), at(20));
    assert_eq!(known(&held), "one other three two");
    assert_eq!(held.next_expiry(), Some(at(70)));
    held.expire(at(70));
    assert_eq!(known(&held), "one other three");
    held.expire(at(80));
    assert_eq!(known(&held), "one three");
    held.keep_only(0, &HashSet::new(), at(90));
    held.expire(at(149));
    assert_eq!(known(&held), "one three");
    let before = held.generation();
    held.expire(at(150));
    assert_eq!((known(&held).as_str(), held.bytes), ("", 0));
    assert!(held.generation() > before && held.next_expiry().is_none());
}

#[test]
fn what_was_deleted_makes_room_and_what_is_in_use_does_not() {
    let cost = values(&["12345678"])[0].cost();
    let mut held = Held::new(1, 3 * cost, usize::MAX, KEEP);
    let now = Instant::now();
    for (at, text) in ["11111111", "22222222", "33333333", "44444444"].iter().enumerate() {
        let now = now + Duration::from_secs(at as u64);
        assert_eq!(held.put(0, name("a"), values(&[text]), now), Ok(Change::Known));
    }
    assert_eq!(known(&held), "33333333 44444444");
    assert_eq!(held.put(0, name("b"), values(&["55555555"]), now), Ok(Change::Known));
    assert_eq!(held.put(0, name("c"), values(&["66666666"]), now), Ok(Change::Known));
    assert_eq!(known(&held), "44444444 55555555 66666666");
    assert_eq!(
        held.put(0, name("d"), values(&["77777777"]), now),
        Err(Full { bytes: 3 * cost, namespace: "n".to_owned() })
    );
    assert_eq!(known(&held), "44444444 55555555 66666666");
    held.remove(0, &name("a"), now);
    assert_eq!(held.put(0, name("d"), values(&["77777777"]), now), Ok(Change::Known));
    assert_eq!(known(&held), "55555555 66666666 77777777");
}

#[test]
fn a_namespace_that_has_more_than_its_share_takes_no_room_from_others() {
    let of = |namespace: &str, text: &str| Name { namespace: namespace.to_owned(), name: text.to_owned() };
    let cost = values(&["12345678"])[0].cost();
    let mut held = Held::new(1, 8 * cost, 2 * cost, KEEP);
    let now = Instant::now();
    for (at, text) in ["11111111", "22222222", "33333333", "44444444"].iter().enumerate() {
        let put = held.put(0, of("flood", &at.to_string()), values(&[text]), now);
        assert_eq!(put, Ok(if at < 2 { Change::Known } else { Change::Nothing }));
    }
    assert_eq!(held.put(0, of("shop", "a"), values(&["55555555"]), now), Ok(Change::Known));
    assert_eq!(known(&held), "11111111 22222222 55555555");
    assert_eq!(held.values_left_out(), BTreeMap::from([("flood".to_owned(), 2)]));
    assert_eq!(**held.namespaces_over_share(), BTreeSet::from(["flood".to_owned()]));
    // What is left out goes away, or is found to have room when everything is listed again.
    assert_eq!(held.remove(0, &of("flood", "3"), now), Change::Nothing);
    assert_eq!(held.values_left_out(), BTreeMap::from([("flood".to_owned(), 1)]));
    assert_eq!(held.remove(0, &of("flood", "0"), now), Change::Room);
    assert_eq!(held.put(0, of("flood", "2"), values(&["33333333"]), now), Ok(Change::Known));
    assert_eq!(held.values_left_out(), BTreeMap::new());
    // What outgrows its share stays known as it was for a while, and its namespace is told.
    let larger = values(&["66666666", "77777777", "88888888"]);
    assert_eq!(held.put(0, of("shop", "a"), larger, now), Ok(Change::Known));
    assert_eq!(known(&held), "11111111 22222222 33333333 55555555");
    assert_eq!(held.values_left_out(), BTreeMap::from([("shop".to_owned(), 3)]));
    held.keep_only(1, &HashSet::new(), now);
    assert_eq!(held.values_left_out(), BTreeMap::from([("shop".to_owned(), 3)]));
    held.keep_only(0, &HashSet::new(), now);
    assert_eq!((held.values_left_out(), held.namespaces_over_share().len()), (BTreeMap::new(), 0));
}

#[test]
fn names_that_are_left_out_are_bounded_too() {
    let mut held = Held::new(1, 4 * OVERHEAD, 0, KEEP);
    let now = Instant::now();
    let mut put = |at: usize| held.put(0, name(&at.to_string()), values(&["12345678"]), now).is_ok();
    assert_eq!((0..6).map(&mut put).collect::<Vec<_>>(), [true, true, true, true, false, false]);
}

#[test]
fn what_is_in_use_comes_first_and_then_what_was_replaced_last() {
    let mut held = Held::new(1, 10_000, 10_000, KEEP);
    let begun = Instant::now();
    for (at, text) in ["one", "two", "three", "four"].iter().enumerate() {
        let now = begun + Duration::from_secs(at as u64);
        held.put(0, name("a"), values(&[text]), now).unwrap();
    }
    held.put(0, name("b"), values(&["two"]), begun).unwrap();
    let Ordered { values, live, .. } = held.snapshot().into_ordered();
    let texts: Vec<_> = values.iter().map(Value::text).collect();
    assert_eq!(live, 2);
    assert!(texts[..2].contains(&"four".to_owned()) && texts[..2].contains(&"two".to_owned()));
    assert_eq!(texts[2..], ["three", "one"]);
}
