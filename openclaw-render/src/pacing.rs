//! [`Turns`]: whose pod is replaced next, when many agents are to be replaced for one cause.
//!
//! With each pass an agent says where it stands ([`Standing`]); whoever keeps the turns tells the next
//! pass of it whether it is its turn ([`Turn`]). One agent goes first. Once it has been ready for a
//! while, a few go at a time. While one that was replaced does not become ready, no other begins.
//!
//! # Guarantees
//! - Without an agent that has proven a cause, at most one is unready because of it.
//! - With one, at most [`Pacing::max_unready`] are.
//! - An agent that cannot use its turn gives it back within a minute, and comes again later. One that
//!   prepares for it gives it back within half an hour.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Time in which a turn must be used.
const USED_WITHIN: SignedDuration = SignedDuration::from_secs(60);
/// Time for which a turn is kept for an agent that prepares for it.
const PREPARED_WITHIN: SignedDuration = SignedDuration::from_mins(30);
/// How long others go first after one was not used.
const PASSED_OVER_FOR: SignedDuration = SignedDuration::from_mins(10);
/// An agent that is not ready for so long after it was replaced has failed.
const READY_WITHIN: SignedDuration = SignedDuration::from_mins(10);

/// Why the pods of many agents would be replaced.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cause {
    /// What kind of cause.
    pub kind: CauseKind,
    /// Which one of that kind, as a hash.
    pub id: String,
}

/// What a pod can be replaced for, besides what its own user asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum CauseKind {
    /// The OpenClawClusterDefaults are others.
    ClusterDefaults,
    /// The operator is another version, or has another helper.
    Operator,
    /// There is a newer release of the agents' image.
    Update,
}

impl CauseKind {
    /// Every one.
    pub const ALL: &[Self] = &[Self::ClusterDefaults, Self::Operator, Self::Update];

    /// Returns its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ClusterDefaults => "ClusterDefaults",
            Self::Operator => "Operator",
            Self::Update => "Update",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind.as_str(), self.id)
    }
}

impl FromStr for Cause {
    type Err = ();

    /// Reads what `Display` writes.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (kind, id) = text.split_once('/').ok_or(())?;
        let kind = CauseKind::ALL.iter().find(|each| each.as_str() == kind).ok_or(())?;
        Ok(Self { kind: *kind, id: id.to_owned() })
    }
}

/// Where an agent stands with a cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Standing {
    /// The cause.
    pub cause: Cause,
    /// How far it is.
    pub stage: Stage,
}

/// How far an agent is with a cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Stage {
    /// Its pod is to be replaced, and has not been.
    Waits,
    /// It uses its turn to prepare for it, such as by a backup, and its pod still runs.
    Prepares,
    /// Its pod was replaced and is not ready yet.
    Starting,
    /// Its pod was replaced and has been ready since then.
    Ready(Timestamp),
    /// Its pod was replaced and does not start.
    Failed,
}

/// What an agent that waits is told of its turn. What it is not told is that it has to wait.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Turn {
    /// The cause.
    pub cause: Cause,
    /// What is said.
    pub news: News,
}

/// See [`Turn`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum News {
    /// It is its turn.
    Begin,
    /// One that was replaced does not become ready: nobody's turn comes before it does.
    Stopped,
}

/// How many agents are replaced at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pacing {
    /// How many may be unready for one cause, once the first has proven it.
    pub max_unready: MaxUnready,
    /// How long the first agent must be ready before others follow.
    pub first_ready_for: SignedDuration,
}

impl Default for Pacing {
    /// 5 % of the agents, at least one; after 5 minutes.
    fn default() -> Self {
        Self { max_unready: MaxUnready::Percent(5), first_ready_for: SignedDuration::from_mins(5) }
    }
}

/// A number of agents, or a part of all that have one cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MaxUnready {
    /// So many.
    Count(u32),
    /// So many of a hundred, rounded down.
    Percent(u32),
}

impl MaxUnready {
    /// Returns the number among so many agents; at least one, or nobody's turn would ever come.
    fn of(self, total: usize) -> usize {
        match self {
            Self::Count(count) => usize::try_from(count).unwrap_or(usize::MAX).max(1),
            Self::Percent(percent) => {
                let percent = usize::try_from(percent.min(100)).unwrap_or(100);
                (total.saturating_mul(percent) / 100).max(1)
            }
        }
    }
}

impl fmt::Display for MaxUnready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => write!(f, "{count}"),
            Self::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

impl FromStr for MaxUnready {
    type Err = &'static str;

