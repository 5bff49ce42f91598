use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use approval::Level;
use insta::assert_snapshot;

use super::{Bundle, ClusterSource, Config, Files, json_schema};

const LEAST: &str = "
public_url: https://gate.example.com
tls: { certificate: tls.crt, key: tls.key }
policy: { bundle: builtin:developer }
clusters: [{ name: prod, in_cluster: true }]
agents: [{ name: claude }]
";

fn problems(text: &str) -> String {
    match Config::parse(text, Path::new("portcullis.yaml"), Files::Ignore) {
        Ok(_) => "none".to_owned(),
        Err(problems) => problems.to_string(),
    }
}

#[test]
fn the_least_that_is_needed_gets_the_defaults_of_the_schema() {
    let config = Config::parse(LEAST, Path::new("/etc/portcullis/portcullis.yaml"), Files::Ignore).unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:8443");
    assert_eq!(config.tls.key, Path::new("/etc/portcullis/tls.key"));
    assert_eq!(config.data.admin_socket(), Path::new("/etc/portcullis/data/admin.sock"));
    assert_eq!(config.namespace, "portcullis");
    assert_eq!(config.policy, Bundle::Builtin("developer".to_owned()));
    assert_eq!(config.clusters[0].source, ClusterSource::InCluster);
    assert_eq!(config.agents[0].clusters, ["prod".parse().unwrap()]);
    assert!(config.identities().is_ok());
    assert_eq!(config.sessions.max_ttl.as_secs(), 8 * 3600);
    assert_eq!(config.sessions.known_values_sent, 20);
    assert_eq!(config.limits.body_bytes, 3 << 20);
    assert_eq!(config.limits.ledger_reserve, 64 << 20);
    let recordings = config.recordings;
    assert_eq!(recordings.folder, Path::new("/etc/portcullis/data/recordings"));
    assert_eq!(
        (recordings.reserve, recordings.quota, recordings.queue, recordings.keep),
        (256 << 20, 4 << 30, 64 << 20, None)
    );
    assert_eq!(config.upstream.response_timeout.as_secs(), 60);
    let reading = config.clusters[0].masking.reading.as_ref().unwrap();
    assert_eq!((reading.keep_deleted.as_secs(), reading.stale_after.as_secs()), (24 * 3600, 300));
    assert_eq!((reading.bytes, reading.scope.named()), (8 << 20, None));
}

#[test]
fn known_values_are_of_some_namespaces_or_off() {
    let reading = |known: &str| {
        let cluster =
            format!("clusters: [{{ name: prod, in_cluster: true, masking: {{ known_values: {known} }} }}]");
        let text = LEAST.replace("clusters: [{ name: prod, in_cluster: true }]", &cluster);
        let config = Config::parse(&text, Path::new("portcullis.yaml"), Files::Ignore).unwrap();
        config.clusters[0].masking.reading.clone()
    };
    assert!(reading("{ enabled: false, namespaces: [shop] }").is_none());
    let some = reading("{ namespaces: [shop, bank], except_types: [] }").unwrap();
    assert_eq!(some.scope.named(), Some(vec!["bank", "shop"]));
}

#[test]
fn the_gates_own_namespace_is_guarded_wherever_it_is() {
    let text = format!("{LEAST}namespace: gates\n");
    let config = Config::parse(&text, Path::new("portcullis.yaml"), Files::Ignore).unwrap();
    let bundle = crate::bundles::load(&Bundle::Builtin("operator".to_owned())).unwrap();
    let judge = policy::Judge::new(bundle, config.settings().unwrap());
    let who = policy::Principal { agent: "claude", groups: &[] };
    for (namespace, guarded) in [("gates", true), ("portcullis", false)] {
        let asked =
            kube_api::Resource::asked("", "v1", "configmaps", None, Some(namespace), Some("a")).unwrap();
        let answer = judge.probe(&who, "prod", "update", &asked);
        assert_eq!(answer.reason().contains("fixed/own-objects"), guarded, "{}", answer.reason());
    }
}

