//! The web terminal: who may use it, and whether it takes input.

use k8s_openapi::api::core::v1::ResourceRequirements;

use super::context::{Reference, Resolving};
use super::{image, resources};
use crate::api::ConditionType::SecretsReady;
use crate::api::{OpenClawInstanceSpec, WebTerminalSpec};
use crate::hash::{self, Hasher};
use crate::object::Kind;
use crate::problem::Severity;
use crate::vocab::{images, names};

const PATH: &str = "spec.webTerminal";

/// The web terminal.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct WebTerminal {
    /// Full reference, registry override applied.
    pub(crate) image: String,
    pub(crate) resources: ResourceRequirements,
    pub(crate) is_read_only: bool,
    /// Secret with the name and the password of who may use it. Without one, nobody comes in from
    /// outside the pod.
    pub(crate) credential: Option<String>,
    /// Hash of these.
    pub(crate) inputs: Option<String>,
}

impl WebTerminal {
    /// Returns whether it is on the Service: only with a credential.
    pub(crate) fn is_open(&self) -> bool {
        self.credential.is_some()
    }
}

/// Returns the terminal, if one is asked for.
pub(super) fn resolve(spec: &OpenClawInstanceSpec, cx: &mut Resolving<'_>) -> Option<WebTerminal> {
    let terminal = spec.web_terminal.as_ref().filter(|each| each.enabled == Some(true))?;
    let asked = terminal.image.clone().unwrap_or_default();
    image::check_digest(&format!("{PATH}.image"), Some(&asked), "terminal", cx);
    let (credential, inputs) = cx.about(SecretsReady, |cx| credential(terminal, cx));
    let default = (images::TERMINAL_REPOSITORY, images::TERMINAL_TAG);
    Some(WebTerminal {
        image: image::helper(&format!("{PATH}.image"), Some(&asked), default, spec, cx),
        resources: resources::requirements(
            &format!("{PATH}.resources"),
            terminal.resources.as_ref(),
            &resources::TERMINAL,
            cx,
        ),
        is_read_only: terminal.read_only == Some(true),
        credential,
        inputs,
    })
}

/// Looks at the Secret. What it lacks keeps the terminal, and with it the pod, from being ready.
fn credential(
    terminal: &WebTerminalSpec,
    cx: &mut Resolving<'_>,
) -> (Option<String>, Option<String>) {
    let path = "spec.webTerminal.credential.secretRef";
    let reference = terminal.credential.as_ref().map(|credential| &credential.secret_ref.name);
    let Some(name) = reference else {
        cx.ineffective(
            "spec.webTerminal.credential",
            "is not set, so the terminal listens for the pod alone: name a Secret, or reach it by \
             `kubectl port-forward`",
        );
        return (None, None);
    };
    if name.is_empty() {
        cx.error(format!("{path}.name"), "is empty: name the Secret or remove `credential`");
        return (None, None);
    }
    let reference = Reference {
        path,
        name,
        missing: Some(Severity::WillNotStart),
        unseen: "changes of it are not part of this rendering",
    };
    let seen = cx.secret(reference);
    let mut hasher = Hasher::default();
    let mut is_complete = seen.is_some();
    for key in [names::TERMINAL_USER_KEY, names::TERMINAL_PASSWORD_KEY] {
        match seen.map(|seen| seen.get(key)) {
            Some(Some(value)) if *value == hash::of("") => {
                is_complete = false;
                cx.missing_key(
                    path,
                    Severity::WillNotStart,
                    format!("key {key:?} of Secret {name:?} is empty"),
                );
            }
            Some(Some(value)) => hasher.field(&["webTerminal", name, key, value]),
            Some(None) => {
                is_complete = false;
                cx.lacks_key(Kind::Secret, reference, key);
            }
            None => {}
        }
    }
    (Some(name.clone()), is_complete.then(|| hasher.finish()))
}
