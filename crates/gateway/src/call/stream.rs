//! What a call carries along that is to become a stream.

use approval::Container;
use parking_lot::Mutex;
use policy::Pod;

use super::Call;
use crate::{connection::Places, upgrade::Upgrading};

/// What a call needs beside to become a stream; each is taken once.
#[derive(Default)]
pub(super) struct Stream {
    pub(super) upgrading: Option<Upgrading>,
    pub(super) places: Option<Places>,
    /// The container that humans were asked about.
    pub(super) bound: Mutex<Option<Container>>,
    /// The pod by which a port-forward was judged.
    pub(super) reached: Mutex<Option<Reached>>,
}

/// A pod as it was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reached {
    pub(crate) uid: String,
    pub(crate) pod: Pod,
}

impl Call {
    /// The upgrade that its client asks for.
    pub(crate) fn upgrading(&self) -> Option<&Upgrading> {
        self.stream.upgrading.as_ref()
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
        let Stream { upgrading, places, bound: _, reached: _ } = &mut self.stream;
        Some((upgrading.take()?, places.take()?))
    }
}
