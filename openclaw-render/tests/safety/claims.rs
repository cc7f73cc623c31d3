//! The claim: read before it is let go, kept, made larger.

use openclaw_render::{Kind, ObjectKey, Read};
use serde_json::json;

use crate::{create, delete, fresh, pods, said};
use openclaw_play::world::{World, instance};

const CLAIM: &str = "PersistentVolumeClaim";

/// An instance whose claim somebody ties to it, which the operator's cache does not know.
fn tied_behind_the_cache(name: &str) -> World {
    let mut world = World::new(name);
    world.server.create(&instance(name, &json!({})), "kubectl").expect("it is new");
    let mut world = world.settled().expect("it settles");
    let claim = format!("{name}-data");
    if world.get(CLAIM, &claim).is_none() {
        // Its name is none that is rendered today; the Go operator made it.
        let labels = json!({"app.kubernetes.io/managed-by": "openclaw-operator"});
        create(&mut world, CLAIM, &claim, json!({"spec": {}}));
        let mut live = world.get(CLAIM, &claim).expect("there").clone();
        live["metadata"]["labels"] = labels;
        world.server.update(&live, "manager").expect("it can be changed");
    }
    let known = world.get(CLAIM, &claim).expect("the claim").clone();
    let key = ObjectKey::new(Kind::PersistentVolumeClaim, claim);
    let uid = world.live_instance().expect("there")["metadata"]["uid"].clone();
    let owner = json!({
        "apiVersion": "openclaw.rocks/v1alpha1", "kind": "OpenClawInstance", "name": name,
        "uid": uid, "controller": true,
    });
    let mut tied = known.clone();
    tied["metadata"]["ownerReferences"] = json!([owner]);
    world.server.update(&tied, "another-leader").expect("it can be changed");
    world.stale.insert(key, known);
    let mut live = world.live_instance().expect("there").clone();
    live["metadata"]["finalizers"] = json!(["openclaw.rocks/finalizer"]);
    world.server.update(&live, "kubectl").expect("it can be changed");
    world
}

#[test]
fn the_claim_is_read_before_the_finalizer_goes_whatever_the_cache_says() {
    // Names that today's rules refuse were allowed once.
    for name in ["ada", "1agent", "team.agent", &"a".repeat(60)] {
        let mut world = tied_behind_the_cache(name);
        delete(&mut world, "OpenClawInstance", name);
        world.settle().unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(world.live_instance().is_none(), "{name} is gone");
        let claim = world.get(CLAIM, &format!("{name}-data"));
        let claim = claim.unwrap_or_else(|| panic!("{name}: the claim is lost"));
        assert_eq!(claim["metadata"].get("ownerReferences"), None, "{name}");
    }
}

#[test]
fn an_instance_stays_while_its_claim_cannot_be_read_or_released_and_says_why() {
    let mut world = tied_behind_the_cache("ada");
    delete(&mut world, "OpenClawInstance", "ada");
    let read = Read::Live(ObjectKey::new(Kind::PersistentVolumeClaim, "ada-data"));
    world.unreadable.push(format!("{read:?}"));
    let mut world = world.settled().expect("it settles");
    assert_eq!(
        said(&world, "Ready"),
        "False Terminating: the instance is being deleted: claim ada-data must be read before it goes"
    );
    world.unreadable.clear();
    world.refused.push("PersistentVolumeClaim/ada-data".to_owned());
    let mut world = world.settled().expect("it settles");
    assert_eq!(
        said(&world, "Ready"),
        "False ApplyRefused: the instance stays until its claim is released, and the API server \
         refuses PersistentVolumeClaim/ada-data: not allowed here"
    );
    world.refused.clear();
    let world = world.settled().expect("it settles");
    assert!(world.live_instance().is_none());
    assert!(world.get(CLAIM, "ada-data").is_some());
}

#[test]
fn a_claim_that_cannot_grow_is_reported() {
    let mut world =
        fresh(&json!({"storage": {"persistence": {"size": "1Gi"}}})).settled().expect("it settles");
    world.refused.push("PersistentVolumeClaim/ada-data".to_owned());
    world.merge(&json!({"spec": {"storage": {"persistence": {"size": "2Gi"}}}}));
    world.pass().expect("a plan");
    let said = said(&world, "StorageReady");
    assert!(
        said.starts_with("False ApplyRefused: the API server refuses claim ada-data"),
        "{said}"
    );
    assert_eq!(pods(&world), 1);
}
