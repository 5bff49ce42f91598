use proptest::prelude::*;

use super::*;

/// What kubectl sends: words, whether there is standard input, and what is made of it.
const COPIES: &[(&[&str], bool, Action, &str)] = &[
    (&["tar", "cf", "-", "/var/log/app.log"], false, Action::CopyFrom, "/var/log/app.log"),
    (&["tar", "cf", "-", "/"], false, Action::CopyFrom, "/"),
    (&["tar", "cf", "-", "/a b/..c/-d/*"], false, Action::CopyFrom, "/a b/..c/-d/*"),
    (&["test", "-d", "/tmp/in"], false, Action::CopyTo, "/tmp/in"),
    (&["tar", "-xmf", "-", "-C", "/tmp"], true, Action::CopyTo, "/tmp"),
    (
        &["tar", "--no-same-permissions", "--no-same-owner", "-xmf", "-", "-C", "/tmp"],
        true,
        Action::CopyTo,
        "/tmp",
    ),
];

/// What stays a command as any other, with standard input and without.
const COMMANDS: &[&[&str]] = &[
    &[],
    &["tar"],
    &["tar", "cf", "-"],
    &["tar", "cf", "-", "/a", "/b"],
    &["tar", "cf", "/a", "/b"],
    &["tar", "czf", "-", "/a"],
    &["tar", "-cf", "-", "/a"],
    &["tar", "chf", "-", "/a"],
    &["/bin/tar", "cf", "-", "/a"],
    &["./tar", "cf", "-", "/a"],
    &["tar cf - /a"],
    &["Tar", "cf", "-", "/a"],
    // Options where a path belongs.
    &["tar", "cf", "-", "--to-command=sh"],
    &["tar", "cf", "-", "-I/tmp/x"],
    &["tar", "cf", "-", "--checkpoint-action=exec=sh"],
    &["tar", "cf", "-", "-T/etc/hosts"],
    &["tar", "cf", "-", "--checkpoint=1", "--checkpoint-action=exec=sh", "/a"],
    &["tar", "cf", "-", "/a", "--use-compress-program=sh"],
    &["tar", "--to-command=sh", "-xmf", "-", "-C", "/tmp"],
    &["tar", "-xmf", "-", "-C", "/tmp", "--to-command=sh"],
    &["tar", "-xmf", "-", "--to-command=sh", "-C", "/tmp"],
    &["tar", "-xmf", "-", "-C", "/tmp", "-P"],
    &["tar", "-xmPf", "-", "-C", "/tmp"],
    &["tar", "-xmf", "-", "-C", "/tmp", "-C", "/etc"],
    &["tar", "-xmf", "/tmp/a.tar", "-C", "/tmp"],
    &["tar", "-xmf", "host:file", "-C", "/tmp"],
    &["tar", "-xmf", "-"],
    &["tar", "--no-same-owner", "--no-same-permissions", "-xmf", "-", "-C", "/tmp"],
    &["tar", "--no-same-permissions", "-xmf", "-", "-C", "/tmp"],
    // Paths that lead elsewhere than they say, or from nobody knows where.
    &["tar", "cf", "-", ""],
    &["tar", "cf", "-", "a"],
    &["tar", "cf", "-", "."],
    &["tar", "cf", "-", "../etc"],
    &["tar", "cf", "-", "~/x"],
    &["tar", "cf", "-", "/tmp/../etc"],
    &["tar", "cf", "-", "/tmp/.."],
    &["tar", "cf", "-", "/./etc"],
    &["tar", "cf", "-", "//etc"],
    &["tar", "cf", "-", "/etc/"],
    &["tar", "-xmf", "-", "-C", "."],
    &["tar", "-xmf", "-", "-C", "/tmp/../etc"],
    &["test", "-d", "in"],
    &["test", "-d", "/a", "-o", "-f", "/b"],
    &["test", "-f", "/a"],
    &["test", "!", "-d", "/a"],
    // What `kubectl cp --retries` runs.
    &["sh", "-c", "tar cf - '/a' | tail -c+1"],
];

#[test]
fn what_kubectl_sends_is_a_copy() {
    for (words, stdin, action, path) in COPIES {
        let copy = Copy::of(words, *stdin, false).unwrap();
        assert_eq!((copy.action(), copy.path()), (*action, *path), "{words:?}");
        assert!(Copy::of(words, !stdin, false).is_none(), "{words:?}");
        assert!(Copy::of(words, *stdin, true).is_none(), "{words:?}");
    }
}

#[test]
fn everything_else_is_a_command() {
    for words in COMMANDS {
        for stdin in [false, true] {
            assert!(Copy::of(words, stdin, false).is_none(), "{words:?}");
        }
    }
}

proptest! {
    /// Any one word more, less or other than kubectl's makes it a command, unless it is another path.
    #[test]
    fn one_word_more_or_other_makes_it_a_command(
        of in 0..COPIES.len(), at in 0..8_usize, word in "[ -~]{0,6}|--[a-z-]{1,12}(=sh)?|-[a-zA-Z]{1,3}", more in any::<bool>(),
    ) {
        let (words, stdin, ..) = COPIES[of];
        let mut changed = words.to_vec();
        let at = at % (words.len() + usize::from(more));
        if more {
            changed.insert(at, &word);
        } else {
            changed[at] = &word;
        }
        let known = COPIES.iter().any(|(words, ..)| words[..words.len() - 1] == changed[..changed.len() - 1]);
        let path = Copy::of(&changed, stdin, false).map(|copy| copy.path().to_owned());
        prop_assert!(path.is_none() || (known && path.as_deref() == changed.last().copied()));
    }

    /// A path that is told is what the container's own rules make of it.
    #[test]
    fn a_path_is_what_it_says(path in "(/|\\.|a|-| ){0,10}") {
        let copied = Copy::of(&["tar", "cf", "-", &path], false, false);
        let mut parts: Vec<&str> = Vec::new();
        for part in path.split('/') {
            match part {
                "" | "." => {}
                ".." => _ = parts.pop(),
                part => parts.push(part),
            }
        }
        prop_assert_eq!(copied.is_some(), path == format!("/{}", parts.join("/")));
    }
}
