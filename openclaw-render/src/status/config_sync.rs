//! openclaw.json in the pod: what config-sync has said of it, what it is to be asked, and since when
//! it has not confirmed it.

use jiff::Timestamp;

use super::conditions::workload;
use super::{Findings, transitions};
use crate::api::{ConditionType, ConfigStatus, OpenClawInstance, OpenClawInstanceStatus, Reason};
use crate::effect::Question;
use crate::observed::{Observed, Pod};
use crate::resolve::Resolved;
use crate::vocab::{names, ports};

/// Seconds without a confirmation after which status says so. A pod that starts, a network that is
/// being changed, and a validator that is slow need less.
pub(crate) const UNCONFIRMED_AFTER: u32 = 180;
/// Changes by a migration that are kept, and how many characters of each: as many as config-sync
/// tells.
const MIGRATED_LIMIT: usize = 33;
const MIGRATED_LENGTH: usize = 256;
/// Seconds until config-sync is asked again that is judging the newest configuration.
const AGAIN_JUDGING: u32 = 2;
/// Seconds until it is asked again that cannot put the newest configuration in place, or has not for
/// long, or whose volume may be full.
const AGAIN_HINDERED: u32 = 30;
/// Seconds until it is asked again that has refused the newest configuration: a validator that
/// failed itself is run again.
const AGAIN_REFUSED: u32 = 60;

/// What is known of the configuration in the pod.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Config {
    pub(super) status: Option<ConfigStatus>,
    pub(super) question: Option<Question>,
    pub(super) unconfirmed: Option<Unconfirmed>,
}

/// For so long that it must be said, nobody has confirmed the newest configuration.
#[derive(Debug, PartialEq)]
pub(super) struct Unconfirmed {
    pub(super) since: Timestamp,
    pub(super) message: String,
}

pub(super) fn read(
    instance: &OpenClawInstance,
    resolved: Option<&Resolved>,
    observed: &Observed,
    findings: &Findings,
) -> Config {
    let previous = instance.status.clone().unwrap_or_default();
    let pod = observed.pods.known().and_then(|pods| pods.first());
    let rendered = findings.rollout.as_ref().map(|rollout| rollout.config_hash.clone());
    let rendered_hash = rendered.or_else(|| previous.config.as_ref()?.rendered_hash.clone());
    let answer = pod.and_then(|pod| observed.answer_of(pod)).filter(|(asked, _)| {
        // An answer to a question about another configuration may be older than this one.
        asked.question.hash == rendered_hash
    });
    let status = match answer {
        Some((_, sync)) => ConfigStatus {
            rendered_hash,
            applied_hash: sync.applied_hash.clone(),
            migrated: migrated(&sync.migrated),
            rejected_hash: sync.rejected_hash.clone(),
            set_aside: sync.set_aside.clone().map(transitions::shortened),
            message: sync.message.clone().map(transitions::shortened),
        },
        None => without_old_refusal(ConfigStatus {
            rendered_hash,
            ..previous.config.clone().unwrap_or_default()
        }),
    };
    let mut question = pod.and_then(|pod| question(resolved, &status, pod));
    let unconfirmed =
        question.as_ref().and_then(|it| unconfirmed(it, &status, &previous, observed));
    if let Some(question) = question.as_mut().filter(|_| unconfirmed.is_some()) {
        question.again_in = AGAIN_HINDERED;
    }
    Config { status: (status != ConfigStatus::default()).then_some(status), question, unconfirmed }
}

/// Whoever answers for config-sync decides what it says, but not how much.
fn migrated(changes: &[String]) -> Vec<String> {
    let short = |change: &String| change.chars().take(MIGRATED_LENGTH).collect();
    changes.iter().take(MIGRATED_LIMIT).map(short).collect()
}

/// Without what was said of another configuration than the one that is in place again.
fn without_old_refusal(config: ConfigStatus) -> ConfigStatus {
    if config.is_applied() {
        ConfigStatus { rejected_hash: None, message: None, ..config }
    } else {
        config
    }
}

/// config-sync is asked after a change and until the newest configuration is in place, and when the
/// volume may be full; never at rest.
fn question(resolved: Option<&Resolved>, config: &ConfigStatus, pod: &Pod) -> Option<Question> {
    let may_be_full = resolved.is_some_and(|resolved| workload::may_lack_space(resolved, pod));
    let again_in = if config.is_applied() {
        may_be_full.then_some(AGAIN_HINDERED)?
    } else if config.is_refused() {
        AGAIN_REFUSED
    } else if config.why_not_in_place().is_some() {
        AGAIN_HINDERED
    } else {
        AGAIN_JUDGING
    };
    // A pod of the Go operator has none, and one that is not on a node yet no address.
    let address = pod.address.clone().filter(|_| pod.config_sync)?;
    Some(Question {
        pod: pod.name.clone(),
        uid: pod.uid.clone(),
        address,
        ready: pod.ready,
        hash: config.rendered_hash.clone(),
        again_in,
    })
}

