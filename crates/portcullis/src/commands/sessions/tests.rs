//! A gate that runs, with recordings of every kind, and what each command tells of them.

mod bench;

use std::{fs, process::ExitCode, time::Duration};

use insta::assert_snapshot;

use super::{
    export, list,
    replay::{self, Pace, Step, Steps, printed},
    search, show, streams,
};
use bench::{Bench, session};

/// All of a stream that is shown in a terminal, with the pauses before it.
fn steps(bench: &Bench, id: &str, stream: u32, pace: Pace) -> Vec<Step> {
    let recording = bench.recording(id).unwrap();
    let stream = streams::choose(&recording, Some(stream)).unwrap();
    Steps::new(&recording, &stream, pace).collect()
}

fn played(steps: &[Step]) -> String {
    let line = |step: &Step| format!("{:?} {:?}", step.pause, step.text);
    steps.iter().map(line).collect::<Vec<_>>().join("\n")
}

const PACE: Pace = Pace { speed: 1.0, idle: Duration::from_secs(2) };

#[tokio::test]
async fn every_recording_is_listed_with_its_state() {
    let bench = Bench::new().await;
    let rows = list::rows(&bench.shelf());
    assert_snapshot!(list::table(&rows));
    let told: Vec<_> = rows.iter().map(|row| format!("{}\n", row.means)).collect();
    assert_snapshot!(told.concat());
    assert_snapshot!(serde_json::to_string_pretty(&rows.iter().find(|row| row.state == "whole")).unwrap());
}

#[tokio::test]
async fn a_session_is_shown_from_its_beginning_to_its_end() {
    let bench = Bench::new().await;
    for id in
        ["s-whole", "s-interrupted", "s-crashed", "s-gap", "s-damaged", "s-foreign", "s-open", "s-untold"]
    {
        let (shown, state) = show::shown(&bench.place(), &session(id)).unwrap();
        assert_snapshot!(format!("shown_{id}"), show::text(&shown));
        let sound = !["s-gap", "s-damaged", "s-foreign"].contains(&id);
        assert_eq!(state.is_sound(), sound, "{id}");
    }
    let (shown, _) = show::shown(&bench.place(), &session("s-crashed")).unwrap();
    assert_snapshot!("shown_as_json", serde_json::to_string_pretty(&shown).unwrap());
}

#[tokio::test]
async fn what_cannot_be_shown_says_why_and_what_there_is() {
    let bench = Bench::new().await;
    let refused = |id: &str| bench.recording(id).map(drop).unwrap_err().to_string();
    let told: Vec<_> =
        ["s-erased", "s-gone", "s-wiped", "s-whale", "s-other", "s-bad-stone"].map(refused).into();
    assert_snapshot!(told.join("\n"));

    let stream = |id: &str, stream| {
        let recording = bench.recording(id).unwrap();
        streams::choose(&recording, stream).map(drop).unwrap_err().to_string()
    };
    let told = [
        stream("s-whole", None),
        stream("s-whole", Some(7)),
        stream("s-open", None),
        stream("s-gap", Some(1)),
    ];
    assert_snapshot!(told.join("\n"));
}

#[tokio::test]
async fn what_cannot_be_read_says_what_to_name() {
    let bench = Bench::new().await;
    let at = |place: &super::place::Place| {
        let told = format!("{:#}", place.shelf().map(drop).unwrap_err());
        told.replace(&bench.data().display().to_string(), "DATA")
    };
    let nowhere = super::place::Place::of(bench.data().join("nowhere"));
    assert_snapshot!(at(&nowhere), @"there are no recordings in `DATA/nowhere/recordings`; name the folder with --recordings, or the gate's with --config or --data");
    let key = bench.data().join("ledger/ledger.vkey");
    let vkey = fs::read(&key).unwrap();
    fs::remove_file(&key).unwrap();
    assert_snapshot!(at(&bench.place()), @"cannot read the log's key `DATA/ledger/ledger.vkey`: No such file or directory (os error 2)");
    fs::write(&key, vkey).unwrap();
    // A digest in a leaf that was signed is exchanged for another.
    bench.stop().await;
    for tile in fs::read_dir(bench.data().join("ledger/tile/entries/000.p")).unwrap() {
        let tile = tile.unwrap().path();
        let mut bytes = fs::read(&tile).unwrap();
        let place = bytes.windows(7).position(|window| window == b"sha256:").unwrap() + 7;
        bytes[place] = if bytes[place] == b'0' { b'1' } else { b'0' };
        fs::write(&tile, bytes).unwrap();
    }
    assert_snapshot!(at(&bench.place()), @"the ledger is not what was signed, so nothing can be held against it: `portcullis ledger verify` tells more");
}

