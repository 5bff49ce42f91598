use std::os::unix::fs::PermissionsExt;

use super::*;

#[test]
fn a_named_program_is_taken_and_otherwise_the_first_of_the_path() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (folder.path().join("first"), folder.path().join("second"));
    for (place, name) in [(&first, "google-chrome"), (&second, "chromium")] {
        fs::create_dir(place).unwrap();
        fs::write(place.join(name), "").unwrap();
    }
    let path = env::join_paths([&first, &second]).unwrap();
    let found = |named: Option<&str>| find_in(named.map(OsStr::new), Some(&path));
    assert_eq!(found(None), Some(second.join("chromium")));
    assert_eq!(found(Some("")), Some(second.join("chromium")));
    assert_eq!(found(Some("/not/there")), Some("/not/there".into()));
    assert_eq!(find_in(None, Some(first.as_os_str())), Some(first.join("google-chrome")));
    assert_eq!(find_in(None, Some(OsStr::new("/not/there"))), None);
    assert_eq!(find_in(None, None), None);
}

#[test]
fn a_program_that_ends_at_once_is_told_with_what_it_said() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("program");
    fs::write(&program, "#!/bin/sh\necho no display >&2\nexit 1\n").unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let error = format!("{:#}", Chromium::start(&program).unwrap_err());
    assert!(
        error.ends_with("program` ended before it was ready; the end of what it said:\nno display"),
        "{error}"
    );
}

/// Processes of this machine that were started with this text in their environment.
#[cfg(target_os = "linux")]
fn processes_of(folder: &Path) -> usize {
    let needle = folder.as_os_str().as_encoded_bytes();
    let environments =
        fs::read_dir("/proc").unwrap().filter_map(|entry| fs::read(entry.ok()?.path().join("environ")).ok());
    environments.filter(|environment| environment.windows(needle.len()).any(|part| part == needle)).count()
}

#[cfg(target_os = "linux")]
#[test]
fn dropping_it_ends_every_process_and_removes_the_folder() {
    let Some(browser) = crate::or_skip("dropping_it_ends_every_process_and_removes_the_folder").unwrap()
    else {
        return;
    };
    let folder = browser._chromium._folder.path().to_path_buf();
    assert!(processes_of(&folder) > 2);
    drop(browser);
    assert_eq!(processes_of(&folder), 0);
    assert!(!folder.exists());
}
