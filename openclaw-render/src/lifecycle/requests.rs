//! The requests of one agent: which are carried out now, which are answered without a look, and which
//! go.
//!
//! A request ends once, and is kept for an hour after that. Whoever made it is known only while the
//! policy of the chart is enforced, so that nothing is carried out without a fresh proof of that.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::api::SelfConfigPhase;

/// Seconds for which a request is kept after its end, and may wait for it at most.
const KEPT: i64 = 3600;
/// So many requests of one agent are kept that long; of more, the ended ones go at once.
const CROWD: usize = 100;
/// Seconds after which the policy is tried again while nobody asks for anything.
const PROOF_LASTS: i64 = 3600;
/// Seconds for which a proof counts for what is carried out.
const PROOF_IS_FRESH: i64 = 60;
/// Seconds that a request waits for an instance that is not there: its own may be on the way.
const ABSENCE: i64 = 600;
/// Requests that one pass deals with: an agent may make thousands.
const AT_ONCE: usize = 10;
/// Seconds until the next ones.
const NEXT_ONES: u32 = 1;
/// Seconds after which what waits is looked at again.
const WAITING: u32 = 30;
/// Seconds after which everything is looked at again.
const SETTLED: u32 = 600;

/// Whether only the agent itself can make requests in its name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Proof {
    /// What was found.
    pub verdict: Enforcement,
    /// When somebody tried.
    pub at: Option<Timestamp>,
}

/// Whether the policy of the chart is enforced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Enforcement {
    /// A request in the agent's name was refused to the operator, by that policy.
    Enforced,
    /// It would have been taken.
    NotEnforced,
    /// Nobody can tell, for this reason.
    Unknown(String),
}

impl Default for Enforcement {
    fn default() -> Self {
        Self::Unknown("nobody has tried yet".to_owned())
    }
}

impl fmt::Display for Enforcement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Enforced => f.write_str("only the agent itself can make requests in its name"),
            Self::NotEnforced => f.write_str(
                "nothing keeps others from making requests in the agent's name: install the \
                 chart's admission policy `requests` (`admissionPolicies.create`, no \
                 `watchNamespaces`)",
            ),
            Self::Unknown(why) => {
                write!(f, "nobody can tell whether others can make requests in its name: {why}")
            }
        }
    }
}

/// What there is to say of the requests of an agent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Requests {
    /// Whether only the agent itself can make them.
    pub proof: Proof,
    /// Why none is carried out for a while.
    pub overwritten: Option<String>,
    /// How many wait.
    pub open: usize,
}

/// What is known of one request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestSeen {
    /// Its name.
    pub name: String,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// How far it has come.
    pub phase: Option<SelfConfigPhase>,
    /// When it ended.
    pub completed: Option<Timestamp>,
}

/// What is known of the instance that requests name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// It is not there.
    Absent,
    /// It is there and cannot be read, or is being deleted.
    Unreadable,
    /// It takes no requests.
    Off,
    /// It takes requests.
    On,
}

/// What there is to decide on.
#[derive(Clone, Debug)]
pub struct RequestsSeen {
    /// The requests, the oldest first.
    pub requests: Vec<RequestSeen>,
    /// The instance that they name.
    pub instance: Asked,
    /// Who can make them.
    pub proof: Proof,
    /// Why nothing is carried out for a while.
    pub stopped: Option<String>,
    /// What time it is.
    pub now: Timestamp,
}

/// One thing to do about requests.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RequestStep {
    /// The policy is tried; then there is more to decide.
    Prove,
    /// A request goes that ended long ago.
    Delete(String),
    /// A request ends so, without a look into it.
    End {
        /// Its name.
        name: String,
        /// How it ends.
        phase: SelfConfigPhase,
        /// Why.
        message: String,
    },
    /// A request waits.
    Hold {
        /// Its name.
        name: String,
        /// What for.
        message: String,
    },
    /// A request is judged, and carried out if it is allowed.
    CarryOut(String),
}

