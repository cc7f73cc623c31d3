//! `diff`: what changes, and what becomes of the pods.

use tempfile::TempDir;

use crate::program::{MINIMAL, code, err, file, out, run, run_with};

/// Returns what `diff` says of a spec that becomes another one.
fn said(arguments: &[&str], before: &str, after: &str) -> (i32, String) {
    let directory = TempDir::new().expect("a directory");
    let spec = |spec: &str| MINIMAL.replace("spec: { ", &format!("spec: {{ {spec} "));
    let before = file(&directory, "before.yaml", spec(before));
    let after = file(&directory, "after.yaml", spec(after));
    let output = run(&[&["diff"], arguments, &[&before, &after]].concat());
    (code(&output), out(&output).to_owned())
}

#[test]
fn what_becomes_of_the_pod_is_told() {
    let raw = |key: &str| format!("config: {{ raw: {{ {key} }} }},");
    for (before, after, expected) in [
        ("", "", ""),
        (
            "",
            "availability: { podDisruptionBudget: { enabled: false } },",
            "default/ada: nothing happens to the pod\n",
        ),
        (
            "",
            &raw("ui: { a: 1 }"),
            "default/ada: the running gateway reads its configuration again\n",
        ),
        (
            &raw("browser: { color: red }"),
            &raw("browser: { color: blue }, ui: { a: 1 }"),
            "default/ada: the gateway restarts in its container, because of browser.color\n",
        ),
        (
            "config: { raw: { gateway: { reload: { mode: \"off\" } } } },",
            "config: { raw: { gateway: { reload: { mode: \"off\" }, http: { endpoints: {} } } } },",
            "default/ada: the change waits for the gateway's next start: `gateway.reload.mode` is \
             `off`\n",
        ),
        ("", "resources: { limits: { memory: 3Gi } },", "default/ada: the pod is replaced\n"),
        ("", "suspended: true,", "default/ada: the pod is stopped\n"),
        ("suspended: true,", "", "default/ada: a pod is started\n"),
    ] {
        let code = i32::from(!expected.is_empty());
        assert_eq!(said(&["--summary"], before, after), (code, expected.to_owned()), "{after}");
    }
}

#[test]
fn objects_are_compared_line_by_line() {
    let (code, text) = said(&[], "suspended: true,", "");
    assert_eq!(code, 1);
    insta::assert_snapshot!(text, @r#"
    default/ada: a pod is started
    --- statefulset.apps/ada
    +++ statefulset.apps/ada
    @@ -9,7 +9,7 @@
       namespace: default
     spec:
       podManagementPolicy: Parallel
    -  replicas: 0
    +  replicas: 1
       revisionHistoryLimit: 10
       selector:
         matchLabels:
    --- poddisruptionbudget.policy/ada
    +++ poddisruptionbudget.policy/ada
    @@ -0,0 +1,16 @@
    +apiVersion: policy/v1
    +kind: PodDisruptionBudget
    +metadata:
    +  labels:
    +    app.kubernetes.io/instance: ada
    +    app.kubernetes.io/managed-by: openclaw-operator
    +    app.kubernetes.io/name: openclaw
    +  name: ada
    +  namespace: default
    +spec:
    +  maxUnavailable: 1
    +  selector:
    +    matchLabels:
    +      app.kubernetes.io/instance: ada
    +      app.kubernetes.io/name: openclaw
    +  unhealthyPodEvictionPolicy: AlwaysAllow
    "#);
}

#[test]
fn instances_come_and_go() {
    let directory = TempDir::new().expect("a directory");
    let ada = file(&directory, "ada.yaml", MINIMAL);
    let zoe = file(&directory, "zoe.yaml", MINIMAL.replace("name: ada", "name: zoe"));
    let output = run(&["diff", "-s", &ada, &zoe]);
    assert_eq!(
        (code(&output), out(&output)),
        (1, "default/ada: the pod is stopped\ndefault/zoe: a pod is started\n")
    );
}

#[test]
fn a_side_that_cannot_be_rendered_exits_2() {
    let directory = TempDir::new().expect("a directory");
    let ada = file(&directory, "ada.yaml", MINIMAL);
    let wrong = MINIMAL.replace("tag: 2026.9.6", "tag: [1]");
    for other in [file(&directory, "wrong.yaml", wrong), "/does/not/exist".to_owned()] {
        let output = run(&["diff", &ada, &other]);
        assert_eq!((code(&output), out(&output)), (2, ""), "{other}");
        assert!(err(&output).contains(&other), "{}", err(&output));
    }
    let output = run_with(&["diff", "-", &ada], MINIMAL.as_bytes());
    assert_eq!((code(&output), out(&output), err(&output)), (0, "", ""));
}
