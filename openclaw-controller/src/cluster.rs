//! Calls to the API server, each with a deadline. Objects go as plain JSON: what is stored is what
//! is compared. What comes back is read within limits.

use std::time::Duration;

use kube::api::{DeleteParams, GetParams, Patch, PatchParams, PostParams, Preconditions};
use kube::core::Request;
use openclaw_render::vocab::{API_VERSION, FIELD_MANAGER, KIND};
use openclaw_render::{Kind, ObjectKey, bounded};
use serde_json::Value;

use crate::answer::{Answer, LONGEST, ReadError, Reader};
use crate::error::CallError;
use crate::instances::InstanceText;

/// Longer than what an API server under load needs; a worker is not held for ever.
const DEADLINE: Duration = Duration::from_secs(20);

/// A type of object, as its URL needs it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Resource {
    pub(crate) api_version: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) plural: &'static str,
}

pub(crate) const INSTANCES: Resource =
    Resource { api_version: API_VERSION, kind: KIND, plural: "openclawinstances" };
pub(crate) const CLUSTER_DEFAULTS: Resource = Resource {
    api_version: API_VERSION,
    kind: "OpenClawClusterDefaults",
    plural: "openclawclusterdefaults",
};
pub(crate) const PODS: Resource = Resource { api_version: "v1", kind: "Pod", plural: "pods" };

impl From<Kind> for Resource {
    fn from(kind: Kind) -> Self {
        Self { api_version: kind.api_version(), kind: kind.as_str(), plural: kind.plural() }
    }
}

impl Resource {
    fn url(self, namespace: &str) -> String {
        self.path(Some(namespace))
    }

    /// Of all objects in a namespace, or everywhere.
    pub(crate) fn path(self, namespace: Option<&str>) -> String {
        let root = if self.api_version.contains('/') { "/apis" } else { "/api" };
        let scope = namespace.map(|each| format!("namespaces/{each}/")).unwrap_or_default();
        format!("{root}/{}/{scope}{}", self.api_version, self.plural)
    }
}

/// The API server.
#[derive(Clone)]
pub(crate) struct Cluster {
    reader: Reader,
}

type Built = Result<http::Request<Vec<u8>>, kube::core::request::Error>;

impl Cluster {
    pub(crate) fn new(reader: Reader) -> Self {
        Self { reader }
    }

    /// An instance, `None` if it is not there.
    pub(crate) async fn instance(
        &self,
        namespace: &str,
        name: &str,
    ) -> Result<Option<InstanceText>, CallError> {
        let call = format!("get {}/{name}", INSTANCES.kind);
        let request = Request::new(INSTANCES.url(namespace)).get(name, &GetParams::default());
        found(self.call_for_instance(call, request).await)
    }

    /// A whole object, `None` if it is not there.
    pub(crate) async fn get(
        &self,
        namespace: &str,
        key: &ObjectKey,
    ) -> Result<Option<Value>, CallError> {
        let url = Resource::from(key.kind).url(namespace);
        let request = Request::new(url).get(&key.name, &GetParams::default());
        found(self.call(format!("get {key}"), request).await)
    }

    /// An object's metadata, `None` if it is not there.
    pub(crate) async fn get_metadata(
        &self,
        namespace: &str,
        key: &ObjectKey,
    ) -> Result<Option<Value>, CallError> {
        let url = Resource::from(key.kind).url(namespace);
        let request = Request::new(url).get_metadata(&key.name, &GetParams::default());
        found(self.call(format!("get metadata of {key}"), request).await)
    }

    /// Server-side apply; the stored object.
    pub(crate) async fn apply(
        &self,
        namespace: &str,
        key: &ObjectKey,
        object: &Value,
    ) -> Result<Value, CallError> {
        let url = Resource::from(key.kind).url(namespace);
        let parameters = PatchParams::apply(FIELD_MANAGER).force().validation_strict();
        let request = Request::new(url).patch(&key.name, &parameters, &Patch::Apply(object));
        self.call(format!("apply {key}"), request).await
    }

