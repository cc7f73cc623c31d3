//! The cluster that KUBECONFIG names, as its administrator sees it.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::{Namespace, ServiceAccount};
use kube::api::{
    Api, ApiResource, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams,
};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use openclaw_render::{Kind, ObjectKey};
use serde_json::{Value, json};

use super::definitions;
use super::proxy::Proxy;

/// Longer than anything takes on a machine that does other things too.
pub const PATIENCE: Duration = Duration::from_mins(6);
const GLANCE: Duration = Duration::from_millis(200);
/// Longer than the operator collects news before it acts, and than Kubernetes takes to answer.
const QUIET: Duration = Duration::from_millis(2500);
/// Where the chart is installed, and under which name.
pub const OPERATOR_NAMESPACE: &str = "openclaw-operator-system";
pub const OPERATOR_ACCOUNT: &str = "openclaw-operator";
/// Label of namespaces that tests made, by which scripts/test finds what they left.
const OF_A_TEST: &str = "openclaw-operator-test";

/// A namespace of the cluster that one test has for itself.
#[derive(Clone)]
pub struct Cluster {
    pub client: Client,
    pub namespace: String,
}

/// The kubeconfig of the cluster under test.
fn kubeconfig() -> Kubeconfig {
    let path = std::env::var("KUBECONFIG")
        .expect("KUBECONFIG names no cluster: these tests are run by `scripts/test cluster`");
    Kubeconfig::read_from(PathBuf::from(path)).expect("KUBECONFIG is a kubeconfig")
}

/// A client of the cluster under test. It may try again what the API server turns down for now.
pub async fn client(tries_again: bool) -> Client {
    let mut config = Config::from_custom_kubeconfig(kubeconfig(), &KubeConfigOptions::default())
        .await
        .expect("a client configuration");
    config.default_retry = tries_again;
    Client::try_from(config).expect("a client")
}

impl Cluster {
    /// A new namespace, which enforces the `restricted` Pod Security Standard.
    pub async fn namespace(purpose: &str) -> Self {
        Self::with_security(purpose, "restricted").await
    }

    /// A namespace that is there.
    pub async fn existing(namespace: &str) -> Self {
        Self { client: client(true).await, namespace: namespace.to_owned() }
    }

    /// A new namespace, which enforces that Pod Security Standard.
    pub async fn with_security(purpose: &str, standard: &str) -> Self {
        let mut cluster = Self::existing("").await;
        let namespace: Namespace = serde_json::from_value(json!({
            "metadata": {
                "generateName": format!("{purpose}-"),
                "labels": {"pod-security.kubernetes.io/enforce": standard, OF_A_TEST: ""},
            },
        }))
        .expect("a namespace");
        let created = Api::<Namespace>::all(cluster.client.clone())
            .create(&PostParams::default(), &namespace)
            .await
            .expect("the namespace is created");
        cluster.namespace = created.metadata.name.expect("a name");
        definitions::install(&cluster).await;
        // Pods and RoleBindings need it.
        cluster
            .until("the default ServiceAccount is there", async || {
                cluster.find("v1", "ServiceAccount", "serviceaccounts", "default").await.is_some()
            })
            .await;
        cluster
    }

    /// Takes the namespace away; other tests need not see its objects.
    pub async fn end(self) {
        Api::<Namespace>::all(self.client)
            .delete(&self.namespace, &DeleteParams::background())
            .await
            .expect("the namespace is deleted");
    }

    /// As [`Self::end`], without an operator that would let go of an instance.
    pub async fn abandon(self, instance: &str) {
        if self.instance(instance).await.is_some() {
            self.merge_instance(instance, &json!({"metadata": {"finalizers": null}})).await;
        }
        self.end().await;
    }

    pub fn api(&self, api_version: &str, kind: &str, plural: &str) -> Api<DynamicObject> {
        let resource = resource(api_version, kind, plural);
        Api::namespaced_with(self.client.clone(), &self.namespace, &resource)
    }

    /// A type without namespaces.
    pub fn everywhere(&self, api_version: &str, kind: &str, plural: &str) -> Api<DynamicObject> {
        Api::all_with(self.client.clone(), &resource(api_version, kind, plural))
    }

    pub fn of(&self, kind: Kind) -> Api<DynamicObject> {
        self.api(kind.api_version(), kind.as_str(), kind.plural())
    }

    pub fn instances(&self) -> Api<DynamicObject> {
        self.api("openclaw.rocks/v1alpha1", "OpenClawInstance", "openclawinstances")
    }

    pub fn pods(&self) -> Api<DynamicObject> {
        self.api("v1", "Pod", "pods")
    }

    pub async fn find(
        &self,
        api_version: &str,
        kind: &str,
        plural: &str,
        name: &str,
    ) -> Option<Value> {
        let found = self.api(api_version, kind, plural).get_opt(name).await.expect("an answer");
        found.map(|object| serde_json::to_value(object).expect("JSON"))
    }

