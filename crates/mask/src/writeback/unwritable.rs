//! Why a write is not sent, in the words of its client.

use http::StatusCode;
use kube_api::Refusal;

/// Why a write cannot be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unwritable {
    /// A placeholder that is shown at another place of the object.
    #[error(
        "`{path}` holds a placeholder that belongs at `{own}`; a placeholder stands for the value at its own place only, \
         so leave it there, and send the value here or leave the field out"
    )]
    Misplaced {
        /// Where it was written.
        path: String,
        /// Where it is shown.
        own: String,
    },
    /// A placeholder that the object does not show.
    #[error(
        "`{path}` holds a placeholder that the gate did not show for this version of the object in this session; get the \
         object again and edit that, send the value, or leave the field out"
    )]
    Foreign {
        /// Where it was written.
        path: String,
    },
    /// A placeholder in a write that puts values back, for which there is no value.
    #[error(
        "`{path}` holds a placeholder that stands neither for a value that was kept before the call that is undone, nor for one \
         that is there now; send the object as the recording has it before that call"
    )]
    NotKept {
        /// Where it was written.
        path: String,
    },
    /// A write that is to put values back, and has none.
    #[error(
        "nothing in it stands for a value that was kept before the call that is undone; send the object as the recording has it \
         before that call, or leave the header `portcullis-restore` out"
    )]
    NothingKept,
    /// A write that is to put values back into another object than the one that had them.
    #[error(
        "the object that is there by this name is another one than the one that was kept before the call that is undone (its \
         `metadata.uid` differs); send the values"
    )]
    Replaced,
    /// A write that is to put values back into whatever version there is.
    #[error(
        "values are put back into the version that was looked at and no other; name it in `metadata.resourceVersion`"
    )]
    Versionless,
    /// A placeholder as a key.
    #[error("`{path}` is a key made of a placeholder, which stands for nothing; name the key itself")]
    Key {
        /// Where it was written.
        path: String,
    },
    /// A placeholder where there is nothing yet for which it could stand.
    #[error(
        "`{path}` holds a placeholder, which stands for a value that an existing object has; it means nothing here, so \
         send the value or leave the field out"
    )]
    Nothing {
        /// Where it was written.
        path: String,
    },
    /// A placeholder in a patch that is not applied by the gate.
    #[error(
        "`{path}` holds a placeholder, and {form} cannot hold one; leave the field out of the patch, or send the whole object \
         with `kubectl replace`"
    )]
    Patch {
        /// Where it was written.
        path: String,
        /// What kind of patch it is.
        form: &'static str,
    },
    /// A placeholder that is bound to nothing, in a document that does not say what it is about.
    #[error(
        "`{path}` holds a placeholder that is the same for every object; so that it can be put right, keep `metadata.uid` and \
         `metadata.resourceVersion` as they were shown, or send the value"
    )]
    Unidentified {
        /// Where it was written.
        path: String,
    },
    /// A value that would be shown once it is put right.
    #[error(
        "`{path}` holds a placeholder whose value would no longer be masked there, since what stands beside it was changed; \
         leave its kind or its name as it was, or send the value"
    )]
    Exposed {
        /// Where it was written.
        path: String,
    },
    /// A patch that would have a value shown that it leaves as it is.
    #[error(
        "`{path}` tells that a value beside it is masked, and the value would be shown once that is changed; leave it as it is, \
         or replace what it is in as a whole, with a value of yours"
    )]
    Unmasks {
        /// Where it was changed.
        path: String,
    },
    /// A write whose answer would tell whether a value is the one that is masked.
    #[error(
        "`{path}` is masked, and {how} would tell whether what you send is what is there; leave the field out, {remedy}"
    )]
    Guess {
        /// The place.
        path: String,
        /// What would tell.
        how: &'static str,
        /// What else to do.
        remedy: &'static str,
    },
    /// Server-side apply of a value that another manager set.
    #[error(
        "`{path}` holds a placeholder, and the field manager `{manager}` is not known to own that field; leave the field out, \
         which keeps its value"
    )]
    NotOwned {
        /// Where it was written.
        path: String,
        /// Who applies.
        manager: String,
    },
    /// The object is another version than the one that was edited.
    #[error("the object has been modified; get it again and apply your changes to the latest version")]
    Changed,
    /// Values of an immutable Secret.
    #[error(
        "the Secret is immutable, so its `data` cannot be written, the same or another; leave `data` and `stringData` as \
         shown, or make a new Secret"
    )]
    Immutable,
    /// A patch of a Secret in a form that the gate cannot mark.
    #[error("`{path}` cannot be in a patch of a Secret through the gate; {remedy}")]
    Form {
        /// The part.
        path: String,
        /// What to do.
        remedy: &'static str,
    },
    /// The result is none that the API server takes.
    #[error("{0}")]
    Result(#[from] Refusal),
}

impl Unwritable {
    /// The HTTP status that says it: 409 where a new read helps, else 422, as the API server has them.
    #[must_use]
    pub fn code(&self) -> StatusCode {
        match self {
            Self::Changed => StatusCode::CONFLICT,
            Self::Misplaced { .. }
            | Self::Foreign { .. }
            | Self::NotKept { .. }
            | Self::NothingKept
            | Self::Replaced
            | Self::Versionless
            | Self::Key { .. }
            | Self::Nothing { .. }
            | Self::Patch { .. }
            | Self::NotOwned { .. }
            | Self::Unidentified { .. }
            | Self::Exposed { .. }
            | Self::Unmasks { .. }
            | Self::Guess { .. }
            | Self::Immutable
            | Self::Form { .. }
            | Self::Result(_) => StatusCode::UNPROCESSABLE_ENTITY,
        }
    }
}
