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

/// Reads header blocks. What inflates them is made anew for each, since it takes some 40 KB, and most connections only have those of
/// their first moments: it goes on from what it may refer back to, because each block ends where a byte does.
#[derive(Default)]
pub(super) struct Inflater {
    /// The end of what came until now, behind the dictionary. `None` until zlib's head has come.
    window: Option<Vec<u8>>,
}

impl Inflater {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Reads the next one. After an error, none can be read any more.
    pub(super) fn read(&mut self, block: &[u8]) -> Result<HeaderMap, Error> {
        parse(&self.inflate(block)?)
    }

    fn inflate(&mut self, mut block: &[u8]) -> Result<Vec<u8>, Error> {
        let mut window = match self.window.take() {
            Some(window) => window,
            None => begin(&mut block)?,
        };
        if !block.ends_with(&FLUSHED) {
            return Err(Error::Zlib);
        }
        let inflated = inflate(&window, block)?;
        window.extend_from_slice(&inflated);
        window.drain(..window.len().saturating_sub(WINDOW));
        self.window = Some(window);
        Ok(inflated)
    }
}

/// How far back deflate refers (RFC 1951, section 2).
const WINDOW: usize = 32 << 10;

/// The end of an empty stored block, which brings what follows to a byte's border: zlib's sync flush.
const FLUSHED: [u8; 4] = [0, 0, 0xff, 0xff];

/// Takes the head of a zlib stream (RFC 1950, section 2.2), and gives what it begins with.
fn begin(block: &mut &[u8]) -> Result<Vec<u8>, Error> {
    /// In CMF, the method deflate with a window of 32 KiB at most; in FLG, that a dictionary is named.
    const DEFLATE: u8 = 8;
    const FDICT: u8 = 0x20;
    let (&[method, flags], rest) = block.split_first_chunk().ok_or(Error::Zlib)?;
    let is_checked = u16::from_be_bytes([method, flags]).is_multiple_of(31);
    if method & 0x0f != DEFLATE || method >> 4 > 7 || !is_checked {
        return Err(Error::Zlib);
    }
    *block = rest;
    if flags & FDICT == 0 {
        return Ok(Vec::new());
    }
    *block = block.strip_prefix(&DICTIONARY_ID).ok_or(Error::Zlib)?;
    Ok(DICTIONARY.to_vec())
}

