//! The session's kubeconfig: where the gate is, whom to trust there, and the token.

use std::{
    env, fmt, fs, io,
    path::{Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::{Certificate, Url, header::HeaderValue};
use serde::{Deserialize, de::DeserializeOwned};
use visible::visible;

/// Kubeconfigs have a few KiB; those of hundreds of clusters have a few hundred.
const MOST: u64 = 4 << 20;

/// Which file a kubeconfig is.
#[derive(Debug, Clone)]
pub struct Kubeconfig(PathBuf);

/// What the current context of a kubeconfig says.
#[derive(Debug)]
pub struct Endpoint {
    pub(crate) server: Url,
    pub(crate) authorities: Option<Vec<Certificate>>,
    pub(crate) token: Token,
    pub(crate) namespace: Option<String>,
}

/// A session's token. `Debug` does not show it.
pub struct Token(pub(crate) HeaderValue);

/// Why a kubeconfig leads to no gate.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages tell what each field is")]
pub enum Problem {
    /// There is none.
    #[error(
        "there is no kubeconfig; set KUBECONFIG or `--kubeconfig` to the one that `portcullis session open` wrote"
    )]
    Which,
    /// A file cannot be read.
    #[error("{part} cannot be read from `{}`: {error}", file.display())]
    File { part: &'static str, file: PathBuf, error: io::Error },
    /// A file is no kubeconfig.
    #[error("`{}` is no kubeconfig: {why}", file.display())]
    Malformed { file: PathBuf, why: String },
    /// Something in it is missing or of no use.
    #[error("`{}`: {part} {why}; use the kubeconfig that `portcullis session open` wrote", file.display())]
    Part { file: PathBuf, part: String, why: &'static str },
}

impl Endpoint {
    /// A gate at `server`, trusted by these authorities (PEM; `None`: the system's), with a session's token.
    ///
    /// # Errors
    /// What of it is of no use.
    pub fn of(server: &str, authorities: Option<&str>, token: &str) -> Result<Self, &'static str> {
        let server = Url::parse(server).map_err(|_| "the gate's address is no URL")?;
        let found = authorities.map(|pem| Certificate::from_pem_bundle(pem.as_bytes()).unwrap_or_default());
        if found.as_ref().is_some_and(Vec::is_empty) {
            return Err("the gate's certificate authority holds no certificate");
        }
        let token = Token::of(token).ok_or("the session's token is none")?;
        Ok(Self { server, authorities: found, token, namespace: None })
    }
}

impl Token {
    fn of(token: &str) -> Option<Self> {
        let mut header = HeaderValue::from_str(&format!("Bearer {token}")).ok()?;
        header.set_sensitive(true);
        Some(Self(header))
    }
}

impl Kubeconfig {
    /// The one that is named, else the first of `KUBECONFIG`, else `~/.kube/config`.
    ///
    /// # Errors
    /// There is none of them.
    pub fn find(named: Option<&Path>) -> Result<Self, Problem> {
        if let Some(file) = named {
            return Ok(Self(file.to_owned()));
        }
        let listed = env::var_os("KUBECONFIG").unwrap_or_default();
        let first = env::split_paths(&listed).find(|file| !file.as_os_str().is_empty());
        let usual = || env::home_dir().map(|home| home.join(".kube/config")).filter(|file| file.exists());
        first.or_else(usual).map(Self).ok_or(Problem::Which)
    }

    /// What its current context says.
    ///
    /// # Errors
    /// It cannot be read, or names no `https` server with a token.
    pub fn load(&self) -> Result<Endpoint, Problem> {
        let text = self.read("the kubeconfig", &self.0)?;
        let text = String::from_utf8(text).map_err(|_| self.malformed("it is not UTF-8"))?;
        let config: File = serde_saphyr::from_str_with_options(&text, options())
            // The parser's own words could quote what stands there.
            .map_err(|error| self.malformed(&located(&error)))?;
        let current = config.current_context.as_deref().filter(|name| !name.is_empty());
        let current = current.ok_or_else(|| self.part("`current-context`", "is missing"))?;
        let context = self.named("context", config.contexts, current)?;
        let cluster = self.named("cluster", config.clusters, &context.cluster)?;
        let user = self.named("user", config.users, &context.user)?;
        Ok(Endpoint {
            server: self.server(&cluster)?,
            authorities: self.authorities(&cluster)?,
            token: self.token(&user)?,
            namespace: context.namespace.filter(|namespace| !namespace.is_empty()),
        })
    }

    fn named<T>(&self, what: &str, all: Vec<Entry<T>>, name: &str) -> Result<T, Problem> {
        let found = all.into_iter().find(|entry| entry.name == name);
        let missing = || self.part(&format!("{what} `{}`", visible(name)), "is missing");
        found.map(|entry| entry.held).ok_or_else(missing)
    }

    fn server(&self, cluster: &Cluster) -> Result<Url, Problem> {
        let wrong = |why| self.part("`server`", why);
        if cluster.insecure_skip_tls_verify {
            return Err(
                self.part("`insecure-skip-tls-verify`", "is set, and would show the token to anybody")
            );
        }
        for (given, part) in
            [(&cluster.proxy_url, "`proxy-url`"), (&cluster.tls_server_name, "`tls-server-name`")]
        {
            if given.is_some() {
                return Err(self.part(part, "is set, which no gate needs"));
            }
        }
        let url = Url::parse(&cluster.server).map_err(|_| wrong("is no URL"))?;
        if url.scheme() != "https" {
            return Err(wrong("is no `https` address"));
        }
        let plain = url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        if plain { Ok(url) } else { Err(wrong("is more than an address")) }
    }

    fn authorities(&self, cluster: &Cluster) -> Result<Option<Vec<Certificate>>, Problem> {
        let part = "the certificate authority";
        let pem = match (&cluster.certificate_authority_data, &cluster.certificate_authority) {
            (Some(data), _) => STANDARD.decode(data).map_err(|_| self.part(part, "is no base64"))?,
            (None, Some(file)) => self.read(part, &self.beside(file))?,
            (None, None) => return Ok(None),
        };
        let found = Certificate::from_pem_bundle(&pem).unwrap_or_default();
        if found.is_empty() { Err(self.part(part, "holds no certificate")) } else { Ok(Some(found)) }
    }

    fn token(&self, user: &User) -> Result<Token, Problem> {
        let token = user.token.as_deref().map(str::trim).filter(|token| !token.is_empty());
        let token = token.ok_or_else(|| self.part("`token`", "of the context's user is missing"))?;
        Token::of(token).ok_or_else(|| self.part("`token`", "of the context's user is none"))
    }

    /// Relative paths are relative to the kubeconfig.
    fn beside(&self, file: &Path) -> PathBuf {
        self.0.parent().map_or_else(|| file.to_owned(), |folder| folder.join(file))
    }

    fn read(&self, part: &'static str, file: &Path) -> Result<Vec<u8>, Problem> {
        let failed = |error| Problem::File { part, file: file.to_owned(), error };
        bounded(fs::File::open(file).map_err(failed)?, MOST).map_err(failed)
    }

    fn malformed(&self, why: &str) -> Problem {
        Problem::Malformed { file: self.0.clone(), why: why.to_owned() }
    }

    fn part(&self, part: &str, why: &'static str) -> Problem {
        Problem::Part { file: self.0.clone(), part: part.to_owned(), why }
    }
}

/// All of it, unless it is more than `most` bytes.
pub(crate) fn bounded(from: impl io::Read, most: u64) -> io::Result<Vec<u8>> {
    let mut read = Vec::new();
    io::Read::read_to_end(&mut io::Read::take(from, most.saturating_add(1)), &mut read)?;
    if read.len() as u64 > most {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it is larger than {most} bytes")));
    }
    Ok(read)
}

fn options() -> serde_saphyr::Options {
    serde_saphyr::options! { with_snippet: false }
}

fn located(error: &serde_saphyr::Error) -> String {
    error.location().map_or_else(
        || "it is no YAML of that form".to_owned(),
        |at| format!("it is no YAML of that form at line {}, column {}", at.line(), at.column()),
    )
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

/// `Config` of k8s.io/client-go/tools/clientcmd/api/v1, as far as it is of use.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct File {
    current_context: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    contexts: Vec<Entry<Context>>,
    #[serde(default, deserialize_with = "nullable")]
    clusters: Vec<Entry<Cluster>>,
    #[serde(default, deserialize_with = "nullable")]
    users: Vec<Entry<User>>,
}

/// What stands under a name in a list.
#[derive(Deserialize)]
struct Entry<T> {
    name: String,
    #[serde(alias = "cluster", alias = "context", alias = "user")]
    held: T,
}

#[derive(Deserialize)]
struct Context {
    cluster: String,
    user: String,
    namespace: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Cluster {
    server: String,
    certificate_authority: Option<PathBuf>,
    certificate_authority_data: Option<String>,
    #[serde(default)]
    insecure_skip_tls_verify: bool,
    proxy_url: Option<String>,
    tls_server_name: Option<String>,
}

#[derive(Deserialize)]
struct User {
    token: Option<String>,
}

fn nullable<'de, D: serde::Deserializer<'de>, T: DeserializeOwned>(from: D) -> Result<Vec<T>, D::Error> {
    Ok(Option::<Vec<T>>::deserialize(from)?.unwrap_or_default())
}

#[cfg(test)]
mod tests;