/// Since when nobody has confirmed the newest configuration, if that is long ago, and what helps.
fn unconfirmed(
    question: &Question,
    config: &ConfigStatus,
    previous: &OpenClawInstanceStatus,
    observed: &Observed,
) -> Option<Unconfirmed> {
    if config.is_applied() || config.is_refused() || config.why_not_in_place().is_some() {
        return None;
    }
    let is_about_the_same =
        previous.config.as_ref().is_some_and(|it| it.rendered_hash == config.rendered_hash);
    let said = said_unconfirmed(previous).filter(|_| is_about_the_same);
    let Some(asked) = &observed.asked else {
        // The operator has just begun, and will ask.
        return said;
    };
    if !asked.question.is_about_the_same(question) {
        return None;
    }
    let Some(began) = [asked.answered_since, asked.silent_since].into_iter().flatten().min() else {
        return said;
    };
    let since = match said {
        Some(said) => said.since,
        None if observed.now?.duration_since(began).as_secs() >= UNCONFIRMED_AFTER.into() => began,
        None => return None,
    };
    // As precise as it is stored: the next pass must say the same.
    let since = Timestamp::from_second(since.as_second()).unwrap_or(since);
    let (pod, name) = (&question.pod, names::CONFIG_SYNC);
    let why = if asked.silent_since.is_some() {
        format!("it does not answer: let the operator reach port {} of the pod", ports::CONFIG_SYNC)
    } else {
        "it answers, and has not judged it".to_owned()
    };
    let hash = config.rendered_hash.as_deref().unwrap_or_default();
    let message = format!(
        "{name} of pod {pod} has not confirmed openclaw.json {hash} since {since}: {why}; see \
         `kubectl logs {pod} -c {name}`"
    );
    Some(Unconfirmed { since, message })
}

/// What the instance says already, maybe by the operator before this one.
fn said_unconfirmed(previous: &OpenClawInstanceStatus) -> Option<Unconfirmed> {
    let (about, reason) =
        (ConditionType::ConfigValid.to_string(), Reason::ConfigUnconfirmed.to_string());
    let mut conditions = previous.conditions.iter().flatten();
    let said = conditions.find(|each| each.type_ == about && each.reason == reason)?;
    Some(Unconfirmed { since: said.last_transition_time.0, message: said.message.clone() })
}

impl ConfigStatus {
    fn is_applied(&self) -> bool {
        self.rendered_hash == self.applied_hash
    }

    fn is_refused(&self) -> bool {
        self.rejected_hash.is_some() && self.rendered_hash == self.rejected_hash
    }

