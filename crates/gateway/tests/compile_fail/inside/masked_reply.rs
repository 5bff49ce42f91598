//! The control: a masked answer can be replied with.

use http::Response;
use mask::Masked;
use upstream::AnswerBody;

use crate::{
    call::Call,
    deliver::{Delivery, Head},
    interrupt::Nature,
    refuse::Refused,
    reply::Reply,
};

async fn reply(call: Call, head: Head, answer: Masked<AnswerBody>) -> Result<Response<Reply>, Refused> {
    Delivery::new(call, head, Nature::Read, answer).deliver().await
}
