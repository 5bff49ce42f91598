//! What calls changed, as the recording has it, where nobody was asked.

use ledger::leaf::{Event, Outcome};
use recording::record::{Before, Called, Channel, Payload, What};
use recording::testing::Script;
use serde_json::{Value, json};

use super::bench::{Bench, SESSION, grace};
use super::replay::{PAGE, answered, intent, opened, outcome};

const WEB: &str = "/apis/apps/v1/namespaces/shop/deployments/web";
const ROLES: &str = "/apis/rbac.authorization.k8s.io/v1/clusterroles";

/// A call, its status, and the object before it and in its answer.
struct Did {
    verb: &'static str,
    target: String,
    status: u16,
    /// `None`: the gate did not look. `null`: there was none.
    before: Option<Value>,
    answer: Value,
}

fn did(verb: &'static str, target: impl Into<String>, before: Option<Value>, answer: &Value) -> Did {
    Did { verb, target: target.into(), status: 200, before, answer: answer.clone() }
}

/// A Deployment.
fn web(replicas: u32, filling: usize) -> Value {
    let metadata =
        json!({"name": "web", "namespace": "shop", "uid": "u-1", "resourceVersion": replicas.to_string()});
    json!({"kind": "Deployment", "metadata": metadata, "spec": {"replicas": replicas, "filling": "x".repeat(filling)}})
}

fn generation(generation: u64, replicas: u32) -> Value {
    let mut web = web(replicas, 0);
    web["metadata"]["generation"] = generation.into();
    web
}

/// In the ledger and in the recording, as the gate hands it over: the recording first.
async fn recorded(bench: &Bench, script: Script, call: &str, milliseconds: u64, did: &Did) -> Script {
    let act = format!("{} {}", did.verb, did.target);
    let asked = What::Called(Called { call: call.into(), act: act.as_str().into(), body: None });
    let mut script = script.at(milliseconds, asked);
    let before = What::Before(Before { call: call.into(), masked: false, kept: None, body: None });
    script = match &did.before {
        Some(Value::Null) => script.at(milliseconds, before),
        Some(object) => script.with_body(milliseconds, before, object.to_string().as_bytes()),
        None => script,
    };
    bench.record(intent(call, did.verb, &did.target, None)).await;
    if let Event::Outcome(ended) = outcome(call, None) {
        bench.record(Event::Outcome(Outcome { status: Some(did.status), ..ended })).await;
    }
    let mut answer = answered(call);
    if let What::Answered(answer) = &mut answer {
        answer.status = did.status;
    }
    script.with_body(milliseconds, answer, did.answer.to_string().as_bytes())
}

#[tokio::test]
async fn each_change_stands_in_the_timeline_and_on_its_page() {
    let status = json!({"kind": "Status", "status": "Success"});
    let scale = json!({"kind": "Scale", "metadata": {"name": "web", "namespace": "shop", "uid": "u-1", "resourceVersion": "9"}, "spec": {"replicas": 7}});
    let mut leaving = web(3, 0);
    leaving["metadata"]["deletionTimestamp"] = "2027-01-15T08:00:00Z".into();
    // A name that says what is not so.
    let role = json!({"kind": "ClusterRole", "metadata": {"name": "x (dry run)", "uid": "u-2"}, "rules": []});
    let all = [
        did("create", "/apis/apps/v1/namespaces/shop/deployments", None, &web(3, 0)),
        did("create", "/apis/apps/v1/namespaces/shop/deployments?dryRun=All", None, &web(3, 0)),
        did("create", ROLES, None, &role),
        did("patch", WEB, Some(web(3, 0)), &web(5, 0)),
        did("patch", format!("{WEB}/scale"), Some(web(5, 0)), &scale),
        did("patch", format!("{WEB}/status"), None, &web(5, 0)),
        Did { status: 409, ..did("patch", WEB, Some(web(3, 0)), &web(5, 0)) },
        did("patch", WEB, Some(web(5, 0)), &web(5, 0)),
        did("get", WEB, None, &web(3, 0)),
        did("update", WEB, Some(web(5, 0)), &web(4, 70_000)),
        // The second of two steps is this call's.
        did("patch", WEB, Some(generation(1, 3)), &generation(3, 5)),
        did("delete", WEB, Some(web(3, 0)), &leaving),
        did("delete", WEB, Some(web(3, 0)), &status),
    ];
    let bench = Bench::new().await;
    let mut script = bench.script(SESSION).at(0, What::Began {});
    for (number, one) in all.iter().enumerate() {
        script = recorded(&bench, script, &format!("c-{number}"), 100, one).await;
    }
    bench.tell(&script.stopped()).await;
    let visitor = bench.sign_in(&grace()).await;
    bench.close_ledger().await;
    let mut told = vec![visitor.get(PAGE).await.main()];
    for number in 0..all.len() {
        let page = visitor.get(&format!("{PAGE}/calls/c-{number}")).await.main();
        let bodies = |line: &&str| !line.starts_with("What was sent") && !line.starts_with("What the agent");
        let short = |line: &str| line.chars().take(120).collect::<String>();
        let lines: Vec<_> = page.lines().skip(5).take_while(bodies).map(short).collect();
        told.push(format!("== c-{number}\n{}", lines.join("\n")));
    }
    insta::assert_snapshot!(told.join("\n\n"));
    let of_two = visitor.get(&format!("{PAGE}/calls/c-10")).await.main();
    assert!(of_two.contains("somebody else changed the object as well"), "{of_two}");
}

