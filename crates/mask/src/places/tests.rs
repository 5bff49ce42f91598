//! The catalogue: that it is sound, and what it refuses.

use std::collections::BTreeSet;

use super::*;

fn place(resource: &str, path: &str) -> CustomPlace {
    CustomPlace { resource: resource.to_owned(), path: path.to_owned() }
}

/// The trees of every resource, with those for what is in strings.
fn trees(catalogue: &Catalogue) -> impl Iterator<Item = &Rules> {
    let outermost = catalogue.0.rules.values().chain([&catalogue.0.others]);
    outermost.flat_map(|rules| [Some(rules), rules.own.as_ref(), rules.secret.as_ref()]).flatten()
}

/// A place below a value that is replaced alone would make a hole in it; what is embedded or held needs rules for what is in it;
/// no key leads to two places.
fn assert_sound(tree: &Rules, configured: bool) {
    assert!(tree.nodes[NOTHING as usize].keys.is_empty());
    for branch in &tree.nodes {
        assert!(branch.keys.iter().all(|(key, _)| key.len() <= MAX_KEY));
        let distinct: BTreeSet<_> = branch.keys.iter().map(|(key, _)| key).collect();
        assert_eq!(distinct.len(), branch.keys.len(), "a key leads to two places");
        match branch.treatment {
            None | Some(Treatment::Note(_) | Treatment::ReplaceMembers(_)) => {}
            Some(Treatment::Embedded(_) | Treatment::Held(_) | Treatment::RevealableHeld(_)) => {
                assert!(tree.own.is_some() && tree.secret.is_some());
            }
            // Whoever configures may name a place within another; the scanner goes into nothing that is replaced.
            Some(Treatment::Replace(_) | Treatment::Revealable(_) | Treatment::Emptied) => {
                assert!(configured || branch.keys.is_empty() && branch.element == NOTHING);
            }
        }
    }
}

#[test]
fn what_ships_is_sound() {
    for tree in trees(&Catalogue::builtin()).chain([&Rules::nowhere()]) {
        assert!(tree.nodes.len() < 2000, "{}", tree.nodes.len());
        assert_sound(tree, false);
    }
}

#[test]
fn as_many_places_as_there_may_be_are_sound_and_take_little_room() {
    let deep = ".*.env[].kind".repeat(2);
    let places = (0..MAX_CUSTOM).map(|n| place("widgets.example.com", &format!("spec.a{n}{deep}")));
    let catalogue = Catalogue::builtin().with(&places.collect::<Vec<_>>()).unwrap();
    for tree in trees(&catalogue) {
        let bytes = tree.nodes.len() * size_of::<tree::Branch>();
        assert!(bytes < 256 << 20, "{bytes}");
        assert_sound(tree, true);
    }
}

#[test]
fn keys_match_without_regard_to_case() {
    let rules = Catalogue::builtin().rules_for("", "secrets", None);
    assert!(rules.key(ROOT, Some(b"StringDATA")) > ANYWHERE);
    assert_eq!(rules.key(ROOT, Some(b"dat")), NOTHING);
}

#[test]
fn telling_names() {
    let names = &Catalogue::builtin().0.names;
    for name in [
        "PASSWORD",
        "db_password",
        "GITHUB_TOKEN",
        "AWS_SECRET_ACCESS_KEY",
        "SENTRY_DSN",
        "X_PWD",
        "DATABASE_URL",
        "MONGODB_URI",
        "apiKey",
        "JWT",
    ] {
        assert!(names.telling(name.as_bytes()), "{name}");
    }
    for name in [
        "",
        "PORT",
        "LOG_LEVEL",
        "PWD",
        "PASSWORD_FILE",
        "SECRET_NAME",
        "TOKEN_URL",
        "MAX_TOKENS",
        "BASE_URL",
        "KEYS",
        "HOME",
    ] {
        assert!(!names.telling(name.as_bytes()), "{name}");
    }
}

#[test]
fn refuses_what_is_no_place() {
    let long = "x".repeat(MAX_KEY + 1);
    let deep = "a.".repeat(40) + "a";
    let told: Vec<String> = [
        ("", "spec.a"),
        ("Widgets.example.com", "spec.a"),
        ("*", "spec.a"),
        ("widgets.example.com", ""),
        ("widgets.example.com", "spec..a"),
        ("widgets.example.com", "spec."),
        ("widgets.example.com", "[].a"),
        ("widgets.example.com", "spec[0].a"),
        ("widgets.example.com", "spec[\"a.b\"x"),
        ("widgets.example.com", "spec[\"a.b"),
        ("widgets.example.com", "spec.pass*"),
        ("widgets.example.com", "spec[\"pass*\"]"),
        ("widgets.example.com", long.as_str()),
        ("widgets.example.com", deep.as_str()),
        ("widgets.example.com", "kind"),
        ("widgets.example.com", "metadata.uid"),
        ("widgets.example.com", "metadata.resourceVersion"),
        ("widgets.example.com", "*.a"),
    ]
    .into_iter()
    .map(|(resource, path)| {
        let path = path.to_owned();
        let refused = Catalogue::builtin().with(&[place("gadgets.example.com", "a"), place(resource, &path)]);
        refused.unwrap_err().to_string().replace(&long, "x...").replace(&deep, "a.a...")
    })
    .collect();
    insta::assert_snapshot!(told.join("\n"));
    let many = vec![place("widgets.example.com", "spec.a"); MAX_CUSTOM + 1];
    insta::assert_snapshot!(Catalogue::builtin().with(&many).unwrap_err(), @"`spec.a` of `widgets.example.com` is no place: it is one of more than 1000");
}

#[test]
fn lines_that_cannot_be_read_are_named() {
    for (text, line) in [("\n# x\na b\n", 3), ("a b text\na b what", 2), ("a .b text", 1)] {
        assert_eq!(parse::file(text).unwrap_err().0, line);
    }
}
