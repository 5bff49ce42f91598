//! The binary as a shell sees it: exit codes, and what goes where.
#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

use std::{
    io::{BufRead, BufReader, Lines},
    os::unix::fs::PermissionsExt,
    process::{Child, ChildStdout, Command, Output, Stdio},
    sync::Arc,
};

use recording::{
    at_rest::{Close, Plain, Recipients},
    testing::Script,
};

fn portcullis(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_portcullis")).args(arguments).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn the_version_is_told() {
    let told = portcullis(&["--version"]);
    assert_eq!(stdout(&told), concat!("portcullis ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn the_schema_goes_to_standard_output() {
    let told = portcullis(&["config", "schema"]);
    assert!(told.status.success());
    let schema: serde_json::Value = serde_json::from_str(&stdout(&told)).unwrap();
    assert_eq!(schema["additionalProperties"], false);
}

#[test]
fn a_configuration_from_init_lacks_only_the_credential_until_it_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    let config = format!("{dir}/portcullis.yaml");
    let init = portcullis(&["init", "--dir", dir, "--agent", "claude", "--cluster", "demo"]);
    assert!(init.status.success(), "{}", stderr(&init));

    let rbac = portcullis(&["rbac", "--config", &config]);
    assert!(rbac.status.success() && stdout(&rbac).contains("portcullis:agent:claude"), "{}", stderr(&rbac));

    let wrong = portcullis(&["config", "check", "--config", &config]);
    assert_eq!(wrong.status.code(), Some(1));
    assert_eq!(stdout(&wrong), "");
    insta::assert_snapshot!(stderr(&wrong).replace(dir, "DIR"), @"DIR/portcullis.yaml:32:17: clusters[0].kubeconfig: cannot read `DIR/cluster.kubeconfig`: No such file or directory (os error 2)");

    std::fs::write(format!("{dir}/cluster.kubeconfig"), "contexts: [{name: a}]\ncurrent-context: a\n")
        .unwrap();
    let right = portcullis(&["config", "check", "--config", &config]);
    assert!(right.status.success(), "{}", stderr(&right));
    insta::assert_snapshot!(stdout(&right).replace(dir, "DIR"), @"DIR/portcullis.yaml: OK (1 cluster, 1 agent, policy DIR/policies/developer)");

    let again = portcullis(&["init", "--dir", dir]);
    assert_eq!(again.status.code(), Some(1));
    assert!(stderr(&again).starts_with("nothing was written"), "{}", stderr(&again));
}

#[test]
fn without_a_gate_a_session_cannot_be_opened() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    let kubeconfig = format!("{dir}/kubeconfig");
    let told = portcullis(&[
        "session",
        "open",
        "--data",
        dir,
        "--agent",
        "claude",
        "--for",
        "ada",
        "--cluster",
        "prod",
        "--reason",
        "look",
        "--kubeconfig",
        &kubeconfig,
    ]);
    assert_eq!(told.status.code(), Some(1));
    assert!(!std::path::Path::new(&kubeconfig).exists());
    insta::assert_snapshot!(stderr(&told).replace(dir, "DIR"), @"no gate answers at `DIR/admin.sock`: No such file or directory (os error 2); is `portcullis serve` running, and are you its user?");
}

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

