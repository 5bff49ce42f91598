use super::*;

fn value(n: usize) -> Zeroizing<Vec<u8>> {
    let word = (n as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    Zeroizing::new(format!("Kx7{word:016x}q{n}").into_bytes())
}

fn update(layers: &mut Layers, numbers: impl Iterator<Item = usize>) -> usize {
    let (next, updated) = layers.updated(numbers.map(value));
    *layers = next;
    assert_eq!((updated.guessable, updated.left_out), (0, 0));
    updated.known
}

/// Which of the values up to `end` are found.
fn found(layers: &Layers, end: usize) -> Vec<usize> {
    (0..end).filter(|n| layers.count_in(&value(*n)) == 1).collect()
}

#[test]
fn what_is_new_is_found_without_indexing_all_anew() {
    let mut layers = Layers::default();
    update(&mut layers, 0..1000);
    let sealed = Arc::clone(&layers.sealed);
    for more in [1, 7, 256] {
        assert_eq!(update(&mut layers, 0..1000 + more), 1000 + more);
        assert!(Arc::ptr_eq(&layers.sealed, &sealed), "{more}");
        assert!(found(&layers, 1300).into_iter().eq(0..1000 + more));
    }
    update(&mut layers, 0..1257);
    assert!(!Arc::ptr_eq(&layers.sealed, &sealed) && layers.recent.is_empty());
    assert!(found(&layers, 1300).into_iter().eq(0..1257));
}

#[test]
fn what_is_gone_is_forgotten_at_last() {
    let mut layers = Layers::default();
    update(&mut layers, 0..1000);
    // New ones that go again are forgotten at once.
    update(&mut layers, 0..1010);
    update(&mut layers, 0..1000);
    assert!(found(&layers, 1010).into_iter().eq(0..1000));
    assert_eq!(update(&mut layers, 100..1000), 900);
    assert_eq!(found(&layers, 1000).len(), 1000);
    assert_eq!(update(&mut layers, 300..1000), 700);
    assert!(found(&layers, 1000).into_iter().eq(300..1000));
    // Few are always exact.
    update(&mut layers, 0..10);
    update(&mut layers, 5..10);
    assert!(found(&layers, 10).into_iter().eq(5..10));
    update(&mut layers, 0..0);
    assert!(layers.is_empty());
}

#[test]
fn a_form_of_an_old_value_and_a_new_one_is_one_value() {
    let mut layers = Layers::default();
    let old = Zeroizing::new([b"KEY=".as_slice(), &value(9999)].concat());
    let all = |more: &[Zeroizing<Vec<u8>>]| (0..100).map(value).chain([old.clone()]).chain(more.to_vec());
    layers = layers.updated(all(&[])).0;
    layers = layers.updated(all(&[value(9999)])).0;
    assert!(!layers.recent.is_empty());
    assert_eq!(layers.count_in(&value(9999)), 1);
}
