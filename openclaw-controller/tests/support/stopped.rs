//! Processes that are there and do nothing, until they go on.

use std::path::{Path, PathBuf};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::agent::{Agent, first_process, lives};

/// They go on when this is dropped, those that are still there.
pub struct Stopped(Vec<Pid>);

impl Stopped {
    pub fn all(processes: Vec<Pid>) -> Self {
        assert!(!processes.is_empty(), "they run on this machine");
        for process in &processes {
            kill(*process, Signal::SIGSTOP).expect("it runs");
        }
        Self(processes)
    }

    /// All of the container of an agent whose first process has a word in its command line.
    pub async fn container(agent: &Agent, word: &str) -> Self {
        let (uid, _) = lives(&agent.pod().await);
        let first = first_process(&uid, word).expect("the container runs on this machine");
        let group = |id: &str| std::fs::read_to_string(format!("/proc/{id}/cgroup")).ok();
        let ours = group(&first.to_string()).expect("it runs");
        let processes = std::fs::read_dir("/proc").expect("Linux").flatten();
        let names = processes.filter_map(|process| process.file_name().into_string().ok());
        let ids = names.filter(|id| group(id).is_some_and(|group| group == ours));
        Self::all(ids.filter_map(|id| id.parse().ok()).map(Pid::from_raw).collect())
    }

    /// A program of the cluster under test: see `openclaw-controller/tests/cluster`.
    pub fn program(name: &str) -> Self {
        let kubeconfig = PathBuf::from(std::env::var("KUBECONFIG").expect("a cluster"));
        let file = kubeconfig.parent().unwrap_or(Path::new("/")).join("run");
        let noted = std::fs::read_to_string(file.join(format!("{name}.pid")));
        let noted = noted.expect("the cluster is one of openclaw-controller/tests/cluster");
        let id = noted.split(' ').next().and_then(|id| id.parse().ok());
        Self::all(vec![Pid::from_raw(id.expect("a process id"))])
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        for process in &self.0 {
            let _ = kill(*process, Signal::SIGCONT);
        }
    }
}
