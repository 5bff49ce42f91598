//! The binary's parts, as a library: the command line, the configuration file and the wiring.
//!
//! [`config::Config::load`] reads `portcullis.yaml`, listing every problem at once.

mod bundles;
pub mod config;