#[test]
fn every_mistake_of_a_file_is_told_at_once() {
    let text = r#"lisen: 127.0.0.1:8443
public_url: http://localhost:8443
tls: { certificate: tls.crt }
operations: { listen: localhost }
data: 5
namespace: Gate/keepers
policy: { bundle: builtin:develper }
clusters:
  - name: Prod
    kubeconfg: /path
  - name: stage
    kubeconfig: a
    in_cluster: true
    lift: [everything]
    masking:
      known_values: { namespaces: [Shop, "team-*"], except_types: ["a,b"], keep_deleted: 90d, bytes: 1KiB }
      places:
        - { resource: widgets.example.com, paths: ["", spec.password] }
        - { paths: [] }
  - name: stage
    in_cluster: yes
  - just-a-word
agents:
  - name: claude
    clusters: [prod, stage]
    groups: [developers, developers, 7]
  - name: claude
    name: twice
    clusters: []
  - groups: ["system:masters"]
sessions: { max_ttl: 8 hours, calls_at_once: 0, known_values_sent: -1 }
limits:
  connections: 1.5
  header_bytes: 64
  header_timeout:
  body_bytes: 4MiB
  drain: 0s
  ledger_reserve: 1KiB
  colour: blue
upstream: [5s]
"#;
    assert_snapshot!(problems(text));
}

#[test]
fn a_recording_is_kept_as_long_as_its_session_may_last() {
    let recordings = |more: &str| format!("{LEAST}recordings: {more}\n");
    let config = recordings("{ folder: /mnt/recordings, keep: 90d }");
    let config = Config::parse(&config, Path::new("portcullis.yaml"), Files::Ignore).unwrap().recordings;
    assert_eq!(config.folder, Path::new("/mnt/recordings"));
    assert_eq!(config.keep.unwrap().span.as_secs(), 90 * 24 * 3600);
    let told: Vec<String> = [
        "{ folder: '', reserve: 1KiB, queue: 12MiB, keep: 7h }",
        "{ queue: 2GiB, quota: 1MiB, keep: 40000d }",
        "{ keep: for ever }",
        "{ keep_for: 90d }",
    ]
    .iter()
    .map(|more| format!("{more}\n{}", problems(&recordings(more))))
    .collect();
    assert_snapshot!(told.join("\n"));
}

#[test]
fn recordings_are_encrypted_to_whoever_is_named_or_the_gate_does_not_start() {
    const ONE: &str = "age1xmwwc06ly3ee5rytxm9mflaz2u56jjj36s0mypdrwsvlul66mv4q47ryef";
    const OTHER: &str = "age1f3ygt5e2d2h7d6dae2tnwgy4y6f0kwhvpa64cre0k2gprv2r8qnst4j00y";
    const SECRET: &str = "AGE-SECRET-KEY-1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UAWX40Q2P2LM0";
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("portcullis.yaml");
    let recordings = |more: &str| format!("{LEAST}recordings: {more}\n");
    let config = recordings(&format!("{{ recipients: [{ONE}, {OTHER}], identity: one.key }}"));
    let config = Config::parse(&config, &file, Files::Ignore).unwrap().recordings;
    let named: Vec<_> = config.recipients.unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(
        (named, config.identity),
        (vec![ONE.to_owned(), OTHER.to_owned()], Some(folder.path().join("one.key")))
    );

    let told: Vec<String> = [
        "[]".to_owned(),
        format!("[{ONE}, {OTHER}, {ONE}]"),
        format!("[{ONE}, {}]", ONE.replace("xm", "xn")),
        "[ada@example.com, ssh-ed25519 AAAA]".to_owned(),
        format!("[{SECRET}]"),
        ONE.to_owned(),
    ]
    .iter()
    .map(|list| problems(&recordings(&format!("{{ recipients: {list} }}"))))
    .collect();
    assert!(!told.concat().contains(SECRET));
    assert_snapshot!(told.join("\n"));

    for field in ["identity", "values"] {
        let identity = |text: &str, mode| {
            let key = folder.path().join("one.key");
            fs::write(&key, text).unwrap();
            fs::set_permissions(key, fs::Permissions::from_mode(mode)).unwrap();
            let config = recordings(&format!("{{ {field}: one.key }}"));
            let told = Config::parse(&config, &file, Files::Check).unwrap_err();
            let told = told.to_string().replace(&folder.path().display().to_string(), "DIR");
            told.lines().find(|line| line.contains(&format!("recordings.{field}"))).map(str::to_owned)
        };
        assert_eq!(identity(SECRET, 0o600), None);
        let told = [
            identity(SECRET, 0o640),
            identity("# nothing", 0o600),
            identity("AGE-SECRET-KEY-1EGTZVFFV20835", 0o600),
        ];
        let told = told.map(Option::unwrap);
        assert!(!told.concat().contains("1EGTZ"));
        assert_snapshot!(format!("age_file_of_{field}"), told.join("\n"));
    }
    let missing =
        Config::parse(&recordings("{ values: none.key }"), &file, Files::Check).unwrap_err().to_string();
    assert!(missing.contains("recordings.values") && missing.contains("cannot read"), "{missing}");
}