impl RequestSeen {
    fn is_open(&self) -> bool {
        matches!(self.phase, None | Some(SelfConfigPhase::Pending))
    }
}

/// Decides what is done about the requests of one agent, and after how many seconds there is more.
///
/// # Guarantees
/// Nothing is carried out without a fresh proof, nothing that has ended, and nothing for an instance
/// that takes no requests. The oldest come first, and only so many at once.
#[must_use]
pub fn request_steps(seen: &RequestsSeen) -> (Vec<RequestStep>, u32) {
    let age = |since: Option<Timestamp>| {
        since.map_or(i64::MAX, |since| seen.now.as_second() - since.as_second())
    };
    let kept = if seen.requests.len() > CROWD { 0 } else { KEPT };
    let mut look_again = i64::from(SETTLED);
    let mut steps = Vec::new();
    for ended in seen.requests.iter().filter(|request| !request.is_open()) {
        match kept - age(ended.completed.or(ended.created)) {
            rest if rest > 0 => look_again = look_again.min(rest),
            _ => steps.push(RequestStep::Delete(ended.name.clone())),
        }
    }
    let open: Vec<&RequestSeen> = seen.requests.iter().filter(|it| it.is_open()).collect();
    if seen.instance == Asked::On && is_due(&seen.proof, !open.is_empty(), seen.now) {
        return (vec![RequestStep::Prove], 0);
    }
    for request in &open {
        let name = request.name.clone();
        let end = |phase, message: &str| {
            let (name, message) = (request.name.clone(), message.to_owned());
            RequestStep::End { name, phase, message }
        };
        let hold = |message: String| {
            if age(request.created) >= KEPT {
                let message = format!("it could not be carried out within an hour: {message}");
                end(SelfConfigPhase::Failed, &message)
            } else {
                RequestStep::Hold { name: request.name.clone(), message }
            }
        };
        steps.push(match (seen.instance, &seen.proof.verdict) {
            (Asked::Absent, _) if age(request.created) >= ABSENCE => {
                end(SelfConfigPhase::Failed, "there is no OpenClawInstance of that name")
            }
            (Asked::Absent, _) => hold("there is no OpenClawInstance of that name yet".to_owned()),
            (Asked::Unreadable, _) => {
                hold("the instance cannot be read, or is being deleted".to_owned())
            }
            (Asked::Off, _) => end(
                SelfConfigPhase::Denied,
                "the instance takes no requests: `spec.selfConfigure.enabled` is not true",
            ),
            (Asked::On, Enforcement::NotEnforced) => {
                end(SelfConfigPhase::Failed, &Enforcement::NotEnforced.to_string())
            }
            (Asked::On, verdict @ Enforcement::Unknown(_)) => hold(verdict.to_string()),
            (Asked::On, Enforcement::Enforced) => match &seen.stopped {
                Some(why) => end(SelfConfigPhase::Failed, why),
                None if age(request.created) >= KEPT => end(
                    SelfConfigPhase::Failed,
                    "it could not be carried out within an hour: the operator's log says why",
                ),
                None => RequestStep::CarryOut(name),
            },
        });
    }
    let more = steps.len() > AT_ONCE;
    steps.truncate(AT_ONCE);
    let waits = steps.iter().any(|step| matches!(step, RequestStep::Hold { .. }));
    let look_again = u32::try_from(look_again).unwrap_or(SETTLED);
    let look_again = if waits { look_again.min(WAITING) } else { look_again };
    (steps, if more { look_again.min(NEXT_ONES) } else { look_again })
}

/// Whether the policy must be tried before anything else.
fn is_due(proof: &Proof, is_asked: bool, now: Timestamp) -> bool {
    let lasts = if is_asked { PROOF_IS_FRESH } else { PROOF_LASTS };
    proof.at.is_none_or(|at| now.as_second() - at.as_second() >= lasts)
}

#[cfg(test)]
mod exploration;
