//! What sessions did, read from files.

use std::{os::unix::fs::PermissionsExt, sync::Arc};

use recording::{
    at_rest::{Close, Plain, Recipients},
    testing::Script,
};

use super::{portcullis, stderr, stdout};

/// The data folder of a gate that recorded one log.
fn recorded() -> tempfile::TempDir {
    recorded_as(Arc::new(Plain))
}

fn recorded_as(at_rest: Arc<dyn Close>) -> tempfile::TempDir {
    use recording::record::{Channel, Kind, Opened, Payload, What};
    let folder = tempfile::tempdir().unwrap();
    let began = "2026-06-01T12:00:00Z".parse().unwrap();
    let opened = Opened {
        stream: 1,
        call: "c-1".into(),
        kind: Kind::Log,
        namespace: "shop".into(),
        pod: "web-1".into(),
        container: None,
        argv: std::iter::empty::<&str>().collect(),
        tty: false,
    };
    let bytes = Payload(b"all is well\n"[..].into());
    let segments = Script::stored(&folder.path().join("recordings"), "s-1", began, at_rest)
        .at(0, What::Began {})
        .at(500, What::Opened(opened))
        .at(900, What::Bytes { stream: 1, channel: Channel::Data, bytes })
        .at(2_000, What::Closed { stream: 1, how: "the log ended".into() })
        .stopped();
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let ledger = ledger::testing::open(folder.path());
        for segment in segments {
            let leaf = ledger::leaf::Recorded {
                session: ledger::leaf::Id::new("s-1").unwrap(),
                segment: segment.number,
                sha256: ledger::leaf::Digest(segment.sha256.0),
                previous: None,
                bytes: segment.bytes,
                records: segment.records,
            };
            let _receipt = ledger.append(ledger::leaf::Event::Recorded(leaf)).await.unwrap();
        }
        ledger.close(true).await.unwrap();
    });
    folder
}

