//! One agent on a node that runs pods, and what a user asks of it.

use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::{Instant, SystemTime};

use futures::StreamExt;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::{EvictParams, LogParams};
use kube::runtime::watcher::{self, Event, watcher};
use nix::unistd::Pid;
use openclaw_render::Kind;
use serde_json::{Value, json};

use super::cluster::{Cluster, PATIENCE, client, condition_of};
use super::fixtures::Fixture;
use super::http;

/// Name of the agent, and of its pod.
pub const NAME: &str = "ada";
pub const POD: &str = "ada-0";
/// Container of the application.
pub const APPLICATION: &str = "openclaw";
/// Where the application listens within its pod, and where the proxy before it.
pub const GATEWAY: &str = "ws://127.0.0.1:18789";
pub const PROXY: &str = "ws://127.0.0.1:18790";

/// `minimal.yaml` in a namespace that enforces `restricted`.
pub struct Agent {
    pub cluster: Cluster,
}

impl Agent {
    /// Ready, with this merged into its spec.
    pub async fn ready(purpose: &str, spec: &Value) -> Self {
        let agent = Self::asked_for(purpose, spec).await;
        agent.cluster.until_ready(NAME).await;
        agent
    }

    pub async fn asked_for(purpose: &str, spec: &Value) -> Self {
        let agent = Self::nobody(purpose).await;
        agent.ask(spec).await;
        agent
    }

    /// Not asked for yet.
    pub async fn nobody(purpose: &str) -> Self {
        Self { cluster: Cluster::namespace(purpose).await }
    }

    pub async fn ask(&self, spec: &Value) {
        let mut instance = Fixture::named("minimal").instance().clone();
        // Several agents share a node of two processors.
        json_patch::merge(
            &mut instance,
            &json!({"spec": {"resources": {"requests": {"cpu": "50m"}}}}),
        );
        json_patch::merge(&mut instance, &json!({"spec": spec}));
        self.cluster.apply(&instance).await.expect("the instance is taken");
    }

    /// Merges something into the spec.
    pub async fn change(&self, spec: &Value) {
        self.cluster.merge_instance(NAME, &json!({"spec": spec})).await;
    }

    pub async fn instance(&self) -> Value {
        self.cluster.instance(NAME).await.expect("the instance is there")
    }

    pub async fn pod(&self) -> Value {
        self.cluster.pod(POD).await.expect("the pod is there")
    }

    /// Calls kubectl as its user would, in the namespace of the agent.
    pub fn kubectl(&self, arguments: &[&str]) -> Output {
        kubectl(&self.cluster.namespace, arguments).output().expect("kubectl runs")
    }

    /// Runs a command in a container.
    pub fn exec(&self, container: &str, command: &[&str]) -> Output {
        let arguments = [&["exec", POD, "--container", container, "--"], command].concat();
        self.kubectl(&arguments)
    }