#[test]
fn nobody_approves_as_two_or_as_an_agent() {
    let approvers = |list: &str| problems(&format!("{LEAST}approvers: {list}\n"));
    assert_eq!(
        approvers("[{ name: grace, aliases: [g@example.com], groups: [sre], account: 0 }, { name: alan }]"),
        "none"
    );
    let table = [
        "[{ name: grace, aliases: [G@example.com] }, { name: g@example.com }]",
        "[{ name: grace, account: 7 }, { name: alan, account: 7 }]",
        "[{ name: Claude }]",
        "[{ name: grace, groups: [sre] }, { name: sre }]",
        "[{ name: grace, groups: [grace] }]",
        "[{ groups: [sre] }]",
        "[{ name: '', account: -1 }]",
    ];
    let told: Vec<String> = table.iter().map(|list| format!("{list}\n{}", approvers(list))).collect();
    let times = problems(&format!(
        "{LEAST}approvals: {{ hold: 20m, decide_within: 500ms, use_within: 8d, pending: 0 }}\n"
    ));
    assert_snapshot!(format!("{}\n\n{times}", told.join("\n\n")));
}

#[test]
fn who_gives_access_and_who_breaks_the_glass_is_configured_or_nobody_does() {
    let parse = |list: &str| {
        Config::parse(&format!("{LEAST}approvals: {list}\n"), Path::new("p.yaml"), Files::Ignore).unwrap()
    };
    let none = parse("{}").approvals;
    assert!(none.access.is_none() && none.break_glass.is_none());
    let both = parse(
        "{ access: { approvers: [sre] }, break_glass: { approvers: [oncall], assurance: provider, reviewers: [leads] } }",
    );
    let (access, glass) = (both.approvals.access.unwrap(), both.approvals.break_glass.unwrap());
    assert_eq!(
        (access.most_seconds, access.demand.quorum, &*access.demand.rule),
        (3_600, 1, "approvals.access")
    );
    assert_eq!((glass.access.most_seconds, glass.reviewers), (900, vec!["leads".to_owned()]));
    let demand = glass.access.demand;
    assert_eq!(
        (demand.quorum, &*demand.rule, demand.assurance),
        (1, "approvals.break_glass", Some(Level::Provider))
    );
    let told = problems(&format!(
        "{LEAST}approvals: {{ access: {{ approvers: [], quorum: 0, longest: 8d }}, break_glass: {{ approvers: [oncall], quorum: 2, assurance: sure, longest: 500ms }} }}\n"
    ));
    assert_snapshot!(told);
}