/// So many are looked at; of the oldest on a page the recording tells before the page begins.
#[tokio::test]
async fn twenty_of_a_page_unfold_and_of_the_rest_it_is_said_where_they_are() {
    // Of sixty calls the page has the last fifty.
    for (changing, reading, told) in
        [(10..11, 11..60, (1, 0)), (0..60, 0..0, (20, 30)), (0..40, 0..0, (0, 30))]
    {
        let bench = Bench::new().await;
        let mut script = bench.script(SESSION).at(0, What::Began {});
        for number in 0..60_u64 {
            let is = web(if changing.contains(&number) { 5 } else { 3 }, 0);
            let verb = if reading.contains(&number) { "get" } else { "patch" };
            let one = did(verb, WEB, Some(web(3, 0)), &is);
            let at = (number * 60_000).saturating_sub(1_000);
            script = recorded(&bench, script, &format!("c-{number}"), at, &one).await;
            bench.pass(1);
        }
        bench.tell(&script.stopped()).await;
        let visitor = bench.sign_in(&grace()).await;
        bench.close_ledger().await;
        let page = visitor.get(PAGE).await.main();
        let count = |what: &str| page.lines().filter(|line| line.starts_with(what)).count();
        let unfolds = count("What changed: 1 added, 1 removed");
        assert_eq!((unfolds, count("What it changed, if anything")), told);
    }
}

/// Little JSON can be many lines, and deep in: neither fills a page that somebody stops a session by.
#[tokio::test]
async fn what_is_many_lines_does_not_unfold() {
    let object = |version: u32, data: &Value| {
        let metadata =
            json!({"name": "m", "namespace": "shop", "uid": "u", "resourceVersion": version.to_string()});
        json!({"kind": "ConfigMap", "metadata": metadata, "data": data, "version": version})
    };
    let deep = (0..100).fold(json!(vec![0; 30_000]), |inner, _| json!([inner]));
    let map = "/api/v1/namespaces/shop/configmaps/m";
    for data in [json!({"text": "a\n".repeat(20_000)}), deep] {
        let bench = Bench::new().await;
        let mut script = bench.script(SESSION).at(0, What::Began {});
        for number in 0..20_u32 {
            let one = did("patch", map, Some(object(number, &data)), &object(number + 1, &data));
            script = recorded(&bench, script, &format!("c-{number}"), 100, &one).await;
        }
        bench.tell(&script.stopped()).await;
        let visitor = bench.sign_in(&grace()).await;
        bench.close_ledger().await;
        let page = visitor.get(PAGE).await;
        assert_eq!(page.main().matches("What it changed, if anything").count(), 20);
        assert!(page.html.len() < 100_000, "{}", page.html.len());
        let page = visitor.get(&format!("{PAGE}/calls/c-1")).await;
        assert!(page.main().contains("What it changed is not shown") && page.html.len() < 2_000_000);
    }
}

/// A stream of a file full of zeros, from this time on.
fn flooded(mut script: Script, milliseconds: u64) -> Script {
    script = script.at(milliseconds, opened(1, "c-0", false, &["cat"]));
    for piece in 0..260 {
        let bytes = Payload(vec![0; 256 << 10].into());
        script = script
            .at(milliseconds + piece, What::Bytes { stream: 1, channel: Channel::Stdout, bytes })
            .sealed();
    }
    script
}

/// Whatever was printed right before a call, what it changed is found.
#[tokio::test]
async fn a_change_right_after_much_is_shown() {
    let bench = Bench::new().await;
    let script = flooded(bench.script(SESSION).at(0, What::Began {}), 59_000);
    bench.pass(1);
    let one = did("patch", WEB, Some(web(3, 0)), &web(5, 0));
    let script = recorded(&bench, script, "c-1", 59_500, &one).await;
    bench.tell(&script.stopped()).await;
    let visitor = bench.sign_in(&grace()).await;
    bench.close_ledger().await;
    let page = visitor.get(&format!("{PAGE}/calls/c-1")).await.main();
    assert!(page.contains("replicas: 5") && !page.contains("Too much was recorded"), "{page}");
}

/// The ledger says that it changed something, so that nothing is said of it is no word for nothing.
#[tokio::test]
async fn a_change_that_is_not_come_upon_is_not_said_to_be_none() {
    let bench = Bench::new().await;
    let script = bench.script(SESSION).at(0, What::Began {});
    for (call, verb) in [("c-1", "patch"), ("c-2", "get")] {
        bench.record(intent(call, verb, WEB, None)).await;
        bench.record(outcome(call, None)).await;
    }
    bench.tell(&script.stopped()).await;
    let visitor = bench.sign_in(&grace()).await;
    bench.close_ledger().await;
    let page = visitor.get(PAGE).await.main();
    assert_eq!(page.matches("What it changed, if anything").count(), 1, "{page}");
    for (call, untold) in [("c-1", true), ("c-2", false)] {
        let page = visitor.get(&format!("{PAGE}/calls/{call}")).await.main();
        assert_eq!(page.contains("What it changed is not shown"), untold, "{page}");
    }
}

/// What comes right before a call may be more than is looked at: then that is said, and not that there is nothing.
#[tokio::test]
async fn a_call_behind_too_much_is_not_said_to_have_nothing() {
    let bench = Bench::new().await;
    let mut script = flooded(bench.script(SESSION).at(0, What::Began {}), 0);
    let one = did("patch", WEB, Some(web(3, 0)), &web(5, 0));
    script = recorded(&bench, script, "c-1", 100, &one).await;
    bench.tell(&script.stopped()).await;
    let visitor = bench.sign_in(&grace()).await;
    bench.close_ledger().await;
    let page = visitor.get(&format!("{PAGE}/calls/c-1")).await.main();
    assert!(page.contains("Too much was recorded right before this call, c-1"), "{page}");
    assert!(!page.contains("The recording has nothing"), "{page}");
}
