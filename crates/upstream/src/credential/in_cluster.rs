//! The service account of the pod that the gate runs in, where Kubernetes puts it.

use std::{fs, path::Path};

use http::Uri;
use kube::Config;
use rustls::pki_types::{CertificateDer, pem::PemObject};

/// Where the kubelet mounts a service account (`plugin/pkg/admission/serviceaccount`, `DefaultAPITokenMountPath`).
pub(super) const FOLDER: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
const HOST: &str = "KUBERNETES_SERVICE_HOST";
const PORT: &str = "KUBERNETES_SERVICE_PORT";

/// The address from the environment, trust and token from the folder.
pub(super) fn config(folder: &Path, environment: impl Fn(&str) -> Option<String>) -> Result<Config, String> {
    let variable = |name| {
        environment(name).filter(|value: &String| !value.is_empty()).ok_or_else(|| {
            format!(
                "`{name}` is not set; `in_cluster` is for a gate in a pod, so name a `kubeconfig` elsewhere"
            )
        })
    };
    let (host, port) = (variable(HOST)?, variable(PORT)?);
    let address = if host.contains(':') { format!("[{host}]") } else { host };
    let url = format!("https://{address}:{port}");
    let url: Uri = url.parse().map_err(|error| format!("`{HOST}` and `{PORT}` make no address: {error}"))?;
    let authority = folder.join("ca.crt");
    let pem = fs::read(&authority).map_err(|error| {
        format!("`{}` cannot be read: {error}; let the pod mount its service account", authority.display())
    })?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let certificates =
        certificates.map_err(|_cut| format!("`{}` is no PEM of certificates", authority.display()))?;
    let mut config = Config::new(url);
    config.root_cert = Some(certificates.iter().map(|certificate| certificate.to_vec()).collect());
    // kube-client reads it again while the gate runs: authorities are renewed too.
    config.root_cert_file = Some(authority);
    config.auth_info.token_file = Some(folder.join("token").to_string_lossy().into_owned());
    Ok(config)
}
