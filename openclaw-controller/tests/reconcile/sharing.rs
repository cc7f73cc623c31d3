//! The shared storage of backups: the operator's Secret, and its copies in namespaces.

use openclaw_render::Kind;
use openclaw_render::vocab::names;
use serde_json::{Value, json};

use crate::support::cluster::{Cluster, OPERATOR_ACCOUNT, OPERATOR_NAMESPACE, condition_of};
use crate::support::operator::Operator;

const COPY: &str = names::SHARED_BACKUP;

/// A Secret in the operator's namespace that is this test's alone.
async fn share(operators: &Cluster, name: &str, key: &str) {
    let data = json!({
        "S3_BUCKET": "all-backups", "S3_ENDPOINT": "http://127.0.0.1:9",
        "S3_ACCESS_KEY_ID": "id", "S3_SECRET_ACCESS_KEY": key, "password": "of something else",
    });
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": name, "namespace": OPERATOR_NAMESPACE}, "stringData": data,
    });
    operators.apply(&secret).await.expect("the Secret is taken");
}

/// What the chart gives besides where storage is shared: the namespace's own metadata.
async fn allow_a_look(cluster: &Cluster) {
    let rules = [json!({"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get"]})];
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
        "metadata": {"name": "look"}, "rules": rules,
    });
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
        "metadata": {"name": "look"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "look"},
        "subjects": [{
            "kind": "ServiceAccount", "name": OPERATOR_ACCOUNT, "namespace": OPERATOR_NAMESPACE,
        }],
    });
    for object in [role, binding] {
        cluster.apply(&object).await.expect("it is taken");
    }
}

fn agent(spec: &Value) -> Value {
    json!({
        "apiVersion": "openclaw.rocks/v1alpha1", "kind": "OpenClawInstance",
        "metadata": {"name": "ada"}, "spec": spec,
    })
}

async fn copy(cluster: &Cluster) -> Option<Value> {
    cluster.get(Kind::Secret, COPY).await
}

async fn until_copied(cluster: &Cluster, key: &str) {
    use k8s_openapi::ByteString;
    let encoded = serde_json::to_value(ByteString(key.as_bytes().to_vec())).expect("JSON");
    cluster
        .until("the copy is there", async || {
            copy(cluster).await.is_some_and(|copy| copy["data"]["S3_SECRET_ACCESS_KEY"] == encoded)
        })
        .await;
}

#[tokio::test]
async fn the_shared_storage_is_copied_where_it_is_used_and_goes_with_its_last_user() {
    let cluster = Cluster::namespace("sharing").await;
    let operators = Cluster::existing(OPERATOR_NAMESPACE).await;
    let secret = format!("{}-storage", cluster.namespace);
    share(&operators, &secret, "first").await;
    let arguments = ["--backup-share-with", &cluster.namespace, "--backup-secret", &secret];
    let operator = Operator::with(&cluster, None, &arguments).await;
    // An agent that asks for no backup does not bring it.
    cluster.apply(&agent(&json!({}))).await.expect("the instance is taken");
    cluster.until_ready("ada").await;
    assert_eq!(copy(&cluster).await, None);
    let asks = json!({"spec": {"backup": {"schedule": "0 3 * * *"}}});
    cluster.merge_instance("ada", &asks).await;
    until_copied(&cluster, "first").await;
    let made = copy(&cluster).await.expect("the copy");
    let keys: Vec<&String> = made["data"].as_object().expect("data").keys().collect();
    assert_eq!(keys, ["S3_ACCESS_KEY_ID", "S3_BUCKET", "S3_ENDPOINT", "S3_SECRET_ACCESS_KEY"]);
    cluster.until_condition("ada", "ScheduledBackupReady", "True").await;
    // Changed keys follow, and so does a copy that somebody has changed.
    share(&operators, &secret, "second").await;
    until_copied(&cluster, "second").await;
    cluster.merge(Kind::Secret, COPY, &json!({"stringData": {"S3_SECRET_ACCESS_KEY": "x"}})).await;
    until_copied(&cluster, "second").await;
    cluster.merge_instance("ada", &json!({"spec": {"backup": null}})).await;
    cluster.until("the copy is gone", async || copy(&cluster).await.is_none()).await;
    // An operator that shares it with others no longer takes it away.
    cluster.merge_instance("ada", &asks).await;
    until_copied(&cluster, "second").await;
    drop(operator);
    let elsewhere = ["--backup-share-with", "others", "--backup-secret", &secret];
    let _operator = Operator::with(&cluster, None, &elsewhere).await;
    cluster.until("the copy is gone", async || copy(&cluster).await.is_none()).await;
    // What the first operator said last may stand for a moment.
    cluster
        .until("the agent's owner is told whom to ask", async || {
            let live = cluster.instance("ada").await.expect("the instance");
            condition_of(&live, "BackupReady").is_some_and(|said| {
                let words = said["message"].to_string();
                said["status"] == "False"
                    && said["reason"] == "NoCredentials"
                    && words.contains("backup.s3.shareWith")
            })
        })
        .await;
    operators.delete(Kind::Secret, &secret).await;
    cluster.end().await;
}

