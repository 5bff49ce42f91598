//! `cargo xtask protobuf`: which protobuf messages the gate reads, from Kubernetes' own types.

use std::fs;

use anyhow::Context;

const SCHEMA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/kube-api/src/protobuf/schema.txt");

/// Writes the schema that ships with the gate anew; for use after a new version of Kubernetes in `tests/cluster/go.mod`.
pub(crate) fn run() -> anyhow::Result<()> {
    let schema = testkit::protobuf_schema()?;
    fs::write(SCHEMA, &schema).with_context(|| format!("could not write `{SCHEMA}`"))?;
    eprintln!("wrote {} lines to `{SCHEMA}`", schema.lines().count());
    Ok(())
}
