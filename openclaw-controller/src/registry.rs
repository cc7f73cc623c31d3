//! Looks for releases in registries: beside the passes, so that a slow one delays nobody, and once
//! for all agents of an image.
//!
//! A plan says which image's tags it wants to know, and how often. What was read last stays known
//! while a registry cannot be read.

mod client;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use client::LookError;
pub(crate) use client::RegistryClient;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use jiff::Timestamp;
use openclaw_render::{Lookup, Registry, newest_releases};
use tokio::sync::Notify;
use tracing::{debug, warn};

use crate::backoff;
use crate::error::chain;
use crate::live::InstanceKey;
use crate::metrics::Metrics;
use crate::queue::Queue;
use crate::random;

/// Images that are looked up at the same time, each within a minute.
const MOST: usize = 8;
/// Releases that are remembered of an image.
const MOST_TAGS: usize = 200;
/// Pauses after a look that failed.
const FIRST_PAUSE: Duration = Duration::from_mins(1);
const LONGEST_PAUSE: Duration = Duration::from_hours(1);
/// How long an image is remembered that nobody wants to know of.
const KEPT: Duration = Duration::from_mins(10);

/// See the module.
#[derive(Default)]
pub(crate) struct Registries {
    standing: Mutex<Standing>,
    news: Notify,
}

impl Registries {
    /// From now on the instance wants to know this, or nothing.
    pub(crate) fn want(&self, key: &InstanceKey, lookup: Option<Lookup>) {
        if self.standing().want(key, lookup, Instant::now()) {
            self.news.notify_one();
        }
    }

    /// What is known of the image that the instance wants to know of.
    pub(crate) fn said(&self, key: &InstanceKey) -> Option<Registry> {
        let standing = self.standing();
        let lookup = standing.wanted.get(key)?;
        standing.images.get(&lookup.repository).map(|image| image.said.clone())
    }

    pub(crate) fn forget(&self, key: &InstanceKey) {
        self.want(key, None);
    }

    /// Looks up what is wanted. Never returns.
    pub(crate) async fn look_all(&self, client: &RegistryClient, queue: &Queue, metrics: &Metrics) {
        let mut under_way = FuturesUnordered::new();
        loop {
            while let Some(repository) = self.next() {
                under_way.push(look(client, repository));
            }
            let next = self.standing().next_at();
            let pause = next.map(|at| at.saturating_duration_since(Instant::now()));
            tokio::select! {
                Some((repository, found)) = under_way.next() => {
                    let (now, clock) = (Instant::now(), Timestamp::now());
                    let random = random::fraction();
                    let is_read = found.is_ok();
                    for key in self.standing().found(&repository, found, now, clock, random) {
                        metrics.checked_for_updates(&key, is_read);
                        queue.wake(&key);
                    }
                }
                () = self.news.notified() => {}
                () = tokio::time::sleep(pause.unwrap_or_default()), if pause.is_some() => {}
            }
        }
    }

