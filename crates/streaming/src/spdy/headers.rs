//! Header blocks: SPDY/3.1 draft, section 2.6.10. One zlib stream each way, for as long as the connection lasts.

use flate2::{Decompress, FlushDecompress, Status};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::{Error, SendError, dictionary::DICTIONARY};

/// How many bytes a header block may have, decompressed. kubectl's have less than 100.
pub const MAX_HEADER_BLOCK: usize = 16 * 1024;

/// How many values it may have. kubectl's have 3 at most.
pub const MAX_HEADERS: usize = 32;

/// Between the values of one name.
const SEPARATOR: u8 = 0;

/// Reads header blocks.
pub(super) struct Inflater(Decompress);

impl Inflater {
    pub(super) fn new() -> Self {
        Self(Decompress::new(true))
    }

    /// Reads the next one. After an error, none can be read any more.
    pub(super) fn read(&mut self, block: &[u8]) -> Result<HeaderMap, Error> {
        parse(&self.inflate(block)?)
    }

    fn inflate(&mut self, mut block: &[u8]) -> Result<Vec<u8>, Error> {
        // One byte more, to see what is too long.
        let mut out = vec![0; MAX_HEADER_BLOCK + 1];
        let mut filled = 0;
        loop {
            let before = (self.0.total_in(), self.0.total_out());
            let room = out.get_mut(filled..).unwrap_or_default();
            let status = self.0.decompress(block, room, FlushDecompress::Sync);
            let (taken, given) = (since(before.0, self.0.total_in()), since(before.1, self.0.total_out()));
            block = block.get(taken..).unwrap_or_default();
            filled += given;
            match status {
                Ok(Status::StreamEnd) => return Err(Error::Zlib),
                Ok(Status::Ok | Status::BufError) if filled > MAX_HEADER_BLOCK => {
                    return Err(Error::HeadersTooLarge);
                }
                // With room left, nothing is held back.
                Ok(Status::Ok | Status::BufError) if block.is_empty() => break,
                Ok(Status::Ok | Status::BufError) if taken + given > 0 => {}
                Ok(Status::Ok | Status::BufError) => return Err(Error::Zlib),
                Err(error) if error.needs_dictionary().is_some() => {
                    self.0.set_dictionary(DICTIONARY).map_err(|_| Error::Zlib)?;
                }
                Err(_) => return Err(Error::Zlib),
            }
        }
        out.truncate(filled);
        Ok(out)
    }
}

fn since(before: u64, now: u64) -> usize {
    usize::try_from(now.saturating_sub(before)).unwrap_or(usize::MAX)
}

fn parse(mut block: &[u8]) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::new();
    for _ in 0..number(&mut block)? {
        let name = text(&mut block)?;
        let upper = name.iter().any(u8::is_ascii_uppercase);
        let name = HeaderName::from_bytes(name).ok().filter(|_| !upper).ok_or(Error::HeaderName)?;
        if headers.contains_key(&name) {
            return Err(Error::HeaderTwice);
        }
        for value in text(&mut block)?.split(|byte| *byte == SEPARATOR) {
            if headers.len() == MAX_HEADERS {
                return Err(Error::TooManyHeaders);
            }
            headers.append(&name, HeaderValue::from_bytes(value).map_err(|_| Error::HeaderValue)?);
        }
    }
    if block.is_empty() { Ok(headers) } else { Err(Error::HeaderLength) }
}

fn number(block: &mut &[u8]) -> Result<u32, Error> {
    let (number, rest) = block.split_first_chunk().ok_or(Error::HeaderLength)?;
    *block = rest;
    Ok(u32::from_be_bytes(*number))
}

fn text<'b>(block: &mut &'b [u8]) -> Result<&'b [u8], Error> {
    let length = usize::try_from(number(block)?).map_err(|_| Error::HeaderLength)?;
    let (text, rest) = block.split_at_checked(length).ok_or(Error::HeaderLength)?;
    *block = rest;
    Ok(text)
}

/// Writes header blocks: uncompressed, in deflate's stored blocks (RFC 1951, section 3.2.4). A compressor would keep some 300 KB of
/// each connection, to save some 50 bytes whenever a stream is opened.
pub(super) struct Deflater {
    begun: bool,
}

/// How a zlib stream begins (RFC 1950, section 2.2): 32 KiB of window, and SPDY's dictionary by its Adler-32.
const BEGIN: [u8; 6] = [0x78, 0xbb, 0xe3, 0xc6, 0xa7, 0xc2];

/// A block that is not the last one and stored; its length follows twice.
const STORED: u8 = 0;

impl Deflater {
    pub(super) fn new() -> Self {
        Self { begun: false }
    }

    /// The next one.
    pub(super) fn write(&mut self, headers: &HeaderMap) -> Result<Vec<u8>, SendError> {
        let block = block(headers)?;
        let mut out = Vec::with_capacity(BEGIN.len() + 2 * 5 + block.len());
        if !self.begun {
            out.extend_from_slice(&BEGIN);
        }
        // The empty one has a reader give out what came before (in Go, nothing else does).
        for stored in [block.as_slice(), &[]] {
            let length = u16::try_from(stored.len()).map_err(|_| SendError::Headers)?;
            out.push(STORED);
            out.extend_from_slice(&length.to_le_bytes());
            out.extend_from_slice(&(!length).to_le_bytes());
            out.extend_from_slice(stored);
        }
        self.begun = true;
        Ok(out)
    }
}

fn block(headers: &HeaderMap) -> Result<Vec<u8>, SendError> {
    let mut block = Vec::new();
    let mut put = |bytes: &[u8]| {
        let length = u32::try_from(bytes.len()).map_err(|_| SendError::Headers)?;
        block.extend_from_slice(&length.to_be_bytes());
        block.extend_from_slice(bytes);
        Ok(())
    };
    for name in headers.keys() {
        let values: Vec<&[u8]> = headers.get_all(name).iter().map(HeaderValue::as_bytes).collect();
        put(name.as_str().as_bytes())?;
        put(&values.join(&SEPARATOR))?;
    }
    let count = u32::try_from(headers.keys_len()).map_err(|_| SendError::Headers)?;
    block.splice(..0, count.to_be_bytes());
    if block.len() > MAX_HEADER_BLOCK || headers.len() > MAX_HEADERS {
        return Err(SendError::Headers);
    }
    Ok(block)
}

#[cfg(test)]
mod tests {
    use flate2::{Compress, Compression};

    use super::*;

    #[test]
    fn the_dictionary_is_spdys() {
        let mut zlib = Compress::new(Compression::fast(), true);
        let sum = zlib.set_dictionary(DICTIONARY).unwrap();
        assert_eq!(sum.to_be_bytes(), BEGIN[2..]);
        assert_eq!(u16::from_be_bytes([BEGIN[0], BEGIN[1]]) % 31, 0);
    }

    #[test]
    fn the_longest_block_comes_at_once() {
        let value = vec![b'!'; MAX_HEADER_BLOCK - 16];
        let headers =
            HeaderMap::from_iter([(HeaderName::from_static("a"), HeaderValue::from_bytes(&value).unwrap())]);
        let (mut deflater, mut inflater) = (Deflater::new(), Inflater::new());
        for _ in 0..5 {
            assert_eq!(inflater.read(&deflater.write(&headers).unwrap()), Ok(headers.clone()));
        }
    }
}
