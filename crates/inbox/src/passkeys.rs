//! Passkeys: enrolled, removed, and held against what is said to be signed by them.

use approval::{Assurance, Human, Refusal, Signed, What};
use ledger::leaf::{Event, PasskeyEnrolled, PasskeyRemoved};
use passkey::CredentialId;
use store::Passkey;

use crate::{Error, Inbox};

/// As many as a human can have: one for each thing they sign with.
const MOST: usize = 20;

/// Why a passkey is not enrolled.
#[derive(Debug, thiserror::Error)]
pub enum NotEnrolled {
    /// Somebody has it already.
    #[error("this passkey is enrolled already")]
    Already,
    /// They have as many as they can have.
    #[error("you have {MOST} passkeys: remove one that you do not use")]
    TooMany,
    /// The state cannot be read or written.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The ledger does not take it.
    #[error(transparent)]
    Inbox(#[from] Error),
}

impl Inbox {
    /// Enrols a passkey for this human, who was signed in by `assurance` from `src`: the ledger has it before it is kept.
    ///
    /// # Errors
    /// It may not be, or could not be recorded or kept.
    pub async fn enrol(
        &self,
        human: &Human,
        passkey: &Passkey,
        assurance: &Assurance,
        src: &str,
    ) -> Result<(), NotEnrolled> {
        if self.store.passkey(&passkey.credential.id).await?.is_some() {
            return Err(NotEnrolled::Already);
        }
        if self.passkeys_of(human).await?.len() >= MOST {
            return Err(NotEnrolled::TooMany);
        }
        let event = PasskeyEnrolled {
            human: human.clone(),
            name: (&passkey.name).into(),
            origin: (&passkey.origin).into(),
            passkey: passkey.credential.clone(),
            assurance: assurance.clone(),
            src: src.into(),
        };
        self.record(Event::PasskeyEnrolled(Box::new(event))).await?;
        if self.store.enrol_passkey(passkey).await? { Ok(()) } else { Err(NotEnrolled::Already) }
    }

    /// The passkeys of this human.
    ///
    /// # Errors
    /// The state cannot be read.
    pub async fn passkeys_of(&self, human: &Human) -> Result<Vec<Passkey>, store::Error> {
        self.store.passkeys_of(&human.subject).await
    }

    /// Keeps these names of a person of an identity provider, and tells of every name that they were ever known by.
    ///
    /// # Errors
    /// The state cannot be read or written.
    pub async fn remember_names(&self, person: &str, names: &[String]) -> Result<Vec<String>, store::Error> {
        self.store.remember_names(person, names).await
    }

    /// Removes a passkey of this human: at once, and recorded after that. `false`: they have none of this id.
    ///
    /// # Errors
    /// It could not be removed; or it is, and could not be recorded.
    pub async fn remove_passkey(&self, human: &Human, id: &CredentialId) -> Result<bool, Error> {
        if !self.store.remove_passkey(&human.subject, id).await? {
            return Ok(false);
        }
        let event = PasskeyRemoved { human: human.clone(), passkey: id.clone() };
        self.record(Event::PasskeyRemoved(event)).await.map(|()| true)
    }

    /// Whether a passkey that is said to have signed a step is enrolled for who takes it, and no copy of it: it counts what it
    /// signs. What it signed is a matter of the approval itself.
    pub(crate) async fn check_passkey(
        &self,
        approval: &approval::Approval,
        what: &What,
    ) -> Result<(), Error> {
        let (What::Approved { by, assurance } | What::Reviewed { by, assurance, .. }) = what else {
            return Ok(());
        };
        let Assurance::Passkey(signed) = assurance else { return Ok(()) };
        let Signed { origin, passkey, enrolled, .. } = &**signed;
        let found = self.store.passkey(&passkey.id).await?;
        let theirs = found.filter(|found| {
            by.is_called(&found.subject)
                && found.credential == *passkey
                && found.enrolled_by == *enrolled
                && found.origin == *origin
        });
        let theirs = theirs.ok_or_else(|| Refusal::NotEnrolled(by.subject.clone()))?;
        let verified = signed.verify(approval.asked().bound.digest()).map_err(Refusal::Passkey)?;
        verified.follows(theirs.sign_count).map_err(Refusal::Passkey)?;
        let now = self.clock.now();
        if self.store.passkey_used(&passkey.id, verified.sign_count(), now).await? {
            return Ok(());
        }
        // It was used, or removed, at the same moment.
        Err(Error::Busy)
    }
}
