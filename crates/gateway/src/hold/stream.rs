//! Asking humans about exec and attach: bound to the container as it runs, and held against it once more when it is open.

use approval::{Container, Runs, Shown};
use http::StatusCode;
use kube_api::{Request, Status};
use ledger::leaf::Cause;
use mask::Live;
use policy::Ask;
use serde_json::Value;

use super::{MOST_SHOWN, Prepared, Wanted};
use crate::{
    call::Call,
    look::Stop,
    refuse::{Refused, Unseen},
};

/// Where a pod tells of its containers (`PodStatus` in k8s.io/api/core/v1).
const STATUSES: [&str; 3] =
    ["/status/containerStatuses", "/status/initContainerStatuses", "/status/ephemeralContainerStatuses"];

impl Call {
    /// Looks at the pod, and binds what is asked to the container that it would reach.
    pub(super) async fn prepare_stream(&self, key: String, ask: Ask) -> Result<Prepared, Stop> {
        let container = self.look_at_container(ask.request()).await?;
        let runs = self.runs(ask.request(), &container).ok_or_else(|| Stop::unseen(Refused::Internal))?;
        let shown = Shown { runs: Some(runs), ..self.shown(&ask, None, None) };
        if shown.size() > MOST_SHOWN {
            let how = "its command is too long to be shown to humans";
            return Err(Stop::asked(&ask, ask.ended(how, None, false)));
        }
        self.bind_to(container.clone());
        let (target, result, change, wanted) = (None, None, None, Wanted::Nothing);
        Ok(Prepared { ask, key, target, container: Some(container), result, change, shown, wanted })
    }

    /// Whether the container that a stream has reached is the one that humans said yes to.
    pub(crate) async fn is_as_approved(&self, request: &Request) -> Result<bool, Stop> {
        let Some(approved) = self.bound_container() else { return Ok(true) };
        Ok(self.look_at_container(request).await? == approved)
    }

    async fn look_at_container(&self, request: &Request) -> Result<Container, Stop> {
        let live = self.look(request).await?;
        let Some((pod, _version)) = live.uid_and_version() else {
            return Err(Stop::unseen(Refused::Unseen(Unseen::Answered(StatusCode::NOT_FOUND))));
        };
        let name = request.options().get("container");
        found(&live, name).map(|(name, image)| Container { image, name, pod: pod.to_owned() }).ok_or_else(|| {
            let words = "portcullis: humans are asked about a container that runs: name it with `--container`, and see that it has \
                         started";
            let status = Status::failure(StatusCode::BAD_REQUEST, "BadRequest", words);
            Stop::Refused { refused: Refused::Unparsed(Box::new(status)), cause: Cause::Malformed, decision: None }
        })
    }

    fn runs(&self, request: &Request, container: &Container) -> Option<Runs> {
        let (options, known) = (request.options(), self.known());
        let masked = |text: &str| upstream::text::<MOST_SHOWN>(text, &known).to_string();
        // Each word by itself: quotes would hide a value in it.
        let words: Vec<String> = options.all("command").map(masked).collect();
        let command = shlex::try_join(words.iter().map(String::as_str)).ok()?;
        // What is cut would not be seen.
        let whole = command.len() <= MOST_SHOWN / 2;
        whole.then(|| Runs {
            command,
            container: masked(&container.name),
            image: masked(&container.image),
            stdin: options.is_set("stdin"),
            terminal: options.is_set("tty"),
        })
    }
}

/// The container of this name, or the only one, and the image that it runs.
fn found(live: &Live, name: Option<&str>) -> Option<(String, String)> {
    live.ask(|pod| {
        let of = |path: &str| pod.pointer(path).and_then(Value::as_array).cloned().unwrap_or_default();
        let text = |status: &Value, key: &str| status.get(key)?.as_str().map(str::to_owned);
        let status = match name {
            Some(name) => STATUSES.into_iter().flat_map(of).find(|status| status["name"] == name)?,
            None => match of(STATUSES[0]).as_slice() {
                [only] => only.clone(),
                _ => return None,
            },
        };
        Some((text(&status, "name")?, text(&status, "imageID").filter(|image| !image.is_empty())?))
    })
}
