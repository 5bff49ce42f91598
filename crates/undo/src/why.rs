//! Why something is left as it is.

/// Why a change cannot be undone, or is not. Texts of hostile origin are in it as they are.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages tell what each field is")]
pub enum Why {
    /// Before-images are of what the agent may read.
    #[error(
        "what it was before is not in the recording: the agent could not read it, or the recording has a gap there"
    )]
    NoImage,
    /// The gate was killed, or the API server did not answer.
    #[error("the recording has no answer to it, so nobody knows what it did")]
    NoAnswer,
    /// The answer was no object.
    #[error(
        "what it became is not in the recording: the client asked for another form of answer than the object, or the recording cut it"
    )]
    NoOutcome,
    /// The images of two changes do not meet.
    #[error("somebody else changed it between two changes of the session")]
    Between,
    /// No state of its own.
    #[error("a write of the subresource `{subresource}` cannot be taken back")]
    Subresource { subresource: String },
    /// It names no object.
    #[error("a deletion of a whole collection has no before-images, unless humans were asked about it")]
    Collection,
    /// A value of a Secret stands in the path.
    #[error("its path is not in the recording, since it holds a value of a Secret")]
    Hidden,
    /// No call that this version knows.
    #[error("this version of `portcullis` does not know how that is taken back")]
    Unknown,
    /// There is nothing to make it of.
    #[error(
        "it held masked values, and the gate kept none that are put back (`recordings.values` keeps them): create it anew from where they come from"
    )]
    Masked,
    /// Nothing that differs can be seen.
    #[error(
        "nothing of it that is shown changed; its masked values may have, and the gate kept none that are put back (`recordings.values` keeps them)"
    )]
    MaskedOnly,
    /// Somebody else's values would be overwritten.
    #[error(
        "somebody else wrote it between two changes of the session, perhaps its masked values: what the gate kept is not put back over that"
    )]
    MaskedBetween,
    /// Live: the same, since.
    #[error(
        "somebody wrote it since, perhaps its masked values: what the gate kept is not put back over that"
    )]
    MaskedTouched,
    /// Live: what is shown is as it was; of what is not, nobody knows.
    #[error(
        "what is shown of it is as it was before the session, and it was written since: whether its masked values are as they were cannot be told"
    )]
    MaskedSince {
        /// Which object it is by now.
        uid: String,
    },
    /// The gate denies it for good.
    #[error(
        "it is a token that the cluster makes, and that the gate lets nobody write: have the cluster make another"
    )]
    Minted,
    /// Nobody chooses these.
    #[error("only fields that controllers set were changed, which are theirs to set right")]
    SetByControllers,
    /// Values would be taken to where they do not belong.
    #[error("a masked value stood at `{at}`, where now is none or another: it cannot be put back")]
    MaskedMoved { at: String },
    /// A controller's.
    #[error("it belongs to {owner}, whose controller makes it anew or deletes it as it should be")]
    Owned { owner: String },
    /// The object alone is not what is gone.
    #[error("what is in it, or stored by it, goes with it, and is not in the recording")]
    Contents,
    /// Live: nobody but the session touched it, or it is left.
    #[error("it was changed since, at {}", .at.join(", "))]
    Changed { at: Vec<String> },
    /// Live.
    #[error("it is gone since")]
    Gone,
    /// Live.
    #[error("there is another of this name by now")]
    Another,
    /// It was answered well, and nothing came of it.
    #[error("it is as the session left it, though that was to be undone")]
    NotBack,
    /// Live.
    #[error("it is still being deleted")]
    Deleting,
    /// Live.
    #[error("it could not be looked at: {failure}")]
    Unreadable { failure: String },
}
