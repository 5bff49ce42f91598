//! A sealed body is no body: it cannot be delivered.

use upstream::Answer;

fn deliver_sealed(answer: Answer) {
    deliver(answer.body);
}

fn deliver(_body: impl http_body::Body) {}
