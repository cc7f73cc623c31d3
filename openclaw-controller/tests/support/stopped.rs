//! A process that is there and does nothing, until it goes on.

use std::path::{Path, PathBuf};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// It goes on when this is dropped.
pub struct Stopped(Pid);

impl Stopped {
    /// A program of the cluster under test: see `openclaw-controller/tests/cluster`.
    pub fn program(name: &str) -> Self {
        let kubeconfig = PathBuf::from(std::env::var("KUBECONFIG").expect("a cluster"));
        let file = kubeconfig.parent().unwrap_or(Path::new("/")).join("run");
        let noted = std::fs::read_to_string(file.join(format!("{name}.pid")));
        let noted = noted.expect("the cluster is one of openclaw-controller/tests/cluster");
        let id = noted.split(' ').next().and_then(|id| id.parse().ok());
        let process = Pid::from_raw(id.expect("a process id"));
        kill(process, Signal::SIGSTOP).expect("it runs");
        Self(process)
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        let _ = kill(self.0, Signal::SIGCONT);
    }
}