    /// Runs a command in the application's container that succeeds. What it prints.
    pub fn run(&self, command: &[&str]) -> String {
        let output = self.exec(APPLICATION, command);
        assert!(output.status.success(), "{command:?}: {}", said(&output));
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    /// Calls a method of the gateway's from within its pod, at [`GATEWAY`] or [`PROXY`].
    pub fn call(&self, url: &str, method: &str, parameters: &Value, token: &str) -> Output {
        let parameters = parameters.to_string();
        let call = ["openclaw", "gateway", "call", method, "--params", &parameters];
        let at = ["--url", url, "--token", token, "--json"];
        self.exec(APPLICATION, &[&call[..], &at[..]].concat())
    }

    /// What a container said so far.
    pub async fn log(&self, container: &str) -> String {
        let of = LogParams { container: Some(container.to_owned()), ..LogParams::default() };
        // A container that is just starting has none.
        self.pods().logs(POD, &of).await.unwrap_or_default()
    }

    /// When a container was started.
    pub async fn started(&self, container: &str) -> SystemTime {
        let pod = self.pod().await;
        let statuses = pod["status"]["containerStatuses"].as_array().expect("a pod that runs");
        let status = statuses.iter().find(|each| each["name"] == container);
        let since = status.and_then(|it| it["state"]["running"]["startedAt"].as_str());
        since.and_then(|it| it.parse::<jiff::Timestamp>().ok()).expect("a time").into()
    }

    /// The gateway token, out of its Secret.
    pub fn token(&self) -> String {
        self.token_of(NAME)
    }

    /// The gateway token of an agent of this namespace; nothing if there is none.
    pub fn token_of(&self, name: &str) -> String {
        let secret = format!("{name}-gateway-token");
        let output = self.kubectl(&[
            "get",
            "secret",
            &secret,
            "--output",
            "go-template={{.data.token | base64decode}}",
        ]);
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    /// Asks the agent by the address of its Service.
    pub async fn get(&self, path: &str) -> Option<(u16, String)> {
        let service = self.cluster.get(Kind::Service, NAME).await.expect("the Service is there");
        let text = |pointer| service.pointer(pointer).cloned().unwrap_or_default();
        let address = text("/spec/clusterIP");
        let (address, port) = (address.as_str().expect("an address"), text("/spec/ports/0/port"));
        http::get(&format!("http://{address}:{port}{path}")).await
    }

    /// Waits until the application runs with what the spec says.
    pub async fn until_applied(&self) {
        self.cluster
            .until("the configuration is applied", async || {
                let live = self.instance().await;
                let config = &live["status"]["config"];
                live["status"]["observedGeneration"] == live["metadata"]["generation"]
                    && config["appliedHash"].is_string()
                    && config["appliedHash"] == config["renderedHash"]
            })
            .await;
    }

    /// Deletes the pod, and waits until another one is ready.
    pub async fn delete_pod(&self) {
        let uid = self.take_pod().await;
        self.until_replaced(&uid).await;
    }

    /// Deletes the pod, and does not wait. Its identity.
    pub async fn take_pod(&self) -> String {
        let (uid, _) = lives(&self.pod().await);
        let deleted = self.kubectl(&["delete", "pod", POD, "--wait=false"]);
        assert!(deleted.status.success(), "{}", said(&deleted));
        uid
    }

    /// Asks once for the eviction of the pod, as a drain of its node does.
    pub async fn evict(&self) -> Result<(), kube::Error> {
        let pods: Api<Pod> = Api::namespaced(client(false).await, &self.cluster.namespace);
        pods.evict(POD, &EvictParams::default()).await.map(drop)
    }

    fn pods(&self) -> Api<Pod> {
        Api::namespaced(self.cluster.client.clone(), &self.cluster.namespace)
    }

    /// Starts a pod beside the agent, and waits until it runs. Its address.
    pub async fn with_bystander(&self, pod: &Value) -> String {
        self.cluster.apply(pod).await.expect("the pod is taken");
        let name = pod["metadata"]["name"].as_str().expect("a name");
        self.cluster
            .until(&format!("{name} runs"), async || {
                let pod = self.cluster.pod(name).await;
                pod.as_ref().is_some_and(is_ready)
            })
            .await;
        let pod = self.cluster.pod(name).await.expect("it runs");
        pod["status"]["podIP"].as_str().expect("an address").to_owned()
    }

    /// Waits until another pod than that one is ready.
    pub async fn until_replaced(&self, uid: &str) {
        self.cluster
            .until("another pod is ready", async || {
                let pod = self.cluster.pod(POD).await;
                pod.is_some_and(|pod| lives(&pod).0 != uid && is_ready(&pod))
            })
            .await;
        self.cluster.until_ready(NAME).await;
    }

    /// Waits until the application has said something.
    pub async fn until_logged(&self, words: &str) {
        self.cluster
            .until(&format!("the application says {words}"), async || {
                self.log(APPLICATION).await.contains(words)
            })
            .await;
    }

    /// Waits until the gateway answers by the Service.
    pub async fn until_serving(&self) {
        self.cluster
            .until("the gateway answers", async || {
                self.get("/healthz").await.is_some_and(|(code, _)| code == 200)
            })
            .await;
    }

    /// Waits until the agent is not ready for that reason, with such words.
    pub async fn until_not_ready(&self, reason: &str, words: &str) {
        self.cluster
            .until(&format!("{reason}: {words}"), async || self.is_not_ready(reason, words).await)
            .await;
    }

    pub async fn is_not_ready(&self, reason: &str, words: &str) -> bool {
        let live = self.instance().await;
        let ready = condition_of(&live, "Ready").cloned().unwrap_or_default();
        let message = ready["message"].as_str().unwrap_or_default();
        ready["reason"] == reason && message.contains(words)
    }

    /// Kills the application as the kernel would, from outside its container: nothing inside can
    /// kill the first process of it.
    pub async fn kill_application(&self) {
        let (uid, _) = lives(&self.pod().await);
        let process = first_process(&uid, "gateway").expect("the application runs on this machine");
        nix::sys::signal::kill(process, nix::sys::signal::Signal::SIGKILL).expect("it runs");
    }

    /// Kills the container that seeds the volume of the next pod, once it has written so many bytes.
    /// How many it had written.
    pub async fn kill_while_seeding(&self, bytes: u64) -> u64 {
        self.cluster
            .until("the next pod is there", async || {
                let pod = self.cluster.pod(POD).await;
                pod.is_some_and(|pod| pod["metadata"]["deletionTimestamp"].is_null())
            })
            .await;
        let (uid, _) = lives(&self.pod().await);
        // Without a pause: it takes but a moment.
        let kill = move || {
            let began = Instant::now();
            loop {
                assert!(began.elapsed() < PATIENCE, "it was never caught while it seeded");
                let Some(process) = first_process(&uid, "seed") else { continue };
                while let Some(written) = written(process) {
                    if written >= bytes {
                        let signal = nix::sys::signal::Signal::SIGKILL;
                        nix::sys::signal::kill(process, signal).expect("it runs");
                        return written;
                    }
                }
            }
        };
        tokio::task::spawn_blocking(kill).await.expect("no panic")
    }

    pub async fn end(self) {
        self.cluster.end().await;
    }
}

/// A pod of the application's image, admitted where `restricted` is enforced.
pub fn bystander(name: &str, version: &str, command: &[&str]) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {
            "automountServiceAccountToken": false,
            "terminationGracePeriodSeconds": 1,
            "securityContext": {
                "runAsNonRoot": true,
                "runAsUser": 1000,
                "fsGroup": 1000,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [{
                "name": "main",
                "image": format!("ghcr.io/openclaw/openclaw:{version}"),
                "command": command,
                "securityContext": {
                    "allowPrivilegeEscalation": false,
                    "capabilities": {"drop": ["ALL"]},
                },
            }],
        },
    })
}

