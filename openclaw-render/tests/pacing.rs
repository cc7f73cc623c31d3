//! Many agents that are to be replaced for one cause are replaced in turn.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests read fixtures, and what is missing in a test is a failed test"
)]

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use openclaw_render::pacing::{Cause, CauseKind, MaxUnready, News, Pacing, Stage, Standing, Turns};
use proptest::prelude::*;
use serde_json::json;

use openclaw_play::World;
use openclaw_play::world::instance;

const OLD: &str = "2026.9.5";
const NEW: &str = "2026.9.6";

const AGENTS: usize = 40;
/// One twentieth of them.
const AT_A_TIME: usize = 2;

/// Forty agents of one operator, whose clock they share.
struct Fleet {
    worlds: Vec<World>,
    turns: Turns<usize>,
    /// Agents that are looked at in the next pass.
    woken: BTreeSet<usize>,
}

impl Fleet {
    fn new() -> Self {
        let mut world = World::new("ada");
        let mut instance = instance("ada", &json!({}));
        instance["spec"] = json!({});
        let defaults = json!({
            "apiVersion": "openclaw.rocks/v1alpha1", "kind": "OpenClawClusterDefaults",
            "metadata": {"name": "cluster", "namespace": "default"},
            "spec": {"image": {"tag": OLD}},
        });
        for object in [&defaults, &instance] {
            world.server.create(object, "kubectl").expect("it is new");
        }
        let mut world = world.settled().expect("it settles");
        world.turns = None;
        world.told.clear();
        let worlds = vec![world; AGENTS];
        Self { worlds, turns: Turns::new(Pacing::default()), woken: BTreeSet::new() }
    }

    /// The administrator changes the tag of all agents.
    fn set_tag(&mut self, tag: &str) {
        for world in &mut self.worlds {
            let live = world.server.get("OpenClawClusterDefaults", "default", "cluster");
            let mut live = live.expect("they are there").clone();
            live["spec"]["image"]["tag"] = json!(tag);
            world.server.update(&live, "kubectl").expect("it is taken");
        }
        self.woken.extend(0..AGENTS);
    }

    /// So much time passes, and every agent is looked at that was told something.
    fn pass(&mut self, seconds: i64) {
        for world in &mut self.worlds {
            world.wait(seconds);
        }
        for index in std::mem::take(&mut self.woken) {
            let world = &mut self.worlds[index];
            let plans = world.settle().expect("it settles");
            let standings = plans.last().map(|plan| plan.standings.clone()).unwrap_or_default();
            self.turns.note(&index, &standings, world.now());
        }
        let now = self.worlds.iter().map(World::now).max().expect("a world");
        self.woken = self.turns.grant(now).told;
        for index in &self.woken {
            self.worlds[*index].told = self.turns.told(index);
        }
    }

    fn replaced(&self) -> usize {
        self.worlds.iter().filter(|world| world.replaced > 0).count()
    }

    /// Agents whose condition `RolloutPending` has that reason.
    fn pending(&self, reason: &str) -> usize {
        let is_pending = |world: &&World| {
            let conditions = &world.live_instance().expect("an instance")["status"]["conditions"];
            let all = conditions.as_array().expect("conditions");
            all.iter().any(|it| it["type"] == "RolloutPending" && it["reason"] == reason)
        };
        self.worlds.iter().filter(is_pending).count()
    }
}

#[test]
fn a_change_of_the_defaults_replaces_one_agent_first_and_then_a_few_at_a_time() {
    let mut fleet = Fleet::new();
    fleet.set_tag(NEW);
    fleet.pass(1);
    assert_eq!((fleet.replaced(), fleet.pending("WaitsForTurn")), (0, AGENTS));
    fleet.pass(1);
    assert_eq!((fleet.replaced(), fleet.pending("WaitsForTurn")), (1, AGENTS - 1));
    // It is ready, and must stay so for a while.
    for _ in 0..4 {
        fleet.pass(60);
        assert_eq!(fleet.replaced(), 1);
    }
    fleet.pass(60);
    let mut before = fleet.replaced();
    for _ in 0..AGENTS {
        fleet.pass(5);
        assert!(fleet.replaced() - before <= AT_A_TIME, "{} at once", fleet.replaced() - before);
        before = fleet.replaced();
    }
    assert_eq!((fleet.replaced(), fleet.pending("WaitsForTurn")), (AGENTS, 0));
    assert!(fleet.worlds.iter().all(|world| world.replaced == 1), "each once");
}

#[test]
fn one_agent_that_fails_stops_a_cause_until_it_is_mended() {
    let mut fleet = Fleet::new();
    fleet.worlds[7].broken = vec![NEW.to_owned()];
    fleet.set_tag(NEW);
    for _ in 0..200 {
        fleet.pass(10);
    }
    let stopped = fleet.pending("RolloutStopped");
    assert!(stopped > 0, "it is said");
    assert_eq!(fleet.replaced() + stopped, AGENTS);
    assert!(fleet.replaced() <= 8 + AT_A_TIME, "{} were replaced", fleet.replaced());
    // Its owner mends it, and the others go on.
    fleet.worlds[7].broken.clear();
    fleet.woken.insert(7);
    for _ in 0..200 {
        fleet.pass(10);
    }
    assert_eq!((fleet.replaced(), fleet.pending("RolloutStopped")), (AGENTS, 0));
}

#[test]
fn an_agent_that_does_not_serve_is_replaced_at_once_and_proves_nothing() {
    let mut fleet = Fleet::new();
    fleet.worlds[0].missing_images = vec![OLD.to_owned()];
    fleet.woken.insert(0);
    fleet.pass(1);
    fleet.set_tag(NEW);
    fleet.pass(1);
    assert_eq!(fleet.pending("WaitsForTurn"), AGENTS - 1);
    fleet.pass(400);
    fleet.pass(1);
    let replaced = fleet.worlds[1..].iter().filter(|world| world.replaced > 0).count();
    assert_eq!(replaced, 1, "one goes first");
}

