use super::*;

/// Each object's name, or why there is none, of these files, with the folder as `DIR`.
fn read(files: &[(&str, &str)], sources: &[&str], recursive: bool) -> String {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let file = folder.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    let files = sources.iter().map(|source| folder.path().join(source)).collect();
    let told = match (Sources { files, recursive }).read() {
        Ok(found) => found.iter().map(|found| format!("{found:?}\n")).collect(),
        Err(unreadable) => format!("{unreadable}\n"),
    };
    assert!(!told.contains("CANARY"), "{told}");
    told.replace(&folder.path().display().to_string(), "DIR")
}

fn object(name: &str) -> String {
    format!("{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {name}}}}}\n")
}

#[test]
fn folders_are_read_in_the_order_of_names() {
    let (a, b, c, d) = (object("a"), object("b"), object("c"), object("d"));
    let several = format!("# first\n---\n{b}---\n---\n{c}");
    let files =
        [("m/2.yml", &*several), ("m/10.yaml", &a), ("m/notes.txt", "no"), ("m/in/x.json", &d), ("odd", &d)];
    let json = [(
        "m/1.json",
        "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":\"s\"},\"data\":{\"a\":\"CANARY\"}}{\"apiVersion\":\"v1\",\"kind\":\"A\",\"metadata\":{\"name\":\"t\"}}",
    )];
    insta::assert_snapshot!(
        [
            read(&files, &["m"], false),
            read(&files, &["m"], true),
            read(&files, &["odd", "m/10.yaml"], false),
            read(&json, &["m"], false),
        ]
        .join("\n")
    );
}

#[test]
fn lists_are_their_items() {
    let list = format!("apiVersion: v1\nkind: List\nitems:\n- {}- {}", object("a"), object("b"));
    insta::assert_snapshot!(read(&[("a.yaml", &list)], &["a.yaml"], false));
}

#[test]
fn what_is_no_manifest_is_told() {
    let many: String = (0..65).map(|number| format!("---\n{}", object(&format!("n{number}")))).collect();
    let large = format!("{}#{}", object("a"), "x".repeat(3 << 20));
    let cases: [&str; 18] = [
        "",
        "# nothing",
        "a: [CANARY",
        "a: &a [*a]",
        "- CANARY",
        "kind: A\nmetadata: {name: a}",
        "apiVersion: v1\nmetadata: {name: a}",
        "apiVersion: a/b/c\nkind: A\nmetadata: {name: a}",
        "apiVersion: ../v1\nkind: A\nmetadata: {name: a}",
        "apiVersion: v1\nkind: A",
        "apiVersion: v1\nkind: A\nmetadata: {generateName: a-}",
        "apiVersion: v1\nkind: A\nmetadata: {name: 5}",
        "apiVersion: v1\nkind: A\nmetadata: {name: a/b}",
        "apiVersion: v1\nkind: A\nmetadata: {name: a, namespace: ..}",
        "apiVersion: v1\nkind: List\nitems: {a: b}",
        "apiVersion: v1\nkind: A\nmetadata: {name: a}\ndata: {x: .inf}",
        &many,
        &large,
    ];
    let mut told: Vec<String> =
        cases.iter().map(|text| read(&[("a.yaml", text)], &["a.yaml"], false)).collect();
    told.push(read(&[("m/notes.txt", "no")], &["m"], false));
    told.push(read(&[], &["gone"], false));
    insta::assert_snapshot!(told.concat());
}

#[test]
fn scalars_are_as_kubectl_reads_them() {
    let text = "apiVersion: v1\nkind: A\nmetadata: {name: a}\n\
                data: {octal: 0644, yes: yes, 'no': off, whole: 2.0, half: 0.5, date: 2001-01-01, time: 1:30,\n\
                hex: 0x10, text: '0644', none: ~, 1: one, exp: 1e3, under: 1_000, version: 1.2.3, bits: 0b11}\n\
                base: &b {x: 1}\nmerged: {<<: *b, y: 2}\n";
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.yaml");
    fs::write(&file, text).unwrap();
    let found = Sources { files: vec![file], recursive: false }.read().unwrap().remove(0);
    insta::assert_snapshot!(Value::Object(found.object));
}
