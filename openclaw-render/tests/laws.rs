//! The five laws, over every step of every scene: settles, stays, crash-safe, order-free, clean.

#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests read fixtures, and what is missing in a test is a failed test"
)]

mod support;

use std::sync::OnceLock;

use openclaw_play::{Scene, World};
use openclaw_render::{Observed, Purpose, decode_instance, render_instance, violations};
use serde_json::Value;
use support::ends::end;
use support::scenes::scenes;

/// A step of a scene: the world right after it happened, and where that leads.
struct Moment {
    name: String,
    world: World,
    end: World,
}

/// Each step of each scene, once. Many scenes begin alike: what was there already is left out.
fn moments() -> &'static [Moment] {
    static MOMENTS: OnceLock<Vec<Moment>> = OnceLock::new();
    MOMENTS.get_or_init(|| {
        let mut moments: Vec<Moment> = Vec::new();
        for (scene_name, scene) in scenes() {
            let mut world = scene.world();
            for step in &scene.steps {
                step.happen(&mut world).expect("it happens");
                let name = format!("{scene_name}: {}", step.title);
                let known = moments.iter().find(|known| known.world.same_as(&world));
                let end = known.map_or_else(|| settled(&name, world.clone()), |it| it.end.clone());
                if known.is_none() {
                    moments.push(Moment { name, world, end: end.clone() });
                }
                world = end;
            }
        }
        moments
    })
}

fn settled(name: &str, mut world: World) -> World {
    world.settle().unwrap_or_else(|error| panic!("{name}: {error}"));
    world
}

#[test]
fn every_moment_settles_and_stays() {
    for Moment { name, end, .. } in moments() {
        let mut world = end.clone();
        let before = world.server.version();
        if let Some(plan) = world.pass() {
            assert_eq!(plan.effects, [], "{name}");
            assert_eq!(plan.events, [], "{name}");
        }
        assert_eq!(world.server.version(), before, "{name}: a pass at rest changed something");
    }
}

#[test]
fn a_crash_after_any_effect_leads_to_the_same_end() {
    for Moment { name, world, end } in moments() {
        let plan = world.clone().decide();
        let effects = plan.map(|plan| plan.effects).unwrap_or_default();
        for cut in 0..=effects.len() {
            let mut crashed = world.clone();
            crashed.decide();
            for effect in &effects[..cut] {
                crashed.perform(effect).expect("it is performed");
            }
            crashed.restart();
            crashed.tick();
            let crashed = settled(name, crashed);
            assert_same_end(&crashed, end, &format!("{name}, cut after {cut} effects"));
            // Kubernetes acts on a template that somebody changed before the operator can.
            if !name.contains("changes the pod template") {
                assert_eq!(
                    crashed.replaced, end.replaced,
                    "{name}, cut after {cut}: pods replaced"
                );
            }
        }
    }
}

/// Clean: selectors match, mounts have volumes, ports agree, no secret is where it can be read.
#[test]
fn what_is_rendered_at_every_moment_holds_together() {
    let mut rendered = 0;
    for Moment { name, world, .. } in moments() {
        let Some(live) = world.live_instance() else { continue };
        let (instance, _) = decode_instance(live.clone()).expect("the stored instance decodes");
        let (objects, _) = render_instance(&instance, &Observed::default(), &world.settings);
        rendered += usize::from(!objects.is_empty());
        assert_eq!(violations(&objects), Vec::<String>::new(), "{name}");
    }
    assert!(rendered > 20, "hardly anything was rendered: {rendered}");
}

/// A failed effect does not stop the others, and the next pass makes up for it.
#[test]
fn an_effect_that_fails_once_leads_to_the_same_end() {
    for Moment { name, world, end } in moments() {
        let effects = world.clone().decide().map(|plan| plan.effects).unwrap_or_default();
        for failed in 0..effects.len() {
            let mut limping = world.clone();
            limping.decide();
            for (index, effect) in effects.iter().enumerate() {
                // An apply after a take-over that failed would meet another version.
                if index != failed {
                    limping.perform(effect).expect("it is performed");
                }
            }
            limping.tick();
            let limping = settled(name, limping);
            assert_same_end(&limping, end, &format!("{name}, without effect {failed}"));
        }
    }
}

#[test]
fn the_order_of_independent_effects_does_not_matter() {
    for Moment { name, world, end } in moments() {
        let mut effects = world.clone().decide().map(|plan| plan.effects).unwrap_or_default();
        // A take-over comes before the apply of the same object in any order.
        effects.sort_by_key(|effect| effect.why != Purpose::TakeOver);
        let first_apply = effects.iter().take_while(|effect| effect.why == Purpose::TakeOver);
        let applies = first_apply.count();
        effects[applies..].reverse();
        let mut reversed = world.clone();
        reversed.decide();
        for effect in &effects {
            reversed.perform(effect).expect("it is performed");
        }
        let reversed = settled(name, reversed);
        assert_same_end(&reversed, end, name);
    }
}

/// Panics with the objects that differ, each as text, and nothing else.
fn assert_same_end(left: &World, right: &World, what: &str) {
    let (left, right) = (end(left), end(right));
    let keys: std::collections::BTreeSet<_> = left.keys().chain(right.keys()).collect();
    for key in keys {
        let text = |end: &std::collections::BTreeMap<_, Value>| {
            end.get(key).map(|object| serde_json::to_string_pretty(object).expect("JSON"))
        };
        if text(&left) != text(&right) {
            let (left, right) = (text(&left).unwrap_or_default(), text(&right).unwrap_or_default());
            let changed = left.lines().zip(right.lines()).find(|(left, right)| left != right);
            panic!("{what}: {key:?} ends differently, first at {changed:?}");
        }
    }
}