    /// `3` or `5%`, as Kubernetes writes `maxUnavailable`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const EXPECTED: &str = "expected a number of agents from 1, such as `3`, or `1%` to `100%`";
        let (number, of) = match text.strip_suffix('%') {
            Some(number) => (number, Self::Percent as fn(u32) -> Self),
            None => (text, Self::Count as fn(u32) -> Self),
        };
        let is_plain = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        let number = number.parse::<u32>().ok().filter(|number| is_plain && *number > 0);
        match number.map(of).ok_or(EXPECTED)? {
            Self::Percent(101..) => Err(EXPECTED),
            given @ (Self::Count(_) | Self::Percent(_)) => Ok(given),
        }
    }
}

/// The turns of all agents, which `K` names.
#[derive(Clone, Debug)]
pub struct Turns<K> {
    pacing: Pacing,
    agents: BTreeMap<Cause, BTreeMap<K, Agent>>,
    stopped: BTreeSet<Cause>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Agent {
    stage: Stage,
    /// When it was first seen in that stage.
    since: Timestamp,
    /// When it got its turn, while it has not used it.
    granted: Option<Timestamp>,
    /// Others go first until then.
    passed_over: Option<Timestamp>,
    /// Turns that it could not use.
    wasted: u32,
}

/// What a look at all agents came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted<K> {
    /// Agents that are told something else than before.
    pub told: BTreeSet<K>,
    /// When something changes although no agent does.
    pub look_again_at: Option<Timestamp>,
}

impl<K: Clone + Ord> Turns<K> {
    /// Without any agent.
    #[must_use]
    pub fn new(pacing: Pacing) -> Self {
        Self { pacing, agents: BTreeMap::new(), stopped: BTreeSet::new() }
    }

    /// Takes in where an agent stands now, with every cause that concerns it. Returns whether that
    /// is news.
    pub fn note(&mut self, key: &K, standings: &[Standing], now: Timestamp) -> bool {
        let stands = |cause: &Cause| standings.iter().any(|standing| standing.cause == *cause);
        let mut is_news = false;
        for (cause, agents) in &mut self.agents {
            is_news |= !stands(cause) && agents.remove(key).is_some();
        }
        for Standing { cause, stage } in standings {
            let agents = self.agents.entry(cause.clone()).or_default();
            let known = agents.get(key);
            if known.is_some_and(|agent| agent.stage == *stage) {
                continue;
            }
            is_news = true;
            let passed_over = known.and_then(|agent| agent.passed_over);
            let wasted = known.map_or(0, |agent| agent.wasted);
            // It had its turn, though this may be the first that is heard of it.
            let granted = (*stage == Stage::Prepares).then_some(now);
            let new = Agent { stage: *stage, since: now, granted, passed_over, wasted };
            agents.insert(key.clone(), new);
        }
        self.agents.retain(|_, agents| !agents.is_empty());
        is_news
    }

    /// Returns what an agent is told.
    pub fn told(&self, key: &K) -> Vec<Turn> {
        let of_agent = self.agents.iter().filter_map(|(cause, all)| Some((cause, all.get(key)?)));
        of_agent.filter_map(|(cause, agent)| self.turn(cause, agent)).collect()
    }

    fn turn(&self, cause: &Cause, agent: &Agent) -> Option<Turn> {
        let news = if agent.granted.is_some() {
            News::Begin
        } else if agent.stage == Stage::Waits && self.stopped.contains(cause) {
            News::Stopped
        } else {
            return None;
        };
        Some(Turn { cause: cause.clone(), news })
    }

    /// Returns how many agents wait for a cause of that kind, and whether one of these causes has
    /// stopped.
    #[must_use]
    pub fn waiting(&self, kind: CauseKind) -> (usize, bool) {
        let of_kind = self.agents.iter().filter(|(cause, _)| cause.kind == kind);
        let waits = |agent: &&Agent| agent.stage == Stage::Waits && agent.granted.is_none();
        let waiting = of_kind.map(|(_, agents)| agents.values().filter(waits).count()).sum();
        (waiting, self.stopped.iter().any(|cause| cause.kind == kind))
    }

