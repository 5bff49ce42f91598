//! The gate's own service account, made as README.md tells a platform engineer to.

use crate::Cluster;

/// Where the gate's own service account lives, and its name: what `portcullis rbac` grants rights to by default.
pub(super) const ACCOUNT: &str = "portcullis/gate";

const MANIFEST: &str = "apiVersion: v1
kind: Namespace
metadata: {name: portcullis}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: gate, namespace: portcullis}
";

/// A kubeconfig for the account, which has no right of its own yet; `portcullis rbac` gives it some.
pub(super) fn kubeconfig(cluster: &Cluster) -> anyhow::Result<String> {
    let mut account = cluster.made.account.lock();
    if let Some(account) = &*account {
        return Ok(account.clone());
    }
    Ok(account.insert(of_account(cluster, "gate")?).clone())
}

/// A kubeconfig for an account in the namespace `portcullis`, made if need be; it has no right of its own.
///
/// # Errors
/// What kubectl printed instead.
pub fn of_account(cluster: &Cluster, name: &str) -> anyhow::Result<String> {
    cluster.apply(&MANIFEST.replace("name: gate", &format!("name: {name}")))?;
    let token = cluster.must(&["create", "token", name, "-n", "portcullis", "--duration", "8h"])?;
    let authority = "jsonpath={.clusters[0].cluster.certificate-authority-data}";
    let authority = cluster.must(&["config", "view", "--raw", "--minify", "-o", authority])?;
    let server = cluster.server();
    let token = token.trim();
    Ok(format!(
        "apiVersion: v1
kind: Config
current-context: gate
clusters: [{{name: c, cluster: {{server: \"{server}\", certificate-authority-data: {authority}}}}}]
users: [{{name: gate, user: {{token: {token}}}}}]
contexts: [{{name: gate, context: {{cluster: c, user: gate}}}}]
"
    ))
}