    fn next(&self) -> Option<String> {
        self.standing().next(Instant::now())
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

type Found = Result<BTreeSet<String>, LookError>;

async fn look(client: &RegistryClient, repository: String) -> (String, Found) {
    let found = client.releases(&repository).await;
    match &found {
        Ok(releases) => debug!(repository, releases = releases.len(), "looked for releases"),
        Err(error) => warn!(repository, error = %chain(error), "failed to look for releases"),
    }
    (repository, found)
}

struct Image {
    said: Registry,
    /// When to look.
    at: Instant,
    looked: Option<Instant>,
    /// When it was looked for last, with or without success.
    asked: Option<Instant>,
    failures: u32,
    is_under_way: bool,
}

/// What is wanted and known, as plain data: what time it is, is told.
#[derive(Default)]
struct Standing {
    wanted: BTreeMap<InstanceKey, Lookup>,
    images: BTreeMap<String, Image>,
}

impl Standing {
    /// Returns whether there is something else to do.
    fn want(&mut self, key: &InstanceKey, lookup: Option<Lookup>, now: Instant) -> bool {
        if self.wanted.get(key) == lookup.as_ref() {
            return false;
        }
        match lookup {
            None => drop(self.wanted.remove(key)),
            Some(lookup) => {
                let every = Duration::from_secs(lookup.every.into());
                let image = self.images.entry(lookup.repository.clone()).or_insert_with(|| Image {
                    said: Registry { repository: lookup.repository.clone(), ..Registry::default() },
                    at: now,
                    looked: None,
                    asked: None,
                    failures: 0,
                    is_under_way: false,
                });
                if let Some(looked) = image.looked.filter(|_| image.failures == 0) {
                    image.at = image.at.min(looked + every);
                }
                self.wanted.insert(key.clone(), lookup);
            }
        }
        self.clear(now);
        true
    }

    /// Forgets what nobody wants to know any more, after a while: who turns updates off and on makes
    /// no registry answer more often.
    fn clear(&mut self, now: Instant) {
        let repositories: BTreeSet<&String> =
            self.wanted.values().map(|lookup| &lookup.repository).collect();
        self.images.retain(|repository, image| {
            let is_fresh = |asked| now.saturating_duration_since(asked) < KEPT;
            let is_wanted = repositories.contains(repository);
            if !is_wanted {
                // Only when it was asked is remembered.
                image.said.tags.clear();
                image.looked = None;
            }
            is_wanted || image.asked.is_some_and(is_fresh)
        });
    }

    /// The image to look up next: the one that waits longest, those that failed last.
    fn next(&mut self, now: Instant) -> Option<String> {
        self.clear(now);
        let under_way = self.images.values().filter(|image| image.is_under_way).count();
        let waiting = self.images.iter_mut().filter(|(_, image)| !image.is_under_way);
        let waiting = waiting.filter(|(_, image)| under_way < MOST && image.at <= now);
        let (repository, image) =
            waiting.min_by_key(|(_, image)| (image.failures > 0, image.at))?;
        (image.is_under_way, image.asked) = (true, Some(now));
        Some(repository.clone())
    }

    fn next_at(&self) -> Option<Instant> {
        let under_way = self.images.values().filter(|image| image.is_under_way).count();
        let waiting = self.images.values().filter(|image| !image.is_under_way && under_way < MOST);
        waiting.map(|image| image.at).min()
    }

    /// Takes in what was found. Returns who wants to know.
    fn found(
        &mut self,
        repository: &str,
        found: Found,
        now: Instant,
        clock: Timestamp,
        random: f64,
    ) -> Vec<InstanceKey> {
        let wanted = self.wanted.iter().filter(|(_, lookup)| lookup.repository == repository);
        let every = wanted.clone().map(|(_, lookup)| lookup.every).min().unwrap_or(u32::MAX);
        let keys = wanted.map(|(key, _)| key.clone()).collect();
        let Some(image) = self.images.get_mut(repository) else { return Vec::new() };
        image.is_under_way = false;
        let pause = match found {
            Ok(tags) => {
                image.failures = 0;
                image.looked = Some(now);
                image.said.tags = newest_releases(tags, MOST_TAGS).into_iter().collect();
                image.said.looked_at = Some(clock);
                image.said.failure = None;
                Duration::from_secs(every.into())
            }
            Err(error) => {
                image.failures = image.failures.saturating_add(1);
                image.said.failure = Some(error.to_string());
                backoff::doubled(FIRST_PAUSE, LONGEST_PAUSE, image.failures)
                    .max(error.wait().unwrap_or_default())
            }
        };
        image.at = now + pause.mul_f64(1.0 + 0.1 * random);
        keys
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> InstanceKey {
        InstanceKey { namespace: "agents".to_owned(), name: name.to_owned() }
    }

    #[expect(clippy::unnecessary_wraps, reason = "as plans have it")]
    fn lookup(repository: &str, every: u32) -> Option<Lookup> {
        Some(Lookup { repository: repository.to_owned(), every })
    }

    #[expect(clippy::unnecessary_wraps, reason = "as the client has it")]
    fn tags(tag: &str) -> Found {
        Ok([tag.to_owned()].into())
    }

    #[test]
    fn an_image_of_many_agents_is_looked_up_once_and_all_of_them_are_told() {
        let (mut standing, now) = (Standing::default(), Instant::now());
        for number in 0..1000 {
            standing.want(&key(&format!("agent-{number}")), lookup("r.ex/a", 86_400), now);
        }
        assert_eq!(standing.next(now).as_deref(), Some("r.ex/a"));
        assert_eq!(standing.next(now), None);
        let told = standing.found("r.ex/a", tags("2026.9.7"), now, Timestamp::UNIX_EPOCH, 0.0);
        assert_eq!(told.len(), 1000);
        assert_eq!(standing.next_at(), Some(now + Duration::from_hours(24)));
        // Who wants to know more often is looked up for, and the others hear of it.
        standing.want(&key("agent-0"), lookup("r.ex/a", 3600), now);
        assert_eq!(standing.next_at(), Some(now + Duration::from_hours(1)));
    }

    #[test]
    fn what_was_read_stays_known_and_a_failure_is_tried_less_and_less_often() {
        let (mut standing, mut now) = (Standing::default(), Instant::now());
        standing.want(&key("ada"), lookup("r.ex/a", 3600), now);
        standing.next(now);
        standing.found("r.ex/a", tags("2026.9.7"), now, Timestamp::UNIX_EPOCH, 0.0);
        let mut pauses = Vec::new();
        for _ in 0..8 {
            now = standing.next_at().expect("it goes on");
            standing.next(now);
            standing.found("r.ex/a", Err(LookError::TimedOut), now, Timestamp::UNIX_EPOCH, 0.0);
            pauses.push((standing.next_at().expect("it goes on") - now).as_secs() / 60);
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60]);
        let said = &standing.images["r.ex/a"].said;
        assert!(said.tags.contains("2026.9.7") && said.failure.is_some());
        now = standing.next_at().expect("it goes on");
        standing.next(now);
        let wait = LookError::TooOften(Duration::from_hours(3));
        standing.found("r.ex/a", Err(wait), now, Timestamp::UNIX_EPOCH, 0.0);
        assert_eq!(standing.next_at(), Some(now + Duration::from_hours(3)), "as it has asked for");
    }

    #[test]
    fn slow_registries_are_bounded_and_what_nobody_wants_is_forgotten() {
        let (mut standing, now) = (Standing::default(), Instant::now());
        for number in 0..100 {
            let repository = format!("r-{number}.ex/a");
            standing.want(&key(&format!("agent-{number}")), lookup(&repository, 3600), now);
        }
        let under_way: Vec<String> = std::iter::from_fn(|| standing.next(now)).collect();
        assert_eq!((under_way.len(), standing.next_at()), (MOST, None));
        for number in 0..100 {
            standing.want(&key(&format!("agent-{number}")), None, now);
        }
        assert_eq!(standing.images.len(), MOST, "those that were just asked");
        assert!(
            standing
                .found(&under_way[0], tags("2026.9.7"), now, Timestamp::UNIX_EPOCH, 0.0)
                .is_empty()
        );
        assert_eq!(standing.next(now + KEPT), None);
        assert!(standing.images.is_empty() && standing.wanted.is_empty());
    }
}
