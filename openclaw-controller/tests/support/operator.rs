//! The operator, as the process that users run.

use std::fs::File;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use kube::config::Kubeconfig;
use serde_json::Value;

use super::cluster::Cluster;
use super::http;

/// Much longer than the caches of an empty namespace take.
const PATIENCE: Duration = Duration::from_mins(1);
const GLANCE: Duration = Duration::from_millis(20);

/// A running `openclaw-controller`; it ends with this value.
pub struct Operator {
    child: Child,
    /// Megabytes that were the program itself when it was first seen to listen.
    program: OnceLock<f64>,
    folder: tempfile::TempDir,
}

impl Operator {
    /// Under the chart's ServiceAccount, for the cluster's namespace alone.
    pub async fn start(cluster: &Cluster) -> Self {
        Self::with(cluster, None, &[]).await
    }

    /// By way of a server other than the API server, with further arguments.
    pub async fn with(cluster: &Cluster, server: Option<&str>, arguments: &[&str]) -> Self {
        let namespace = cluster.namespace.as_str();
        let arguments = [&["--watch-namespaces", namespace], arguments].concat();
        let kubeconfig = cluster.kubeconfig_of_operator(server).await;
        Self::spawn(&kubeconfig, &arguments)
    }

    /// For all namespaces, one leader among several, as the chart runs it. The Lease is in the
    /// namespace of the chart.
    pub async fn elected(cluster: &Cluster, server: Option<&str>, identity: &str) -> Self {
        Self::elected_with(cluster, server, identity, &[]).await
    }

    /// The same, with further arguments.
    pub async fn elected_with(
        cluster: &Cluster,
        server: Option<&str>,
        identity: &str,
        arguments: &[&str],
    ) -> Self {
        let kubeconfig = cluster.kubeconfig_of_operator(server).await;
        let arguments = [&["--leader-elect", "--identity", identity], arguments].concat();
        let operator = Self::spawn(&kubeconfig, &arguments);
        operator.until_synced().await;
        operator
    }

    /// With a kubeconfig and arguments, and nothing else.
    pub fn spawn(kubeconfig: &Kubeconfig, arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let config = folder.path().join("kubeconfig");
        let text = serde_json::to_string(kubeconfig).expect("JSON");
        std::fs::write(&config, text).expect("the kubeconfig is written");
        let log = File::create(folder.path().join("log")).expect("a log");
        let child = Command::new(env!("CARGO_BIN_EXE_openclaw-controller"))
            .args(arguments)
            // The kernel chooses free ports, and the log tells them.
            .args(["--health-probe-bind-address", "127.0.0.1:0"])
            .args(["--metrics-bind-address", "127.0.0.1:0"])
            .args(["--log-level", "debug"])
            .env("KUBECONFIG", config)
            // As the image does, see Dockerfile.
            .env("MALLOC_ARENA_MAX", "1")
            .stdout(Stdio::from(log.try_clone().expect("a second handle")))
            .stderr(Stdio::from(log))
            .spawn()
            .expect("the operator starts");
        Self { child, program: OnceLock::new(), folder }
    }

    /// Everything that it said.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).expect("the log is read")
    }

    /// Where that server of it listens. Waits until it does.
    async fn address(&self, server: &str) -> String {
        let began = Instant::now();
        loop {
            let log = self.log();
            let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            let mut listens =
                lines.filter(|line| line["message"] == "listening" && line["server"] == server);
            if let Some(address) =
                listens.next().and_then(|it| it["address"].as_str().map(str::to_owned))
            {
                self.program.get_or_init(|| self.megabytes("RssFile"));
                return address;
            }
            assert!(began.elapsed() < PATIENCE, "{server} is not served:\n{log}");
            tokio::time::sleep(GLANCE).await;
        }
    }

    /// The text of `/metrics`.
    pub async fn metrics(&self) -> String {
        let url = format!("http://{}/metrics", self.address("metrics").await);
        http::get(&url).await.expect("metrics").1
    }

    /// Value of the first series of that name, summed over all its labels.
    pub async fn metric(&self, name: &str) -> f64 {
        let text = self.metrics().await;
        let values = text.lines().filter_map(|line| {
            let (series, value) = line.rsplit_once(' ')?;
            (series.split('{').next() == Some(name)).then(|| value.parse::<f64>().ok()).flatten()
        });
        values.sum()
    }

    /// Status code of `/readyz`, if it answers.
    pub async fn readiness(&self) -> Option<u16> {
        let url = format!("http://{}/readyz", self.address("health").await);
        http::get(&url).await.map(|(code, _)| code)
    }

    pub async fn until_synced(&self) {
        let began = Instant::now();
        while self.readiness().await != Some(200) {
            assert!(began.elapsed() < PATIENCE, "the operator is not ready:\n{}", self.log());
            tokio::time::sleep(GLANCE).await;
        }
    }

    /// Seconds of processor time so far.
    pub fn cpu_seconds(&self) -> f64 {
        let path = format!("/proc/{}/stat", self.child.id());
        let text = std::fs::read_to_string(path).expect("it runs");
        // After the name, which may hold anything: see proc_pid_stat(5).
        let (_, fields) = text.rsplit_once(')').expect("a name");
        let ticks: f64 = fields
            .split_whitespace()
            .skip(11)
            .take(2)
            .filter_map(|it| it.parse::<f64>().ok())
            .sum();
        ticks / 100.0
    }

    /// The most memory that it ever held.
    pub fn peak_megabytes(&self) -> f64 {
        self.megabytes("VmHWM")
    }

    /// The same without the program itself: unoptimised, that is most of it, and how much of it is
    /// there is up to the page cache. What of the program came later counts as held.
    pub fn peak_held_megabytes(&self) -> f64 {
        self.peak_megabytes() - self.program.get().expect("it was seen to listen")
    }

    /// A size that `proc_pid_status(5)` tells.
    fn megabytes(&self, size: &str) -> f64 {
        let path = format!("/proc/{}/status", self.child.id());
        let text = std::fs::read_to_string(path).expect("it runs");
        let mut lines = text.lines().filter_map(|line| line.split_once(':'));
        let (_, value) = lines.find(|(name, _)| *name == size).expect("a size");
        let kilobytes: f64 = value.trim().trim_end_matches(" kB").parse().expect("a number");
        kilobytes / 1024.0
    }

    /// Ends it at once, as a lost node would.
    pub fn kill(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        self.child.wait().expect("it was ours");
    }

    /// Tells it to stop, and waits. Its exit code.
    pub fn stop(&mut self) -> Option<i32> {
        self.terminate();
        self.child.wait().expect("it was ours").code()
    }

    /// Tells it to stop.
    pub fn terminate(&self) {
        let id = i32::try_from(self.child.id()).expect("a process id");
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(id), nix::sys::signal::Signal::SIGTERM)
            .expect("it runs");
    }

    /// Waits for it to end by itself. Its exit code.
    pub fn wait(&mut self) -> Option<i32> {
        self.child.wait().expect("it was ours").code()
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.log();
            let from = log.len().saturating_sub(20_000);
            let tail = log.get(log.ceil_char_boundary(from)..).unwrap_or_default();
            eprintln!("the operator said:\n{tail}");
        }
        self.kill();
    }
}
