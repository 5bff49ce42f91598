//! The control: a masked answer can be replied with.

use http::Response;
use mask::Masked;
use upstream::AnswerBody;

use crate::{
    call::Call,
    deliver::{Asked, Delivery, Head},
    refuse::Refused,
    reply::Reply,
};

async fn reply(call: Call, head: Head, asked: Asked, answer: Masked<AnswerBody>) -> Result<Response<Reply>, Refused> {
    Delivery::new(call, head, asked, answer).deliver().await
}
