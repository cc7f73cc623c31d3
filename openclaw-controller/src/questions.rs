//! Questions to config-sync: put beside the passes, so that no worker waits for an agent.
//!
//! A plan says what it wants to be told. That question stands until a plan does not ask it any more:
//! it is put until it is answered, with growing pauses, and then again after a while. What came of
//! it is in what the next pass observes; news wakes the instance.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use jiff::Timestamp;
use openclaw_render::{Asked, ConfigSync, Question};
use tokio::sync::Notify;
use tracing::debug;

use crate::backoff;
use crate::config_sync::ConfigSyncClient;
use crate::live::InstanceKey;
use crate::queue::Queue;
use crate::random;

/// Questions that are under way at the same time. Each ends within two seconds, so that a thousand
/// agents that do not answer are through in a minute.
const MOST: usize = 32;
/// Pauses after a question that nobody answered.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_mins(4);

/// See the module.
#[derive(Default)]
pub(crate) struct Questions {
    standing: Mutex<Standing>,
    news: Notify,
}

impl Questions {
    /// From now on this question stands for the instance, or none.
    pub(crate) fn want(&self, key: &InstanceKey, question: Option<Question>) {
        self.standing().want(key, question, Instant::now());
        self.news.notify_one();
    }

    /// What came of the question that stands.
    pub(crate) fn asked(&self, key: &InstanceKey) -> Option<Asked> {
        self.standing().questions.get(key).map(|stands| stands.asked.clone())
    }

    pub(crate) fn forget(&self, key: &InstanceKey) {
        self.standing().questions.remove(key);
    }

    /// Number of agents that were asked last and did not answer.
    pub(crate) fn unanswered(&self) -> usize {
        self.standing().questions.values().filter(|stands| stands.failures > 0).count()
    }

    /// Puts the questions that stand. Never returns.
    pub(crate) async fn put_all(&self, client: &ConfigSyncClient, queue: &Queue) {
        let mut under_way = FuturesUnordered::new();
        loop {
            while let Some(put) = self.next() {
                under_way.push(ask(client, put));
            }
            let next = self.standing().next_at();
            let pause = next.map(|at| at.saturating_duration_since(Instant::now()));
            tokio::select! {
                Some((put, answer)) = under_way.next() => {
                    if self.standing().answered(&put, answer, Instant::now(), random::fraction()) {
                        queue.wake(&put.key);
                    }
                }
                () = self.news.notified() => {}
                () = tokio::time::sleep(pause.unwrap_or_default()), if pause.is_some() => {}
            }
        }
    }

