//! What leaves the spec of what was installed: the container that removes it stays, and nobody gets
//! one who never had any.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "what is missing in a test is a failed test"
)]

use openclaw_play::World;
use openclaw_render::api::OpenClawInstance;
use openclaw_render::{Fact, Settings, plan};
use serde_json::{Value, json};

/// Init containers of the pod that install, with what they are told.
fn installers(world: &World) -> Vec<String> {
    let set = world.get("StatefulSet", "ada").expect("the StatefulSet");
    let containers = &set["spec"]["template"]["spec"]["initContainers"];
    let containers = containers.as_array().expect("init containers").iter();
    let installers = containers.filter(|it| {
        ["init-skills", "init-plugins"].contains(&it["name"].as_str().unwrap_or_default())
    });
    let told = |container: &Value| {
        let words = container["args"].as_array().expect("arguments").iter();
        let words: Vec<&str> = words.filter_map(Value::as_str).collect();
        let sort = words.iter().position(|word| *word == "--sort").map(|at| words[at + 1]);
        let asked = words.iter().filter(|word| word.contains('='));
        format!("{}: {}", sort.expect("a sort"), asked.copied().collect::<Vec<_>>().join(" "))
    };
    installers.map(told).collect()
}

fn settled(mut world: World, patch: &Value) -> World {
    world.merge(patch);
    world.settled().expect("settles")
}

#[test]
fn the_container_of_a_list_stays_when_the_last_entry_has_left_it() {
    let spec = json!({"plugins": ["npm:@a/one@1.0.0"], "skills": ["@a/two"]});
    let world = World::with_instance("ada", &spec).settled().expect("settles");
    assert_eq!(
        installers(&world),
        ["skills: --skill=@a/two", "plugins: --plugin=npm:@a/one@1.0.0"]
    );
    let world = settled(world, &json!({"spec": {"plugins": null}}));
    assert_eq!(installers(&world), ["skills: --skill=@a/two", "plugins: "]);
    let world = settled(world, &json!({"spec": {"skills": null}}));
    assert_eq!(installers(&world), ["skills: ", "plugins: "]);
    let status = &world.live_instance().expect("the instance")["status"];
    assert_eq!(status["installed"], json!({"skills": true, "plugins": true}));
    let types: Vec<&str> = status["conditions"]
        .as_array()
        .expect("conditions")
        .iter()
        .filter_map(|condition| condition["type"].as_str())
        .collect();
    assert!(!types.contains(&"SkillsReady") && !types.contains(&"PluginsReady"), "{types:?}");
}

#[test]
fn who_listed_nothing_or_keeps_nothing_has_no_such_container() {
    let world = World::with_instance("ada", &json!({})).settled().expect("settles");
    assert_eq!(installers(&world), Vec::<String>::new());
    assert_eq!(world.live_instance().expect("the instance")["status"].get("installed"), None);
    let spec = json!({
        "skills": ["@a/two"],
        "storage": {"persistence": {"enabled": false}},
    });
    let world = World::with_instance("ada", &spec).settled().expect("settles");
    let world = settled(world, &json!({"spec": {"skills": null}}));
    assert_eq!(installers(&world), Vec::<String>::new());
}

#[test]
fn what_its_container_could_not_do_is_said_in_the_condition_of_a_list() {
    let spec = json!({"plugins": ["npm:@a/one@1.0.0"], "skills": ["@a/two"]});
    let said_of = |spec: &Value, patch: &Value| {
        let world = World::with_instance("ada", spec).settled().expect("settles");
        let world = settled(world, patch);
        let mut observed = world.observed().expect("an instance");
        let Fact::Known(pods) = &mut observed.pods else { unreachable!("no pods are known") };
        pods[0].not_installed = vec!["init-plugins: npm:@a/one@1.0.0 is still there".to_owned()];
        let live = world.live_instance().expect("the instance").clone();
        let instance: OpenClawInstance = serde_json::from_value(live).expect("an instance");
        let status = plan(&instance, &observed, &Settings::default()).status;
        let of_lists = ["PluginsReady", "SkillsReady"];
        let all = status.conditions.into_iter().flatten();
        let all = all.filter(|condition| of_lists.contains(&&*condition.type_));
        all.map(|condition| {
            let named =
                condition.message.ends_with("once: init-plugins: npm:@a/one@1.0.0 is still there");
            format!("{}={} {} {named}", condition.type_, condition.status, condition.reason)
        })
        .collect::<Vec<_>>()
    };
    let nothing = json!({});
    let skills = "SkillsReady=True Installed false";
    let plugins = "PluginsReady=False NotInstalled true";
    assert_eq!(said_of(&spec, &nothing), [skills, plugins]);
    assert_eq!(said_of(&spec, &json!({"spec": {"plugins": null}})), [skills, plugins]);
    assert_eq!(said_of(&spec, &json!({"spec": {"plugins": null, "skills": null}})), [plugins]);
}
