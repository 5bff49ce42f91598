use proptest::prelude::*;

use super::*;

fn code(code: u8) -> Exit {
    Exit::Code(NonZeroU8::new(code).unwrap())
}

/// What Kubernetes 1.37.2 wrote to a WebSocket; see `tests/kubernetes.rs`.
#[test]
fn a_status_is_written_as_the_api_server_writes_it() {
    assert_eq!(Exit::Success.to_json(), r#"{"metadata":{},"status":"Success"}"#);
    assert_eq!(
        code(3).to_json(),
        r#"{"metadata":{},"status":"Failure","message":"command terminated with non-zero exit code: command terminated with exit code 3","reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode","message":"3"}]}}"#
    );
    let failure = Failure::internal("no such <container> & \u{2028}\"more\"\n");
    assert_eq!(
        Exit::Failure(failure).to_json(),
        r#"{"metadata":{},"status":"Failure","message":"Internal error occurred: no such \u003ccontainer\u003e \u0026 \u2028\"more\"\n","reason":"InternalError","code":500}"#
    );
}

#[test]
fn causes_and_members_that_are_not_known_do_not_matter() {
    let json = br#"{"kind":"Status","status":"Failure","reason":"NonZeroExitCode","details":{"name":"x",
        "causes":[{"message":"no type"},{"reason":"ExitCode","message":"255","field":"f"}]},"new":[1]}"#;
    assert_eq!(Exit::parse(json), Ok(code(255)));
    assert_eq!(Exit::parse(br#"{"status":"Success","code":200}"#), Ok(Exit::Success));
}

proptest! {
    #[test]
    fn what_is_written_is_read_as_it_was(number in 1u8.., reason in "[A-Z][a-z]{0,9}", message: String, http: i32) {
        for exit in [Exit::Success, code(number), Exit::Failure(Failure { reason, message, code: http })] {
            let json = exit.to_json();
            prop_assert_eq!(Exit::parse(&json), Ok(exit.clone()));
            let mut report = Report::default();
            json.chunks(7).for_each(|piece| report.push(piece).unwrap());
            prop_assert_eq!(report.finish(), Ok(exit));
        }
    }

    #[test]
    fn nothing_makes_it_panic(json: Vec<u8>) {
        let _ = Exit::parse(&json);
    }
}

#[test]
fn what_is_no_end_is_refused() {
    let with = |causes: &str| {
        format!(r#"{{"status":"Failure","reason":"NonZeroExitCode","details":{{"causes":[{causes}]}}}}"#)
    };
    let cause = |message: &str| with(&format!(r#"{{"reason":"ExitCode","message":"{message}"}}"#));
    let refused = [
        String::new(),
        "command failed".into(),
        r#"{"status":"Success"} {"status":"Success"}"#.into(),
        r#"{"status":"Success","status":"Failure"}"#.into(),
        "{}".into(),
        r#"{"status":"success"}"#.into(),
        r#"{"status":"Failure","reason":"NonZeroExitCode"}"#.into(),
        with(r#"{"reason":"Other","message":"1"}"#),
        cause("0"),
        cause("256"),
        cause("+1"),
        cause("-1"),
        cause(""),
        " ".repeat(MOST + 1),
    ]
    .map(|json| Exit::parse(json.as_bytes()).unwrap_err().to_string());
    insta::assert_snapshot!(refused.join("\n"));
    let mut report = Report::default();
    report.push(&[b' '; MOST]).unwrap();
    assert_eq!(report.push(b" "), Err(Error::TooLarge));
}

#[test]
fn messages_are_not_shown() {
    let shown = format!("{:?}", Exit::Failure(Failure::internal("hunter2")));
    assert_eq!(shown, "Failure(Failure(500 InternalError, 32 bytes))");
}
