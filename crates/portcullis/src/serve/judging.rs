//! The policy in force, and putting another in force while the gate is open.

use gateway::Gate;
use ledger::{
    Ledger,
    leaf::{Event, PolicyLoaded},
};
use policy::Judge;

use crate::{bundles, config::Config};

/// The judge for a configuration. What the operator lifted is said loudly, with what it costs.
pub(super) fn judge(config: &Config) -> anyhow::Result<Judge> {
    let bundle = bundles::load(&config.policy)?;
    let settings = config.settings()?;
    for (cluster, denial) in settings.lifted() {
        let cost = denial.cost().unwrap_or_else(|| denial.reason());
        tracing::warn!(cluster, denial = denial.id(), "a fixed denial is lifted by configuration: {cost}");
    }
    for unmet in config.unmet(&bundle) {
        tracing::warn!("{unmet}");
    }
    Ok(Judge::new(bundle, settings))
}

/// Reads the bundle again. A bundle with problems changes nothing; one without is recorded before it is in force.
pub(super) async fn reload(config: &Config, gate: &Gate, ledger: &Ledger) {
    let judge = match judge(config) {
        Ok(judge) => judge,
        Err(problems) => {
            tracing::error!("the policy stays as it was, since the new one cannot be used:\n{problems:#}");
            return;
        }
    };
    let digest = judge.bundle().digest().as_str().to_owned();
    let event = Event::PolicyLoaded(PolicyLoaded {
        policy: upstream::digest(&digest),
        replaces: Some(upstream::digest(&gate.policy_digest())),
        policies: judge.bundle().rule_count() as u64,
    });
    match ledger.append(event).await {
        Ok(_receipt) => {
            gate.set_judge(judge);
            tracing::info!(policy = digest, "another policy is in force");
        }
        Err(refused) => {
            tracing::error!(%refused, "the policy stays as it was, since a new one could not be recorded")
        }
    }
}
