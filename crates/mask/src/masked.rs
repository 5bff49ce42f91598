//! The only body that may be shown to anyone.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::malformed::{Malformed, What};
use crate::masker::Masker;
use crate::redact::Redactor;

/// An API server's answer without the secrets in it; only [`Sealed::open`](crate::Sealed::open) makes one.
///
/// As a body: *data* comes out masked as it comes in, never in empty frames, except that some hundred bytes (4 KiB at most) may
/// be held back until more comes, a line ends, or the end (which then is a frame of its own); *trailers* are dropped; an *error*
/// of the API server's, or an answer that turns out malformed, is an error, after which nothing but errors comes and the
/// upstream body is dropped; of a log of which so many bytes are wanted (`limitBytes`), it ends after them; *`size_hint`* is exact for an answer of our own or none, and unknown otherwise; *`is_end_stream`* is true only once the
/// end has been checked. Dropping it drops the upstream body.
pub struct Masked<B> {
    state: State<B>,
    /// Bytes that came from upstream.
    received: u64,
    masked: u64,
    /// How many bytes more are wanted.
    wanted: u64,
}

enum State<B> {
    /// There must be no data.
    Empty(B),
    Json(B, Box<Masker>, Redactor),
    Opaque(B, Redactor),
    /// An answer that was made here.
    Own(Bytes),
    Done,
    Broken(Malformed),
}

/// Why an answer breaks off. The client must see a reset, not an end.
#[derive(Debug, thiserror::Error)]
pub enum BodyError<E> {
    /// The API server's answer broke off.
    #[error("the API server's answer broke off")]
    Upstream(#[source] E),
    /// The answer is not what it must be.
    #[error(transparent)]
    Malformed(#[from] Malformed),
}

impl<B> Masked<B> {
    pub(crate) fn empty(body: B) -> Self {
        Self::new(State::Empty(body))
    }

    pub(crate) fn json(body: B, masker: Masker, redactor: Redactor) -> Self {
        Self::new(State::Json(body, Box::new(masker), redactor))
    }

    pub(crate) fn opaque(body: B, redactor: Redactor) -> Self {
        Self::new(State::Opaque(body, redactor))
    }

    /// An answer that was made here, in which so many values were replaced.
    pub(crate) fn own(content: Bytes, masked: u64) -> Self {
        Self { masked, ..Self::new(State::Own(content)) }
    }

    fn new(state: State<B>) -> Self {
        Self { state, received: 0, masked: 0, wanted: u64::MAX }
    }

    /// Ends once so many bytes have come out, as if there were no more.
    pub(crate) fn up_to(self, bytes: u64) -> Self {
        Self { wanted: bytes, ..self }
    }

    /// What is wanted of `data`, which is not empty.
    fn cut(&mut self, mut data: Bytes) -> Bytes {
        data.truncate(usize::try_from(self.wanted).unwrap_or(usize::MAX));
        self.wanted -= data.len() as u64;
        if self.wanted == 0 {
            self.state = State::Done;
        }
        data
    }

    /// How many values have been replaced in what came out so far.
    #[must_use]
    pub fn masked_values(&self) -> u64 {
        self.masked
    }

    fn data(&mut self, data: Bytes) -> Result<Bytes, Malformed> {
        let offset = self.received;
        self.received += data.len() as u64;
        match &mut self.state {
            State::Json(_, masker, redactor) => {
                let out = masker.push(data).map(|out| redactor.push(out, masker.revealed()));
                self.masked = masker.masked() + redactor.masked();
                out
            }
            State::Opaque(_, redactor) => {
                let out = redactor.push(data, &[]);
                self.masked = redactor.masked();
                Ok(out)
            }
            State::Empty(_) | State::Own(_) | State::Done | State::Broken(_) if data.is_empty() => Ok(data),
            State::Empty(_) | State::Own(_) | State::Done | State::Broken(_) => {
                Err(Malformed { offset, what: What::NotEmpty })
            }
        }
    }

    /// What is left to be given out at the end: what the redactor held back.
    fn end(&mut self) -> Result<Bytes, Malformed> {
        match &mut self.state {
            State::Json(_, masker, redactor) => {
                masker.finish()?;
                let rest = redactor.finish();
                self.masked = masker.masked() + redactor.masked();
                Ok(rest)
            }
            State::Opaque(_, redactor) => {
                let rest = redactor.finish();
                self.masked = redactor.masked();
                Ok(rest)
            }
            State::Empty(_) | State::Own(_) | State::Done => Ok(Bytes::new()),
            State::Broken(malformed) => Err(*malformed),
        }
    }
}

impl<B> Body for Masked<B>
where
    B: Body<Data = Bytes> + Unpin,
{
    type Data = Bytes;
    type Error = BodyError<B::Error>;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = self.get_mut();
        loop {
            let body = match &mut this.state {
                State::Empty(body) | State::Json(body, ..) | State::Opaque(body, _) => body,
                State::Own(content) => {
                    let content = std::mem::take(content);
                    this.state = State::Done;
                    return Poll::Ready(Some(Ok(Frame::data(content))));
                }
                State::Done => return Poll::Ready(None),
                State::Broken(malformed) => return Poll::Ready(Some(Err((*malformed).into()))),
            };
            let checked = match ready!(Pin::new(body).poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => this.data(data),
                    Err(_trailers) => continue,
                },
                Some(Err(error)) => {
                    this.state = State::Broken(Malformed { offset: this.received, what: What::Truncated });
                    return Poll::Ready(Some(Err(BodyError::Upstream(error))));
                }
                None => this.end().inspect(|_| this.state = State::Done),
            };
            match checked {
                Ok(data) if data.is_empty() => {}
                Ok(data) => return Poll::Ready(Some(Ok(Frame::data(this.cut(data))))),
                Err(malformed) => this.state = State::Broken(malformed),
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.state {
            State::Done => true,
            State::Empty(body) => body.is_end_stream(),
            State::Json(..) | State::Opaque(..) | State::Own(_) | State::Broken(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.state {
            State::Own(content) => SizeHint::with_exact(content.len() as u64),
            State::Empty(_) | State::Done => SizeHint::with_exact(0),
            State::Json(..) | State::Opaque(..) | State::Broken(_) => SizeHint::default(),
        }
    }
}

impl<B> fmt::Debug for Masked<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Masked")
            .field("received", &self.received)
            .field("masked", &self.masked)
            .finish_non_exhaustive()
    }
}
