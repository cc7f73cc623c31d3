//! Calls to the API server, each with a deadline. Objects go as plain JSON: what is stored is what
//! is compared. What comes back is read within limits.

use std::fmt;
use std::time::Duration;

use kube::api::{DeleteParams, GetParams, Patch, PatchParams, PostParams, Preconditions};
use kube::core::Request;
use openclaw_render::vocab::{
    AGENT_API_VERSION, AGENT_KIND, API_VERSION, DEPLOYMENT, FIELD_MANAGER, KIND,
};
use openclaw_render::{Kind, ObjectKey, bounded};
use serde_json::Value;

use crate::answer::{Answer, LONGEST, ReadError, Reader};
use crate::error::CallError;
use crate::instance_text::{Instance, InstanceText};
use crate::live::InstanceKey;

/// Longer than what an API server under load needs; a worker is not held for ever.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// A type of object, as its URL needs it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Resource {
    pub(crate) api_version: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) plural: &'static str,
}

pub(crate) const INSTANCES: Resource =
    Resource { api_version: API_VERSION, kind: KIND, plural: "openclawinstances" };
pub(crate) const AGENTS: Resource =
    Resource { api_version: AGENT_API_VERSION, kind: AGENT_KIND, plural: "agentinstances" };
pub(crate) const REQUESTS: Resource = Resource {
    api_version: API_VERSION,
    kind: "OpenClawSelfConfig",
    plural: "openclawselfconfigs",
};
pub(crate) const CLUSTER_DEFAULTS: Resource = Resource {
    api_version: API_VERSION,
    kind: "OpenClawClusterDefaults",
    plural: "openclawclusterdefaults",
};
pub(crate) const PODS: Resource = Resource { api_version: "v1", kind: "Pod", plural: "pods" };
pub(crate) const DEPLOYMENTS: Resource =
    Resource { api_version: "apps/v1", kind: DEPLOYMENT, plural: "deployments" };
pub(crate) const JOBS: Resource = Resource { api_version: "batch/v1", kind: "Job", plural: "jobs" };

impl From<Kind> for Resource {
    fn from(kind: Kind) -> Self {
        Self { api_version: kind.api_version(), kind: kind.as_str(), plural: kind.plural() }
    }
}

impl Resource {
    /// Of all objects in a namespace, or everywhere.
    pub(crate) fn path(self, namespace: Option<&str>) -> String {
        let root = if self.api_version.contains('/') { "/apis" } else { "/api" };
        let scope = namespace.map(|each| format!("namespaces/{each}/")).unwrap_or_default();
        format!("{root}/{}/{scope}{}", self.api_version, self.plural)
    }
}

/// Where an object is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) resource: Resource,
    pub(crate) namespace: &'a str,
    pub(crate) name: &'a str,
}

impl<'a> Place<'a> {
    /// Of the object that has the key's namespace and name.
    pub(crate) fn of(resource: Resource, key: &'a InstanceKey) -> Self {
        Self { resource, namespace: &key.namespace, name: &key.name }
    }

    fn requests(self) -> Request {
        Request::new(self.resource.path(Some(self.namespace)))
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.resource.kind, self.name)
    }
}

/// An object as it is stored, unread.
pub(crate) struct Stored {
    call: String,
    answer: Answer,
}

impl Stored {
    pub(crate) fn value(&self) -> Result<Value, CallError> {
        bounded::parse(&self.answer.text).map_err(|problem| CallError::Unreadable {
            call: self.call.clone(),
            why: problem.to_string(),
        })
    }

    /// All of it within limits, or what can be used of it.
    pub(crate) fn whole(&self) -> Instance {
        match bounded::parse(&self.answer.text) {
            Ok(live) => Instance { live, problem: None },
            Err(problem) => {
                Instance { live: bounded::remains(&self.answer.text), problem: Some(problem) }
            }
        }
    }

    pub(crate) fn text(&self) -> &str {
        &self.answer.text
    }