/// Waits for the end of a pod that is there.
pub struct Ending {
    events: futures::stream::BoxStream<'static, watcher::Result<Event<kube::api::DynamicObject>>>,
}

impl Ending {
    /// From before whatever ends it.
    pub fn watch(agent: &Agent) -> Self {
        let config = watcher::Config::default().fields(&format!("metadata.name={POD}"));
        Self { events: watcher(agent.cluster.pods(), config).boxed() }
    }

    /// Exit code of the application in the pod, once that is gone.
    pub async fn exit_code(mut self) -> Option<i64> {
        let mut code = None;
        loop {
            let event = tokio::time::timeout(PATIENCE, self.events.next()).await;
            match event.expect("the pod goes").expect("it goes on").expect("a change") {
                Event::Apply(pod) | Event::InitApply(pod) => {
                    let pod = serde_json::to_value(pod).expect("JSON");
                    code = exit_code(&pod).or(code);
                }
                Event::Delete(_) => return code,
                Event::Init | Event::InitDone => {}
            }
        }
    }
}

/// Of the application, once it has ended.
fn exit_code(pod: &Value) -> Option<i64> {
    let statuses = pod["status"]["containerStatuses"].as_array()?;
    let status = statuses.iter().find(|each| each["name"] == APPLICATION)?;
    status["state"]["terminated"]["exitCode"].as_i64()
}

/// Identity of a pod, and how often its containers were started again.
pub fn lives(pod: &Value) -> (String, i64) {
    let statuses = pod["status"]["containerStatuses"].as_array().cloned().unwrap_or_default();
    let restarts = statuses.iter().filter_map(|each| each["restartCount"].as_i64()).sum();
    (pod["metadata"]["uid"].as_str().unwrap_or_default().to_owned(), restarts)
}

/// The process of a pod's container that is the first one there, and whose command line has a word.
fn first_process(uid: &str, word: &str) -> Option<Pid> {
    let processes = std::fs::read_dir("/proc").expect("Linux").flatten();
    let text = |path: PathBuf| std::fs::read_to_string(path).unwrap_or_default();
    let ours = processes.filter(|process| {
        let folder = process.path();
        let is_first = text(folder.join("status"))
            .lines()
            .filter_map(|line| line.strip_prefix("NSpid:"))
            .any(|ids| ids.split_whitespace().next_back() == Some("1"));
        is_first
            && text(folder.join("cgroup")).contains(uid)
            && text(folder.join("cmdline")).contains(word)
    });
    let mut ids = ours.filter_map(|process| process.file_name().to_str()?.parse().ok());
    ids.next().map(Pid::from_raw)
}

/// How many bytes a process has written so far, while it is there: see `proc_pid_io(5)`.
fn written(process: Pid) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{process}/io")).ok()?;
    text.lines().find_map(|line| line.strip_prefix("wchar: "))?.parse().ok()
}

fn is_ready(pod: &Value) -> bool {
    condition_of(pod, "Ready").is_some_and(|ready| ready["status"] == "True")
}

pub fn kubectl(namespace: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new("kubectl");
    command.args(["--namespace", namespace]).args(arguments);
    command
}

/// All that a command printed.
pub fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}{}", text(&output.stdout), text(&output.stderr))
}
