//! Who may do what: Cedar rules, strictly validated, and what follows from them.
//!
//! A [`Bundle`] is compiled from sources; a [`Judge`] applies it with the gate's [`Settings`]. Judging a
//! request yields a [`Verdict`]: a [`Permit`], which is the only way to have a request sent, an [`Ask`], or a
//! [`Denial`]; or, where that depends on what the request makes of an object, a [`Look`] first, and on the
//! pod that it reaches, a [`PodLook`]. What is denied
//! whatever the rules say is in [`fixed_denials`]. `docs/policy.md` tells how to write rules; [`SCHEMA`] is their
//! vocabulary.
//!
//! The crate is pure: no clock, no files, no network.

mod action;
mod ask;
mod body;
mod bundle;
mod call;
mod catalogue;
mod decision;
mod est;
mod evaluate;
mod explain;
mod facts;
mod fixed;
mod glob;
mod judge;
mod limits;
mod look;
mod places;
mod pod;
mod probe;
mod problem;
mod request;
mod reveal;
mod rule;
mod settings;
mod slices;
mod suite;
mod uses;
mod verdict;
mod vocabulary;
mod wording;

pub use ask::{Ask, Member, usage};
pub use bundle::{Bundle, Digest, Source, Summary, check};
pub use catalogue::is_built_in as is_built_in_group;
pub use decision::{Decision, Outcome, Reveal, RuleRef};
pub use explain::{Considered, Explanation, Fate, explain};
pub use facts::Pod;
pub use fixed::{FixedDenial, fixed_denials};
pub use judge::{Judge, Principal};
pub use limits::{Limits, written};
pub use look::{Judgement, Look};
pub use pod::PodLook;
pub use probe::{Probe, ResourceRule};
pub use problem::{Problem, Problems};
pub use settings::{Own, Settings};
pub use suite::{CaseReport, TestReport, run_tests};
pub use verdict::{Approved, Denial, Permit, Verdict};
pub use vocabulary::SCHEMA;
