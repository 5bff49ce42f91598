//! A receipt vouches for one call.

use ledger::Receipt;
use upstream::{Cluster, Intent};

async fn send(cluster: &Cluster, receipt: Receipt<Intent>) {
    let _answer = cluster.send(receipt, std::future::pending::<()>()).await;
    let _again = cluster.send(receipt, std::future::pending::<()>()).await;
}
