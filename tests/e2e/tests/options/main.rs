//! The options that we hold are those that the API server decodes: our reading of queries beside its own.
//!
//! `PORTCULLIS_CASES` and `PORTCULLIS_SEED` choose how many cases and which; `cargo xtask fuzz` sets them.

mod queries;

use e2e::setting;
use kube_api::{Head, generate::Random};
use queries::{BOOLEANS, Case, DELETE, LIST, NUMBERS, SHAPES, values};
use serde_json::{Map, Value, json};
use testkit::Oracle;

const CASES: usize = 10_000;
const BATCH: usize = 5_000;
/// What the server's type would have if it held what we hold, as far as it is the same text there: a selector is parsed
/// and written anew, and a time has another form.
fn expected(head: &Head, decoded: &str) -> Map<String, Value> {
    let mut fields = Map::new();
    let of_list = |name| LIST.contains(&name);
    for (name, value) in head.options().iter() {
        let wanted = match decoded {
            // A deletion of a collection is decoded twice.
            "list" => of_list(name),
            "delete" => DELETE.contains(&name) && !of_list(name),
            _ => true,
        };
        if !wanted {
            continue;
        }
        let value = match name {
            // Read elsewhere: by the filter for timeouts, the serialiser, and as `TableOptions`.
            "pretty" | "timeout" | "includeObject" => continue,
            "dryRun" => json!([value]),
            "command" => Value::from_iter(head.options().all("command")),
            "ports" => Value::from_iter(head.options().all("ports").map(|port| port.parse::<i64>().ok())),
            _ => match values(name) {
                known if known == NUMBERS => json!(value.parse::<i64>().ok()),
                known if known == BOOLEANS => json!(value == "true"),
                _ => json!(value),
            },
        };
        fields.insert(name.to_owned(), value);
    }
    fields
}

/// Nothing, as Go's `omitempty` leaves it out; where a pointer shows zero, we hold it as well.
fn is_empty(value: &Value) -> bool {
    matches!(value, Value::Bool(false)) || *value == 0 || *value == ""
}

fn compare(head: &Head, decoded: &str, received: &Value, sent: &Value) -> Result<(), String> {
    if received != sent {
        return Err(format!("as it is sent on, it is {sent} there"));
    }
    if let Some(error) = received.get("error") {
        // The calendar is the server's to check, as is written in `kube_api`.
        let calendar =
            head.options().get("sinceTime").is_some() && error.to_string().contains("parsing time");
        return if calendar { Ok(()) } else { Err("taken here and not there".to_owned()) };
    }
    let expected = expected(head, decoded);
    let theirs = received.as_object().ok_or("no object")?;
    for name in expected.keys().chain(theirs.keys()) {
        let alike = match (name.as_str(), expected.get(name), theirs.get(name)) {
            ("labelSelector" | "fieldSelector" | "sinceTime", ours, theirs) => {
                ours.is_none_or(is_empty) || theirs.is_some()
            }
            (_, Some(ours), Some(theirs)) => ours == theirs,
            (_, Some(ours), None) => is_empty(ours),
            // A list without an entry.
            (_, None, theirs) => theirs == Some(&Value::Null),
        };
        if !alike {
            return Err(format!("`{name}` is {:?} here", expected.get(name)));
        }
    }
    Ok(())
}

#[test]
fn no_option_is_read_otherwise_than_the_api_server_reads_it() -> anyhow::Result<()> {
    let seed = setting("PORTCULLIS_SEED", 1)?;
    let mut left = usize::try_from(setting("PORTCULLIS_CASES", CASES as u64)?)?;
    let mut random = Random::new(seed);
    let mut oracle = Oracle::start()?;
    let mut taken = vec![0; SHAPES.len()];
    while left > 0 {
        let cases: Vec<Case> = (0..left.min(BATCH)).filter_map(|_| Case::of(&mut random)).collect();
        left -= left.min(BATCH);
        let mut asked = Vec::new();
        for case in &cases {
            let Some(head) = case.head() else { continue };
            if let Some(taken) = taken.get_mut(case.at) {
                *taken += 1;
            }
            asked.extend(case.shape.decoded.iter().map(|decoded| (case, head.clone(), *decoded)));
        }
        let question = |decoded: &str, query: &str| json!({"op": "options", "verb": decoded, "query": query});
        let received =
            oracle.ask_many(asked.iter().map(|(case, _, decoded)| question(decoded, &case.query)))?;
        let sent = oracle.ask_many(asked.iter().map(|(_, head, decoded)| {
            question(decoded, head.path_and_query().split_once('?').map_or("", |(_, query)| query))
        }))?;
        for (((case, head, decoded), received), sent) in asked.iter().zip(&received).zip(&sent) {
            compare(head, decoded, received, sent).map_err(|difference| {
                anyhow::anyhow!(
                    "{} {}?{} (seed {seed}), decoded as {decoded}: {difference}; {received} there",
                    case.shape.method,
                    case.shape.path,
                    case.query
                )
            })?;
        }
    }
    for (shape, taken) in SHAPES.iter().zip(&taken) {
        assert!(
            *taken > 50,
            "only {taken} of {} {} were taken: the test compares too little",
            shape.method,
            shape.path
        );
    }
    Ok(())
}
