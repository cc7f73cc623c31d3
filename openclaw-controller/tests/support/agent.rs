//! One agent on a node that runs pods, and what a user asks of it.

use std::path::PathBuf;
use std::process::{Command, Output};

use nix::unistd::Pid;
use openclaw_render::Kind;
use serde_json::{Value, json};

use super::cluster::{Cluster, condition_of};
use super::fixtures::Fixture;
use super::http;

/// Name of the agent, and of its pod.
pub const NAME: &str = "ada";
pub const POD: &str = "ada-0";
/// Container of the application.
pub const APPLICATION: &str = "openclaw";

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
        let cluster = Cluster::namespace(purpose).await;
        let mut instance = Fixture::named("minimal").instance().clone();
        // Several agents share a node of two processors.
        json_patch::merge(
            &mut instance,
            &json!({"spec": {"resources": {"requests": {"cpu": "50m"}}}}),
        );
        json_patch::merge(&mut instance, &json!({"spec": spec}));
        cluster.apply(&instance).await.expect("the instance is taken");
        Self { cluster }
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

    /// Calls a method of the gateway's, past the proxy.
    pub fn call(&self, method: &str, token: &str) -> Output {
        self.call_at("ws://127.0.0.1:18789", method, token)
    }

    /// Calls a method of the gateway's from within its pod.
    pub fn call_at(&self, url: &str, method: &str, token: &str) -> Output {
        let call =
            ["openclaw", "gateway", "call", method, "--url", url, "--token", token, "--json"];
        self.exec(APPLICATION, &call)
    }

    /// What a container said so far.
    pub fn log(&self, container: &str) -> String {
        let output = self.kubectl(&["logs", POD, "--container", container]);
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// The gateway token, out of its Secret.
    pub fn token(&self) -> String {
        let secret = format!("{NAME}-gateway-token");
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
        let (uid, _) = lives(&self.pod().await);
        let deleted = self.kubectl(&["delete", "pod", POD, "--wait=false"]);
        assert!(deleted.status.success(), "{}", said(&deleted));
        self.until_replaced(&uid).await;
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

    /// Waits until the gateway answers by the Service.
    pub async fn until_serving(&self) {
        self.cluster
            .until("the gateway answers", async || {
                self.get("/healthz").await.is_some_and(|(code, _)| code == 200)
            })
            .await;
    }

    /// Waits until the agent is not ready for that reason.
    pub async fn until_reason(&self, reason: &str) {
        self.cluster
            .until(reason, async || {
                let live = self.instance().await;
                condition_of(&live, "Ready").is_some_and(|ready| ready["reason"] == reason)
            })
            .await;
    }

    /// Kills the application as the kernel would, from outside its container: nothing inside can
    /// kill the first process of it.
    pub async fn kill_application(&self) {
        let (uid, _) = lives(&self.pod().await);
        let process = first_process(&uid, "gateway").expect("the application runs on this machine");
        nix::sys::signal::kill(process, nix::sys::signal::Signal::SIGKILL).expect("it runs");
    }

    pub async fn end(self) {
        self.cluster.end().await;
    }
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