#[test]
fn policies_are_checked_tested_and_explained() {
    let tested = portcullis(&["policy", "test", "builtin:developer"]);
    assert!(tested.status.success(), "{}", stderr(&tested));
    assert!(stdout(&tested).ends_with(" 0 failed\n"));

    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    let init = portcullis(&["init", "--dir", dir, "--agent", "claude", "--cluster", "demo"]);
    assert!(init.status.success(), "{}", stderr(&init));
    let config = format!("{dir}/portcullis.yaml");
    let checked = portcullis(&["policy", "check", "--config", &config]);
    assert!(stdout(&checked).starts_with(&format!("{dir}/policies/developer: OK (")), "{}", stderr(&checked));

    let explain = |agent: &str, call: &[&str]| {
        let before = ["policy", "explain", "--config", &config, "--agent", agent, "--cluster", "demo"];
        portcullis(&[&before, call].concat())
    };
    let asks = explain("claude", &["delete", "https://localhost:8443/api/v1/namespaces/shop"]);
    assert!(
        stdout(&asks).starts_with("ASK: delete namespaces \"shop\""),
        "{}{}",
        stdout(&asks),
        stderr(&asks)
    );
    let unknown = explain("claud", &["GET", "/api/v1/pods"]);
    insta::assert_snapshot!(stderr(&unknown), @"there is no agent `claud`; did you mean `claude`?");
    let odd = explain("claude", &["GET", "/api//v1/pods"]);
    assert_eq!(odd.status.code(), Some(1));
    assert!(stderr(&odd).starts_with("the gate would refuse this request: "), "{}", stderr(&odd));

    std::fs::write(format!("{dir}/policies/developer/broken.cedar"), "permit (principal, action, resource)")
        .unwrap();
    let text = std::fs::read_to_string(&config).unwrap() + "colour: blue\n";
    std::fs::write(&config, text).unwrap();
    let broken = portcullis(&["config", "check", "--config", &config]);
    assert_eq!(broken.status.code(), Some(1));
    let told = stderr(&broken);
    for part in [" colour: ", "policy.bundle: developer/broken.cedar:1:", "clusters[0].kubeconfig: "] {
        assert!(told.contains(part), "no `{part}` among what is told at once:\n{told}");
    }
}

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

#[test]
fn a_gate_that_cannot_start_leaves_no_start_in_the_ledger() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    let config = format!("{dir}/portcullis.yaml");
    let init = portcullis(&["init", "--dir", dir, "--agent", "claude", "--cluster", "demo"]);
    assert!(init.status.success(), "{}", stderr(&init));
    let kubeconfig = "clusters: [{name: c, cluster: {server: 'https://127.0.0.1:1'}}]
users: [{name: u, user: {token: t}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
";
    std::fs::write(format!("{dir}/cluster.kubeconfig"), kubeconfig).unwrap();
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, format!("{text}\nlisten: 127.0.0.1:0\noperations: {{ listen: 127.0.0.1:0 }}\n"))
        .unwrap();
    std::fs::create_dir_all(format!("{dir}/data")).unwrap();
    let owner_only = PermissionsExt::from_mode(0o700);
    std::fs::set_permissions(format!("{dir}/data"), owner_only).unwrap();
    std::fs::write(format!("{dir}/data/admin.sock"), "").unwrap();

    let served = portcullis(&["serve", "--config", &config]);
    assert_eq!(served.status.code(), Some(1));
    let told = stderr(&served).replace(dir, "DIR");
    assert!(told.ends_with("`DIR/data/admin.sock` exists and is not a socket; move it away\n"), "{told}");
    assert!(!folder.path().join("data/ledger").exists());
}

#[test]
fn an_agent_that_asks_ahead_is_told_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    let kubeconfig = format!("{dir}/kubeconfig");
    let propose = ["propose", "--filename", dir, "--reason", "roll out", "--kubeconfig", &kubeconfig];
    let access =
        ["request-access", "--scope", "get pods", "--for", "30m", "--reason", "look", "--kubeconfig"];
    let access: Vec<&str> = access.into_iter().chain([&*kubeconfig]).collect();
    let told = |arguments: &[&str], code: i32| {
        let told = portcullis(arguments);
        assert_eq!((told.status.code(), &*stdout(&told)), (Some(code), ""));
        stderr(&told).replace(dir, "DIR")
    };
    let mut all = told(&propose, 1);
    let manifest = "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}";
    std::fs::write(format!("{dir}/a.yaml"), manifest).unwrap();
    all.push_str(&told(&propose, 1));
    all.push_str(&told(&access, 1));
    insta::assert_snapshot!(all, @"
    there is no manifest in `DIR`; of folders, files ending in `.yaml`, `.yml` and `.json` are read
    the kubeconfig cannot be read from `DIR/kubeconfig`: No such file or directory (os error 2)
    the kubeconfig cannot be read from `DIR/kubeconfig`: No such file or directory (os error 2)
    ");
    for (more, part) in
        [(["--break-glass", "--no-wait"], "--incident"), (["--incident", "INC-1"], "--break-glass")]
    {
        let refused = told(&access.iter().copied().chain(more).collect::<Vec<_>>(), 2);
        assert!(refused.contains(part), "{refused}");
    }
    assert!(
        told(&["propose", "--filename", dir, "--reason", "r", "--force-conflicts"], 2)
            .contains("--server-side")
    );
}
