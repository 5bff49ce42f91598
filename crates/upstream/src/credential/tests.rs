use super::*;
use testkit::stand_in::{Reply, StandIn};

#[tokio::test]
async fn in_a_pod_address_trust_and_token_are_where_kubernetes_puts_them() {
    let server = StandIn::start(|_request| Reply::hang_up()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    server.service_account(folder.path(), "of-the-pod\n").unwrap();
    let port = server.server().rsplit(':').next().unwrap().to_owned();
    let environment = |name: &str| {
        let host = (name == "KUBERNETES_SERVICE_HOST").then(|| "127.0.0.1".to_owned());
        host.or_else(|| (name == "KUBERNETES_SERVICE_PORT").then(|| port.clone()))
    };
    let config = in_cluster::config(folder.path(), environment).unwrap();
    let access = access(config, Duration::from_secs(60)).await.unwrap();
    assert_eq!(access.credential.authorization().await.unwrap().unwrap(), "Bearer of-the-pod");
    let connector =
        crate::connector::Connector::new(&access.url, None, access.tls, Duration::from_secs(60)).unwrap();
    connector.connect().await.unwrap();
}

#[tokio::test]
async fn elsewhere_what_is_missing_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let within = |set: &'static [(&str, &str)]| {
        let environment =
            move |name: &str| set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        let problem = in_cluster::config(folder.path(), environment).map(drop).unwrap_err();
        problem.replace(&*folder.path().to_string_lossy(), "FOLDER")
    };
    const HOST: (&str, &str) = ("KUBERNETES_SERVICE_HOST", "fd00::1");
    let mut told = vec![within(&[]), within(&[HOST])];
    told.push(within(&[HOST, ("KUBERNETES_SERVICE_PORT", "443")]));
    std::fs::write(folder.path().join("ca.crt"), "-----BEGIN CERTIFICATE-----\n?").unwrap();
    told.push(within(&[HOST, ("KUBERNETES_SERVICE_PORT", "443")]));
    insta::assert_snapshot!(told.join("\n"));
}

#[tokio::test(start_paused = true)]
async fn a_token_file_is_read_again_and_its_last_token_used_on() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    let write = |token: &str| std::fs::write(&file, token).unwrap();
    write("first\n");
    let tokens = TokenFile::open(file.clone()).unwrap();
    write("second\n");
    assert_eq!(tokens.authorization(), "Bearer first");
    tokio::time::advance(Duration::from_secs(60)).await;
    assert_eq!(tokens.authorization(), "Bearer second");
    std::fs::remove_file(&file).unwrap();
    tokio::time::advance(Duration::from_secs(60)).await;
    assert_eq!(tokens.authorization(), "Bearer second");
    write("third");
    tokio::time::advance(Duration::from_secs(60)).await;
    assert_eq!(tokens.authorization(), "Bearer third");
}