    fn next(&self) -> Option<Put> {
        self.standing().next(Instant::now(), Timestamp::now())
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn ask(client: &ConfigSyncClient, put: Put) -> (Put, Option<ConfigSync>) {
    let answer = client.status(&put.question.address).await;
    let answer = answer.inspect_err(|error| {
        debug!(
            namespace = put.key.namespace,
            instance = put.key.name,
            pod = put.question.pod,
            %error,
            "config-sync does not answer"
        );
    });
    (put, answer.ok())
}

/// A question that is put.
#[derive(Clone, Debug, PartialEq)]
struct Put {
    key: InstanceKey,
    question: Question,
    /// Tells the question from those that stood before it.
    number: u64,
    since: Timestamp,
}

struct Stands {
    asked: Asked,
    number: u64,
    /// When to put it.
    at: Instant,
    /// How often in a row nobody answered.
    failures: u32,
}

/// The questions that stand, as plain data: what time it is, is told.
#[derive(Default)]
struct Standing {
    questions: BTreeMap<InstanceKey, Stands>,
    /// Namespaces of the pods that are being asked, by uid: each is asked one thing at a time.
    under_way: BTreeMap<String, String>,
    numbers: u64,
}

impl Standing {
    fn want(&mut self, key: &InstanceKey, question: Option<Question>, now: Instant) {
        let Some(question) = question else {
            self.questions.remove(key);
            return;
        };
        let before = self.questions.get_mut(key);
        if let Some(stands) = before.filter(|it| question.stands_as(&it.asked.question)) {
            stands.asked.question = question;
            return;
        }
        self.numbers += 1;
        let before = self.questions.remove(key).map(|stands| stands.asked);
        // What was answered stays so, though it is asked at once.
        let before = before.filter(|before| question.is_about_the_same(&before.question));
        let (answer, answered_since) =
            before.map(|before| (before.answer, before.answered_since)).unwrap_or_default();
        let asked = Asked { question, answer, answered_since, silent_since: None };
        let stands = Stands { asked, number: self.numbers, at: now, failures: 0 };
        self.questions.insert(key.clone(), stands);
    }

    /// The question to put next. Namespaces take turns; a new question goes before those that
    /// nobody has answered, and otherwise the one that waits longest.
    fn next(&mut self, now: Instant, clock: Timestamp) -> Option<Put> {
        let in_namespace = |key: &InstanceKey| {
            self.under_way.values().filter(|namespace| **namespace == key.namespace).count()
        };
        let (key, stands) = self
            .ready_to_put()
            .filter(|(_, stands)| stands.at <= now)
            .min_by_key(|(key, stands)| (in_namespace(key), stands.failures > 0, stands.at))?;
        let question = stands.asked.question.clone();
        let put = Put { key: key.clone(), question, number: stands.number, since: clock };
        self.under_way.insert(put.question.uid.clone(), put.key.namespace.clone());
        Some(put)
    }

    /// When the next question is to be put, as far as that does not depend on an answer.
    fn next_at(&self) -> Option<Instant> {
        self.ready_to_put().map(|(_, stands)| stands.at).min()
    }

    fn ready_to_put(&self) -> impl Iterator<Item = (&InstanceKey, &Stands)> {
        let has_room = self.under_way.len() < MOST;
        self.questions.iter().filter(move |(_, stands)| {
            has_room && !self.under_way.contains_key(&stands.asked.question.uid)
        })
    }

    /// Takes in what came of a question. Whether the instance should look at it. `random` in 0..1
    /// spreads those that fell silent together.
    fn answered(
        &mut self,
        put: &Put,
        answer: Option<ConfigSync>,
        now: Instant,
        random: f64,
    ) -> bool {
        self.under_way.remove(&put.question.uid);
        let stands = self.questions.get_mut(&put.key);
        let Some(stands) = stands.filter(|stands| stands.number == put.number) else {
            // Too late: something else is asked by now, maybe of another pod.
            return false;
        };
        let asked = &mut stands.asked;
        if answer.is_none() {
            stands.failures = stands.failures.saturating_add(1);
            asked.silent_since.get_or_insert(put.since);
            let pause = backoff::doubled(FIRST_PAUSE, LONGEST_PAUSE, stands.failures);
            stands.at = now + pause.mul_f64(0.75 + 0.25 * random);
            // Whoever asked looks at the silence when it has lasted.
            return false;
        }
        let is_news = asked.answer != answer || stands.failures > 0;
        (asked.answer, asked.silent_since) = (answer, None);
        asked.answered_since.get_or_insert(put.since);
        stands.failures = 0;
        stands.at = now + Duration::from_secs(asked.question.again_in.into());
        is_news
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Clock {
        begin: Instant,
        standing: Standing,
    }

    fn key(namespace: &str, name: &str) -> InstanceKey {
        InstanceKey { namespace: namespace.to_owned(), name: name.to_owned() }
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

    fn applied(hash: &str) -> ConfigSync {
        ConfigSync { applied_hash: Some(hash.to_owned()), ..ConfigSync::default() }
    }

    impl Clock {
        fn new() -> Self {
            Self { begin: Instant::now(), standing: Standing::default() }
        }

        fn at(&self, seconds: f64) -> Instant {
            self.begin + Duration::from_secs_f64(seconds)
        }

        fn want(&mut self, key: &InstanceKey, question: Question, seconds: f64) {
            let now = self.at(seconds);
            self.standing.want(key, Some(question), now);
        }

        fn next(&mut self, seconds: f64) -> Option<Put> {
            let clock = Timestamp::UNIX_EPOCH + Duration::from_secs_f64(seconds);
            self.standing.next(self.at(seconds), clock)
        }

        fn answered(&mut self, put: &Put, answer: Option<ConfigSync>, seconds: f64) -> bool {
            let now = self.at(seconds);
            self.standing.answered(put, answer, now, 1.0)
        }
    }

    #[test]
    fn who_does_not_answer_is_asked_less_and_less_often() {
        let mut clock = Clock::new();
        let ada = key("agents", "ada");
        clock.want(&ada, question("uid-1", "new"), 0.0);
        let mut now = 0.0;
        let mut pauses = Vec::new();
        for _ in 0..10 {
            let put = clock.next(now).expect("a question");
            assert_eq!(clock.next(now), None, "one at a time");
            assert!(!clock.answered(&put, None, now));
            let next = clock.standing.next_at().expect("it stands") - clock.begin;
            pauses.push((next.as_secs_f64() - now).round());
            now = next.as_secs_f64();
            // A pass in between asks the same.
            clock.want(&ada, question("uid-1", "new"), now - 0.5);
            assert_eq!(clock.next(now - 0.5), None);
        }
        assert_eq!(pauses, [2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 240.0, 240.0, 240.0]);
        let asked = &clock.standing.questions[&ada].asked;
        assert_eq!(asked.silent_since, Some(Timestamp::UNIX_EPOCH), "since the first one");
    }

    #[test]
    fn another_pod_another_configuration_or_readiness_is_asked_at_once() {
        let unready = Question { ready: false, ..question("uid-1", "new") };
        let moved = Question { address: "192.0.2.8".to_owned(), ..question("uid-1", "new") };
        for other in [question("uid-2", "new"), question("uid-1", "newer"), unready, moved] {
            let mut clock = Clock::new();
            let ada = key("agents", "ada");
            clock.want(&ada, question("uid-1", "new"), 0.0);
            let put = clock.next(0.0).expect("a question");
            clock.answered(&put, None, 2.0);
            clock.want(&ada, other.clone(), 2.1);
            assert_eq!(clock.next(2.1).map(|put| put.question), Some(other));
            assert_eq!(clock.standing.questions[&ada].asked.silent_since, None);
        }
    }

    #[test]
    fn a_late_answer_of_an_older_pod_does_not_count_for_the_next() {
        let mut clock = Clock::new();
        let ada = key("agents", "ada");
        clock.want(&ada, question("uid-1", "new"), 0.0);
        let old = clock.next(0.0).expect("a question");
        clock.want(&ada, question("uid-2", "new"), 0.5);
        let new = clock.next(0.5).expect("another pod is asked beside it");
        assert!(!clock.answered(&old, Some(applied("new")), 1.0));
        assert_eq!(clock.standing.questions[&ada].asked.answer, None);
        assert!(clock.answered(&new, Some(applied("old")), 1.1));
    }

    #[test]
    fn one_pod_is_asked_one_thing_at_a_time() {
        let mut clock = Clock::new();
        let ada = key("agents", "ada");
        clock.want(&ada, question("uid-1", "new"), 0.0);
        let old = clock.next(0.0).expect("a question");
        clock.want(&ada, question("uid-1", "newer"), 0.1);
        assert_eq!(clock.next(0.1), None);
        assert!(!clock.answered(&old, Some(applied("new")), 0.2), "it was asked of another");
        assert_eq!(clock.next(0.2).map(|put| put.question), Some(question("uid-1", "newer")));
    }

    #[test]
    fn an_answer_wakes_once_and_the_question_is_put_again_while_it_stands() {
        let mut clock = Clock::new();
        let ada = key("agents", "ada");
        clock.want(&ada, question("uid-1", "new"), 0.0);
        let put = clock.next(0.0).expect("a question");
        assert!(clock.answered(&put, Some(applied("old")), 0.1));
        assert_eq!(clock.next(1.0), None);
        let put = clock.next(2.2).expect("asked again");
        assert!(!clock.answered(&put, Some(applied("old")), 2.2), "it said so before");
        let put = clock.next(4.3).expect("asked again");
        clock.answered(&put, None, 6.3);
        let asked = clock.standing.questions[&ada].asked.clone();
        assert_eq!(asked.answered_since, Some(Timestamp::UNIX_EPOCH));
        assert_eq!(asked.silent_since.map(Timestamp::as_second), Some(4), "not before that");
        let put = clock.next(8.4).expect("asked again");
        assert!(clock.answered(&put, Some(applied("old")), 8.4), "the silence is over");
        clock.standing.want(&ada, None, clock.begin);
        assert_eq!((clock.next(1000.0), clock.standing.next_at()), (None, None));
        assert!(clock.standing.questions.is_empty() && clock.standing.under_way.is_empty());
    }

    #[test]
    fn questions_under_way_are_bounded_and_namespaces_take_turns() {
        let mut clock = Clock::new();
        for number in 0..1000 {
            let name = format!("agent-{number}");
            clock.want(&key("many", &name), question(&name, "new"), 0.0);
        }
        let many: Vec<Put> = std::iter::from_fn(|| clock.next(0.0)).collect();
        assert_eq!(many.len(), MOST);
        assert_eq!(clock.standing.next_at(), None, "an answer comes first");
        clock.want(&key("few", "ada"), question("uid-1", "new"), 0.5);
        clock.answered(&many[0], None, 2.0);
        assert_eq!(clock.next(2.0).expect("room for one").key, key("few", "ada"));
    }

    #[test]
    fn a_new_question_goes_before_those_that_nobody_answers() {
        let mut clock = Clock::new();
        clock.want(&key("agents", "deaf"), question("uid-1", "new"), 0.0);
        let put = clock.next(0.0).expect("a question");
        clock.answered(&put, None, 2.0);
        clock.want(&key("agents", "new"), question("uid-2", "new"), 100.0);
        assert_eq!(clock.next(100.0).expect("a question").key.name, "new");
    }
}
