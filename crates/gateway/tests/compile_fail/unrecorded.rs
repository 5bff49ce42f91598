//! An intent that the ledger does not hold cannot be sent.

use upstream::{Cluster, Intent};

async fn send(cluster: &Cluster, intent: Intent) {
    let _answer = cluster.send(intent, std::future::pending::<()>()).await;
}
