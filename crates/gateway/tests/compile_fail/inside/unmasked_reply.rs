//! Neither a sealed answer nor an API server's bytes can be replied with.

use http::{Response, StatusCode};
use mask::Sealed;
use upstream::AnswerBody;

use crate::{
    call::Call,
    deliver::{Delivery, Head},
    interrupt::Nature,
    reply::Reply,
};

fn sealed(call: Call, head: Head, answer: Sealed<AnswerBody>) {
    Delivery::new(call, head, Nature::Read, answer);
}

fn raw(call: Call, head: Head, answer: AnswerBody) {
    Delivery::new(call, head, Nature::Read, answer);
}

fn whole(answer: Sealed<AnswerBody>) -> Response<Reply> {
    Reply::whole(StatusCode::OK, answer, "call")
}

fn passing(answer: AnswerBody) -> Response<Reply> {
    Reply::passing(StatusCode::OK, answer, "call")
}
