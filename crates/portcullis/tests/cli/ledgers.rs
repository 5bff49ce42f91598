//! Ledgers, shown, followed and proven.

use std::{
    io::{BufRead, BufReader, Lines},
    process::{Child, ChildStdout, Command, Stdio},
};

use super::{portcullis, stderr, stdout};

#[test]
fn what_is_no_ledger_is_not_verified() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    let told = |command: &str, dir: &str, rest: &[&str]| {
        let output = portcullis(&[&["ledger", command, dir], rest].concat());
        assert_eq!(output.status.code(), Some(1));
        stderr(&output)
    };
    assert!(told("verify", &format!("{dir}/none"), &[]).contains("is not a folder"));
    let no_key = told("show", dir, &["3.."]).replace(dir, "DIR");
    insta::assert_snapshot!(no_key, @"cannot read the log's key `DIR/ledger.vkey`: No such file or directory (os error 2)");
}

/// A ledger with a start leaf, some expiries and, once closed, a stop leaf.
async fn ledger(folder: &std::path::Path) -> ledger::Ledger {
    let ledger = ledger::testing::open(folder);
    for n in 0..20 {
        let session = ledger::leaf::Id::new(&format!("s-{n}")).unwrap();
        let expired = ledger::leaf::Event::SessionExpired(ledger::leaf::SessionExpired { session });
        assert_eq!(ledger.append(expired).await.unwrap().index() % 22, n + 1);
    }
    ledger
}

#[tokio::test]
async fn a_ledger_is_shown_followed_and_proven() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    let (log, key) = (format!("{dir}/ledger"), format!("{dir}/ledger/ledger.vkey"));
    ledger(folder.path()).await.close(true).await.unwrap();
    let run = |arguments: &[&str]| portcullis(&[&["ledger"], arguments].concat());
    let told = |arguments: &[&str]| {
        let output = run(arguments);
        assert!(output.status.success(), "{}", stderr(&output));
        stdout(&output)
    };
    let refused = |arguments: &[&str]| {
        let output = run(arguments);
        assert_eq!((output.status.code(), stdout(&output)), (Some(1), String::new()));
        stderr(&output).replace(dir, "DIR")
    };

    let newest = told(&["tail", &log, "-n", "3"]);
    assert_eq!(newest, told(&["show", &log, "19.."]), "the form for programs, a leaf a line");
    assert_eq!(newest.lines().count(), 3);
    assert!(told(&["tail", &log, "-o", "text", "-n", "1"]).ends_with("every call had come to its end\n"));
    assert_eq!(
        told(&["tail", &log, "-n", "99"]),
        told(&["show", &log]),
        "from the first where there are fewer"
    );
    insta::assert_snapshot!(refused(&["show", &log, "22"]), @"leaf 22 is not in the log, which has 22 under its checkpoint");

    let (proof, leaf) = (format!("{dir}/5.tlog-proof"), format!("{dir}/5.json"));
    std::fs::write(&proof, told(&["prove", &log, "5"])).unwrap();
    std::fs::write(&leaf, told(&["show", &log, "5"])).unwrap();
    let kept = format!("{dir}/kept.vkey");
    std::fs::copy(&key, &kept).unwrap();
    let proven = told(&["check-proof", &proof, "--key", &kept]);
    assert!(proven.contains("session_expired  s-4"), "{proven}");
    assert!(
        proven.ends_with(
            "PROVEN: leaf 5 is in the log `gate.example.com/ledger`, under its checkpoint of 22 leaves\n"
        ),
        "{proven}"
    );
    assert_eq!(told(&["check-proof", &proof, "--key", &kept, "--leaf", &leaf]), proven);
    let changed = std::fs::read_to_string(&leaf).unwrap().replace("s-4", "s-5");
    std::fs::write(&leaf, changed).unwrap();
    insta::assert_snapshot!(refused(&["check-proof", &proof, "--key", &kept, "--leaf", &leaf]), @"NOT PROVEN: the proof leads to another root: the entry or the tree is not what was signed");
    insta::assert_snapshot!(refused(&["prove", &log, "22"]), @"leaf 22 is not in the log, which has 22 under its checkpoint");
}

