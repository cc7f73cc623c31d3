//! What `podman kube play` is given.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::program::{MINIMAL, code, err, files_below, fixture, out, run, run_with};

/// Compares with `snapshots/podman/`: what podman gets, and what is said of it.
fn assert_snapshot(name: &str) {
    let output = run(&["render", "-o", "podman", &fixture(&format!("instances/{name}.yaml"))]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    let told = err(&output).lines().filter(|line| line.starts_with("agents/"));
    let told = told.fold(String::new(), |text, line| text + "# " + line + "\n");
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../../snapshots/podman");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, told + out(&output)));
}

#[test]
fn podman_gets_what_it_knows_and_the_rest_is_told_by_name() {
    // The least, the most, and one whose claims the StatefulSet makes.
    for name in ["minimal", "everything", "autoscaling"] {
        assert_snapshot(name);
    }
}

fn names(list: &Value) -> BTreeSet<&str> {
    list.as_array().into_iter().flatten().filter_map(|each| each["name"].as_str()).collect()
}

#[test]
fn every_instance_is_one_that_podman_can_play() {
    for path in files_below(Path::new(&fixture("instances"))) {
        let path = path.to_str().expect("UTF-8");
        let output = run(&["render", "-o", "podman", path]);
        assert_eq!(code(&output), 0, "{path}: {}", err(&output));
        let documents: Vec<Value> = serde_saphyr::from_multiple(out(&output)).expect("YAML");
        for document in documents {
            let kind = document["kind"].as_str().expect("a kind");
            let known = ["ConfigMap", "PersistentVolumeClaim", "Pod", "Secret"];
            assert!(known.contains(&kind), "{path}: {kind}");
            assert_eq!(document["metadata"].get("namespace"), None, "{path}");
            let spec = &document["spec"];
            let volumes = names(&spec["volumes"]);
            for list in ["initContainers", "containers"] {
                for container in spec[list].as_array().into_iter().flatten() {
                    assert_eq!(container.get("restartPolicy"), None, "{path}: it ends");
                    // Podman opens every port that is listed, to everyone.
                    for port in container["ports"].as_array().into_iter().flatten() {
                        assert_eq!(port["hostIP"], "127.0.0.1", "{path}: {port}");
                        assert!(port["hostPort"].is_u64(), "{path}: {port}");
                    }
                    let mounts = names(&container["volumeMounts"]);
                    assert!(mounts.is_subset(&volumes), "{path}: {mounts:?}");
                }
            }
        }
    }
}

#[test]
fn an_agent_that_is_off_has_no_pod() {
    let output = run(&["render", "-o", "podman", &fixture("instances/suspended.yaml")]);
    assert_eq!(code(&output), 0);
    assert!(!out(&output).contains("kind: Pod\n"), "{}", out(&output));
    assert!(err(&output).contains("is switched off: no pod is printed"), "{}", err(&output));
}

#[test]
fn two_agents_of_one_name_are_refused() {
    let text = format!("{MINIMAL}---\n{}", MINIMAL.replace("name: ada", "name: ada, namespace: b"));
    let output = run_with(&["render", "-o", "podman", "-"], text.as_bytes());
    assert_eq!((code(&output), out(&output)), (1, ""));
    assert!(err(&output).contains("podman has no namespaces"), "{}", err(&output));
}

#[test]
fn what_the_agent_needs_besides_is_named() {
    let text = MINIMAL.replace("spec: {", "spec: { envFrom: [{ secretRef: { name: keys } }], ");
    let output = run_with(&["render", "-o", "podman", "-"], text.as_bytes());
    assert_eq!(code(&output), 0, "{}", err(&output));
    let said = err(&output);
    assert!(said.contains("needs Secret/keys, which is not printed: play it too"), "{said}");
    assert!(said.contains("Secret/ada-gateway-token is empty: use --generate-secrets"), "{said}");
    let arguments = ["render", "-o", "podman", "--generate-secrets", "-"];
    let output = run_with(&arguments, text.as_bytes());
    assert!(!err(&output).contains("is empty"), "{}", err(&output));
}