proptest! {
    /// Agents use their turn or do not, become ready or do not, go and come.
    #[test]
    fn never_are_more_unready_than_may_be(
        moves in prop::collection::vec((0_usize..12, 0_u8..7, 0_i64..200), 1..200),
        max in 1_u32..4,
    ) {
        let pacing = Pacing {
            max_unready: MaxUnready::Count(max),
            first_ready_for: SignedDuration::from_secs(100),
        };
        let cause = Cause { kind: CauseKind::Operator, id: "1".to_owned() };
        let standing = |stage| vec![Standing { cause: cause.clone(), stage }];
        let mut turns: Turns<usize> = Turns::new(pacing);
        let mut stages: BTreeMap<usize, Stage> = BTreeMap::new();
        let mut now = Timestamp::from_second(1_700_000_000).expect("a time");
        for agent in 0..12 {
            stages.insert(agent, Stage::Waits);
            turns.note(&agent, &standing(Stage::Waits), now);
        }
        turns.grant(now);
        for (agent, what, seconds) in moves {
            now = now.checked_add(SignedDuration::from_secs(seconds)).expect("a time");
            let has_turn = turns.told(&agent).iter().any(|turn| turn.news == News::Begin);
            let stage = stages.get(&agent).copied();
            let next = match (stage, what) {
                (Some(Stage::Waits), 6) if has_turn => Some(Stage::Prepares),
                (Some(Stage::Waits | Stage::Prepares), 0..=3) if has_turn => Some(Stage::Starting),
                (Some(Stage::Starting), 0..=3) | (Some(Stage::Failed), 0) => {
                    Some(Stage::Ready(now))
                }
                (Some(Stage::Starting), 4) => Some(Stage::Failed),
                (_, 5) => None,
                // It comes, or has taken too long to prepare.
                (None, _) | (Some(Stage::Prepares), 0..=3) => Some(Stage::Waits),
                (stage, _) => stage,
            };
            let before = begun(&turns);
            if let Some(stage) = next {
                stages.insert(agent, stage);
                turns.note(&agent, &standing(stage), now);
            } else {
                stages.remove(&agent);
                turns.note(&agent, &[], now);
            }
            turns.grant(now);
            let new = begun(&turns).difference(&before).count();
            let unready = stages.values().filter(|stage| **stage == Stage::Starting).count();
            let under_way = unready + begun(&turns).len();
            if new > 0 {
                let has_failed = stages.values().any(|stage| *stage == Stage::Failed);
                prop_assert!(!has_failed, "a turn after a failure");
                let most = usize::try_from(max).expect("small").max(1);
                prop_assert!(under_way <= most, "{under_way} of {most}");
                prop_assert!(under_way <= 1 || is_proven(&stages, pacing, now), "{under_way} unproven");
            }
        }
    }
}

fn is_proven(stages: &BTreeMap<usize, Stage>, pacing: Pacing, now: Timestamp) -> bool {
    stages.values().any(|stage| {
        matches!(stage, Stage::Ready(since) if now.duration_since(*since) >= pacing.first_ready_for)
    })
}

fn begun(turns: &Turns<usize>) -> BTreeSet<usize> {
    let begins = |agent: &usize| turns.told(agent).iter().any(|turn| turn.news == News::Begin);
    (0..12).filter(begins).collect()
}

#[test]
fn a_turn_that_is_not_used_goes_to_another() {
    let cause = Cause { kind: CauseKind::Update, id: "1".to_owned() };
    let waits = [Standing { cause: cause.clone(), stage: Stage::Waits }];
    let mut now = Timestamp::from_second(1_700_000_000).expect("a time");
    let mut turns: Turns<&str> = Turns::new(Pacing::default());
    for agent in ["ada", "bob"] {
        assert!(turns.note(&agent, &waits, now), "news");
        assert!(!turns.note(&agent, &waits, now), "no news");
    }
    let has_turn = |turns: &Turns<&str>| -> Vec<&str> {
        ["ada", "bob"].into_iter().filter(|agent| !turns.told(agent).is_empty()).collect()
    };
    let first = turns.grant(now);
    assert_eq!(has_turn(&turns), ["ada"]);
    assert_eq!(first.told, BTreeSet::from(["ada"]));
    now = first.look_again_at.expect("a turn must be used within a minute");
    let second = turns.grant(now);
    assert_eq!(has_turn(&turns), ["bob"]);
    assert_eq!(second.told, BTreeSet::from(["ada", "bob"]));
    now = second.look_again_at.expect("so must this one");
    turns.grant(now);
    assert_eq!(has_turn(&turns), [""; 0], "both could not use it just now");
    now = now.checked_add(SignedDuration::from_mins(10)).expect("a time");
    turns.grant(now);
    assert_eq!(has_turn(&turns), ["ada"]);
    assert_eq!(turns.waiting(CauseKind::Update), (1, false));
}

#[test]
fn numbers_of_agents_are_written_as_kubernetes_writes_them() {
    for (text, expected) in [
        ("1", Some(MaxUnready::Count(1))),
        ("5%", Some(MaxUnready::Percent(5))),
        ("100%", Some(MaxUnready::Percent(100))),
        ("0", None),
        ("0%", None),
        ("101%", None),
        ("+1", None),
        ("", None),
        ("%", None),
        ("1.5", None),
        ("4294967296", None),
    ] {
        assert_eq!(text.parse().ok(), expected, "{text}");
        if let Some(expected) = expected {
            assert_eq!(expected.to_string(), text);
        }
    }
}