#[tokio::test]
async fn a_kept_checkpoint_shows_that_leaves_were_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    let (log, kept) = (format!("{dir}/ledger"), format!("{dir}/kept.checkpoint"));
    ledger(folder.path()).await.close(true).await.unwrap();
    let old_copy = format!("{dir}/old");
    let copied = Command::new("cp").args(["-r", &log, &old_copy]).status().unwrap();
    assert!(copied.success());
    std::fs::copy(format!("{log}/checkpoint"), &kept).unwrap();
    let verify = |log: &str| portcullis(&["ledger", "verify", log, "--since", &kept]);
    assert!(verify(&log).status.success());

    ledger(folder.path()).await.close(true).await.unwrap();
    let extended = verify(&log);
    assert!(extended.status.success(), "{}", stdout(&extended));
    assert!(
        stdout(&extended)
            .contains("since       the earlier checkpoint's 22 leaves are the first of this log")
    );

    std::fs::copy(format!("{log}/checkpoint"), &kept).unwrap();
    let cut = verify(&old_copy);
    assert_eq!(cut.status.code(), Some(1));
    assert!(
        stdout(&cut).contains("the earlier checkpoint has 44 leaves, this log 22: leaves were cut off"),
        "{}",
        stdout(&cut)
    );
}

#[tokio::test]
async fn leaves_that_no_checkpoint_covers_are_shown_as_such() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    let (log, journal) = (format!("{dir}/ledger"), format!("{dir}/ledger/journal"));
    let open = ledger(folder.path()).await;
    // As a gate leaves it that was killed before its next checkpoint.
    let (early, killed) = (format!("{dir}/early"), format!("{dir}/killed"));
    let cp = |from: &str, to: &str| {
        assert!(Command::new("cp").args(["-r", from, to]).status().unwrap().success());
    };
    // What is followed is sealed.
    assert_eq!(Followed::from(21, &log).take(21).count(), 21);
    cp(&log, &early);
    let session = ledger::leaf::Id::new("s-late").unwrap();
    let late = ledger::leaf::Event::SessionExpired(ledger::leaf::SessionExpired { session });
    assert_eq!(open.append(late).await.unwrap().index(), 21);
    cp(&early, &killed);
    std::fs::remove_dir_all(format!("{killed}/journal")).unwrap();
    cp(&journal, &format!("{killed}/journal"));

    let told = |arguments: &[&str]| portcullis(&[&["ledger"], arguments].concat());
    let programs = told(&["tail", &killed, "-n", "2"]);
    let lines: Vec<serde_json::Value> =
        stdout(&programs).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        (&lines[0]["event"]["session"], &lines[1]["event"]),
        (&"s-19".into(), &serde_json::Value::Null)
    );
    assert_eq!(lines[1]["unsealed"]["event"]["session"], "s-late");
    insta::assert_snapshot!(stderr(&programs), @"not sealed yet: 1 of these leaves, from 21 on; nothing proves them until a signed checkpoint covers them");
    let people = told(&["show", &killed, "21", "-o", "text"]);
    assert!(stdout(&people).ends_with("session_expired  (not yet sealed) s-late\n"), "{}", stdout(&people));
    let sealed = told(&["show", &killed, "..21"]);
    assert_eq!((stdout(&sealed).lines().count(), stderr(&sealed)), (21, String::new()));
    open.close(true).await.unwrap();
}

#[tokio::test]
async fn a_log_is_followed_as_it_grows() {
    let folder = tempfile::tempdir().unwrap();
    let log = format!("{}/ledger", folder.path().display());
    ledger(folder.path()).await.close(true).await.unwrap();
    let mut tail = Followed::from(1, &log);
    assert_eq!(tail.next().unwrap()["type"], "stop");
    let grown = ledger(folder.path()).await;
    assert_eq!(tail.next().unwrap()["type"], "start");
    assert_eq!(tail.next().unwrap()["event"]["session"], "s-0");
    grown.close(true).await.unwrap();
}

/// A `ledger tail -f` that is read as its leaves come. Ended when dropped.
struct Followed {
    tail: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Followed {
    /// Begins with this many of the last leaves.
    fn from(leaves: u64, log: &str) -> Self {
        let mut tail = Command::new(env!("CARGO_BIN_EXE_portcullis"))
            .args(["ledger", "tail", "-f", "-n", &leaves.to_string(), log])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(tail.stdout.take().unwrap()).lines();
        Self { tail, lines }
    }
}

impl Iterator for Followed {
    type Item = serde_json::Value;

    fn next(&mut self) -> Option<Self::Item> {
        Some(serde_json::from_str(&self.lines.next()?.unwrap()).unwrap())
    }
}

impl Drop for Followed {
    fn drop(&mut self) {
        self.tail.kill().and_then(|()| self.tail.wait()).ok();
    }
}
