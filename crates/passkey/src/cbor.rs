//! Canonical CBOR as authenticators write it (CTAP2 §8): lengths first, no tags, little nesting.

use minicbor::{Decoder, data::Type, decode::Error};

use crate::Refusal;

/// CTAP2 nests to 4; a compound attestation (§8.9) has others inside it.
const DEPTH: u8 = 8;

/// Reads one item after the other.
pub(crate) struct Reader<'b> {
    /// What is read, for refusals.
    part: &'static str,
    decoder: Decoder<'b>,
}

impl<'b> Reader<'b> {
    pub(crate) fn new(part: &'static str, bytes: &'b [u8]) -> Self {
        Self { part, decoder: Decoder::new(bytes) }
    }

    /// A map's head: how many pairs follow.
    pub(crate) fn map(&mut self) -> Result<u64, Refusal> {
        let pairs = self.read(Decoder::map)?;
        pairs.ok_or_else(|| self.refusal())
    }

    pub(crate) fn text(&mut self) -> Result<&'b str, Refusal> {
        self.read(Decoder::str)
    }

    pub(crate) fn bytes(&mut self) -> Result<&'b [u8], Refusal> {
        self.read(Decoder::bytes)
    }

    pub(crate) fn integer(&mut self) -> Result<i64, Refusal> {
        self.read(Decoder::i64)
    }

    /// A map that nothing is wanted of.
    pub(crate) fn skip_map(&mut self) -> Result<(), Refusal> {
        match self.decoder.datatype() {
            Ok(Type::Map) => self.skip(DEPTH),
            _ => Err(self.refusal()),
        }
    }

    /// An item that nothing is wanted of.
    pub(crate) fn skip_item(&mut self) -> Result<(), Refusal> {
        self.skip(DEPTH)
    }

    /// How many bytes were read.
    pub(crate) fn position(&self) -> usize {
        self.decoder.position()
    }

    pub(crate) fn refusal(&self) -> Refusal {
        Refusal::NotCbor { part: self.part, at: self.position() }
    }

    fn read<T>(&mut self, what: impl FnOnce(&mut Decoder<'b>) -> Result<T, Error>) -> Result<T, Refusal> {
        what(&mut self.decoder).map_err(|_| self.refusal())
    }

    // A length that lies costs nothing: every item takes a byte, and the first that is not there ends it.
    fn skip(&mut self, depth: u8) -> Result<(), Refusal> {
        let Some(inner) = depth.checked_sub(1) else { return Err(self.refusal()) };
        match self.read(|decoder| decoder.datatype())? {
            Type::Map => {
                for _ in 0..self.map()? {
                    self.skip(inner)?;
                    self.skip(inner)?;
                }
                Ok(())
            }
            Type::Array => {
                let items = self.read(Decoder::array)?.ok_or_else(|| self.refusal())?;
                (0..items).try_for_each(|_| self.skip(inner))
            }
            Type::MapIndef
            | Type::ArrayIndef
            | Type::BytesIndef
            | Type::StringIndef
            | Type::Tag
            | Type::Break => Err(self.refusal()),
            _ => self.read(Decoder::skip),
        }
    }
}
