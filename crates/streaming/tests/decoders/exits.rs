//! How a command ended, and the sizes of its terminal.

use std::num::NonZeroU8;

use streaming::{
    exit::{Exit, Failure, Report},
    resize::{Sizes, TerminalSize},
};

use crate::{
    damaged, pieces,
    rng::{Rng, cases},
};

/// Every exit code there is, in one piece and cut at every place.
#[test]
fn every_exit_code_is_read_as_it_is_written() {
    for code in 0..=u8::MAX {
        let exit = NonZeroU8::new(code).map_or(Exit::Success, Exit::Code);
        let json = exit.to_json();
        assert_eq!(Exit::parse(&json), Ok(exit.clone()), "{code}");
        for cut in 0..=json.len() {
            let mut report = Report::default();
            report.push(&json[..cut]).unwrap();
            report.push(&json[cut..]).unwrap();
            assert_eq!(report.finish(), Ok(exit.clone()), "{code}, cut at {cut}");
        }
        // As a kubelet says it, without `metadata` and the API server's words.
        let bare = format!(
            r#"{{"status":"Failure","reason":"NonZeroExitCode","details":{{"causes":[{{"reason":"ExitCode","message":"{code}"}}]}}}}"#
        );
        let read = Exit::parse(bare.as_bytes());
        assert_eq!(read.ok(), NonZeroU8::new(code).map(Exit::Code), "{code}");
    }
}

fn some_exit(rng: &mut Rng) -> Exit {
    match NonZeroU8::new(rng.byte()) {
        None => Exit::Success,
        Some(code) if rng.below(2) == 0 => Exit::Code(code),
        Some(_) => {
            let text = |rng: &mut Rng, most| {
                let letters = (0..rng.below(most))
                    .filter_map(|_| char::from_u32(u32::try_from(rng.below(0x3000)).ok()?));
                letters.collect::<String>()
            };
            // One that is taken for something else has a code.
            let reason = format!("R{}", text(rng, 8));
            Exit::Failure(Failure { reason, message: text(rng, 60), code: i32::from(rng.byte()) })
        }
    }
}

#[test]
fn an_end_is_heard_in_any_pieces_and_a_damaged_one_is_an_end_or_none() {
    for seed in cases(2_000) {
        let mut rng = Rng(seed);
        let exit = some_exit(&mut rng);
        let json = exit.to_json();
        let mut report = Report::default();
        pieces(&mut rng, &json).into_iter().for_each(|piece| report.push(piece).unwrap());
        assert_eq!(report.finish(), Ok(exit), "seed {seed}");
        let other = damaged(&mut rng, &json);
        let mut report = Report::default();
        pieces(&mut rng, &other).into_iter().for_each(|piece| report.push(piece).unwrap());
        let read = Exit::parse(&other);
        assert_eq!(report.finish(), read, "seed {seed}");
        // Whatever it was taken for can be said again.
        if let Ok(read) = read {
            assert_eq!(Exit::parse(&read.to_json()), Ok(read), "seed {seed}");
        }
    }
}

#[test]
fn sizes_are_heard_in_any_pieces_and_damaged_ones_alike_in_one() {
    for seed in cases(2_000) {
        let mut rng = Rng(seed);
        let side = |rng: &mut Rng| u16::try_from(rng.below(65_536)).unwrap();
        let sizes: Vec<TerminalSize> = (0..rng.below(6))
            .map(|_| TerminalSize { width: side(&mut rng), height: side(&mut rng) })
            .collect();
        let said: Vec<u8> = sizes.iter().flat_map(|size| size.to_json()).collect();
        assert_eq!(heard(&pieces(&mut rng, &said)), Some(sizes), "seed {seed}");
        let other = damaged(&mut rng, &said);
        let in_pieces = heard(&pieces(&mut rng, &other));
        // What is refused in one piece is refused in many, and what is taken is the same.
        if let (Some(whole), Some(cut)) = (heard(&[&other]), &in_pieces) {
            assert_eq!(&whole, cut, "seed {seed}");
        }
    }
}

/// What is made of it; `None`: it was refused.
fn heard(pieces: &[&[u8]]) -> Option<Vec<TerminalSize>> {
    let mut reader = Sizes::default();
    let read: Result<Vec<_>, _> = pieces.iter().map(|piece| reader.push(piece)).collect();
    Some(read.ok()?.concat())
}
