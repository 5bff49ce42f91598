use http::Request as HttpRequest;
use insta::assert_snapshot;
use kube_api::{Head, Request, Resource};
use proptest::prelude::*;

use crate::bundle::{Bundle, Source};
use crate::decision::Outcome;
use crate::explain::explain;
use crate::judge::{Judge, Principal};
use crate::request::call_of;
use crate::settings::Settings;

const POD: &str = "/api/v1/namespaces/shop/pods/web";

fn parse(target: &str) -> Result<Request, kube_api::Refusal> {
    let request = HttpRequest::post(target).body(()).unwrap();
    let (parts, ()) = request.into_parts();
    Head::parse(&parts)?.with_body(b"")
}

fn exec(words: &[&str]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for word in words {
        query.append_pair("command", word);
    }
    format!("{POD}/exec?{}", query.finish())
}

#[test]
fn what_is_run_is_told_to_rules() {
    let told = [
        exec(&["ls", "-l", "/my files", "it's"]),
        exec(&["ls -l"]),
        exec(&["", "x"]),
        format!("{}&container=web&stdin=1&tty=true", exec(&["sh"])),
        format!("{POD}/attach?container=web&stdin=true"),
        format!("{POD}/portforward"),
    ];
    let told = told.map(|target| {
        let request = parse(&target).unwrap();
        let run = &call_of(&request).facts.run;
        let crate::facts::Run { program, arguments, command_line, container, stdin, tty, .. } = run;
        format!("{program:?} {arguments:?} <{command_line}> in {container:?} stdin={stdin} tty={tty}")
    });
    assert_snapshot!(told.join("\n"));
}

/// The built-in denial decides; a rule that applies beside it is told as outweighed.
#[test]
fn rules_tell_commands_apart() {
    let rules = r#"
        @id("program") permit (principal, action == Action::"exec", resource)
        when { context.program == "cat" && !context.stdin && !context.tty };
        @id("line") permit (principal, action == Action::"exec", resource)
        when { context.commandLine == "cat /etc/hosts" && context.container == "" };
        @id("argument") @reason("who is who") forbid (principal, action == Action::"exec", resource)
        when { context.arguments.contains("/etc/shadow") };
        @id("terminal") @reason("nobody watches") forbid (principal, action in Action::"stream", resource) when { context.tty };
    "#;
    let source = Source { name: "test.cedar".to_owned(), text: rules.to_owned() };
    let judge = Judge::new(Bundle::compile(&[source]).unwrap(), Settings::default());
    let who = Principal { agent: "claude", groups: &[] };
    let told = [
        exec(&["cat", "/etc/hosts"]),
        format!("{}&stdin=true", exec(&["cat", "/etc/hosts"])),
        exec(&["cat /etc/hosts"]),
        exec(&["/tmp/cat", "/etc/hosts"]),
        exec(&["cat", "/etc/hosts", "/etc/shadow"]),
        format!("{POD}/attach?tty=true"),
    ]
    .map(|target| {
        let told = explain(&judge, &who, "prod", &parse(&target).unwrap()).to_string();
        let rules = told.lines().filter(|line| line.contains("test.cedar")).collect::<Vec<_>>();
        format!("# {target}\n{}", rules.join("\n"))
    });
    assert_snapshot!(told.join("\n"));
}

#[test]
fn a_command_that_no_program_can_be_given_is_refused() {
    let refusal = parse(&exec(&["sh", "-c", "id\0"])).unwrap_err();
    assert_snapshot!(refusal.status().message());
}

proptest! {
    #[test]
    fn no_two_commands_have_the_same_line(words in prop::collection::vec("[^\\x00]{0,8}", 1..5)) {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let request = parse(&exec(&words)).unwrap();
        let line = call_of(&request).facts.run.command_line.clone();
        prop_assert_eq!(shlex::split(&line).unwrap(), words);
    }
}

/// Who may run commands may not copy by that, and the other way round.
#[test]
fn copies_are_permitted_by_direction_and_path_and_no_commands() {
    let rules = r#"
        @id("commands") permit (principal, action == Action::"exec", resource in Namespace::"prod/shop");
        @id("logs") permit (principal, action == Action::"copyfrom", resource in Namespace::"prod/shop")
        when { context.path like "/var/log/*" && context.container == "" };
        @id("inbox") permit (principal, action == Action::"copyto", resource in Namespace::"prod/shop")
        when { context.path == "/tmp/in" };
        @id("keys") @reason("keys are nobody's") forbid (principal, action in Action::"copy", resource)
        when { context.path like "*/.ssh*" };
    "#;
    let source = Source { name: "test.cedar".to_owned(), text: rules.to_owned() };
    let judge = Judge::new(Bundle::compile(&[source]).unwrap(), Settings::default());
    let who = Principal { agent: "claude", groups: &[] };
    let told = [
        exec(&["tar", "cf", "-", "/var/log/app.log"]),
        format!("{}&container=side", exec(&["tar", "cf", "-", "/var/log/app.log"])),
        exec(&["tar", "cf", "-", "/etc/passwd"]),
        exec(&["tar", "cf", "-", "/var/log/../../etc/passwd"]),
        exec(&["tar", "cf", "-", "/var/log/.ssh/id"]),
        exec(&["test", "-d", "/tmp/in"]),
        format!("{}&stdin=true", exec(&["tar", "-xmf", "-", "-C", "/tmp/in"])),
        format!("{}&stdin=true", exec(&["tar", "-xmf", "-", "-C", "/etc"])),
        format!("{}&stdin=true", exec(&["tar", "-xmf", "-", "-C", "/etc", "--to-command=sh"])),
        "/apis/kubevirt.io/v1/namespaces/shop/virtualmachines/web/exec?command=tar&command=cf&command=-&command=%2Fvar%2Flog%2Fa"
            .to_owned(),
    ]
    .map(|target| {
        let told = match parse(&target) {
            Ok(request) => explain(&judge, &who, "prod", &request).to_string(),
            Err(refusal) => refusal.status().message().to_owned(),
        };
        format!("# {target}\n{told}")
    });
    assert_snapshot!(told.join("\n"));
    // As `kubectl auth can-i` asks, which knows no path.
    for (verb, resource, subresource, allowed) in [
        ("create", "pods", Some("exec"), true),
        ("copyfrom", "pods", None, false),
        ("copyto", "pods", Some("exec"), false),
        ("copyto", "services", None, false),
    ] {
        let resource = Resource::asked("", "v1", resource, subresource, Some("shop"), Some("web")).unwrap();
        let probe = judge.probe(&who, "prod", verb, &resource);
        assert_eq!(probe.outcome() == Outcome::Allow, allowed, "{verb}: {}", probe.reason());
    }
}
