//! Seeded conversations that were damaged on their way: refused or understood, but never a panic, and in any pieces the same.

use bytes::Bytes;
use streaming::spdy::{Connection, Error, Event, Role};

use crate::{
    conversations::conversation,
    support::{Rng, cases, headers},
};

/// What an end hears of `said` in pieces of at most `most` bytes, and how it ends. Data that follows data is one.
fn hears(role: Role, said: &[u8], most: usize, rng: &mut Rng) -> (Vec<Event>, Option<Error>) {
    let mut connection = Connection::new(role);
    for _ in 0..20 {
        // So that a server may say something on them.
        let _ = connection.open(&headers(&[("streamtype", "stdout")]), false);
    }
    drop(connection.take_output());
    let (mut events, mut rest) = (Vec::<Event>::new(), Bytes::copy_from_slice(said));
    while !rest.is_empty() {
        let mut input = rest.split_to((1 + rng.below(most)).min(rest.len()));
        loop {
            match connection.receive(&mut input) {
                Ok(Some(event)) => join(&mut events, event),
                Ok(None) => break,
                Err(error) => return (events, Some(error)),
            }
        }
    }
    assert!(connection.take_output().len() <= said.len(), "more is answered than was said");
    (events, None)
}

fn join(events: &mut Vec<Event>, event: Event) {
    match (events.last_mut(), event) {
        (
            Some(Event::Data { stream, bytes, finished: end @ false }),
            Event::Data { stream: same, bytes: more, finished },
        ) if *stream == same => {
            *bytes = [bytes.as_ref(), &more].concat().into();
            *end = finished;
        }
        (_, event) => events.push(event),
    }
}

fn damage(said: &mut Vec<u8>, rng: &mut Rng) {
    for _ in 0..1 + rng.below(3) {
        let at = rng.below(said.len());
        match rng.below(5) {
            0 => said[at] ^= 1 << rng.below(8),
            1 => said[at] = rng.byte(),
            2 => drop(said.remove(at)),
            3 => said.insert(at, rng.byte()),
            _ => said.truncate(at + 1),
        }
    }
}

#[test]
fn what_is_damaged_is_refused_or_understood_in_any_pieces() {
    let (mut refused, mut understood) = (0, 0);
    for seed in cases(150) {
        let mut said = [Vec::new(), Vec::new()];
        conversation(seed, |role, bytes| said[usize::from(role == Role::Server)].extend(bytes));
        let mut rng = Rng(seed ^ 0xDA4A6E);
        for (said, role) in said.iter_mut().zip([Role::Server, Role::Client]) {
            if said.is_empty() {
                continue;
            }
            damage(said, &mut rng);
            let whole = hears(role, said, usize::MAX, &mut rng);
            let pieces = hears(role, said, 40, &mut rng);
            assert_eq!(whole, pieces, "seed {seed}");
            *(if whole.1.is_some() { &mut refused } else { &mut understood }) += 1;
        }
    }
    assert!(refused > 10 && understood > 10, "{refused} refused, {understood} understood");
}
