//! A change that only takes something out reaches the cluster: what is stored of ours is what is
//! rendered now, and no more.
//!
//! Decided by [`openclaw_render::plan`], performed here; no operator runs.

mod spec;
mod world;

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt, stream};
use kube::api::{DeleteParams, Patch, PatchParams};
use openclaw_render::vocab::FIELD_MANAGER;
use openclaw_render::{
    Kind, Observed, Ownership, Settings, Severity, decode_instance, render_instance,
};
use serde_json::{Value, json};

use crate::support::cluster::Cluster;
use crate::support::random::{Random, seed};
use spec::{REMOVED, less, remove, spec};
use world::World;

/// Specs that have less than the whole, by chance, besides those of [`REMOVED`].
const CASES: u64 = 40;
const AT_ONCE: usize = 4;

/// Whether a spec is one that users can have, and that starts.
async fn is_possible(cluster: &Cluster, spec: &Value) -> bool {
    let document = json!({
        "apiVersion": "openclaw.rocks/v1alpha1", "kind": "OpenClawInstance",
        "metadata": {"name": "ada", "namespace": cluster.namespace}, "spec": spec,
    });
    let Ok((instance, _)) = decode_instance(document.clone()) else { return false };
    let observed = Observed { random_token: Some("0".repeat(64)), ..Observed::default() };
    let (objects, problems) = render_instance(&instance, &observed, &Settings::default());
    if problems.iter().any(|problem| problem.severity != Severity::Advice)
        || cluster.try_create(&document).await.is_err()
    {
        return false;
    }
    // A selector without its values, for example, is one that only the object shows to be none.
    let mut parameters = PatchParams::apply(FIELD_MANAGER).force().validation_strict();
    parameters.dry_run = true;
    for object in objects {
        let (key, object) = (object.key(), object.to_value());
        let applied =
            cluster.of(key.kind).patch(&key.name, &parameters, &Patch::Apply(&object)).await;
        if applied.is_err() {
            return false;
        }
    }
    true
}

/// Applies the whole spec, then less of it. What was written then, and what is wrong.
async fn case(cluster: &Cluster, number: usize, less: &Value) -> (BTreeSet<Kind>, Vec<String>) {
    let name = format!("case-{number}");
    let (mut whole, mut less) = (spec(), less.clone());
    // Each has an account of its own.
    for spec in [&mut whole, &mut less] {
        if let Some(account) = spec.pointer_mut("/security/rbac/serviceAccountName") {
            *account = json!(format!("account-{number}"));
        }
    }
    let stored = cluster
        .apply(&json!({
            "apiVersion": "openclaw.rocks/v1alpha1", "kind": "OpenClawInstance",
            "metadata": {"name": name}, "spec": whole,
        }))
        .await
        .expect("the instance is taken");
    let mut world = World { cluster, name: name.clone(), stored, unsettled: BTreeMap::new() };
    world.settle(&whole).await;
    let wrong = world.differences(&whole).await;
    assert!(wrong.is_empty(), "{name} as a whole: {wrong:#?}");
    let written = world.settle(&less).await;
    let wrong = world.differences(&less).await;
    let instances = cluster.instances();
    instances.delete(&name, &DeleteParams::background()).await.expect("it is deleted");
    (written, wrong)
}

#[tokio::test]
async fn what_is_taken_out_of_a_spec_is_taken_out_of_the_cluster() {
    let seed = seed();
    eprintln!("OPENCLAW_SEED={seed}");
    let mut random = Random::new(seed);
    let cluster = Cluster::with_security("removed", "privileged").await;
    for kind in ["ConfigMap", "Secret"] {
        let referenced = json!({
            "apiVersion": "v1", "kind": kind,
            "metadata": {"name": "referenced"}, "data": {"key": "dmFsdWU="},
        });
        cluster.apply(&referenced).await.expect("it is taken");
    }
    let mut cases = Vec::new();
    for removed in REMOVED {
        let mut less = spec();
        for pointer in *removed {
            assert!(remove(&mut less, pointer), "{pointer} is not in the spec");
        }
        assert!(is_possible(&cluster, &less).await, "{removed:?}");
        cases.push(less);
    }
    for _ in 0..CASES {
        let less = less(&mut random);
        if is_possible(&cluster, &less).await {
            cases.push(less);
        }
    }
    let found: Vec<(usize, BTreeSet<Kind>, Vec<String>)> = stream::iter(cases.iter().enumerate())
        .map(async |(number, less)| {
            let (written, wrong) = case(&cluster, number, less).await;
            (number, written, wrong)
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let mut report = Vec::new();
    for (number, _, wrong) in found.iter().filter(|(.., wrong)| !wrong.is_empty()) {
        let what =
            REMOVED.get(*number).map_or(format!("{}", cases[*number]), |it| format!("{it:?}"));
        report.push(format!("without {what}:\n  {}", wrong.join("\n  ")));
    }
    assert!(
        report.is_empty(),
        "{} of {} cases, seed {seed}:\n{}",
        report.len(),
        cases.len(),
        report.join("\n")
    );
    let written: BTreeSet<Kind> = found.into_iter().flat_map(|(_, written, _)| written).collect();
    let applied = Kind::ALL
        .iter()
        .filter(|kind| kind.ownership() == Ownership::Applied && kind.project().is_none())
        // With everything else there is one volume, and so one replica.
        .filter(|kind| **kind != Kind::HorizontalPodAutoscaler);
    let untouched: Vec<_> = applied.filter(|kind| !written.contains(kind)).collect();
    assert!(untouched.is_empty(), "nothing was taken out of {untouched:?}");
    cluster.end().await;
}
