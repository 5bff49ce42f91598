//! One text in every place where an agent's words, or somebody else's, can get to.

use approval::{
    Access, Assurance, Bound, BreakGlass, Call, Changes, Shown, Subject, What as Step, Why, testing,
};
use ledger::leaf::{
    Actor, Asserted, Cause, Decision, Event, Id, Impersonated, Intent, KnownValueSent, Outcome, RawRequest,
    Refusal, Rule, SessionFrozen, SessionOpened, Stage as Stopped, Verdict,
};
use ledger::testing as leaves;
use recording::Segment;
use recording::record::{Before, Called, Channel, Kind, Opened, What};
use serde_json::{Value, json};

use crate::tests::bench::{Ask, Bench, ORIGIN, ask, ask_ahead, grace};
use crate::tests::replay::{answered, bytes, called};
use crate::tests::seen::Seen;

/// Which pages show which places, each as `PLACE:TEXT:`.
pub(super) const PLACES: [(&str, &str); 55] = [
    ("/", "act"),
    ("/", "reason"),
    ("/inbox", "act"),
    ("/approvals/a-1", "act"),
    ("/approvals/a-1", "reason"),
    ("/approvals/a-1", "rule"),
    ("/approvals/a-1", "why"),
    ("/approvals/a-1", "option"),
    ("/approvals/a-1", "restores"),
    ("/approvals/a-1", "hidden"),
    ("/approvals/a-1", "image"),
    ("/approvals/a-1", "container"),
    ("/approvals/a-1", "approver"),
    ("/approvals/a-1", "path"),
    ("/approvals/a-1", "message"),
    ("/approvals/a-1", "agent"),
    ("/approvals/a-1", "delegator"),
    ("/approvals/a-1", "url"),
    ("/approvals/a-2", "no"),
    ("/approvals/a-2/state", "no"),
    ("/approvals/a-3", "purpose of it"),
    ("/approvals/a-4", "incident"),
    ("/approvals/a-4", "reviewer"),
    ("/approvals/a-4", "found"),
    ("/reviews", "incident"),
    ("/reviews", "reviewer"),
    ("/approvals", "act"),
    ("/approvals", "no"),
    ("/sessions", "purpose"),
    (PAGE, "purpose"),
    (PAGE, "path"),
    (PAGE, "message"),
    (PAGE, "error"),
    (PAGE, "frozen"),
    (TIMELINE, "message"),
    (TIMELINE, "law"),
    (PAGE, "argv"),
    (PAGE, "how"),
    (TIMELINE, "pod"),
    (CALL, "path"),
    (CALL, "error"),
    (UNDO, "deed"),
    (STREAM, "argv"),
    (STREAM, "how"),
    (TEXT, "argv"),
    (SCREENS, "argv"),
    (FOUND, "path"),
    ("/refusals", "raw"),
    ("/refusals", "agent"),
    ("/refusals", "message"),
    ("/ledger", "message"),
    ("/ledger", "purpose"),
    ("/ledger", "no"),
    ("/ledger", "error"),
    ("/policy", "file"),
];

const PAGE: &str = "/sessions/s-aaaaaaaaaaaaaaaa";
const TIMELINE: &str = "/sessions/s-aaaaaaaaaaaaaaaa/timeline";
const CALL: &str = "/sessions/s-aaaaaaaaaaaaaaaa/calls/c-1";
const UNDO: &str = "/sessions/s-aaaaaaaaaaaaaaaa/undo";
const STREAM: &str = "/sessions/s-aaaaaaaaaaaaaaaa/streams/1?q=screen";
const TEXT: &str = "/sessions/s-aaaaaaaaaaaaaaaa/streams/1/text";
const SCREENS: &str = "/search?text=screen";
const FOUND: &str = "/search?object=path";
const SESSION: &str = "s-aaaaaaaaaaaaaaaa";
/// What a player is given.
const CASTS: [&str; 2] =
    ["/sessions/s-aaaaaaaaaaaaaaaa/streams/1/cast", "/sessions/s-aaaaaaaaaaaaaaaa/streams/2/cast"];

/// Every page, in the order in which they are looked at.
const PAGES: [&str; 21] = [
    "/",
    "/inbox",
    "/approvals/a-1",
    "/approvals/a-2",
    "/approvals/a-2/state",
    "/approvals/a-3",
    "/approvals/a-4",
    "/reviews",
    "/approvals",
    "/sessions",
    PAGE,
    TIMELINE,
    CALL,
    UNDO,
    STREAM,
    TEXT,
    SCREENS,
    FOUND,
    "/refusals",
    "/ledger",
    "/policy",
];

/// A console that has the text everywhere.
pub(super) struct Stage(Bench);

/// Calls of the session, and what happened to it.
struct Leaves<'a>(&'a dyn Fn(&str) -> String);

