//! `init-ollama`: has the server fetch the models that are not there, each once.
//!
//! It ends well whatever comes of it: an agent starts without a model rather than not at all. What
//! could not be fetched it leaves as its last words, and the next pod tries it again.

use k8s_openapi::api::core::v1::Container;

use crate::pod::part::Part;
use crate::pod::sidecar::ollama;
use crate::resolve::{FETCH_SECONDS, Resolved};
use crate::vocab::{names, paths};

pub(in crate::pod) fn part(instance: &Resolved) -> Option<Part> {
    let server = instance.ollama.as_ref().filter(|server| !server.models.is_empty())?;
    let (url, limit) = (ollama::url(), FETCH_SECONDS.to_string());
    let mut arguments: Vec<String> = [
        "pod",
        "pull",
        "--server",
        &url,
        "--timeout-seconds",
        &limit,
        "--termination-log",
        paths::TERMINATION_LOG,
    ]
    .map(str::to_owned)
    .to_vec();
    arguments.extend(server.models.iter().map(|model| format!("--model={model}")));
    let container = Container {
        args: Some(arguments),
        command: Some(vec![super::seed::HELPER_IN_IMAGE.to_owned()]),
        image: Some(instance.helper_image.clone()),
        image_pull_policy: Some("IfNotPresent".to_owned()),
        name: names::INIT_OLLAMA.to_owned(),
        resources: Some(instance.resources.init.clone()),
        security_context: Some(instance.security.helper.clone()),
        ..Default::default()
    };
    Some(Part { container, ..Part::default() })
}