    /// An object that the operator makes.
    pub async fn get(&self, kind: Kind, name: &str) -> Option<Value> {
        self.find(kind.api_version(), kind.as_str(), kind.plural(), name).await
    }

    pub async fn instance(&self, name: &str) -> Option<Value> {
        let found = self.instances().get_opt(name).await.expect("an answer");
        found.map(|object| serde_json::to_value(object).expect("JSON"))
    }

    /// Reason and message of every event of the operator's, in order.
    pub async fn events(&self) -> Vec<String> {
        let events = self.api("events.k8s.io/v1", "Event", "events");
        let list = events.list(&ListParams::default()).await.expect("a list");
        let ours = list
            .items
            .into_iter()
            .filter(|each| each.data["reportingController"] == "openclaw-operator");
        ours.map(|each| format!("{}: {}", each.data["reason"], each.data["note"])).collect()
    }

    pub async fn pod(&self, name: &str) -> Option<Value> {
        self.find("v1", "Pod", "pods", name).await
    }

    /// All objects of the kinds that the operator makes, whoever made them, in order.
    pub async fn objects(&self) -> Vec<(ObjectKey, Value)> {
        let mut objects = Vec::new();
        for kind in Kind::ALL {
            let list = match self.of(*kind).list(&ListParams::default()).await {
                // The cluster does not have the kind.
                Err(kube::Error::Api(status)) if status.code == 404 => continue,
                list => list.expect("a list"),
            };
            for mut object in list {
                object.types = Some(kube::core::TypeMeta {
                    api_version: kind.api_version().to_owned(),
                    kind: kind.as_str().to_owned(),
                });
                let name = object.metadata.name.clone().expect("a name");
                let made_by_kubernetes = matches!(
                    (kind, name.as_str()),
                    (Kind::ServiceAccount, "default") | (Kind::ConfigMap, "kube-root-ca.crt")
                );
                if !made_by_kubernetes {
                    let live = serde_json::to_value(object).expect("JSON");
                    objects.push((ObjectKey::new(*kind, name), live));
                }
            }
        }
        objects
    }

    /// Creates or changes an object as a user would, under a field manager of his.
    pub async fn apply(&self, object: &Value) -> Result<Value, kube::Error> {
        let mut object = object.clone();
        object["metadata"]["namespace"] = json!(self.namespace);
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let (api_version, kind) = (text(&object["apiVersion"]), text(&object["kind"]));
        let api = self.api(&api_version, &kind, &plural(&kind));
        let name = text(&object["metadata"]["name"]);
        let parameters = PatchParams::apply("a-user").force();
        let stored = api.patch(&name, &parameters, &Patch::Apply(&object)).await?;
        Ok(serde_json::to_value(stored).expect("JSON"))
    }

    /// What the API server says to a new object, as strict as it can be; nothing is stored.
    pub async fn try_create(&self, object: &Value) -> Result<Value, kube::Error> {
        let text = |name: &str| object[name].as_str().expect("a text");
        let (api_version, kind) = (text("apiVersion"), text("kind"));
        let root = if api_version.contains('/') { "apis" } else { "api" };
        let scope = match kind {
            "OpenClawClusterDefaults" => String::new(),
            _ => format!("namespaces/{}/", self.namespace),
        };
        let plural = plural(kind);
        let request = http::Request::post(format!(
            "/{root}/{api_version}/{scope}{plural}?dryRun=All&fieldValidation=Strict"
        ))
        .header("content-type", "application/json")
        .body(object.to_string().into_bytes())
        .expect("a request");
        self.client.request(request).await
    }

    /// JSON merge patch (RFC 7386).
    pub async fn merge(&self, kind: Kind, name: &str, patch: &Value) {
        self.of(kind)
            .patch(name, &PatchParams::default(), &Patch::Merge(patch))
            .await
            .expect("the patch is taken");
    }

    pub async fn merge_instance(&self, name: &str, patch: &Value) {
        self.instances()
            .patch(name, &PatchParams::default(), &Patch::Merge(patch))
            .await
            .expect("the patch is taken");
    }

    pub async fn delete(&self, kind: Kind, name: &str) {
        let parameters = DeleteParams::background();
        self.of(kind).delete(name, &parameters).await.expect("the object is deleted");
    }

    pub async fn delete_instance(&self, name: &str) {
        let parameters = DeleteParams::background();
        self.instances().delete(name, &parameters).await.expect("the instance is deleted");
    }

    /// Deletes a pod, and waits until it is gone.
    pub async fn delete_pod(&self, name: &str) {
        self.pods().delete(name, &DeleteParams::default()).await.expect("the pod is deleted");
        self.until(&format!("{name} is gone"), async || self.pod(name).await.is_none()).await;
    }