impl Stage {
    pub(super) async fn with(text: &str) -> Self {
        let at = |place: &str| at(place, text);
        let rules = format!("// {}\n@id(\"reads\") permit (principal, action, resource);\n", at("file"));
        let bench = Bench::with(ORIGIN, &rules).await;
        bench.open_session(SESSION, &at("purpose")).await;
        for event in Leaves(&at).all() {
            bench.record(event).await;
        }
        bench.tell(&recording(&bench, &at)).await;
        for id in ["a-1", "a-2"] {
            bench.ask(asked(id, &at)).await.unwrap();
        }
        let no = Step::Refused { by: grace(), why: at("no") };
        bench.console.inbox().step("a-2", no).await.unwrap();
        for (id, subject) in [("a-3", changes(&at)), ("a-4", glass(&at)), ("a-5", glass(&at))] {
            bench.ask(ask_ahead(id, subject)).await.unwrap();
        }
        let ended = Step::Withdrawn { why: at("ended"), by: Some(grace()) };
        let by = testing::human("joan", &["leads"]);
        let reviewed = Step::Reviewed { by, note: at("found"), assurance: Assurance::Provider };
        for (id, step) in [
            ("a-4", testing::yes(grace())),
            ("a-4", ended),
            ("a-4", reviewed),
            ("a-5", testing::yes(grace())),
        ] {
            bench.console.inbox().step(id, step).await.unwrap();
        }
        Self(bench)
    }

    /// What players are given.
    pub(super) async fn casts(self) -> Vec<String> {
        let visitor = self.0.sign_in(&grace()).await;
        self.0.close_ledger().await;
        let mut casts = Vec::new();
        for path in CASTS {
            casts.push(visitor.get(path).await.html);
        }
        casts
    }

    /// Each page with its path.
    pub(super) async fn pages(self) -> Vec<(&'static str, Seen)> {
        let visitor = self.0.sign_in(&grace()).await;
        self.0.close_ledger().await;
        let mut pages = Vec::new();
        for path in PAGES {
            pages.push((path, visitor.get(path).await));
        }
        pages
    }
}

/// The text, as it is at a place. Cedar's comments end with their line.
pub(super) fn at(place: &str, text: &str) -> String {
    let text = if place == "file" { text.replace(['\r', '\n'], " ") } else { text.to_owned() };
    format!("{place}:{text}:")
}

fn asked<'a>(id: &'a str, at: &dyn Fn(&str) -> String) -> Ask<'a> {
    let harmless = ask(id);
    let bound = Bound {
        session: SESSION.into(),
        agent: at("agent"),
        delegator: at("delegator"),
        subject: Subject::Call(Call { url: at("url"), ..testing::call() }),
        ..harmless.bound
    };
    let demands = vec![testing::demand(&at("rule"), &["sre", &at("approver")], 1)];
    let shown = Shown {
        verb: "update".into(),
        act: at("act"),
        reason: at("reason"),
        rules: vec![Why { rule: at("rule"), reason: at("why") }],
        options: vec![at("option")],
        restores: Some(at("restores")),
        hidden: vec![at("hidden")],
        before: object("web:1", "", at),
        after: object(&at("image"), &at("value"), at),
        ..harmless.shown[0].clone()
    };
    let (act, reason) = (shown.act.clone(), shown.reason.clone());
    Ask { id, bound, demands, shown: vec![shown], act, reason }
}

/// A terminal, and a command without one.
fn recording(bench: &Bench, at: &dyn Fn(&str) -> String) -> Vec<Segment> {
    let opened = |stream, tty| {
        What::Opened(Opened {
            stream,
            call: "c-1".into(),
            kind: Kind::Exec,
            namespace: at("namespace").as_str().into(),
            pod: at("pod").as_str().into(),
            container: Some(at("container").as_str().into()),
            argv: [at("argv")].iter().collect(),
            tty,
        })
    };
    let closed = |stream| What::Closed { stream, how: at("how").as_str().into() };
    let screen = at("screen");
    let json = json!({at("key"): at("body")}).to_string();
    let script = bench.script(SESSION).at(0, What::Began {});
    let script = script
        .with_body(1, called("c-1"), at("body").as_bytes())
        .with_body(1, answered("c-1"), json.as_bytes())
        .at(1, asks("c-8", &format!("patch {}", at("deed"))))
        .at(1, answered("c-8"))
        .at(1, asks("c-9", "update /api/v1/namespaces/shop/configmaps/a"))
        .with_body(1, looked("c-9"), changed(&at("data"), 1).as_bytes())
        .with_body(1, answered("c-9"), changed("another", 2).as_bytes())
        .at(2, opened(1, true))
        .at(3, bytes(1, Channel::Stdout, &screen))
        .at(4, bytes(1, Channel::Stderr, &screen))
        .at(5, closed(1));
    script.at(6, opened(2, false)).at(7, bytes(2, Channel::Stderr, &screen)).at(8, closed(2)).stopped()
}

