//! Neither a sealed answer nor an API server's bytes can be replied with.

use http::{Response, StatusCode};
use mask::Sealed;
use upstream::AnswerBody;

use crate::{
    call::Call,
    deliver::{Asked, Delivery, Head},
    reply::Reply,
};

fn sealed(call: Call, head: Head, asked: Asked, answer: Sealed<AnswerBody>) {
    Delivery::new(call, head, asked, answer);
}

fn raw(call: Call, head: Head, asked: Asked, answer: AnswerBody) {
    Delivery::new(call, head, asked, answer);
}

fn whole(answer: Sealed<AnswerBody>) -> Response<Reply> {
    Reply::whole(StatusCode::OK, answer, "call")
}

fn passing(answer: AnswerBody) -> Response<Reply> {
    Reply::passing(StatusCode::OK, answer, "call")
}