fn inflate(window: &[u8], mut block: &[u8]) -> Result<Vec<u8>, Error> {
    let mut zlib = Decompress::new(false);
    if !window.is_empty() {
        zlib.set_dictionary(window).map_err(|_| Error::Zlib)?;
    }
    // One byte more, to see what is too long.
    let mut out = vec![0; MAX_HEADER_BLOCK + 1];
    let mut filled = 0;
    loop {
        let before = (zlib.total_in(), zlib.total_out());
        let room = out.get_mut(filled..).unwrap_or_default();
        let status = zlib.decompress(block, room, FlushDecompress::Sync).map_err(|_| Error::Zlib)?;
        let (taken, given) = (since(before.0, zlib.total_in()), since(before.1, zlib.total_out()));
        block = block.get(taken..).unwrap_or_default();
        filled += given;
        match status {
            Status::StreamEnd => return Err(Error::Zlib),
            Status::Ok | Status::BufError if filled > MAX_HEADER_BLOCK => return Err(Error::HeadersTooLarge),
            // With room left, nothing is held back.
            Status::Ok | Status::BufError if block.is_empty() => break,
            Status::Ok | Status::BufError if taken + given > 0 => {}
            Status::Ok | Status::BufError => return Err(Error::Zlib),
        }
    }
    out.truncate(filled);
    Ok(out)
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

/// How a zlib stream begins that names a dictionary (RFC 1950, section 2.2).
const HEAD: [u8; 2] = [0x78, 0xbb];

/// The dictionary's Adler-32.
const DICTIONARY_ID: [u8; 4] = [0xe3, 0xc6, 0xa7, 0xc2];

/// A block that is not the last one and stored; its length follows twice.
const STORED: u8 = 0;

impl Deflater {
    pub(super) fn new() -> Self {
        Self { begun: false }
    }

    /// The next one.
    pub(super) fn write(&mut self, headers: &HeaderMap) -> Result<Vec<u8>, SendError> {
        let block = block(headers)?;
        let mut out = Vec::with_capacity(6 + 2 * 5 + block.len());
        if !self.begun {
            out.extend_from_slice(&HEAD);
            out.extend_from_slice(&DICTIONARY_ID);
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
    use flate2::{Compress, Compression, FlushCompress};

    use super::*;

    #[test]
    fn the_dictionary_is_spdys() {
        let mut zlib = Compress::new(Compression::fast(), true);
        let sum = zlib.set_dictionary(DICTIONARY).unwrap();
        assert_eq!(sum.to_be_bytes(), DICTIONARY_ID);
        assert_eq!(u16::from_be_bytes(HEAD) % 31, 0);
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

    fn compressed(zlib: &mut Compress, bytes: &[u8], flush: FlushCompress) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len() * 2 + 64);
        zlib.compress_vec(bytes, &mut out, flush).unwrap();
        out
    }

    /// A compressor refers to the dictionary, and to what it wrote up to 32 KiB ago.
    #[test]
    fn what_refers_far_back_is_read() {
        let mut random = 1_u32;
        let mut words = || {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            format!("accept-charset {} {:x}", random >> 20, random >> 24)
        };
        let mut zlib = Compress::new(Compression::best(), true);
        zlib.set_dictionary(DICTIONARY).unwrap();
        let mut inflater = Inflater::new();
        let (mut came, mut written) = (0, 0);
        for each in 0..400 {
            let value: String = (0..each % 12).map(|_| words()).collect();
            let headers = HeaderMap::from_iter([(
                HeaderName::from_static("streamtype"),
                HeaderValue::from_str(&value).unwrap(),
            )]);
            let block = block(&headers).unwrap();
            let compressed = compressed(&mut zlib, &block, FlushCompress::Sync);
            (came, written) = (came + block.len(), written + compressed.len());
            assert_eq!(inflater.read(&compressed), Ok(headers), "block {each}");
            assert!(inflater.window.as_ref().unwrap().len() <= WINDOW);
        }
        assert!(came > WINDOW + WINDOW / 2 && written < came / 2, "{came} bytes in {written}");
    }

    #[test]
    fn what_is_no_zlib_stream_of_ours_is_refused() {
        let headers = block(&HeaderMap::new()).unwrap();
        let zlib = |level| {
            let mut zlib = Compress::new(level, true);
            compressed(&mut zlib, &headers, FlushCompress::Sync)
        };
        assert_eq!(Inflater::new().read(&zlib(Compression::best())), Ok(HeaderMap::new()));
        let whole = zlib(Compression::none());
        for end in 0..whole.len() {
            assert_eq!(Inflater::new().read(&whole[..end]), Err(Error::Zlib), "cut at {end}");
        }
        for (at, bit) in [(0, 1), (0, 0x80), (1, 1)] {
            let mut changed = whole.clone();
            changed[at] ^= bit;
            assert_eq!(Inflater::new().read(&changed), Err(Error::Zlib), "byte {at}");
        }
        let mut another = Compress::new(Compression::best(), true);
        another.set_dictionary(b"another").unwrap();
        let another = compressed(&mut another, &headers, FlushCompress::Sync);
        assert_eq!(Inflater::new().read(&another), Err(Error::Zlib), "another dictionary");
        let mut failed = Inflater::new();
        assert_eq!(failed.read(&whole[..3]), Err(Error::Zlib));
        // A second head where a block should be.
        let mut inflater = Inflater::new();
        assert!(inflater.read(&whole).is_ok());
        assert_eq!(inflater.read(&whole), Err(Error::Zlib));
        let partly = {
            let mut zlib = Compress::new(Compression::best(), true);
            compressed(&mut zlib, &headers, FlushCompress::Partial)
        };
        assert_eq!(Inflater::new().read(&partly), Err(Error::Zlib), "it ends within a byte");
    }
}
