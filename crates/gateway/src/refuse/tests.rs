use std::{collections::BTreeSet, sync::Arc, time::Duration};

use http::{HeaderMap, StatusCode};
use identity::{Frozen, SessionId};
use upstream::{
    ConnectError, Failure,
    reader::{Blind, Problem},
};

use mask::Unwritable;

use super::{Answered, Refused, Unseen};
use crate::{keeping::Unrestorable, outcome::Ending, parse::Why};

fn all() -> Vec<Refused> {
    let ended = ConnectError::Ended { host: "api.example.com".to_owned() };
    let frozen = Frozen {
        at: "2026-11-23T06:27:48.5Z".parse().unwrap(),
        by: "local user 1000".to_owned(),
        why: "it deletes what it should not".to_owned(),
    };
    vec![
        Refused::Unauthenticated,
        Refused::Frozen {
            session: SessionId::parse("s-2g4kq7nd5wvx3jhc").unwrap(),
            frozen: Arc::new(frozen),
        },
        Refused::TooManyCalls { most: 50 },
        Refused::Version,
        Refused::Unrecorded,
        Refused::Unrecordable,
        Refused::KeptEnough,
        Refused::RecordedEnough,
        Refused::from(&Failure::Connect(Arc::new(ended))),
        Refused::from(&Failure::Unsent),
        Refused::from(&Failure::Deadline { seconds: 60.0 }),
        Refused::from(&Failure::Blind(Blind::Listing)),
        Refused::from(&Failure::Blind(Blind::Unlisted(Problem::Forbidden))),
        Refused::from(&Failure::Blind(Blind::Unlisted(Problem::TooMuch {
            bytes: 1 << 20,
            namespace: "shop".to_owned(),
        }))),
        Refused::from(&Failure::Blind(Blind::Unlisted(Problem::Silent))),
        Refused::from(&Failure::Blind(Blind::NoRoom { values: 3, namespace: "shop".to_owned() })),
        Refused::from(&Failure::Blind(Blind::OverShare { namespace: "shop".to_owned(), bytes: 1 << 21 })),
        Refused::from(&Failure::Blind(Blind::Lost { seconds: 300, problem: Problem::Broken })),
        Refused::from(&Failure::Blind(Blind::Over)),
        Refused::from(&Failure::Blind(Blind::Unlisted(Problem::Connect("api.example.com".to_owned())))),
        Refused::from(&Failure::Redirect),
        Refused::from(&Failure::Switched),
        Refused::from(&Failure::WrongCluster),
        Refused::Cut(Ending::SessionEnded),
        Refused::Cut(Ending::SessionFrozen),
        Refused::Cut(Ending::GateStopping),
        Refused::Cut(Ending::Unseen),
        Refused::Cut(Ending::AccessOver),
        Refused::Cut(Ending::Changed),
        Refused::CutForward(Ending::SessionEnded),
        Refused::CutForward(Ending::Idle(Duration::from_secs(300))),
        Refused::CutConnection(Ending::TooLong(Duration::from_secs(90))),
        Refused::CutStream(Ending::Idle(Duration::from_secs(300))),
        Refused::Cut(Ending::TooLong(Duration::from_secs(3600))),
        Refused::CutSent(Ending::SessionEnded),
        Refused::CutSent(Ending::SessionFrozen),
        Refused::CutSent(Ending::GateStopping),
        Refused::CutStream(Ending::SessionFrozen),
        Refused::CutStream(Ending::Unrecordable),
        Refused::CutStream(Ending::RecordedEnough),
        Refused::CutStream(Ending::UpstreamBroke),
        Refused::Unended,
        Refused::Unmaskable,
        Refused::from(Why::TooLarge { most: 3_145_728 }),
        Refused::from(Why::Slow { seconds: 30 }),
        Refused::from(Why::Broken),
        Refused::from(Why::Session(Ending::SessionEnded)),
        Refused::from(Why::Session(Ending::SessionFrozen)),
        Refused::Unseen(Unseen::Answered(StatusCode::FORBIDDEN)),
        Refused::Unseen(Unseen::Answered(StatusCode::SERVICE_UNAVAILABLE)),
        Refused::Unseen(Unseen::Unreadable),
        Refused::Answered(Box::new(Answered {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            headers: HeaderMap::new(),
            body: "{}".into(),
        })),
        Refused::from(Unwritable::Foreign { path: "/data/password".to_owned() }),
        Refused::from(Unwritable::Changed),
        Refused::from(Unrestorable::NotConfigured),
        Refused::from(Unrestorable::Nothing),
        Refused::from(Unrestorable::GoesOn),
        Refused::from(Unrestorable::Key),
        Refused::from(Unrestorable::Changed),
        Refused::from(Unrestorable::Another),
    ]
}

/// A number for each variant: one that is new does not compile until it has one, and is then looked for.
fn number(refused: &Refused) -> usize {
    match refused {
        Refused::Unauthenticated => 0,
        Refused::TooManyCalls { .. } => 1,
        Refused::Version => 2,
        Refused::Unparsed(_) => 3,
        // In the words of policy, which has snapshots of its own.
        Refused::Judged(_) => 4,
        Refused::Unrecorded => 5,
        Refused::Unreachable => 6,
        Refused::NoAnswer { .. } => 7,
        Refused::Cut(_) => 8,
        Refused::CutSent(_) => 9,
        Refused::Unended => 10,
        Refused::BadAnswer => 11,
        Refused::Unmaskable => 12,
        Refused::Internal => 13,
        Refused::Unseen(_) => 14,
        // In the API server's words; these are the ledger's.
        Refused::Answered(_) => 15,
        Refused::Frozen { .. } => 16,
        Refused::Blind(_) => 17,
        Refused::Unrecordable => 18,
        Refused::CutStream(_) => 19,
        Refused::CutForward(_) => 20,
        Refused::CutConnection(_) => 21,
        Refused::KeptEnough => 22,
        Refused::RecordedEnough => 23,
    }
}

#[test]
fn none_is_left_out() {
    let numbers: BTreeSet<usize> = all().iter().map(number).collect();
    assert_eq!(numbers, (0..=23).filter(|number| *number != 4).collect());
}

#[test]
fn every_refusal_is_told() {
    let told = all().into_iter().map(|refused| {
        let response = refused.answer(None);
        let retry = response.headers().get("retry-after").map_or("", |_seconds| " (Retry-After)");
        let (code, status) = (response.status().as_u16(), refused.status());
        format!("{code}{retry} {}", String::from_utf8_lossy(&status.to_json()))
    });
    insta::assert_snapshot!(told.collect::<Vec<_>>().join("\n"));
}

#[test]
fn none_looks_like_an_answer_of_the_api_servers() {
    for refused in all() {
        let status = refused.status();
        assert!(status.code() >= StatusCode::BAD_REQUEST && status.message().starts_with("portcullis: "));
    }
}
