//! A receipt for something else cannot vouch for a call.

use ledger::{Receipt, leaf::Event};
use upstream::Cluster;

#[allow(dead_code)]
async fn send(cluster: &Cluster, receipt: Receipt<Event>) {
    let _answer = cluster.send(receipt).await;
}

fn main() {}
