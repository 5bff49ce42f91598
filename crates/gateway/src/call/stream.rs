//! What a call carries along that is to become a stream.

use approval::Container;
use parking_lot::Mutex;
use policy::Pod;

use super::Call;
use crate::{
    connection::Places,
    upgrade::{NotAgreed, Upgrading},
};

/// What a call needs beside to become a stream.
pub(super) struct Stream {
    /// Or why there is none.
    upgrading: Result<Upgrading, NotAgreed>,
    places: Option<Places>,
    /// The container that humans were asked about.
    bound: Mutex<Option<Container>>,
    /// The pod by which a port-forward was judged.
    reached: Mutex<Option<Reached>>,
}

/// A pod as it was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reached {
    pub(crate) uid: String,
    pub(crate) pod: Pod,
}

impl Stream {
    pub(super) fn new(upgrading: Result<Upgrading, NotAgreed>, places: Option<Places>) -> Self {
        Self { upgrading, places, bound: Mutex::default(), reached: Mutex::default() }
    }
}

impl Call {
    /// The upgrade that its client asks for, or why that cannot be.
    pub(crate) fn upgrading(&self) -> Result<&Upgrading, NotAgreed> {
        self.stream.upgrading.as_ref().map_err(Clone::clone)
    }

    /// Humans are asked about this container.
    pub(crate) fn bind_to(&self, container: Container) {
        *self.stream.bound.lock() = Some(container);
    }

    /// The one that they were asked about, if they were.
    pub(crate) fn bound_container(&self) -> Option<Container> {
        self.stream.bound.lock().clone()
    }

    /// It was judged by this pod.
    pub(crate) fn judged_by(&self, reached: Reached) {
        *self.stream.reached.lock() = Some(reached);
    }

    /// The pod by which it was judged.
    pub(crate) fn reached(&self) -> Option<Reached> {
        self.stream.reached.lock().clone()
    }

    /// What it becomes a stream with, once.
    pub(crate) fn take_stream(&mut self) -> Option<(Upgrading, Places)> {
        let taken = Err(NotAgreed::Taken);
        let upgrading = std::mem::replace(&mut self.stream.upgrading, taken).ok()?;
        Some((upgrading, self.stream.places.take()?))
    }
}