#[tokio::test]
async fn a_secret_of_somebody_else_is_never_written_over_with_the_shared_storage() {
    let cluster = Cluster::namespace("taken").await;
    let operators = Cluster::existing(OPERATOR_NAMESPACE).await;
    let secret = format!("{}-storage", cluster.namespace);
    let theirs = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": COPY},
        "stringData": {"S3_BUCKET": "theirs"},
    });
    cluster.apply(&theirs).await.expect("the Secret is taken");
    let before = copy(&cluster).await.expect("it is there");
    let arguments = ["--backup-share-with", "*", "--backup-secret", &secret];
    let _operator = Operator::with(&cluster, None, &arguments).await;
    cluster
        .apply(&agent(&json!({"backup": {"schedule": "0 3 * * *"}})))
        .await
        .expect("the instance is taken");
    let says = async |words: &str| {
        let said = cluster.until_condition("ada", "BackupReady", "False").await;
        said["reason"] == "NoCredentials" && said["message"].to_string().contains(words)
    };
    // There is no Secret to copy, and then there is one.
    cluster.until("that is said", async || says("there is no Secret").await).await;
    share(&operators, &secret, "first").await;
    cluster.until("that is said", async || says("somebody else's").await).await;
    assert_eq!(copy(&cluster).await, Some(before));
    operators.delete(Kind::Secret, &secret).await;
    cluster.end().await;
}

#[tokio::test]
async fn another_namespaces_backup_is_restored_only_where_the_admin_allows_it() {
    let cluster = Cluster::namespace("allowed").await;
    allow_a_look(&cluster).await;
    let operators = Cluster::existing(OPERATOR_NAMESPACE).await;
    let secret = format!("{}-storage", cluster.namespace);
    share(&operators, &secret, "first").await;
    let arguments = ["--backup-share-with", "*", "--backup-secret", &secret];
    let _operator = Operator::with(&cluster, None, &arguments).await;
    let spec = json!({"restoreFrom": "backups/others/bob/2026-11-01T03-00-00Z"});
    cluster.apply(&agent(&spec)).await.expect("the instance is taken");
    let reason = async || {
        let said = cluster.until_condition("ada", "RestoreComplete", "False").await;
        said["reason"].as_str().unwrap_or_default().to_owned()
    };
    cluster.until("it is refused", async || reason().await == "RestoreNotAllowed").await;
    let jobs = async || {
        cluster
            .api("batch/v1", "Job", "jobs")
            .list(&kube::api::ListParams::default())
            .await
            .expect("Jobs")
            .items
    };
    assert!(jobs().await.is_empty());
    let allowed =
        json!({"metadata": {"annotations": {"openclaw.rocks/restore-from": "backups/others"}}});
    let namespaces = cluster.everywhere("v1", "Namespace", "namespaces");
    let patch = kube::api::Patch::Merge(&allowed);
    namespaces
        .patch(&cluster.namespace, &kube::api::PatchParams::default(), &patch)
        .await
        .expect("the namespace is annotated");
    // A look at the agent is a look at its namespace.
    cluster.merge_instance("ada", &json!({"metadata": {"labels": {"look": "again"}}})).await;
    cluster.until("the restore is begun", async || !jobs().await.is_empty()).await;
    let job = serde_json::to_string(&jobs().await[0]).expect("JSON");
    assert!(job.contains(COPY), "{job}");
    operators.delete(Kind::Secret, &secret).await;
    cluster.end().await;
}