#[test]
fn what_a_session_showed_is_read_from_files_alone() {
    let folder = recorded();
    let data = folder.path().to_str().unwrap();
    let sessions = |arguments: &[&str]| portcullis(&[&["sessions"], arguments, &["--data", data]].concat());
    let listed = sessions(&["list"]);
    assert!(listed.status.success(), "{}", stderr(&listed));
    insta::assert_snapshot!(stdout(&listed), @r"
    SESSION   STATE   AGENT   FOR   CLUSTER   BEGAN                  LENGTH   CALLS   STREAMS   SIZE
    s-1       whole   -       -     -         2026-06-01T12:00:00Z   2s       0       1         213 B
    ");
    let shown = sessions(&["show", "s-1"]);
    assert!(shown.status.success() && stdout(&shown).contains("stream 1: log in web-1 -n shop"));
    assert_eq!(stdout(&sessions(&["replay", "s-1"])), "all is well\n");
    let cast = format!("{data}/log.cast");
    let exported = sessions(&["export", "s-1", "-o", &cast]);
    assert_eq!((exported.status.success(), &*stderr(&exported)), (true, "1 event\n"));
    assert_eq!(sessions(&["export", "s-1", "-o", &cast]).status.code(), Some(1));
    assert_eq!(stdout(&sessions(&["export", "s-1"])), std::fs::read_to_string(&cast).unwrap());
    let found = sessions(&["search", "well"]);
    assert_eq!(stdout(&found), "s-1  2026-06-01T12:00:00.900Z  stream 1  all is »well«\n");
    let nothing = sessions(&["search", "badly"]);
    assert_eq!((nothing.status.code(), &*stderr(&nothing)), (Some(1), "nothing was found in 1 recording\n"));
    std::fs::remove_file(format!("{data}/recordings/s-1/00000001.seg")).unwrap();
    let gone = sessions(&["show", "s-1"]);
    assert_eq!(gone.status.code(), Some(1));
    insta::assert_snapshot!(stderr(&gone), @"the recording of `s-1` is not there, but the ledger has 1 segment of it: it was taken away, or is in another folder (--recordings)");
}

/// Identities, and the recipient that belongs to the first.
const IDENTITIES: [&str; 2] = [
    "AGE-SECRET-KEY-1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UAWX40Q2P2LM0",
    "AGE-SECRET-KEY-143WN7DCXU4G8R5AXQSSYD9AEPYDNT3HXSLWSPK36CDU6E8M59SSSAGZ3KG",
];
const RECIPIENT: &str = "age1xmwwc06ly3ee5rytxm9mflaz2u56jjj36s0mypdrwsvlul66mv4q47ryef";

#[test]
fn what_is_encrypted_is_held_against_the_ledger_and_read_with_an_identity() {
    let recipients = Recipients::new(vec![RECIPIENT.parse().unwrap()]).unwrap();
    let folder = recorded_as(Arc::new(recipients));
    let data = folder.path().to_str().unwrap();
    let file = |name: &str, text: &str, mode| {
        let file = folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        file.to_str().unwrap().to_owned()
    };
    let [one, other] = IDENTITIES.map(|identity| format!("# created: today\n{identity}\n"));
    let (one, other) = (&*file("one.key", &one, 0o600), &*file("other.key", &other, 0o600));
    let exposed = &*file("exposed.key", IDENTITIES[0], 0o644);
    let (broken, none) = (&*file("broken.key", "AGE-SECRET", 0o600), &*format!("{data}/none.key"));

    let sessions = |arguments: &[&str]| portcullis(&[arguments, &["--data", data]].concat());
    let told = |arguments: &[&str]| {
        let told = sessions(arguments);
        let code = told.status.code().unwrap();
        format!("{}: {code}\n{}{}", arguments.join(" "), stdout(&told), stderr(&told)).replace(data, "DATA")
    };
    let cast = &*format!("{data}/log.cast");
    let all = [
        told(&["sessions", "list"]),
        told(&["sessions", "show", "s-1"]),
        told(&["sessions", "show", "s-1", "--identity", other]),
        told(&["sessions", "show", "s-1", "--identity", one]),
        told(&["sessions", "replay", "s-1"]),
        told(&["sessions", "replay", "s-1", "--stream", "1", "--identity", other]),
        told(&["sessions", "replay", "s-1", "--identity", one]),
        told(&["sessions", "export", "s-1", "-o", cast]),
        told(&["sessions", "export", "s-1", "-o", cast, "--identity", one]),
        told(&["sessions", "search", "well"]),
        told(&["sessions", "search", "well", "--identity", one]),
        told(&["undo", "s-1", "--for", "ada@example.com"]),
        told(&["undo", "s-1", "--for", "ada@example.com", "--identity", one]),
        told(&["sessions", "show", "s-1", "--identity", exposed]),
        told(&["sessions", "show", "s-1", "--identity", broken]),
        told(&["sessions", "show", "s-1", "--identity", none]),
    ];
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn what_sessions_is_asked_wrongly_says_what_would_be_right() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    let told = |arguments: &[&str]| {
        let told = portcullis(&[&["sessions"], arguments, &["--data", dir]].concat());
        assert!(!told.status.success());
        let told = stderr(&told).replace(dir, "DIR");
        told.lines().next().unwrap_or_default().to_owned()
    };
    let all = [
        told(&["list"]),
        told(&["show", ".."]),
        told(&["replay", "s-1", "--speed", "0"]),
        told(&["replay", "s-1", "--idle", "soon"]),
        told(&["search", "a\nb"]),
        told(&["erase", "s-2g4kq7nd5wvx3jhc", "--why", "the customer asked"]),
        told(&["erase", "s-1", "--why", "the customer asked"]),
        told(&["list", "--config", "portcullis.yaml"]),
    ];
    insta::assert_snapshot!(all.join("\n"));
}
