//! [`Transcript`]: what the operator sees, does and says in a scene, pass by pass.

use std::fmt;

use openclaw_render::api::OpenClawInstanceStatus;
use openclaw_render::{Action, Effect, Event, Found, Plan, Problem, Purpose, Rule, Target};
use serde::Serialize;
use serde_json::Value;

use crate::scene::Scene;
use crate::world::{Pass, World};

/// A scene as it was played.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Transcript {
    /// In order, up to the one that could not be played.
    pub steps: Vec<Played>,
    /// Why it ended early.
    #[serde(skip)]
    pub wrong: Option<Found<Problem>>,
}

/// One step as it was played.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Played {
    /// What happened.
    pub step: String,
    /// What the operator did until it came to rest.
    pub passes: Vec<PlayedPass>,
    /// How many pods took the place of another one since the scene began.
    pub pods_replaced: usize,
}

/// One pass of the operator.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlayedPass {
    /// What others have changed since the pass before.
    pub sees: Vec<String>,
    /// What it would have to know and cannot see.
    pub unknown: Vec<String>,
    /// What it does, in order.
    pub does: Vec<String>,
    /// The pod whose config-sync it asks.
    pub asks: Option<String>,
    /// What the status says that it did not say before.
    pub says: Vec<String>,
    /// Events, in order.
    pub events: Vec<Event>,
    /// The whole status.
    pub status: OpenClawInstanceStatus,
}

impl Scene {
    /// Returns what happens when the scene is played.
    #[must_use]
    pub fn play(&self) -> Transcript {
        let mut world = self.world();
        let mut said = Vec::new();
        let mut steps = Vec::new();
        for step in &self.steps {
            let played = step.happen(&mut world).and_then(|()| {
                let passes = world.play();
                passes.map_err(|trouble| {
                    Problem::error("document", Rule::Invalid, trouble.to_string())
                })
            });
            match played {
                Ok(passes) => steps.push(Played::new(&step.title, passes, &world, &mut said)),
                Err(value) => {
                    let wrong = Some(Found { value, document: step.number, within: String::new() });
                    return Transcript { steps, wrong };
                }
            }
        }
        Transcript { steps, wrong: None }
    }
}

impl Played {
    fn new(title: &str, passes: Vec<Pass>, world: &World, said: &mut Vec<String>) -> Self {
        let passes = passes.into_iter().map(|pass| PlayedPass::new(pass, said)).collect();
        Self { step: title.to_owned(), passes, pods_replaced: world.replaced }
    }
}

impl PlayedPass {
    fn new(Pass { sees, plan }: Pass, said: &mut Vec<String>) -> Self {
        let now = statements(&plan);
        let says = now.iter().filter(|line| !said.contains(line)).cloned().collect();
        *said = now;
        Self {
            sees,
            unknown: plan.reads.iter().map(|read| format!("{read:?}")).collect(),
            does: plan.effects.iter().map(describe).collect(),
            asks: plan.ask.map(|question| question.pod),
            says,
            events: plan.events,
            status: plan.status,
        }
    }

    fn is_silent(&self) -> bool {
        let Self { sees, unknown, does, asks, says, events, status: _ } = self;
        let lists = [sees, unknown, does, says];
        lists.iter().all(|list| list.is_empty()) && asks.is_none() && events.is_empty()
    }
}

/// Phase and conditions, a line each.
fn statements(plan: &Plan) -> Vec<String> {
    let phase = plan.status.phase.map(|phase| format!("phase {phase}"));
    let conditions = plan.status.conditions.iter().flatten();
    let conditions = conditions
        .map(|each| format!("{}={} {}: {}", each.type_, each.status, each.reason, each.message));
    phase.into_iter().chain(conditions).collect()
}

fn describe(effect: &Effect) -> String {
    let Effect { target, action, why, .. } = effect;
    match (target, action, why) {
        (Target::Instance, Action::JsonPatch(patch), Purpose::Finalizer) => {
            let op = patch.pointer("/1/op").and_then(Value::as_str);
            format!("{} the finalizer", op.unwrap_or("patch"))
        }
        (Target::Object(key), _, Purpose::Release) => {
            format!("patch {key}: it outlives the instance")
        }
        (Target::Object(key), _, Purpose::Adopt) => {
            format!("patch {key}: it goes with the instance")
        }
        (Target::Object(key), _, Purpose::Expand) => format!("patch {key}: it grows"),
        _ => format!("{} {target}", effect.verb()),
    }
}

impl fmt::Display for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.steps.iter().try_for_each(|step| step.fmt(f))
    }
}

impl fmt::Display for Played {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let title = self.step.lines().next().unwrap_or_default();
        writeln!(f, "{}", openclaw_render::printable(title))?;
        for (index, pass) in self.passes.iter().enumerate().filter(|(_, it)| !it.is_silent()) {
            write!(f, "  pass {}\n{pass}", index + 1)?;
        }
        writeln!(f, "  at rest; pods replaced so far: {}", self.pods_replaced)
    }
}

impl fmt::Display for PlayedPass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sees, unknown, does, asks, says, events, status: _ } = self;
        let asks = asks.iter().map(|pod| format!("asks config-sync of pod {pod}"));
        let lines = sees
            .iter()
            .map(|line| format!("sees {line}"))
            .chain(unknown.iter().map(|line| format!("still unknown: {line}")))
            .chain(does.iter().cloned())
            .chain(asks)
            .chain(says.iter().map(|line| format!("says {line}")))
            .chain(events.iter().map(|event| format!("event {:?} {}", event.kind, event.reason)));
        for line in lines {
            writeln!(f, "    {}", openclaw_render::printable(&line))?;
        }
        Ok(())
    }
}
