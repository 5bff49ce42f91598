//! Tells people where they are that something waits for them, or has happened: a webhook, Slack, Microsoft Teams, mail.
//!
//! A [`Notice`] says what and where. It carries no secret and no power: its only link opens the console, where one signs in.
//! Whatever an agent may have written is a [`Text`], shown in full view and bounded; each format makes it inert in its own way.
//!
//! What there is to tell, the store says ([`Reporter`]). It is kept first ([`Outbox`]), and then told by the [`Sender`], one task a target: each target gets each notice
//! at least once, across restarts, or is given up after [`GIVE_UP_AFTER`]. Only one notice a target is in memory.

mod backoff;
mod clock;
mod failure;
pub mod format;
mod http;
mod mail;
mod notice;
mod outbox;
mod reporter;
mod secret;
mod sender;
mod signature;
mod target;
mod targets;
mod text;
mod values;

pub use clock::{Clock, SystemClock};
pub use notice::{Address, BadAddress, BadId, Decision, Event, Id, Kind, Notice};
pub use outbox::Outbox;
pub use reporter::Reporter;
pub use sender::{GIVE_UP_AFTER, Sender};
pub use signature::SigningSecret;
pub use target::{Channel, Filter, Mail, Target};
pub use targets::{ConfigError, Part, Problem, Targets};
pub use text::{Name, Text, Words};
pub use values::{
    BadEndpoint, BadMailServer, BadMailbox, BadTargetName, Endpoint, MailServer, MailTls, Mailbox, TargetName,
};
