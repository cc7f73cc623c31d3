//! Volumes: fresh, inherited, full.

use kube::api::{DeleteParams, Patch, PatchParams};
use openclaw_render::Kind;
use openclaw_render::vocab::paths::{CONFIG_FILE, HOME, STATE};
use serde_json::{Value, json};

use crate::support::agent::{APPLICATION, Agent, NAME, POD, bystander, said};
use crate::support::cluster::condition_of;

#[tokio::test]
async fn a_fresh_claim_gets_the_layout_home_and_belongs_to_the_agent() {
    let agent = crate::onlooked().await;
    let claim = agent.cluster.get(Kind::PersistentVolumeClaim, "ada-data").await.expect("a claim");
    assert_eq!(claim["metadata"]["annotations"]["openclaw.rocks/layout"], "home");
    let owner = |path| agent.run(&["stat", "--format", "%u:%g", path]);
    for path in [HOME, STATE, CONFIG_FILE] {
        assert_eq!(owner(path), "1000:1000\n", "{path}");
    }

    // The volume itself stays root's: the agent had to do with what `fsGroup` grants.
    let mut surveyor = bystander("surveyor", "2026.9.6", &["sleep", "infinity"]);
    surveyor["spec"]["securityContext"]["fsGroup"] = json!(null);
    on_volume_of_agent(&mut surveyor, "/volume");
    agent.with_bystander(&surveyor).await;
    let format = "%u:%g %a";
    let root = agent.kubectl(&["exec", "surveyor", "--", "stat", "--format", format, "/volume"]);
    assert!(
        ["0:1000 2775\n", "0:1000 2770\n"].map(str::as_bytes).contains(&&root.stdout[..]),
        "{}",
        said(&root)
    );
    agent.cluster.delete_pod("surveyor").await;
}

/// Mounts the volume of the agent in the container of a bystander.
fn on_volume_of_agent(pod: &mut Value, path: &str) {
    pod["spec"]["volumes"] =
        json!([{"name": "data", "persistentVolumeClaim": {"claimName": "ada-data"}}]);
    pod["spec"]["containers"][0]["volumeMounts"] = json!([{"name": "data", "mountPath": path}]);
}

/// From the range of a namespace, as platforms give it that choose the user themselves.
const ARBITRARY: i64 = 1_000_720_000;

#[tokio::test]
async fn an_arbitrary_user_keeps_its_state() {
    let context = json!({"runAsUser": ARBITRARY, "runAsGroup": 0, "fsGroup": ARBITRARY});
    let agent =
        Agent::ready("arbitrary", &json!({"security": {"podSecurityContext": context}})).await;
    agent.until_applied().await;
    let owner = |path| agent.run(&["stat", "--format", "%u", path]);
    for path in [STATE, CONFIG_FILE] {
        assert_eq!(owner(path), format!("{ARBITRARY}\n"), "{path}");
    }
    agent.run(&["sh", "-c", "echo 'Remember me.' >~/.openclaw/workspace/MEMORY.md"]);
    agent.delete_pod().await;
    assert_eq!(agent.run(&["cat", &format!("{STATE}/workspace/MEMORY.md")]), "Remember me.\n");
    agent.end().await;
}

#[tokio::test]
async fn a_volume_that_the_agent_may_not_write_to_is_named_with_what_to_do() {
    let agent = Agent::nobody("roots").await;
    let name = agent.cluster.namespace.clone();
    // The kubelet gives no folder of the host to a group.
    let volume = json!({
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name},
        "spec": {
            "storageClassName": "roots",
            "capacity": {"storage": "1Gi"},
            "accessModes": ["ReadWriteOnce"],
            "persistentVolumeReclaimPolicy": "Retain",
            "claimRef": {"namespace": name, "name": "roots"},
            "hostPath": {"path": format!("/var/tmp/{name}"), "type": "DirectoryOrCreate"},
        },
    });
    let volumes = agent.cluster.everywhere("v1", "PersistentVolume", "persistentvolumes");
    let parameters = PatchParams::apply("tests");
    volumes.patch(&name, &parameters, &Patch::Apply(&volume)).await.expect("the volume is taken");
    let claim = json!({
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "roots", "annotations": {"openclaw.rocks/layout": "home"}},
        "spec": {
            "storageClassName": "roots",
            "volumeName": name,
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
        },
    });
    agent.cluster.apply(&claim).await.expect("the claim is taken");
    agent.ask(&json!({"storage": {"persistence": {"existingClaim": "roots"}}})).await;
    agent.until_not_ready("VolumeNotWritable", "fsGroup").await;
    agent.end().await;
    volumes.delete(&name, &DeleteParams::default()).await.expect("the volume goes");
}

