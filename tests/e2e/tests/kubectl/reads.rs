//! What changes nothing.

use e2e::{Comparison, furnish, lab};

const READS: &[&str] = &[
    // Forms.
    "get pods -n look",
    "get pods -n look -o wide",
    "get pods -n look -o yaml",
    "get deployment web -n look -o yaml",
    "get deployment web -n look -o json",
    "get deployment web -n look -o yaml --show-managed-fields",
    "get deployments,configmaps -n look -o name",
    "get all -n look",
    "get configmap settings -n look -o jsonpath={.data.colour}",
    "get pods -n look -o custom-columns=NAME:.metadata.name,NODE:.spec.nodeName",
    "get --raw /version",
    "get --raw /readyz",
    // Selection.
    "get pods -n look -l app=web",
    "get pods -n look -l app=nothing",
    "get pods -A --field-selector metadata.namespace=look",
    "get pods -n look --sort-by=.metadata.name",
    "get pods -n look --chunk-size=1",
    "get nodes",
    "get namespaces look",
    "get events -n look --field-selector involvedObject.kind=Deployment",
    // What is not there.
    "get deployment missing -n look",
    "get pods -n missing",
    "get nonsense",
    // Secrets: the values are the only difference.
    "get secrets -n look",
    "get secret database -n look -o yaml",
    "get secret database -n look -o json",
    "get secret database -n look -o jsonpath={.data.password}",
    "get secret database -n look -o go-template={{.data.password|base64decode}}",
    "describe secret database -n look",
    "apply view-last-applied secret database -n look",
    // Told in words.
    "describe deployment web -n look",
    "describe pods -n look",
    "describe configmap settings -n look",
    "describe namespace look",
    "describe node",
    "events -n look --for=deployment/web",
    "logs deployment/web -n look",
    "logs deployment/web -n look --tail=1 --timestamps=false",
    "logs -l app=web -n look --prefix",
    "logs missing -n look",
    "rollout status deployment/web -n look",
    "rollout history deployment/web -n look",
    "wait deployment/web -n look --for=condition=Available --timeout=30s",
    "wait deployment/web -n look --for=condition=Nonsense --timeout=0s",
    // About the cluster.
    "auth can-i list pods -n look",
    "auth can-i get secrets -n look",
    "api-resources",
    "api-resources --api-group=apps -o name",
    "api-versions",
    "explain deployment.spec.replicas",
    "explain secret --recursive",
    "explain nonsense",
    "version",
    "version -o yaml",
    "cluster-info",
    // Nothing serves these figures, which is told alike.
    "top pods -n look",
    "top nodes",
];

#[test]
fn what_is_read_is_as_directly() -> anyhow::Result<()> {
    let lab = lab()?;
    furnish(lab.cluster, "look")?;
    let session = lab.gate.session("reads")?;
    let comparison = Comparison { direct: lab.cluster, session: &session };
    let different = READS.iter().filter_map(|line| comparison.same_read(line).err());
    let different: Vec<String> = different.map(|error| format!("{error:#}")).collect();
    assert!(different.is_empty(), "{}", different.join("\n\n"));
    Ok(())
}
