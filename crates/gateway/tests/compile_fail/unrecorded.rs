//! An intent that the ledger does not hold cannot be sent.

use upstream::{Cluster, Intent};

#[allow(dead_code)]
async fn send(cluster: &Cluster, intent: Intent) {
    let _answer = cluster.send(intent).await;
}

fn main() {}