#[tokio::test]
async fn a_stream_is_played_with_its_pauses_and_nothing_but_what_shows() {
    let bench = Bench::new().await;
    let whole = steps(&bench, "s-whole", 1, PACE);
    assert_snapshot!(played(&whole));
    let fast = steps(&bench, "s-whole", 1, Pace { speed: 4.0, idle: Duration::from_secs(1) });
    let pauses: Vec<_> = fast.iter().map(|step| step.pause.as_millis()).collect();
    assert_eq!(pauses, [250, 250, 62, 250]);
    let shown = |steps: &[Step]| steps.iter().map(|step| step.text.clone()).collect::<String>();
    assert_eq!(shown(&whole), shown(&fast));
    assert_snapshot!(played(&steps(&bench, "s-interrupted", 1, PACE)));
    assert_snapshot!(played(&steps(&bench, "s-damaged", 1, PACE)));
}

/// What is read next may be far behind what other streams showed.
#[tokio::test]
async fn whoever_has_seen_enough_waits_for_nothing() {
    let (to, steps) = tokio::sync::mpsc::channel(1);
    let text = |text: &str| (Step { pause: Duration::ZERO, text: text.to_owned() }, format!("after {text}"));
    to.send(text("one")).await.unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let (mut stop, mut printed) = (Some(stop), Vec::new());
    let print = |text| {
        printed.push(text);
        let _sent = stop.take().map(|stop| stop.send(()));
        Ok(())
    };
    let code = replay::shown(steps, async { stopped.await.unwrap() }, print).await.unwrap();
    assert_eq!((code, printed.join(", ").as_str()), (ExitCode::from(130), "one, after one"));
    drop(to);
}

#[tokio::test]
async fn what_is_no_terminal_gets_the_text_with_everything_written_out() {
    let bench = Bench::new().await;
    let print = |id: &str, stream| {
        let recording = bench.recording(id).unwrap();
        let stream = streams::choose(&recording, Some(stream)).unwrap();
        let mut lines = Vec::new();
        printed(&recording, &stream, |line| {
            lines.push(line);
            Ok(())
        })
        .unwrap();
        lines.join("\n")
    };
    assert_snapshot!([print("s-whole", 1), print("s-whole", 2)].join("\n---\n"));
}

#[tokio::test]
async fn a_stream_is_exported_to_a_file_that_was_not_there() {
    let bench = Bench::new().await;
    let recording = bench.recording("s-damaged").unwrap();
    let file = bench.data().join("out.cast");
    let exported = export::to_file(&recording, 1, false, &file).unwrap();
    assert_snapshot!(format!("{}{}", fs::read_to_string(&file).unwrap(), export::told(exported)));
    let hide =
        |error: anyhow::Error| format!("{error:#}").replace(&bench.data().display().to_string(), "DATA");
    let again = export::to_file(&recording, 1, false, &file).unwrap_err();
    assert_snapshot!(hide(again), @"nothing was written, since `DATA/out.cast` is there already: name another file");
    let none = bench.data().join("none.cast");
    let lost = export::to_file(&recording, 9, false, &none).unwrap_err();
    assert_snapshot!(hide(lost), @"`DATA/none.cast` was not written: the recording has no beginning of this stream");
    assert!(!none.exists());
}

#[tokio::test]
async fn text_is_found_in_all_recordings_or_in_some() {
    let bench = Bench::new().await;
    let found = |text: &str, sessions: &[&str], agents: &[&str]| {
        let shelf = bench.shelf();
        let sessions: Vec<_> = sessions.iter().map(|id| session(id)).collect();
        let agents: Vec<_> = agents.iter().map(|agent| (*agent).to_owned()).collect();
        let mut lines = Vec::new();
        let chosen = match search::chosen(&shelf, &sessions, &agents) {
            Ok(chosen) => chosen,
            Err(error) => return error.to_string(),
        };
        for recording in chosen {
            let (mut hits, mut wrong) = (Vec::new(), Vec::new());
            let hit = |found: search::Found<'_>| {
                hits.push(search::line(&found, false));
                Ok(())
            };
            let needle = text.parse().unwrap();
            search::in_one(&recording, text, &needle, hit, |finding| wrong.push(format!("! {finding}")))
                .unwrap();
            lines.append(&mut hits);
            lines.append(&mut wrong);
        }
        lines.join("\n")
    };
    assert_snapshot!(found("denied", &[], &[]));
    assert_snapshot!(found("denied", &["s-whole"], &["claude"]));
    assert_snapshot!(found("denied", &[], &["codex"]), @"s-interrupted  2026-06-01T12:00:02.500Z  stream 1  two: »denied«");
    assert_snapshot!(found("denied", &[], &["claud"]), @"no recording is of agent `claud`; did you mean `claude`?");
    assert_snapshot!(found("denied", &["s-whale"], &[]), @"there is no recording of `s-whale`; did you mean `s-whole`?");
}

#[test]
fn what_was_erased_is_told_by_its_size() {
    let erased = r#"{"erased":{"session":"s-1","at":"2026-06-02T08:00:00.5Z","why":"ada: old","segments":7,"bytes":12600,"last":7,"sha256":null},"unrecorded":null}"#;
    let told = super::erase::told(&serde_json::from_str(erased).unwrap());
    assert_snapshot!(told, @"Erased the recording of s-1 at 2026-06-02T08:00:00Z: 7 segments, 12.3 KiB");
}