    pub(crate) fn instance(&self) -> Result<InstanceText, CallError> {
        InstanceText::new(&self.answer.text).ok_or_else(|| CallError::Unreadable {
            call: self.call.clone(),
            why: "the answer is no instance".to_owned(),
        })
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

    /// An instance, or an agent that stands for one; `None` if it is not there.
    pub(crate) async fn text(&self, place: Place<'_>) -> Result<Option<InstanceText>, CallError> {
        let request = place.requests().get(place.name, &GetParams::default());
        found(self.call(format!("get {place}"), request).await)?
            .map(|stored| stored.instance())
            .transpose()
    }

    /// An object with its managed fields, whatever its type; `None` if it is not there.
    pub(crate) async fn whole(&self, place: Place<'_>) -> Result<Option<Instance>, CallError> {
        let request = place.requests().get(place.name, &GetParams::default());
        let found = found(self.call(format!("get {place}"), request).await)?;
        Ok(found.map(|stored| stored.whole()))
    }

    /// A whole object, `None` if it is not there.
    pub(crate) async fn get(
        &self,
        namespace: &str,
        key: &ObjectKey,
    ) -> Result<Option<Value>, CallError> {
        let place = Place { resource: key.kind.into(), namespace, name: &key.name };
        let request = place.requests().get(place.name, &GetParams::default());
        found(self.call(format!("get {place}"), request).await)?
            .map(|stored| stored.value())
            .transpose()
    }

    /// An object's metadata, `None` if it is not there.
    pub(crate) async fn get_metadata(&self, place: Place<'_>) -> Result<Option<Value>, CallError> {
        let request = place.requests().get_metadata(place.name, &GetParams::default());
        found(self.call(format!("get metadata of {place}"), request).await)?
            .map(|stored| stored.value())
            .transpose()
    }

    /// A namespace's metadata, `None` if it is not there.
    pub(crate) async fn get_namespace(&self, name: &str) -> Result<Option<Value>, CallError> {
        let request = Request::new("/api/v1/namespaces").get_metadata(name, &GetParams::default());
        found(self.call(format!("get metadata of Namespace/{name}"), request).await)?
            .map(|stored| stored.value())
            .transpose()
    }

    /// Server-side apply.
    pub(crate) async fn apply(
        &self,
        place: Place<'_>,
        object: &Value,
    ) -> Result<Stored, CallError> {
        self.send(place, object, &PatchParams::apply(FIELD_MANAGER).force()).await
    }

    /// Server-side apply under another manager, which leaves to others what they have.
    pub(crate) async fn apply_as(
        &self,
        place: Place<'_>,
        object: &Value,
        manager: &str,
    ) -> Result<Stored, CallError> {
        self.send(place, object, &PatchParams::apply(manager)).await
    }

    async fn send(
        &self,
        place: Place<'_>,
        object: &Value,
        parameters: &PatchParams,
    ) -> Result<Stored, CallError> {
        let parameters = parameters.clone().validation_strict();
        let patch = Patch::Apply(object);
        let request = place.requests().patch(place.name, &parameters, &patch);
        self.call(format!("apply {place}"), request).await
    }

    pub(crate) async fn create(
        &self,
        place: Place<'_>,
        object: &Value,
    ) -> Result<Stored, CallError> {
        self.post(place, object, false).await
    }

    /// What would become of a create; nothing is stored.
    pub(crate) async fn try_to_create(
        &self,
        place: Place<'_>,
        object: &Value,
    ) -> Result<Stored, CallError> {
        self.post(place, object, true).await
    }

    async fn post(
        &self,
        place: Place<'_>,
        object: &Value,
        dry_run: bool,
    ) -> Result<Stored, CallError> {
        let call = format!("create {place}");
        let field_manager = Some(FIELD_MANAGER.to_owned());
        let parameters = PostParams { field_manager, dry_run };
        let body = serde_json::to_vec(object)
            .map_err(|source| CallError::Encode { call: call.clone(), source })?;
        self.call(call, place.requests().create(&parameters, body)).await
    }

    /// JSON patch (RFC 6902).
    pub(crate) async fn json_patch(
        &self,
        place: Place<'_>,
        patch: &Value,
    ) -> Result<Stored, CallError> {
        let call = format!("patch {place}");
        let patch = rfc6902(&call, patch)?;
        let request = place.requests().patch(place.name, &writer(), &patch);
        self.call(call, request).await
    }

    /// JSON merge patch (RFC 7386).
    pub(crate) async fn merge_patch(
        &self,
        place: Place<'_>,
        patch: &Value,
    ) -> Result<Stored, CallError> {
        let request = place.requests().patch(place.name, &writer(), &Patch::Merge(patch));
        self.call(format!("patch {place}"), request).await
    }

    /// JSON patch of an object's status; the object as it is stored.
    pub(crate) async fn patch_status(
        &self,
        place: Place<'_>,
        patch: &Value,
    ) -> Result<Stored, CallError> {
        let call = format!("patch status of {place}");
        let patch = rfc6902(&call, patch)?;
        let request = place.requests().patch_subresource("status", place.name, &writer(), &patch);
        self.call(call, request).await
    }

    /// Deletes the object of that uid, and no later one of the same name.
    pub(crate) async fn delete(&self, place: Place<'_>, uid: &str) -> Result<(), CallError> {
        self.delete_as(DeleteParams::background(), place, uid).await
    }

    /// The same, and it is there until all that it owns is gone.
    pub(crate) async fn delete_with_dependents(
        &self,
        place: Place<'_>,
        uid: &str,
    ) -> Result<(), CallError> {
        self.delete_as(DeleteParams::foreground(), place, uid).await
    }

    async fn delete_as(
        &self,
        parameters: DeleteParams,
        place: Place<'_>,
        uid: &str,
    ) -> Result<(), CallError> {
        let parameters = parameters
            .preconditions(Preconditions { uid: Some(uid.to_owned()), resource_version: None });
        let request = place.requests().delete(place.name, &parameters);
        self.call(format!("delete {place}"), request).await.map(drop)
    }

    async fn call(&self, call: String, request: Built) -> Result<Stored, CallError> {
        let request = match request {
            Ok(request) => request,
            Err(source) => return Err(CallError::Request { call, source: Box::new(source) }),
        };
        match tokio::time::timeout(DEADLINE, self.reader.read(request, LONGEST)).await {
            Ok(Ok(answer)) => Ok(Stored { call, answer }),
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
        .map_err(|source| CallError::Encode { call: call.to_owned(), source })?;
    Ok(Patch::Json(patch))
}

fn writer() -> PatchParams {
    PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::{Arc, Mutex};

    use http_body_util::BodyExt;
    use kube::Client;
    use kube::client::Body;
    use serde_json::json;

    use super::*;

    /// Requests as `METHOD path content-type body`.
    type Seen = Arc<Mutex<Vec<String>>>;

    fn cluster() -> (Cluster, Seen) {
        let seen = Seen::default();
        let log = Arc::clone(&seen);
        let service = tower::service_fn(move |request: http::Request<Body>| {
            let log = Arc::clone(&log);
            async move {
                let (head, body) = request.into_parts();
                let kind = head.headers.get("content-type").and_then(|it| it.to_str().ok());
                let kind = kind.unwrap_or("-").to_owned();
                let body = body.collect().await.expect("a body").to_bytes();
                let body = String::from_utf8(body.to_vec()).expect("text");
                let line = format!("{} {} {kind} {body}", head.method, head.uri);
                log.lock().expect("nobody panics").push(line);
                let stored =
                    br#"{"metadata":{"name":"ada","namespace":"sea","resourceVersion":"7"}}"#;
                Ok::<_, Infallible>(http::Response::new(Body::from(stored.to_vec())))
            }
        });
        (Cluster::new(Reader::new(Client::new(service, "default"))), seen)
    }

    #[tokio::test]
    async fn every_verb_is_the_request_that_the_api_server_knows() {
        let (cluster, seen) = cluster();
        let service: Resource = Kind::Service.into();
        let place = Place { resource: service, namespace: "sea", name: "ada" };
        let set = Place { resource: Kind::StatefulSet.into(), ..place };
        let instance = Place { resource: INSTANCES, ..place };
        let test = json!([{"op": "test", "path": "/metadata/name", "value": "ada"}]);
        let stored = cluster.apply(set, &json!({"kind": "StatefulSet"})).await.expect("stored");
        assert_eq!(stored.value().expect("JSON")["metadata"]["resourceVersion"], "7");
        cluster.create(place, &json!({"kind": "Service"})).await.expect("stored");
        let stored = cluster.json_patch(instance, &test).await.expect("stored");
        assert_eq!(stored.instance().expect("an instance").key.name, "ada");
        let pod = Place { resource: PODS, name: "ada-0", ..place };
        cluster.merge_patch(pod, &json!({"metadata": {}})).await.expect("stored");
        cluster.patch_status(instance, &test).await.expect("stored");
        cluster.delete(place, "uid-1").await.expect("deleted");
        let test = r#"[{"op":"test","path":"/metadata/name","value":"ada"}]"#;
        let instances = "/apis/openclaw.rocks/v1alpha1/namespaces/sea/openclawinstances";
        let expected = [
            "PATCH /apis/apps/v1/namespaces/sea/statefulsets/ada?&force=true\
             &fieldManager=openclaw-operator&fieldValidation=Strict \
             application/apply-patch+yaml {\"kind\":\"StatefulSet\"}"
                .to_owned(),
            "POST /api/v1/namespaces/sea/services?&fieldManager=openclaw-operator \
             application/json {\"kind\":\"Service\"}"
                .to_owned(),
            format!(
                "PATCH {instances}/ada?&fieldManager=openclaw-operator \
                 application/json-patch+json {test}"
            ),
            "PATCH /api/v1/namespaces/sea/pods/ada-0?&fieldManager=openclaw-operator \
             application/merge-patch+json {\"metadata\":{}}"
                .to_owned(),
            format!(
                "PATCH {instances}/ada/status?&fieldManager=openclaw-operator \
                 application/json-patch+json {test}"
            ),
            "DELETE /api/v1/namespaces/sea/services/ada? application/json \
             {\"propagationPolicy\":\"Background\",\"preconditions\":{\"uid\":\"uid-1\"}}"
                .to_owned(),
        ];
        assert_eq!(*seen.lock().expect("nobody panics"), expected);
    }

    #[tokio::test]
    async fn what_is_no_patch_is_not_sent() {
        let (cluster, seen) = cluster();
        let place = Place { resource: PODS, namespace: "sea", name: "ada-0" };
        let error = cluster.json_patch(place, &json!({})).await.err().expect("an error");
        assert_eq!(
            error.to_string(),
            "failed to patch Pod/ada-0: what should be sent cannot be written"
        );
        assert_eq!(*seen.lock().expect("nobody panics"), Vec::<String>::new());
    }
}