fn changes(at: &dyn Fn(&str) -> String) -> Subject {
    Subject::Changes(Changes { members: vec![testing::change(&at("change"))], reason: at("purpose of it") })
}

fn glass(at: &dyn Fn(&str) -> String) -> Subject {
    let access = testing::access(&["delete pods in shop"], Some(&at("incident")));
    let glass = access
        .break_glass
        .map(|glass| BreakGlass { reviewers: vec![at("reviewer"), "leads".into()], ..glass });
    Subject::Access(Access { break_glass: glass, ..access })
}

/// With a line that goes, one that comes, and some that are folded, whatever the text is.
fn object(image: &str, value: &str, at: &dyn Fn(&str) -> String) -> Value {
    json!({
        "kind": "Deployment",
        "metadata": {"name": at("name"), "uid": "u-1", "annotations": {at("key"): value}},
        "spec": {
            "args": ["1", "2", "3", "4", "5", "6", "7", "8"],
            "containers": [{"name": at("container"), "image": image}],
        }
    })
}

impl Leaves<'_> {
    fn all(&self) -> Vec<Event> {
        let id = |text: &str| Id::new(text).unwrap();
        let outcome = |call: &str, error| {
            Event::Outcome(Outcome {
                call: id(call),
                stage: Stopped::Cut,
                status: Some(200),
                delivered: 5,
                masked: 2,
                duration_us: 1500,
                error,
                again_as: None,
                stream: None,
            })
        };
        vec![
            self.opened(),
            self.intent("c-1"),
            outcome("c-1", Some(self.0("error").into())),
            self.refusal("c-2", None),
            self.refusal("c-3", Some(RawRequest { method: "BREW".into(), path: self.0("raw").into() })),
            Event::KnownValueSent(KnownValueSent { call: id("c-2"), session: id(SESSION), values: 1 }),
            Event::SessionFrozen(SessionFrozen {
                session: id(SESSION),
                by: self.0("operator").into(),
                reason: self.0("frozen").into(),
            }),
        ]
    }

    fn opened(&self) -> Event {
        Event::SessionOpened(Box::new(SessionOpened {
            session: Id::new(SESSION).unwrap(),
            agent: self.0("agent").into(),
            groups: std::iter::empty::<&str>().map(Into::into).collect(),
            delegator: self.0("delegator").into(),
            cluster: self.0("cluster").into(),
            reason: Asserted { self_asserted: self.0("purpose").into() },
            by: self.0("operator").into(),
            expires: "2027-01-15T16:00:00Z".into(),
        }))
    }

    fn actor(&self) -> Actor {
        let (agent, delegator) = (self.0("agent").into(), self.0("delegator").into());
        Actor { agent, delegator, session: Id::new(SESSION).unwrap(), ..leaves::actor() }
    }

    fn decision(&self, verdict: Verdict) -> Decision {
        let rule = Rule { id: self.0("law").into(), policy: None };
        Decision { rules: std::iter::once(rule).collect(), ..leaves::decision(verdict) }
    }

    fn intent(&self, call: &str) -> Event {
        Event::Intent(Box::new(Intent {
            call: Id::new(call).unwrap(),
            actor: self.actor(),
            request: leaves::request("get", &self.0("path")),
            decision: self.decision(Verdict::Allow),
            impersonated: Impersonated {
                user: "u".into(),
                groups: std::iter::empty::<&str>().map(Into::into).collect(),
            },
            audit_id: Id::new("audit").unwrap(),
            looks_for: None,
            through: None,
            approval: Some(Id::new("a-1").unwrap()),
            demands: vec![],
            part: None,
        }))
    }

    fn refusal(&self, call: &str, raw: Option<RawRequest>) -> Event {
        let request = raw.is_none().then(|| leaves::request("delete", &self.0("path")));
        Event::Refusal(Box::new(Refusal {
            call: Id::new(call).unwrap(),
            cause: Cause::Policy,
            status: 403,
            src: "127.0.0.1:4".into(),
            actor: Some(self.actor()),
            request,
            raw,
            decision: Some(self.decision(Verdict::Deny)),
            message: self.0("message").into(),
        }))
    }
}

fn asks(call: &str, act: &str) -> What {
    What::Called(Called { call: call.into(), act: act.into(), body: None })
}

fn looked(call: &str) -> What {
    What::Before(Before { call: call.into(), masked: false, kept: None, body: None })
}

fn changed(data: &str, version: u32) -> String {
    let metadata = json!({"name": "a", "uid": "u", "resourceVersion": version.to_string()});
    json!({"kind": "ConfigMap", "metadata": metadata, "data": {"a": data}}).to_string()
}