#[test]
fn people_are_told_by_one_way_a_target_and_nothing_is_sent_in_the_open() {
    let told = |list: &str| problems(&format!("{LEAST}notices:\n{list}"));
    let good = "  - { name: audit, webhook: { url: https://hooks.example.com/x, secret_file: s }, timeout: 5s }
  - { name: chat, slack: { url_file: slack.url }, kinds: [approval_asked], approvers: [sre, grace] }
  - { name: teams, teams: { url_file: teams.url }, ca_file: ca.crt }
  - { name: mail, mail: { host: mail.example.com, user: gate, password_file: p, from: gate@example.com, to: [Sre <sre@example.com>] } }
  - { name: relay, mail: { host: 127.0.0.1, port: 2525, tls: none, from: gate@example.com, to: [sre@example.com] } }
";
    assert_eq!(told(good), "none");
    let bad = "  - { name: No Name, webhook: { url: http://hooks.example.com/T0SECRET, secret_file: '' } }
  - { name: twice, slack: { url_file: a } }
  - { name: twice, teams: { url_file: a }, kinds: [aproval_asked, frozen], timeout: 6m }
  - { name: none }
  - { name: both, slack: { url_file: a }, teams: { url_file: a }, approvers: [] }
  - { name: misspelt, slak: { url_file: a } }
  - { slack: {} }
  - { name: open, mail: { host: mail.example.com, tls: none, from: gate, to: [] } }
  - { name: who, mail: { host: 'mail.example.com:25', port: 70000, user: gate, from: g@example.com, to: [\"a\\nBcc: b@example.com\", a@example.com] } }
  - { name: tls, mail: { host: m.example.com, tls: ssl, password_file: p, from: g@example.com, to: [a@example.com] } }
  - 5
";
    let told = told(bad);
    assert!(!told.contains("T0SECRET"));
    assert_snapshot!(told);
}

#[test]
fn what_is_not_plain_yaml_is_refused() {
    let table = [
        "",
        "# nothing\n",
        "5",
        "a: [1",
        "a: &x 1\nb: *x",
        "tls: !secret x",
        "tls: { <<: { a: b } }",
        "{ [a]: b }",
        "public_url: https://a\n---\npublic_url: https://b",
        "\tlisten: x",
    ];
    let told: Vec<String> = table.iter().map(|text| format!("{text:?}\n{}", problems(text))).collect();
    assert_snapshot!(told.join("\n\n"));
}

#[test]
fn files_are_looked_at_when_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("portcullis.yaml");
    fs::write(folder.path().join("tls.key"), "not a key").unwrap();
    fs::set_permissions(folder.path().join("tls.key"), fs::Permissions::from_mode(0o644)).unwrap();
    fs::write(folder.path().join("ca.crt"), "not a certificate").unwrap();
    fs::write(
        folder.path().join("kubeconfig"),
        "contexts: [{name: production, context: {cluster: c, user: u}}]\ncurrent-context: ''",
    )
    .unwrap();
    fs::write(folder.path().join("empty"), "# nothing\n").unwrap();
    fs::write(folder.path().join("anchors"), "contexts: &all []").unwrap();
    let text = "public_url: https://gate
tls: { certificate: tls.crt, key: tls.key, ca: ca.crt }
policy: { bundle: policies }
clusters:
  - { name: a, kubeconfig: kubeconfig, context: producton }
  - { name: b, kubeconfig: kubeconfig }
  - { name: c, kubeconfig: kubeconfig, context: production }
  - { name: d, kubeconfig: ~/.kube/config }
  - { name: e, kubeconfig: empty }
  - { name: f, kubeconfig: anchors }
agents: [{ name: claude }]
";
    let told = Config::parse(text, &file, Files::Check).unwrap_err().to_string();
    let told = told.replace(&folder.path().display().to_string(), "DIR");
    assert_snapshot!(told);
    assert!(Config::parse(text, &file, Files::Ignore).is_ok());
}

#[test]
fn files_of_targets_are_looked_at_when_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str, mode| {
        let file = folder.path().join(name);
        fs::write(&file, text).unwrap();
        fs::set_permissions(file, fs::Permissions::from_mode(mode)).unwrap();
    };
    write("exposed", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 0o644);
    write("short", "whsec_c2hvcnQ=", 0o600);
    write("plain", "http://hooks.example.com/T0SECRET", 0o600);
    write("good", "https://hooks.example.com/T0SECRET", 0o600);
    write("empty", "", 0o600);
    let text = format!(
        "{LEAST}notices:
  - {{ name: exposed, webhook: {{ url: https://hooks.example.com, secret_file: exposed }}, ca_file: nowhere }}
  - {{ name: short, webhook: {{ url: https://hooks.example.com, secret_file: short }} }}
  - {{ name: plain, slack: {{ url_file: plain }} }}
  - {{ name: good, teams: {{ url_file: good }} }}
  - {{ name: no-ca, teams: {{ url_file: good }}, ca_file: short }}
  - {{ name: mail, mail: {{ host: m.example.com, user: u, password_file: empty, from: g@example.com, to: [a@example.com] }} }}
  - {{ name: good, teams: {{ url_file: nowhere }} }}
"
    );
    let told = Config::parse(&text, &folder.path().join("portcullis.yaml"), Files::Check).unwrap_err();
    let told = told.to_string().replace(&folder.path().display().to_string(), "DIR");
    assert!(!told.contains("T0SECRET") && !told.contains("MfKQ9"));
    let told: Vec<_> = told.lines().filter(|line| line.contains("notices")).collect();
    assert_snapshot!(told.join("\n"));
}

#[test]
fn a_missing_file_says_how_to_begin() {
    let told = Config::load(Path::new("/nowhere/portcullis.yaml"), Files::Check).unwrap_err();
    assert_snapshot!(told);
}

#[test]
fn the_json_schema_is_as_it_was() {
    assert_snapshot!(serde_json::to_string_pretty(&json_schema()).unwrap());
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 512, rng_seed: proptest::test_runner::RngSeed::Fixed(7), failure_persistence: None, ..Default::default() })]

    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC{0,200}", cut in 0..LEAST.len(), junk in "[-\\[\\]{}:,&*!|>'\"#%@`? \n\t0-9a-z]{0,12}") {
        problems(&text);
        // What is nearly right reaches further.
        let (head, tail) = LEAST.split_at(cut);
        problems(&format!("{head}{junk}{tail}"));
    }
}

#[test]
fn a_console_lets_nobody_in_whom_it_cannot_tell_apart_and_nothing_go_over_the_wire_in_the_open() {
    let oidc = |more: &str| {
        format!(
            "{{ public_url: https://c.example.com, oidc: {{ issuer: https://i.example.com, client_id: p{more} }} }}"
        )
    };
    let approver = |more: &str| format!("approvers: [{{ name: grace, groups: [sre]{more} }}]\n");
    let told: Vec<String> = [
        (String::new(), "{}".to_owned()),
        (String::new(), "{ public_url: http://gate.example.com }".to_owned()),
        (String::new(), "{ public_url: http://localhost:1, listen: 0.0.0.0:1 }".to_owned()),
        (String::new(), "{ public_url: http://localhost:1, tls: { certificate: a, key: b } }".to_owned()),
        (String::new(), "{ public_url: https://c.example.com, tls: { certificate: a } }".to_owned()),
        (String::new(), "{ public_url: https://c.example.com, oidc: { client_id: p } }".to_owned()),
        (approver(""), oidc(", groups: [grace]")),
        (approver(", account: 1000"), oidc("")),
        (approver(", account: 1000, aliases: [g@example.com]"), oidc(", groups: [security]")),
    ]
    .iter()
    .map(|(approvers, console)| {
        format!("{console}\n{}", problems(&format!("{LEAST}{approvers}console: {console}\n")))
    })
    .collect();
    assert_snapshot!(told.join("\n"));
}
