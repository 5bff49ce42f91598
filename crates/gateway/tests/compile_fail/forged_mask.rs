//! What nobody masked cannot be called masked.

use mask::Masked;

fn masked<B: http_body::Body<Data = bytes::Bytes>>(body: B) -> Masked<B> {
    Masked::new(body)
}
