use jiff::Timestamp;

/// Who somebody is, by the word of the provider. `issuer` and `subject` together name a person for good; everything else
/// may change, and is text that others wrote: show it escaped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The provider.
    pub issuer: String,
    /// What the provider knows the person by: 1 to 255 characters of ASCII, never given to another.
    pub subject: String,
    /// An e-mail address that the provider has verified, of at most 254 characters.
    pub email: Option<String>,
    /// An address that the provider tells of and does not say it has verified.
    pub unverified_email: Option<String>,
    /// What else it says the person is called: `preferred_username` and `upn`. Nobody says that this is checked.
    pub claimed: Vec<String>,
    /// What the person is called, at most 254 characters.
    pub name: Option<String>,
    /// The groups, in the provider's order: at most 512 of at most 256 characters.
    pub groups: Vec<String>,
    /// When the person last proved to the provider who they are.
    pub auth_time: Option<Timestamp>,
    /// How well they did, in the provider's own words (`acr`).
    pub acr: Option<String>,
    /// By what means (`amr`, RFC 8176), such as `pwd` and `hwk`: at most 32.
    pub amr: Vec<String>,
}
