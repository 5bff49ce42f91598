//! Neither a sealed answer nor an API server's bytes can be replied with.

use http::{Response, StatusCode};
use mask::Sealed;
use upstream::AnswerBody;

use crate::{call::Call, deliver::Delivery, reply::Reply};

fn sealed(call: Call, answer: Sealed<AnswerBody>) -> Response<Reply> {
    Reply::masked(StatusCode::OK, Delivery::new(call, StatusCode::OK, answer, false), "call")
}

fn raw(call: Call, answer: AnswerBody) -> Response<Reply> {
    Reply::masked(StatusCode::OK, Delivery::new(call, StatusCode::OK, answer, false), "call")
}

fn undelivered(answer: AnswerBody) -> Response<Reply> {
    Reply::masked(StatusCode::OK, answer, "call")
}
