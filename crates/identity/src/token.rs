//! Session ids and the tokens that prove them.
//!
//! A token is `pct_`, the session's id, `_`, and 256 random bits as base64url without padding: 66 characters, of
//! fixed lengths, since base64url has `_` of its own. Only the SHA-256 of the bits is kept.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use aws_lc_rs::{constant_time, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize, Serializer};
use store::TokenHash;
use zeroize::Zeroizing;

use crate::names::{NameError, Part, Problem, shown};
use crate::{Entropy, EntropyError};

const PREFIX: &str = "pct_";
const ID_PREFIX: &str = "s-";
const ID_BYTES: usize = 10;
const ID_LENGTH: usize = ID_PREFIX.len() + 16;
const SECRET_BYTES: usize = 32;
const SECRET_LENGTH: usize = 43;
/// What 43 characters could decode to by their number alone; the decoder asks for that much room.
const SECRET_ROOM: usize = 33;
const BASE32: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// A session's id: `s-` and 80 random bits in lower-case base32. Not a secret.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct SessionId(Arc<str>);

/// A session's token: whoever has it is the session's agent. Shown once, when the session is opened.
/// `Debug` shows nothing; the memory is wiped on drop.
pub struct Token(Zeroizing<String>);

/// A token as a client presented it: well formed, nothing more.
pub(crate) struct Presented<'a> {
    pub(crate) session: &'a str,
    pub(crate) hash: TokenHash,
}

// === impl SessionId ===

impl SessionId {
    pub(crate) fn random(entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        let mut bytes = [0; ID_BYTES];
        entropy.fill(&mut bytes)?;
        // 16 groups of 5 bits: the 80 bits stand in the low end of a u128.
        let bits = bytes.iter().fold(0_u128, |bits, byte| (bits << 8) | u128::from(*byte));
        let mut id = String::with_capacity(ID_LENGTH);
        id.push_str(ID_PREFIX);
        for group in (0..16_u32).rev() {
            let index = usize::try_from((bits >> (group * 5)) & 31).unwrap_or_default();
            id.extend(BASE32.get(index).copied().map(char::from));
        }
        Ok(Self(id.into()))
    }

    /// Takes `input` as it is, or refuses it.
    ///
    /// # Errors
    /// It is not `s-` and 16 of `a-z` and `2-7`.
    pub fn parse(input: &str) -> Result<Self, NameError> {
        if !is_session_id(input) {
            let problem = Problem::Shape { input: shown(input), example: "`s-2g4kq7nd5wvx3jhc`" };
            return Err(NameError { part: Part::Session, problem });
        }
        Ok(Self(input.into()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_session_id(input: &str) -> bool {
    input.len() == ID_LENGTH
        && input.strip_prefix(ID_PREFIX).is_some_and(|bits| bits.bytes().all(|byte| BASE32.contains(&byte)))
}

impl TryFrom<String> for SessionId {
    type Error = NameError;

    fn try_from(input: String) -> Result<Self, NameError> {
        Self::parse(&input)
    }
}

impl Serialize for SessionId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

// Hash and Eq are those of the text, as `Borrow` asks.
impl Borrow<str> for SessionId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

// === impl Token ===

impl Token {
    /// A new token for `session`, and the hash to keep of it.
    pub(crate) fn mint(
        session: &SessionId,
        entropy: &dyn Entropy,
    ) -> Result<(Self, TokenHash), EntropyError> {
        let mut secret = Zeroizing::new([0; SECRET_BYTES]);
        entropy.fill(&mut *secret)?;
        // Room for all of it from the start: growing would leave an unwiped copy behind.
        let mut text = Zeroizing::new(String::with_capacity(PREFIX.len() + ID_LENGTH + 1 + SECRET_LENGTH));
        text.push_str(PREFIX);
        text.push_str(session.as_str());
        text.push('_');
        URL_SAFE_NO_PAD.encode_string(secret.as_slice(), &mut text);
        Ok((Self(text), hash(&secret)))
    }

    /// The token itself: for the one who opened the session, and nobody else.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

// === impl Presented ===

impl<'a> Presented<'a> {
    /// Reads a token of exactly the one form it can have; `None` for anything else.
    pub(crate) fn parse(token: &'a str) -> Option<Self> {
        let (session, rest) = token.strip_prefix(PREFIX)?.split_at_checked(ID_LENGTH)?;
        let encoded = rest.strip_prefix('_').filter(|encoded| encoded.len() == SECRET_LENGTH)?;
        if !is_session_id(session) {
            return None;
        }
        let mut room = Zeroizing::new([0; SECRET_ROOM]);
        // Refuses other alphabets, padding, and stray bits after the last byte: one text for one secret.
        let length = URL_SAFE_NO_PAD.decode_slice(encoded, room.as_mut_slice()).ok()?;
        let secret: &[u8; SECRET_BYTES] = room.get(..length)?.try_into().ok()?;
        Some(Self { session, hash: hash(secret) })
    }

    /// Whether this is the token that `kept` was made of, in a time that does not depend on either.
    pub(crate) fn is(&self, kept: &TokenHash) -> bool {
        constant_time::verify_slices_are_equal(&self.hash.0, &kept.0).is_ok()
    }
}

fn hash(secret: &[u8; SECRET_BYTES]) -> TokenHash {
    let mut hash = TokenHash([0; 32]);
    // SHA-256 gives 32 bytes, always: `zip` ends neither side early.
    let digest = digest::digest(&digest::SHA256, secret);
    hash.0.iter_mut().zip(digest.as_ref()).for_each(|(to, from)| *to = *from);
    hash
}
