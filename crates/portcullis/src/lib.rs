//! The binary's parts, as a library: the command line, the configuration file and the wiring.
//!
//! [`config::Config::load`] reads `portcullis.yaml`, listing every problem at once.

pub mod admin;
pub mod bundles;
mod certificate;
pub mod cli;
mod commands;
pub mod config;
pub mod erasing;
mod kubeconfig;
mod rbac_rules;
mod serve;
mod table;
mod terminal;
mod yaml;