    /// Why the newest configuration is not in place, though the application has not refused it.
    pub(super) fn why_not_in_place(&self) -> Option<&str> {
        // What is said of a refused one can be of the last but one.
        let is_open = self.rejected_hash.is_none() && !self.is_applied();
        self.message.as_deref().filter(|_| is_open)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::{SignedDuration, Timestamp};
    use serde_json::json;

    use super::{Config, UNCONFIRMED_AFTER, migrated, read};
    use crate::api::{ConfigStatus, OpenClawInstance, OpenClawInstanceStatus};
    use crate::effect::{Plan, Question};
    use crate::observed::{Asked, ConfigSync, Fact, Observed, Pod};
    use crate::settings::Settings;
    use crate::status::Findings;

    fn pod(uid: &str) -> Pod {
        Pod {
            name: "ada-0".to_owned(),
            uid: uid.to_owned(),
            address: Some("192.0.2.7".to_owned()),
            config_sync: true,
            ready: true,
            ..Pod::default()
        }
    }

    fn question(uid: &str, hash: &str) -> Question {
        Question {
            pod: "ada-0".to_owned(),
            uid: uid.to_owned(),
            address: "192.0.2.7".to_owned(),
            ready: true,
            hash: Some(hash.to_owned()),
            again_in: 2,
        }
    }

    fn says(applied: Option<&str>, rejected: Option<&str>, message: Option<&str>) -> ConfigSync {
        ConfigSync {
            applied_hash: applied.map(str::to_owned),
            rejected_hash: rejected.map(str::to_owned),
            message: message.map(str::to_owned),
            set_aside: None,
            free_bytes: None,
            migrated: Vec::new(),
        }
    }

    /// Of an instance whose status says this, with that pod and that question.
    fn read_with(status: ConfigStatus, pod: Pod, asked: Option<Asked>) -> Config {
        let instance = OpenClawInstance {
            status: Some(OpenClawInstanceStatus {
                config: Some(status),
                ..OpenClawInstanceStatus::default()
            }),
            ..instance()
        };
        let pods = Fact::Known(vec![pod]);
        let observed = Observed { pods, asked, ..Observed::default() };
        read(&instance, None, &observed, &Findings::default())
    }

    fn rendered(hash: &str) -> ConfigStatus {
        ConfigStatus { rendered_hash: Some(hash.to_owned()), ..ConfigStatus::default() }
    }

    fn answered(uid: &str, hash: &str, answer: ConfigSync) -> Asked {
        let question = question(uid, hash);
        Asked { question, answer: Some(answer), answered_since: Some(at(0)), silent_since: None }
    }

    #[test]
    fn whoever_answers_for_config_sync_does_not_fill_the_status() {
        let kept = migrated(&vec!["ä".repeat(10_000); 10_000]);
        assert_eq!(kept.len(), 33);
        assert!(kept.iter().all(|change| change.chars().count() == 256));
        assert_eq!(migrated(&["removed cron.retry".to_owned()]), ["removed cron.retry"]);
    }

    #[test]
    fn config_sync_is_asked_until_the_newest_configuration_is_in_place() {
        for (answer, again_in) in [
            (says(Some("old"), None, None), Some(2)),
            (says(None, None, None), Some(2)),
            (says(Some("old"), Some("older"), Some("refused")), Some(2)),
            (says(Some("old"), None, Some("failed to write")), Some(30)),
            (says(Some("old"), Some("new"), Some("refused")), Some(60)),
            (says(Some("new"), None, None), None),
        ] {
            let asked = Some(answered("uid-1", "new", answer.clone()));
            let config = read_with(rendered("new"), pod("uid-1"), asked);
            assert_eq!(config.question.map(|it| it.again_in), again_in, "{answer:?}");
        }
        // What status remembers is enough.
        let applied = ConfigStatus { applied_hash: Some("new".to_owned()), ..rendered("new") };
        assert_eq!(read_with(applied, pod("uid-1"), None).question, None);
    }

    #[test]
    fn nobody_is_asked_who_cannot_answer() {
        let without = Pod { config_sync: false, ..pod("uid-1") };
        assert_eq!(read_with(rendered("new"), without, None).question, None);
        let nowhere = Pod { address: None, ..pod("uid-1") };
        assert_eq!(read_with(rendered("new"), nowhere, None).question, None);
    }

    #[test]
    fn the_answer_of_another_pod_or_to_another_question_does_not_count() {
        let applied = |uid, hash| {
            let asked = answered(uid, hash, says(Some("old"), None, None));
            let config = read_with(rendered("new"), pod("uid-2"), Some(asked));
            assert_eq!(config.question, Some(question("uid-2", "new")));
            config.status.expect("a status").applied_hash
        };
        assert_eq!(applied("uid-1", "new"), None);
        assert_eq!(applied("uid-2", "old"), None);
        assert_eq!(applied("uid-2", "new"), Some("old".to_owned()));
    }

    #[test]
    fn what_one_pod_refused_the_next_may_accept() {
        let refused = ConfigStatus {
            rejected_hash: Some("new".to_owned()),
            message: Some("colour: not known".to_owned()),
            ..rendered("new")
        };
        let config = read_with(refused.clone(), pod("uid-2"), None);
        assert_eq!(config.status, Some(refused.clone()), "until the next one says otherwise");
        assert!(config.question.is_some());
        let asked = answered("uid-2", "new", says(Some("new"), None, None));
        let config = read_with(refused, pod("uid-2"), Some(asked));
        let applied = ConfigStatus { applied_hash: Some("new".to_owned()), ..rendered("new") };
        assert_eq!(config.status, Some(applied));
    }

    fn instance() -> OpenClawInstance {
        let (instance, _) = crate::decode_instance(json!({
            "apiVersion": "openclaw.rocks/v1alpha1",
            "kind": "OpenClawInstance",
            "metadata": {"name": "ada", "namespace": "agents", "uid": "uid-0"},
            "spec": {"image": {"tag": "2026.9.6"}},
        }))
        .expect("it decodes");
        instance
    }

    const BEGIN: i64 = 1_700_000_000;

    fn at(seconds: u32) -> Timestamp {
        let begin = Timestamp::from_second(BEGIN).expect("a time");
        begin + SignedDuration::from_secs(seconds.into())
    }

    /// What is said then of an agent that has this status.
    fn said(status: OpenClawInstanceStatus, seconds: u32, pod: Pod, asked: Option<Asked>) -> Plan {
        let observed = Observed {
            now: Some(at(seconds)),
            cluster_defaults: Fact::Absent,
            claims: BTreeMap::from([("ada-data".to_owned(), Fact::Absent)]),
            secrets: BTreeMap::from([("ada-gateway-token".to_owned(), Fact::Absent)]),
            pods: Fact::Known(vec![pod]),
            asked,
            ..Observed::default()
        };
        let instance = OpenClawInstance { status: Some(status), ..instance() };
        crate::plan(&instance, &observed, &Settings::default())
    }

    /// Status, reason, time and message.
    fn config_valid(plan: &Plan) -> (String, String, Timestamp, String) {
        let mut conditions = plan.status.conditions.iter().flatten();
        let found = conditions.find(|each| each.type_ == "ConfigValid").expect("a condition");
        let found = found.clone();
        (found.status, found.reason, found.last_transition_time.0, found.message)
    }

    #[test]
    fn a_silence_of_minutes_is_said_once_and_with_the_time_when_it_began() {
        let begin = said(OpenClawInstanceStatus::default(), 0, pod("uid-1"), None);
        let question = begin.ask.clone().expect("a question");
        let asked = Asked {
            question: question.clone(),
            answer: None,
            answered_since: None,
            silent_since: Some(at(1)),
        };
        let silent = || Some(asked.clone());
        let short = said(begin.status.clone(), UNCONFIRMED_AFTER, pod("uid-1"), silent());
        assert_eq!(short.status, begin.status);
        assert!(short.look_again_in <= UNCONFIRMED_AFTER);

        let long = said(begin.status, UNCONFIRMED_AFTER + 1, pod("uid-1"), silent());
        let (status, reason, since, message) = config_valid(&long);
        assert_eq!((status.as_str(), reason.as_str()), ("Unknown", "ConfigUnconfirmed"));
        assert_eq!(since, at(1));
        let told = "since 2023-11-14T22:13:21Z: it does not answer: let the operator reach port";
        assert!(message.contains(told), "{message}");
        assert_eq!(long.events.len(), 1);

        // Later, after a restart of the operator, and asked anew because the pod became ready.
        let anew = Asked { silent_since: None, ..asked.clone() };
        for asked in [silent(), None, Some(anew.clone())] {
            let later = said(long.status.clone(), 9000, pod("uid-1"), asked);
            assert_eq!(later.status, long.status);
            assert_eq!(later.events, []);
        }
        // Another pod may do better.
        let other = said(long.status.clone(), 9000, pod("uid-2"), silent());
        assert_eq!(config_valid(&other).1, "ConfigRendered");
        // The answer.
        let answer = Some(says(question.hash.as_deref(), None, None));
        let answered = Asked { answer, answered_since: Some(at(9000)), ..anew };
        let answered = said(long.status, 9000, pod("uid-1"), Some(answered));
        assert_eq!(config_valid(&answered).0, "True");
        assert_eq!(answered.ask, None);
    }

    #[test]
    fn who_answers_and_never_judges_is_noticed_too_and_asked_less_often() {
        let begin = said(OpenClawInstanceStatus::default(), 0, pod("uid-1"), None);
        let asked = Asked {
            question: begin.ask.expect("a question"),
            answer: Some(says(Some("old"), None, None)),
            answered_since: Some(at(1)),
            silent_since: None,
        };
        let short = said(begin.status, UNCONFIRMED_AFTER, pod("uid-1"), Some(asked.clone()));
        assert_eq!(config_valid(&short).0, "True");
        assert_eq!(short.ask.map(|question| question.again_in), Some(2));
        let long =
            said(short.status.clone(), 1 + UNCONFIRMED_AFTER, pod("uid-1"), Some(asked.clone()));
        let (status, _, since, message) = config_valid(&long);
        assert_eq!((status.as_str(), since), ("Unknown", at(1)));
        assert!(message.contains("it answers, and has not judged it"), "{message}");
        assert_eq!(long.ask.map(|question| question.again_in), Some(30));
        // Nor does it help to fall silent meanwhile.
        let asked = Asked { silent_since: Some(at(100)), ..asked };
        let silent = said(short.status, 1 + UNCONFIRMED_AFTER, pod("uid-1"), Some(asked));
        assert_eq!(config_valid(&silent).2, at(1));
    }
}
