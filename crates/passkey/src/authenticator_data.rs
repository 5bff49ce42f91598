//! What the authenticator itself says (§6.1).

use aws_lc_rs::digest::{SHA256, digest};

use crate::{Aaguid, CredentialId, PublicKey, Refusal, RelyingParty, cbor::Reader};

/// Authenticator data, read to its end.
pub(crate) struct AuthenticatorData<'b> {
    rp_id_hash: &'b [u8; 32],
    flags: u8,
    pub(crate) sign_count: u32,
    /// Only where a passkey is registered.
    pub(crate) attested: Option<Attested>,
}

/// The passkey that was made (§6.5, "attested credential data").
pub(crate) struct Attested {
    pub(crate) aaguid: Aaguid,
    pub(crate) id: CredentialId,
    pub(crate) public_key: PublicKey,
}

const PART: &str = "authenticatorData";

/// Flags: bits 0, 2, 3, 4, 6 and 7.
const USER_PRESENT: u8 = 0x01;
const USER_VERIFIED: u8 = 0x04;
const BACKUP_ELIGIBLE: u8 = 0x08;
const BACKED_UP: u8 = 0x10;
const ATTESTED: u8 = 0x40;
const EXTENSIONS: u8 = 0x80;

impl<'b> AuthenticatorData<'b> {
    pub(crate) fn parse(bytes: &'b [u8]) -> Result<Self, Refusal> {
        let (rp_id_hash, rest) = take::<32>(bytes)?;
        let (&[flags], rest) = take::<1>(rest)?;
        let (sign_count, rest) = take::<4>(rest)?;
        let (attested, rest) = match flags & ATTESTED {
            0 => (None, rest),
            _ => Attested::read(rest).map(|(attested, rest)| (Some(attested), rest))?,
        };
        let rest = if flags & EXTENSIONS == 0 { rest } else { after_extensions(rest)? };
        if !rest.is_empty() {
            return Err(Refusal::Trailing(PART));
        }
        Ok(Self { rp_id_hash, flags, sign_count: u32::from_be_bytes(*sign_count), attested })
    }

    /// What a registration and an assertion have in common: whose passkey it is, that a human was there and was made sure of.
    pub(crate) fn check(&self, rp: &RelyingParty) -> Result<(), Refusal> {
        if self.rp_id_hash != digest(&SHA256, rp.id().as_bytes()).as_ref() {
            return Err(Refusal::OtherRelyingParty { expected: rp.id().into() });
        }
        if !self.has(USER_PRESENT) {
            return Err(Refusal::NotPresent);
        }
        if !self.has(USER_VERIFIED) {
            return Err(Refusal::NotVerified);
        }
        if self.backed_up() && !self.backup_eligible() {
            return Err(Refusal::Backup);
        }
        Ok(())
    }

    pub(crate) fn backup_eligible(&self) -> bool {
        self.has(BACKUP_ELIGIBLE)
    }

    pub(crate) fn backed_up(&self) -> bool {
        self.has(BACKED_UP)
    }

    fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}

impl Attested {
    /// The data that `bytes` begin with, and the bytes after it.
    fn read(bytes: &[u8]) -> Result<(Self, &[u8]), Refusal> {
        let (aaguid, rest) = take::<16>(bytes)?;
        let (length, rest) = take::<2>(rest)?;
        let length = u16::from_be_bytes(*length).into();
        let (id, rest) = rest.split_at_checked(length).ok_or(Refusal::Truncated(PART))?;
        let id = CredentialId::new(id)?;
        let (public_key, rest) = PublicKey::read(rest)?;
        Ok((Self { aaguid: Aaguid::new(*aaguid), id, public_key }, rest))
    }
}

/// Extensions are not asked for; authenticators may send some all the same, and they are to be ignored (§7.1).
fn after_extensions(bytes: &[u8]) -> Result<&[u8], Refusal> {
    let mut reader = Reader::new(PART, bytes);
    reader.skip_map()?;
    bytes.get(reader.position()..).ok_or(Refusal::Truncated(PART))
}

fn take<const N: usize>(bytes: &[u8]) -> Result<(&[u8; N], &[u8]), Refusal> {
    bytes.split_first_chunk().ok_or(Refusal::Truncated(PART))
}