    /// The stored object.
    pub(crate) async fn create(
        &self,
        namespace: &str,
        key: &ObjectKey,
        object: &Value,
    ) -> Result<Value, CallError> {
        let call = format!("create {key}");
        let url = Resource::from(key.kind).url(namespace);
        let parameters =
            PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() };
        let body = serde_json::to_vec(object)
            .map_err(|source| CallError::Decode { call: call.clone(), source })?;
        self.call(call, Request::new(url).create(&parameters, body)).await
    }

    /// JSON patch (RFC 6902); the stored object.
    pub(crate) async fn json_patch(
        &self,
        namespace: &str,
        resource: Resource,
        name: &str,
        patch: &Value,
    ) -> Result<Value, CallError> {
        let call = format!("patch {}/{name}", resource.kind);
        let patch = rfc6902(&call, patch)?;
        let request = Request::new(resource.url(namespace)).patch(name, &writer(), &patch);
        self.call(call, request).await
    }

    /// JSON patch of an instance; what is stored.
    pub(crate) async fn patch_instance(
        &self,
        namespace: &str,
        name: &str,
        patch: &Value,
    ) -> Result<InstanceText, CallError> {
        let call = format!("patch {}/{name}", INSTANCES.kind);
        let patch = rfc6902(&call, patch)?;
        let request = Request::new(INSTANCES.url(namespace)).patch(name, &writer(), &patch);
        self.call_for_instance(call, request).await
    }

    /// JSON patch of an instance's status; what is stored.
    pub(crate) async fn patch_status(
        &self,
        namespace: &str,
        name: &str,
        patch: &Value,
    ) -> Result<InstanceText, CallError> {
        let call = format!("patch status of {}/{name}", INSTANCES.kind);
        let patch = rfc6902(&call, patch)?;
        let request = Request::new(INSTANCES.url(namespace)).patch_subresource(
            "status",
            name,
            &writer(),
            &patch,
        );
        self.call_for_instance(call, request).await
    }

    /// JSON merge patch (RFC 7386) of a pod; the stored object.
    pub(crate) async fn merge_pod(
        &self,
        namespace: &str,
        name: &str,
        patch: &Value,
    ) -> Result<Value, CallError> {
        let request =
            Request::new(PODS.url(namespace)).patch(name, &writer(), &Patch::Merge(patch));
        self.call(format!("patch Pod/{name}"), request).await
    }

    /// Deletes the object of that uid, and no later one of the same name.
    pub(crate) async fn delete(
        &self,
        namespace: &str,
        key: &ObjectKey,
        uid: &str,
    ) -> Result<(), CallError> {
        let url = Resource::from(key.kind).url(namespace);
        let parameters = DeleteParams::background()
            .preconditions(Preconditions { uid: Some(uid.to_owned()), resource_version: None });
        let request = Request::new(url).delete(&key.name, &parameters);
        self.ask(&format!("delete {key}"), request).await.map(drop)
    }

    async fn call(&self, call: String, request: Built) -> Result<Value, CallError> {
        let answer = self.ask(&call, request).await?;
        bounded::parse(&answer.text)
            .map_err(|problem| CallError::Unreadable { call, why: problem.to_string() })
    }

    async fn call_for_instance(
        &self,
        call: String,
        request: Built,
    ) -> Result<InstanceText, CallError> {
        let answer = self.ask(&call, request).await?;
        InstanceText::new(&answer.text).ok_or_else(|| CallError::Unreadable {
            call,
            why: "the answer is no instance".to_owned(),
        })
    }

    async fn ask(&self, call: &str, request: Built) -> Result<Answer, CallError> {
        let call = call.to_owned();
        let request = match request {
            Ok(request) => request,
            Err(source) => return Err(CallError::Request { call, source: Box::new(source) }),
        };
        match tokio::time::timeout(DEADLINE, self.reader.read(request, LONGEST)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(ReadError::Ask(source))) => Err(CallError::Call { call, source }),
            Ok(Err(ReadError::Broken(source))) => Err(CallError::Broken { call, source }),
            Ok(Err(error @ (ReadError::TooLong(_) | ReadError::NotText))) => {
                Err(CallError::Unreadable { call, why: error.to_string() })
            }
            Err(_) => Err(CallError::TimedOut { call, deadline: DEADLINE }),
        }
    }
}

/// What is not there is an answer, too.
fn found<T>(answer: Result<T, CallError>) -> Result<Option<T>, CallError> {
    match answer {
        Ok(object) => Ok(Some(object)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

fn rfc6902(call: &str, patch: &Value) -> Result<Patch<()>, CallError> {
    let patch = serde_json::from_value(patch.clone())
        .map_err(|source| CallError::Decode { call: call.to_owned(), source })?;
    Ok(Patch::Json(patch))
}

fn writer() -> PatchParams {
    PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() }
}
