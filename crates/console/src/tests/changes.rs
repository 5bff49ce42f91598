//! What calls changed, as the recording has it, where nobody was asked.

use ledger::leaf::{Event, Outcome};
use recording::record::{Before, What};
use serde_json::{Value, json};

use super::bench::{Bench, SESSION, grace};
use super::replay::{PAGE, answered, called, intent, outcome};

/// An object of Kubernetes.
fn object(replicas: u32, filling: usize) -> Value {
    let metadata =
        json!({"name": "web", "namespace": "shop", "uid": "u-1", "resourceVersion": replicas.to_string()});
    json!({"kind": "Deployment", "metadata": metadata, "spec": {"replicas": replicas, "filling": "x".repeat(filling)}})
}

fn before(call: &str) -> What {
    What::Before(Before { call: call.into(), masked: false, kept: None, body: None })
}

fn with_status(event: Event, code: u16) -> Event {
    match event {
        Event::Outcome(outcome) => Event::Outcome(Outcome { status: Some(code), ..outcome }),
        other => other,
    }
}

/// A dry run, if it says so.
fn as_asked(event: Event) -> Event {
    let Event::Intent(mut intent) = event else { return event };
    let verb = intent.request.verb.to_string();
    let request = &mut intent.request;
    (request.resource, request.name) = (Some("deployments".into()), Some("web".into()));
    if let Some(verb) = verb.strip_suffix(" --dry-run") {
        (request.verb, request.dry_run) = (verb.into(), true);
    }
    Event::Intent(intent)
}

#[tokio::test]
async fn each_change_stands_in_the_timeline_and_on_its_page() {
    const WEB: &str = "/apis/apps/v1/namespaces/shop/deployments/web";
    let bench = Bench::new().await;
    let (small, larger, large) = (object(3, 0), object(5, 0), object(4, 70_000));
    let status = json!({"kind": "Status", "status": "Success"});
    // The verb, the answer's status, and the object before and after.
    let calls: [(&str, u16, Option<&Value>, &Value); 8] = [
        ("create", 201, None, &small),
        ("create --dry-run", 201, None, &small),
        ("patch", 200, Some(&small), &larger),
        ("patch", 409, Some(&small), &larger),
        ("patch", 200, Some(&larger), &larger),
        ("get", 200, None, &small),
        ("update", 200, Some(&larger), &large),
        ("delete", 200, Some(&small), &status),
    ];
    let mut script = bench.script(SESSION).at(0, What::Began {});
    for (number, (verb, code, was, is)) in calls.iter().enumerate() {
        let call = format!("c-{number}");
        bench.record(as_asked(intent(&call, verb, WEB, None))).await;
        bench.record(with_status(outcome(&call, None), *code)).await;
        script = script.at(100, called(&call));
        script = match was {
            Some(was) => script.with_body(100, before(&call), was.to_string().as_bytes()),
            None if verb.starts_with("create") => script.at(100, before(&call)),
            None => script,
        };
        script = script.with_body(100, answered(&call), is.to_string().as_bytes());
    }
    bench.tell(&script.stopped()).await;
    let visitor = bench.sign_in(&grace()).await;
    bench.close_ledger().await;
    let mut told = vec![visitor.get(PAGE).await.main()];
    for number in 0..calls.len() {
        let page = visitor.get(&format!("{PAGE}/calls/c-{number}")).await.main();
        let lines = page
            .lines()
            .take_while(|line| !line.starts_with("What was sent") && !line.starts_with("What the agent"));
        let short =
            lines.map(|line| line.chars().take(80).collect::<String>()).collect::<Vec<_>>().join("\n");
        told.push(format!("== c-{number}\n{short}"));
    }
    insta::assert_snapshot!(told.join("\n\n"));
}