/// As the Go operator ran it: the volume itself is the state folder, and other folders of the home
/// are in folders of it.
const AS_BEFORE: &str = r#"
mkdir -p ~/.openclaw/.local ~/.openclaw/.cache ~/.openclaw/.config ~/.openclaw/workspace
cat >~/.openclaw/openclaw.json <<'EOF'
{"gateway": {"mode": "local", "bind": "lan", "auth": {"mode": "token", "token": "before"}}}
EOF
echo 'Remember me.' >~/.openclaw/workspace/MEMORY.md
exec openclaw gateway --port 18789
"#;

#[tokio::test]
async fn a_flat_volume_with_the_state_of_an_older_version_is_adopted_as_it_is() {
    let agent = Agent::nobody("flat").await;
    let claim = json!({
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {
            "name": "ada-data",
            "labels": {
                "app.kubernetes.io/instance": "ada",
                "app.kubernetes.io/managed-by": "openclaw-operator",
                "app.kubernetes.io/name": "openclaw",
            },
        },
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "10Gi"}},
        },
    });
    agent.cluster.apply(&claim).await.expect("the claim is taken");
    let mut before = bystander("before", "2026.7.1", &["sh", "-c", AS_BEFORE]);
    on_volume_of_agent(&mut before, "/home/openclaw/.openclaw");
    let container = &mut before["spec"]["containers"][0];
    container["env"] = json!([{"name": "HOME", "value": "/home/openclaw"}]);
    container["readinessProbe"] = json!({
        "httpGet": {"path": "/readyz", "port": 18789},
        "failureThreshold": 100,
        "periodSeconds": 1,
    });
    agent.with_bystander(&before).await;
    agent.cluster.delete_pod("before").await;

    agent.ask(&json!({"image": {"tag": "2026.7.1"}})).await;
    agent.cluster.until_ready(NAME).await;
    let claim = agent.cluster.get(Kind::PersistentVolumeClaim, "ada-data").await.expect("a claim");
    // What has no record of its layout is flat, see ADR 0006.
    assert_eq!(claim["metadata"]["annotations"].get("openclaw.rocks/layout"), None);
    let memory = agent.run(&["cat", &format!("{STATE}/workspace/MEMORY.md")]);
    assert_eq!(memory, "Remember me.\n");
    agent.until_applied().await;
    assert!(!agent.run(&["cat", CONFIG_FILE]).contains("before"));
    // And the newest version takes its state over.
    let pod = agent.pod().await;
    agent.change(&json!({"image": {"tag": "2026.9.6"}})).await;
    agent.until_replaced(pod["metadata"]["uid"].as_str().expect("a uid")).await;
    assert_eq!(agent.run(&["cat", &format!("{STATE}/workspace/MEMORY.md")]), memory);
    agent.end().await;
}

#[tokio::test]
async fn a_full_volume_is_named() {
    // Of a class whose volume is small, see tests/cluster/README.md.
    let small = json!({
        "storage": {"persistence": {"size": "64Mi", "storageClass": "small"}},
        "probes": {"diskReadiness": {"enabled": true, "minFree": "1Mi"}},
    });
    let agent = Agent::ready("full", &small).await;
    // Again and again: the application deletes files of its own meanwhile.
    let fill = "cat /dev/zero >>~/.openclaw/workspace/film.mkv";
    agent
        .cluster
        .until("the full disk is named", async || {
            agent.exec(APPLICATION, &["sh", "-c", fill]);
            agent.is_not_ready("VolumeFull", "diskReadiness").await
        })
        .await;

    // Nor is there room for another configuration.
    let long = json!({"env": {"vars": {"SYNOPSIS": "long ".repeat(20_000)}}});
    agent.change(&json!({"config": {"raw": long}})).await;
    agent
        .cluster
        .until("the configuration that has no room is named", async || {
            agent.exec(APPLICATION, &["sh", "-c", fill]);
            let live = agent.instance().await;
            condition_of(&live, "ConfigValid").is_some_and(|it| it["reason"] == "VolumeFull")
        })
        .await;

    // An application that is started again finds no room for what it is given.
    agent.change(&json!({"workspace": {"initialFiles": {"SOUL.md": "You are Ada.\n"}}})).await;
    agent.cluster.until_observed(NAME).await;
    // With a full disk it does not end before it is killed, five minutes later.
    let taken = agent.kubectl(&["delete", "pod", POD, "--wait=false", "--grace-period=1"]);
    assert!(taken.status.success(), "{}", said(&taken));
    agent.until_not_ready("VolumeFull", "exits with").await;
    agent.end().await;
}