    /// Looks at all agents, and gives turns to those whose turn it is.
    pub fn grant(&mut self, now: Timestamp) -> Granted<K> {
        let before = self.all_told();
        self.stopped.clear();
        let mut look_again_at: Option<Timestamp> = None;
        for (cause, agents) in &mut self.agents {
            let Decided { is_stopped, next } = grant_for(agents, self.pacing, now);
            if is_stopped {
                self.stopped.insert(cause.clone());
            }
            look_again_at = look_again_at.into_iter().chain(next).min();
        }
        let after = self.all_told();
        let keys = before.keys().chain(after.keys());
        let told = keys.filter(|key| before.get(*key) != after.get(*key)).cloned().collect();
        Granted { told, look_again_at }
    }

    fn all_told(&self) -> BTreeMap<K, Vec<Turn>> {
        let mut all: BTreeMap<K, Vec<Turn>> = BTreeMap::new();
        for (cause, agents) in &self.agents {
            for (key, agent) in agents {
                if let Some(turn) = self.turn(cause, agent) {
                    all.entry(key.clone()).or_default().push(turn);
                }
            }
        }
        all
    }
}

struct Decided {
    is_stopped: bool,
    next: Option<Timestamp>,
}

fn grant_for<K: Ord>(agents: &mut BTreeMap<K, Agent>, pacing: Pacing, now: Timestamp) -> Decided {
    for agent in agents.values_mut() {
        agent.take_back(now);
    }
    let is_stopped = agents.values().any(|agent| agent.has_failed(now));
    if is_stopped {
        for agent in agents.values_mut().filter(|agent| agent.stage == Stage::Prepares) {
            agent.granted = None;
        }
    }
    let count = |is: &dyn Fn(&Agent) -> bool| agents.values().filter(|agent| is(agent)).count();
    if count(&|agent| matches!(agent.stage, Stage::Waits | Stage::Prepares)) == 0 {
        return Decided { is_stopped: false, next: None };
    }
    let at_a_time = if is_stopped {
        0
    } else if count(&|agent| agent.is_proof(pacing, now)) > 0 {
        pacing.max_unready.of(agents.len())
    } else {
        let first_proves_it = count(&|agent| matches!(agent.stage, Stage::Ready(_))) > 0;
        usize::from(!first_proves_it)
    };
    let under_way = count(&|agent| agent.is_under_way());
    let mut line: Vec<&mut Agent> = agents.values_mut().filter(|agent| agent.is_next()).collect();
    // Who could not use a turn comes after all who have had none; else by name.
    line.sort_by_key(|agent| agent.wasted);
    for agent in line.into_iter().take(at_a_time.saturating_sub(under_way)) {
        agent.granted = Some(now);
    }
    let next = agents.values().flat_map(|agent| agent.changes_at(pacing));
    Decided { is_stopped, next: next.filter(|at| *at > now).min() }
}

impl Agent {
    /// A turn that was not used goes to another.
    fn take_back(&mut self, now: Timestamp) {
        if self.granted.is_some_and(|granted| now.duration_since(granted) >= self.used_within()) {
            self.granted = None;
            self.wasted = self.wasted.saturating_add(1);
            self.passed_over = now.checked_add(PASSED_OVER_FOR).ok();
        }
        self.passed_over = self.passed_over.filter(|until| *until > now);
    }

    fn used_within(&self) -> SignedDuration {
        if self.stage == Stage::Prepares { PREPARED_WITHIN } else { USED_WITHIN }
    }

    fn has_failed(&self, now: Timestamp) -> bool {
        match self.stage {
            Stage::Failed => true,
            Stage::Starting => now.duration_since(self.since) >= READY_WITHIN,
            Stage::Waits | Stage::Prepares | Stage::Ready(_) => false,
        }
    }

    /// Whether it shows that agents become ready and stay so.
    fn is_proof(&self, pacing: Pacing, now: Timestamp) -> bool {
        matches!(self.stage, Stage::Ready(since) if now.duration_since(since) >= pacing.first_ready_for)
    }

    fn is_under_way(&self) -> bool {
        self.stage == Stage::Starting || self.granted.is_some()
    }

    fn is_next(&self) -> bool {
        self.stage == Stage::Waits && self.granted.is_none() && self.passed_over.is_none()
    }

    /// When it stands otherwise, although nothing happens to it.
    fn changes_at(&self, pacing: Pacing) -> impl Iterator<Item = Timestamp> {
        let used = self.granted.and_then(|at| at.checked_add(self.used_within()).ok());
        let staged = match self.stage {
            Stage::Starting => self.since.checked_add(READY_WITHIN).ok(),
            Stage::Ready(since) => since.checked_add(pacing.first_ready_for).ok(),
            Stage::Waits | Stage::Prepares => self.passed_over,
            Stage::Failed => None,
        };
        used.into_iter().chain(staged)
    }
}