    /// Approves the held roll-out of an instance, by the hash that the user copies out of the message.
    pub async fn approve_rollout(&self, name: &str) {
        let live = self.instance(name).await.expect("the instance");
        let pending = condition_of(&live, "RolloutPending").expect("a held roll-out");
        let message = pending["message"].as_str().expect("a message");
        let (_, hash) = message.rsplit_once('=').expect("the message names a hash");
        let note = json!({"openclaw.rocks/approve-rollout": hash});
        self.merge_instance(name, &json!({"metadata": {"annotations": note}})).await;
    }

    /// Waits until something holds.
    pub async fn until(&self, what: &str, holds: impl AsyncFn() -> bool) {
        self.until_within(PATIENCE, what, holds).await;
    }

    /// Waits longer than usual.
    pub async fn until_within(
        &self,
        patience: Duration,
        what: &str,
        holds: impl AsyncFn() -> bool,
    ) {
        let began = Instant::now();
        while !holds().await {
            assert!(began.elapsed() < patience, "{what}: not within {} s", patience.as_secs());
            tokio::time::sleep(GLANCE).await;
        }
    }

    /// Waits until a condition of an instance has a status.
    pub async fn until_condition(&self, name: &str, condition: &str, status: &str) -> Value {
        let began = Instant::now();
        loop {
            let live = self.instance(name).await;
            let found = live.as_ref().and_then(|live| condition_of(live, condition));
            if let Some(found) = found.filter(|found| found["status"] == status) {
                return found.clone();
            }
            assert!(
                began.elapsed() < PATIENCE,
                "{condition} of {name} is not {status} within {} s: {:#}",
                PATIENCE.as_secs(),
                live.map(|live| live["status"].clone()).unwrap_or_default()
            );
            tokio::time::sleep(GLANCE).await;
        }
    }

    pub async fn until_ready(&self, name: &str) {
        self.until_condition(name, "Ready", "True").await;
    }

    /// Waits until the operator has looked at the newest spec.
    pub async fn until_observed(&self, name: &str) {
        self.until(&format!("{name} is looked at"), async || {
            let live = self.instance(name).await.expect("there");
            live["status"]["observedGeneration"] == live["metadata"]["generation"]
        })
        .await;
    }

    /// Waits until the operator has asked for nothing but watches for a while.
    pub async fn until_quiet(&self, proxy: &Proxy) {
        let calls = || {
            let seen = proxy.seen().into_iter();
            seen.filter(|seen| !seen.is_watch() && !seen.looks_for_a_kind()).count()
        };
        let (mut last, mut since) = (calls(), Instant::now());
        let began = Instant::now();
        while since.elapsed() < QUIET {
            assert!(began.elapsed() < PATIENCE, "never quiet: {:#?}", proxy.tally());
            tokio::time::sleep(GLANCE).await;
            if calls() != last {
                (last, since) = (calls(), Instant::now());
            }
        }
    }

    /// Waits until an instance is gone.
    pub async fn until_gone(&self, name: &str) {
        self.until(&format!("{name} is gone"), async || self.instance(name).await.is_none()).await;
    }

    /// A kubeconfig for the chart's ServiceAccount, by way of `server` if that is given.
    pub async fn kubeconfig_of_operator(&self, server: Option<&str>) -> Kubeconfig {
        let accounts: Api<ServiceAccount> =
            Api::namespaced(self.client.clone(), OPERATOR_NAMESPACE);
        let request = TokenRequest {
            spec: TokenRequestSpec { expiration_seconds: Some(7200), ..Default::default() },
            ..Default::default()
        };
        let parameters = PostParams::default();
        let token = accounts
            .create_token_request(OPERATOR_ACCOUNT, &parameters, &request)
            .await
            .expect("the chart is installed in openclaw-operator-system")
            .status
            .expect("a token")
            .token;
        let mut config = serde_json::to_value(kubeconfig()).expect("JSON");
        config["users"] = json!([{"name": "operator", "user": {"token": token}}]);
        config["contexts"][0]["context"]["user"] = json!("operator");
        config["current-context"] = config["contexts"][0]["name"].clone();
        if let Some(server) = server {
            config["clusters"][0]["cluster"] = json!({"server": server});
        }
        serde_json::from_value(config).expect("a kubeconfig")
    }
}

fn resource(api_version: &str, kind: &str, plural: &str) -> ApiResource {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    ApiResource {
        group: group.to_owned(),
        version: version.to_owned(),
        api_version: api_version.to_owned(),
        kind: kind.to_owned(),
        plural: plural.to_owned(),
    }
}

/// A condition of an instance's status.
pub fn condition_of<'a>(live: &'a Value, condition: &str) -> Option<&'a Value> {
    let conditions = live.pointer("/status/conditions")?.as_array()?;
    conditions.iter().find(|each| each["type"] == condition)
}

/// Kinds that tests apply, as URLs name them.
pub fn plural(kind: &str) -> String {
    match kind {
        "Ingress" => "ingresses".to_owned(),
        "NetworkPolicy" => "networkpolicies".to_owned(),
        "OpenClawClusterDefaults" => "openclawclusterdefaults".to_owned(),
        other => format!("{}s", other.to_lowercase()),
    }
}
