//! Scenes of `fixtures/lifecycle` as transcripts: what the operator sees, does and says, pass by
//! pass, until it comes to rest.

#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests read fixtures, and what is missing in a test is a failed test"
)]

mod support;

use std::fmt::Write as _;

use openclaw_render::{Action, Effect, Plan, Purpose, Target};
use support::scene::scenes;

fn describe(effect: &Effect) -> String {
    let Effect { target, action, why, .. } = effect;
    match (target, action) {
        (Target::Instance, Action::JsonPatch(patch)) => format!("finalizers: {}", patch[1]["op"]),
        (Target::Pod(name), _) => format!("{} pod {name}", effect.verb()),
        (Target::Object(key), Action::JsonPatch(_)) if *why != Purpose::TakeOver => {
            format!("patch claim {}: {why:?}", key.name)
        }
        _ => format!("{} {target}", effect.verb()),
    }
}

fn describe_plan(plan: &Plan, said: &mut Vec<String>) -> String {
    let mut text = String::new();
    for read in &plan.reads {
        let _ = writeln!(text, "    still unknown: {read:?}");
    }
    for effect in &plan.effects {
        let _ = writeln!(text, "    {}", describe(effect));
    }
    if let Some(question) = &plan.ask {
        let _ = writeln!(text, "    asks config-sync of pod {}", question.pod);
    }
    let phase = plan.status.phase.map(|phase| format!("phase {phase}"));
    let conditions =
        plan.status.conditions.iter().flatten().map(|each| {
            format!("{}={} {}: {}", each.type_, each.status, each.reason, each.message)
        });
    let now: Vec<String> = phase.into_iter().chain(conditions).collect();
    for line in now.iter().filter(|line| !said.contains(line)) {
        let _ = writeln!(text, "    says {line}");
    }
    for event in &plan.events {
        let _ = writeln!(text, "    event {:?} {}", event.kind, event.reason);
    }
    *said = now;
    text
}

#[test]
fn every_scene_plays_as_written() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../snapshots/lifecycle");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for scene in scenes() {
        let mut world = scene.world();
        let mut said = Vec::new();
        let mut transcript = String::new();
        for step in &scene.steps {
            let _ = writeln!(transcript, "{}", step.title);
            step.happen(&mut world);
            let plans = world.settle().unwrap_or_else(|e| panic!("{}: {e}", scene.name));
            for (index, plan) in plans.iter().enumerate() {
                let text = describe_plan(plan, &mut said);
                if !text.is_empty() {
                    let _ = write!(transcript, "  pass {}\n{text}", index + 1);
                }
            }
            let _ = writeln!(transcript, "  at rest; pods replaced so far: {}", world.replaced);
        }
        settings.bind(|| insta::assert_snapshot!(scene.name.as_str(), transcript));
    }
}
