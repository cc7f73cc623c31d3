//! What users put into the pod themselves is rendered as they write it.

#[path = "support/fixtures.rs"]
mod fixtures;

use openclaw_render::{Observed, Settings, Severity, decode_instance, render_instance, resolve};
use serde_json::{Value, json};

/// A container with something in every part of it.
fn container(name: &str) -> Value {
    json!({
        "name": name, "image": "registry.example.com/team/tool:1", "command": ["/bin/tool"],
        "args": ["--once"], "workingDir": "/work", "imagePullPolicy": "Always",
        "env": [{"name": "A", "value": "$(HOME)"}],
        "envFrom": [{"configMapRef": {"name": "sample"}, "prefix": "P_"}],
        "ports": [{"containerPort": 9000, "name": name, "protocol": "UDP"}],
        "resources": {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m"}},
        "securityContext": {"privileged": true, "runAsUser": 0},
        "terminationMessagePolicy": "File",
        "volumeMounts": [{"mountPath": "/work", "name": "work", "subPathExpr": "$(A)"}],
        "volumeDevices": [{"devicePath": "/dev/xvda", "name": "disk"}],
    })
}

#[test]
fn containers_and_volumes_of_users_are_rendered_as_they_are_written() {
    let mut sidecar = container("beside");
    sidecar["livenessProbe"] = json!({"exec": {"command": ["true"]}, "periodSeconds": 3});
    sidecar["ports"][0]["containerPort"] = json!(9001);
    let volumes = json!([
        {"name": "disk", "persistentVolumeClaim": {"claimName": "disk"}},
        {"name": "work", "emptyDir": {"medium": "Memory", "sizeLimit": "1Gi"}},
    ]);
    let mount = json!({"mountPath": "/mnt", "mountPropagation": "None", "name": "work"});
    let document = json!({
        "metadata": {"name": "ada", "namespace": "agents"},
        "spec": {
            "image": {"tag": "2026.9.6"},
            "initContainers": [container("before")], "sidecars": [sidecar],
            "sidecarVolumes": [volumes[0]], "extraVolumes": [volumes[1]],
            "extraVolumeMounts": [mount],
        },
    });
    let (instance, _) = decode_instance(document).expect("it decodes");
    let (objects, _) = render_instance(&instance, &Observed::default(), &Settings::default());
    let set = objects.last().expect("objects").to_value();
    let pod = &set["spec"]["template"]["spec"];
    let contains =
        |list: &Value, item: &Value| list.as_array().is_some_and(|items| items.contains(item));
    assert!(contains(&pod["initContainers"], &container("before")), "{pod:#}");
    assert_eq!(pod["containers"][1], sidecar);
    for volume in [&volumes[0], &volumes[1]] {
        assert!(contains(&pod["volumes"], volume), "{:#}", pod["volumes"]);
    }
    assert!(contains(&pod["containers"][0]["volumeMounts"], &mount), "{pod:#}");
}

#[test]
fn the_name_of_a_container_of_the_operator_is_refused() {
    let path = fixtures::top_level("fixtures").join("instances/everything.yaml");
    let everything = fixtures::Fixture::load(&path);
    let (objects, _) = everything.render();
    let instance = &everything.documents.instances[0].value;
    let set = objects.last().expect("objects").to_value();
    let pod = &set["spec"]["template"]["spec"];
    let containers = ["containers", "initContainers"].map(|list| pod[list].as_array());
    let users = instance.spec.init_containers.iter().chain(&instance.spec.sidecars).flatten();
    let users: Vec<&str> = users.map(|container| container.name.as_str()).collect();
    for container in containers.into_iter().flatten().flatten() {
        let name = container["name"].as_str().expect("a name");
        let (ada, _) = decode_instance(json!({
            "metadata": {"name": "ada", "namespace": "agents"},
            "spec": {"sidecars": [{"name": name, "image": "x"}]},
        }))
        .expect("it decodes");
        let resolution = resolve(&ada, &Observed::default(), &Settings::default());
        let refused = resolution.problems.iter().any(|problem| {
            problem.path == "spec.sidecars[0].name" && problem.severity == Severity::Error
        });
        assert_eq!(refused, !users.contains(&name), "{name}");
    }
}
