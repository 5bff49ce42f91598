//! Which stream of a session is played or exported.

use anyhow::bail;
use recording::reader::Recording;

use super::{
    show::described,
    timeline::{self, Event, Stream},
};
use crate::terminal::visible;

/// The stream with this number, or the only one.
///
/// # Errors
/// There is no such; the message says which there are.
pub(super) fn choose(recording: &Recording, wanted: Option<u32>) -> anyhow::Result<Stream> {
    let (mut streams, mut encrypted) = (Vec::new(), None);
    for entry in timeline::recorded(recording) {
        match entry.event {
            Event::Stream(stream) => streams.push(*stream),
            Event::Encrypted { finding } => encrypted = encrypted.or(Some(finding)),
            _ => {}
        }
    }
    let session = recording.session();
    let chosen = match wanted {
        Some(number) => streams.iter().position(|stream| stream.stream == number),
        None if streams.len() == 1 => Some(0),
        None => None,
    };
    match chosen {
        Some(place) => {
            let stream = streams.swap_remove(place);
            if let (None, Some(encrypted)) = (&stream.opened, &encrypted) {
                bail!("the beginning of stream {} of `{session}` cannot be read: {encrypted}", stream.stream);
            }
            if stream.opened.is_none() {
                bail!(
                    "the beginning of stream {} of `{session}` is lost: `portcullis sessions show {session}` tells why",
                    stream.stream
                );
            }
            Ok(stream)
        }
        None if encrypted.is_some() && (streams.is_empty() || wanted.is_some()) => {
            bail!("the recording of `{session}` cannot be read: {}", encrypted.unwrap_or_default())
        }
        None if streams.is_empty() => bail!(
            "the recording of `{session}` has no streams: `portcullis sessions show {session}` tells what it has"
        ),
        None => {
            let known: Vec<String> = streams.iter().map(known).collect();
            let ask = wanted.map_or_else(
                || "name one with --stream".to_owned(),
                |number| format!("there is no stream {number}"),
            );
            bail!("{ask}; `{session}` has {}", known.join("; "))
        }
    }
}

fn known(stream: &Stream) -> String {
    let what = stream.opened.as_ref().map_or_else(|| "its beginning is lost".to_owned(), described);
    visible(&format!("{} ({what})", stream.stream))
}
