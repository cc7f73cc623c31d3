//! What a pod would have: rendered files in a folder, and a network of its own.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::{Command, Output};

use openclaw_render::{
    Kind, Object, Observed, Problem, Settings, decode_instance, render_instance,
};
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) const VERSION: &str = "2026.9.6";

pub(crate) fn rendered(gateway: &Value) -> (Vec<Object>, Vec<Problem>) {
    let spec = json!({"image": {"tag": VERSION}, "config": {"raw": {"gateway": gateway}}});
    let document = json!({"metadata": {"name": "ada", "namespace": "agents"}, "spec": spec});
    let (instance, _) = decode_instance(document).expect("it decodes");
    render_instance(&instance, &Observed::default(), &Settings::default())
}

fn value(objects: &[Object], kind: Kind, name: &str) -> Value {
    let found = objects.iter().find(|object| object.kind() == kind && object.name() == name);
    found.expect("it is rendered").to_value()
}

/// A folder with nginx.conf, openclaw.json, and /etc/hosts as the kubelet writes it.
pub(crate) fn folder(objects: &[Object]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let data = value(objects, Kind::ConfigMap, "ada-config")["data"].clone();
    let text = |key: &str| data[key].as_str().expect("a text").to_owned();
    // Only the pod has a /tmp of its own.
    let conf = text("nginx.conf").replace("/tmp/", &format!("{}/", folder.path().display()));
    fs::write(folder.path().join("nginx.conf"), conf).expect("a file");
    fs::write(folder.path().join("openclaw.json"), text("openclaw.json")).expect("a file");
    let pod = &value(objects, Kind::StatefulSet, "ada")["spec"]["template"]["spec"];
    let mut hosts = "127.0.0.1\tlocalhost\n::1\tlocalhost\n".to_owned();
    for alias in pod["hostAliases"].as_array().into_iter().flatten() {
        let names = alias["hostnames"].as_array().expect("names").iter();
        for name in names.map(|name| name.as_str().expect("a name")) {
            hosts.extend([alias["ip"].as_str().expect("an address"), "\t", name, "\n"]);
        }
    }
    fs::write(folder.path().join("hosts"), hosts).expect("a file");
    folder
}

/// A command with network, file systems and processes of its own, which end with it.
pub(crate) fn apart(program: &Path) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]);
    if fs::metadata("/proc/self").expect("processes").uid() != 0 {
        command.arg("--map-root-user");
    }
    command.args(["--", "timeout", "300"]).arg(program);
    command
}

pub(crate) fn said(output: &Output) -> String {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    format!("{}\n{}{}", output.status, text(&output.stdout), text(&output.stderr))
}