fn scene(name: &str) -> Scene {
    scenes().into_iter().find(|scene| scene.0 == name).expect("a scene of that name").1
}

fn play(scene: &Scene, steps: usize) -> World {
    let mut world = scene.world();
    for step in &scene.steps[..steps] {
        step.happen(&mut world).expect("it happens");
        world = settled(&step.title, world);
    }
    world
}

fn keys(world: &World) -> Vec<String> {
    end(world).keys().map(|(kind, _, name)| format!("{kind}/{name}")).collect()
}

#[test]
fn an_adopted_agent_keeps_its_pod_until_someone_approves() {
    for version in ["0.30.0", "0.38.3"] {
        let scene = scene(&format!("adopt-plain-{version}"));
        assert_eq!(play(&scene, 1).replaced, 0, "{version}");
        let approved = play(&scene, 2);
        assert_eq!(approved.replaced, 1, "{version}");
        let set = approved.get("StatefulSet", "plain").expect("the StatefulSet");
        let containers = set["spec"]["template"]["spec"]["containers"].as_array().expect("a list");
        let names: Vec<&Value> = containers.iter().map(|each| &each["name"]).collect();
        assert_eq!(names, ["openclaw"], "{version}: nothing of the old manager's items is left");
    }
}

#[test]
fn an_adopted_agent_that_is_scaled_by_load_keeps_claims_and_number() {
    for version in ["0.30.0", "0.38.3"] {
        let scene = scene(&format!("adopt-scaled-{version}"));
        let mut before = scene.world();
        scene.steps[0].happen(&mut before).expect("it happens");
        for steps in 1..=scene.steps.len() {
            let after = play(&scene, steps);
            let set = |world: &World| world.get("StatefulSet", "scaled").cloned().expect("the set");
            for field in ["volumeClaimTemplates", "persistentVolumeClaimRetentionPolicy"] {
                let of = |world: &World| set(world)["spec"][field].clone();
                assert_eq!(of(&after), of(&before), "{version}, step {steps}: {field}");
            }
            let claim = |world: &World| {
                world.get("PersistentVolumeClaim", "data-scaled-0").expect("a claim")["metadata"]["uid"]
                    .clone()
            };
            assert_eq!(claim(&after), claim(&before), "{version}, step {steps}");
            assert_eq!(after.get("PersistentVolumeClaim", "scaled-data"), None, "{version}");
        }
    }
}

#[test]
fn who_scales_by_load_keeps_the_number_until_it_is_turned_off() {
    let scene = scene("autoscaling");
    let world = |steps: usize| play(&scene, steps);
    let replicas = |steps: usize| {
        world(steps).get("StatefulSet", "ada").expect("the set")["spec"]["replicas"].clone()
    };
    assert_eq!([1, 2, 3, 4, 6, 7].map(replicas), [2, 3, 3, 2, 1, 1]);
    for steps in [5, 7] {
        let (first, now) = (world(1), world(steps));
        let of = |world: &World| {
            let set = world.get("StatefulSet", "ada").expect("the set");
            let claim = world.get("PersistentVolumeClaim", "data-ada-0").expect("the claim");
            (
                set["spec"]["volumeClaimTemplates"][0]["metadata"].clone(),
                claim["metadata"]["uid"].clone(),
            )
        };
        assert_eq!(of(&now), of(&first), "step {steps}");
        assert_eq!(now.get("PersistentVolumeClaim", "ada-data"), None, "step {steps}");
    }
    let left = keys(&world(8));
    assert_eq!(left, ["PersistentVolumeClaim/data-ada-0"], "replicas' claims outlive the instance");
}

#[test]
fn an_adopted_claim_loses_its_owner_and_nothing_is_deleted() {
    for version in ["0.30.0", "0.38.3"] {
        let scene = scene(&format!("adopt-plain-{version}"));
        let mut before = scene.world();
        scene.steps[0].happen(&mut before).expect("it happens");
        let after = play(&scene, 2);
        let gone: Vec<String> =
            keys(&before).into_iter().filter(|key| !keys(&after).contains(key)).collect();
        assert_eq!(gone, Vec::<String>::new(), "{version}");
        let claim = after.get("PersistentVolumeClaim", "plain-data").expect("the claim");
        assert_eq!(claim["metadata"].get("ownerReferences"), None, "{version}");
        let token = |world: &World| world.get("Secret", "plain-gateway-token").cloned();
        assert_eq!(token(&before), token(&after), "{version}");
    }
}

#[test]
fn a_deleted_instance_leaves_its_volume_unless_asked_otherwise() {
    let kept = scene("delete");
    assert_eq!(keys(&play(&kept, kept.steps.len())), ["PersistentVolumeClaim/ada-data"]);
    let gone = scene("delete-with-volume");
    assert_eq!(keys(&play(&gone, gone.steps.len())), Vec::<String>::new());
}

#[test]
fn an_older_version_leaves_the_pod_alone_until_it_is_allowed() {
    let scene = scene("downgrade");
    // Asked for, together with another change, and taken back.
    assert_eq!(play(&scene, 3).replaced, 0);
    assert_eq!(play(&scene, 4).replaced, 1);
    assert_eq!(play(&scene, 6).replaced, 1, "another version is allowed");
    assert_eq!(play(&scene, 7).replaced, 2);
}

#[test]
fn a_suspended_instance_keeps_its_volume_and_token() {
    let scene = scene("suspend-and-resume");
    let suspended = keys(&play(&scene, 2));
    for key in ["PersistentVolumeClaim/ada-data", "Secret/ada-gateway-token", "StatefulSet/ada"] {
        assert!(suspended.iter().any(|each| each == key), "{key} is gone");
    }
    assert!(!suspended.iter().any(|each| each == "Pod/ada-0"));
}
