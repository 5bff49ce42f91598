//! The control: a masked answer can be replied with.

use http::{Response, StatusCode};
use mask::Masked;
use upstream::AnswerBody;

use crate::{call::Call, deliver::Delivery, reply::Reply};

fn reply(call: Call, answer: Masked<AnswerBody>) -> Response<Reply> {
    Reply::masked(StatusCode::OK, Delivery::new(call, StatusCode::OK, answer, false), "call")
}
