//! Skill packs: fetched beside the passes, so that no worker waits for GitHub.
//!
//! A plan says which packs it wants. Each is fetched once for all instances that do, looked up again
//! after a while, and its content kept in memory until every one of them has stored it. What came of
//! it is in what the next pass observes; news wakes the instances.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use openclaw_render::packs::{LARGEST_PACK, Pack, PackReference, PackSeen, WantedPack};
use tokio::sync::Notify;

use crate::backoff;
use crate::github::{Failure, Found, GitHub, Known};
use crate::live::InstanceKey;
use crate::queue::Queue;
use crate::random;

/// Packs that are fetched at the same time, and of those the ones for one namespace.
const MOST: usize = 4;
const MOST_OF_NAMESPACE: usize = 2;
/// What the contents in memory may take, with those that are under way.
const ROOM: usize = 12 * 1024 * 1024;
/// Pauses after a failure.
const FIRST_PAUSE: Duration = Duration::from_secs(30);
const LONGEST_PAUSE: Duration = Duration::from_mins(30);
/// When a branch or a tag is looked up again.
const AGAIN: Duration = Duration::from_mins(15);
/// How long a content is kept that somebody does not store.
const KEPT: Duration = Duration::from_mins(5);

/// See the module.
#[derive(Default)]
pub(crate) struct SkillPacks {
    standing: Mutex<Standing>,
    news: Notify,
}

impl SkillPacks {
    /// From now on the instance wants these packs, and no others.
    pub(crate) fn want(&self, key: &InstanceKey, wanted: &[WantedPack]) {
        self.standing().want(key, wanted, Instant::now());
        self.news.notify_one();
    }

    /// What came of what the instance wants.
    pub(crate) fn seen(&self, key: &InstanceKey) -> BTreeMap<String, PackSeen> {
        self.standing().seen(key)
    }

    pub(crate) fn forget(&self, key: &InstanceKey) {
        self.standing().want(key, &[], Instant::now());
    }

    /// Fetches what is wanted. Never returns.
    pub(crate) async fn fetch_all(&self, github: &GitHub, queue: &Queue) {
        let mut under_way = FuturesUnordered::new();
        loop {
            while let Some(put) = self.next() {
                under_way.push(fetch(github, put));
            }
            let pause = self.standing().next_at(Instant::now());
            tokio::select! {
                Some((reference, outcome)) = under_way.next() => {
                    let now = Instant::now();
                    let woken =
                        self.standing().came(&reference, outcome, now, random::fraction());
                    for key in woken {
                        queue.wake(&key);
                    }
                }
                () = self.news.notified() => {}
                () = tokio::time::sleep(pause.unwrap_or_default()), if pause.is_some() => {}
            }
        }
    }

    fn next(&self) -> Option<(PackReference, Known)> {
        self.standing().next(Instant::now())
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

type Outcome = Result<Found, Failure>;

async fn fetch(
    github: &GitHub,
    (reference, known): (PackReference, Known),
) -> (PackReference, Outcome) {
    let outcome = github.fetch(&reference, &known).await;
    (reference, outcome)
}

/// One pack.
struct Stands {
    /// Who wants it, and which commit of it each has stored.
    wanted_by: BTreeMap<InstanceKey, Option<String>>,
    commit: Option<String>,
    tag: Option<String>,
    content: Option<Pack>,
    /// When the content is dropped.
    until: Option<Instant>,
    failure: Option<String>,
    /// When it is fetched or looked up; never, if that would be for nothing.
    at: Option<Instant>,
    last: Option<Instant>,
    /// How often in a row it failed.
    failures: u32,
    is_under_way: bool,
}

impl Stands {
    fn new() -> Self {
        Self {
            wanted_by: BTreeMap::new(),
            commit: None,
            tag: None,
            content: None,
            until: None,
            failure: None,
            at: None,
            last: None,
            failures: 0,
            is_under_way: false,
        }
    }

    /// Whether everybody has stored the newest commit.
    fn is_stored(&self) -> bool {
        self.commit.is_some() && self.wanted_by.values().all(|held| *held == self.commit)
    }

    /// Whether nothing is learnt by fetching it: everybody has the commit that it always means.
    fn is_settled(&self, reference: &PackReference) -> bool {
        reference.is_pinned()
            && self.wanted_by.values().all(|held| {
                held.as_deref().is_some_and(|held| held.eq_ignore_ascii_case(reference.revision()))
            })
    }

    fn namespace(&self) -> &str {
        self.wanted_by.keys().next().map_or("", |key| key.namespace.as_str())
    }
}

/// The packs that are wanted, as plain data: what time it is, is told.
#[derive(Default)]
struct Standing {
    packs: BTreeMap<PackReference, Stands>,
}

impl Standing {
    fn want(&mut self, key: &InstanceKey, wanted: &[WantedPack], now: Instant) {
        let named: BTreeSet<&PackReference> = wanted.iter().map(|each| &each.reference).collect();
        self.packs.retain(|reference, stands| {
            if !named.contains(reference) {
                stands.wanted_by.remove(key);
            }
            !stands.wanted_by.is_empty() || stands.is_under_way
        });
        for WantedPack { reference, held } in wanted {
            let stands = self.packs.entry(reference.clone()).or_insert_with(Stands::new);
            let is_new = stands.wanted_by.insert(key.clone(), held.clone()).is_none();
            if stands.is_stored() {
                (stands.content, stands.until) = (None, None);
            }
            let lacks = stands.content.is_none() && *held != stands.commit;
            let is_due = stands.last.is_none_or(|last| is_new || now - last >= KEPT);
            if stands.is_settled(reference) {
                stands.at = None;
            } else if stands.last.is_none() {
                stands.at.get_or_insert(now);
            } else if stands.failures == 0 && lacks && is_due {
                stands.at = Some(now);
            }
        }
    }

    fn seen(&self, key: &InstanceKey) -> BTreeMap<String, PackSeen> {
        let of_key = self.packs.iter().filter_map(|(reference, stands)| {
            let held = stands.wanted_by.get(key)?;
            stands.last.filter(|_| stands.commit.is_some() || stands.failure.is_some())?;
            let pack = stands.content.clone().filter(|pack| Some(&pack.commit) != held.as_ref());
            Some((reference.to_string(), PackSeen { pack, failure: stands.failure.clone() }))
        });
        of_key.collect()
    }

    /// The pack to fetch next. Namespaces take turns; one that nobody has tried goes before those
    /// that failed, and otherwise the one that waits longest.
    fn next(&mut self, now: Instant) -> Option<(PackReference, Known)> {
        self.drop_contents(now);
        if !self.has_room() {
            return None;
        }
        let under_way = |namespace: &str| {
            let of_namespace =
                |stands: &&Stands| stands.is_under_way && stands.namespace() == namespace;
            self.packs.values().filter(of_namespace).count()
        };
        let (reference, _) = self
            .packs
            .iter()
            .filter(|(_, stands)| !stands.is_under_way && stands.at.is_some_and(|at| at <= now))
            .filter(|(_, stands)| under_way(stands.namespace()) < MOST_OF_NAMESPACE)
            .min_by_key(|(_, stands)| {
                (under_way(stands.namespace()), stands.failures > 0, stands.at)
            })?;
        let reference = reference.clone();
        let stands = self.packs.get_mut(&reference)?;
        stands.is_under_way = true;
        let known = Known {
            commit: stands.commit.clone(),
            tag: stands.tag.clone(),
            wants_content: stands.content.is_none() && !stands.is_stored(),
        };
        Some((reference, known))
    }

    /// Contents that nobody stores, as one who is paused does, do not take the room of others.
    fn drop_contents(&mut self, now: Instant) {
        for stands in self.packs.values_mut() {
            if stands.until.is_some_and(|until| until <= now) {
                (stands.content, stands.until) = (None, None);
            }
        }
    }

    fn has_room(&self) -> bool {
        let under_way = self.packs.values().filter(|stands| stands.is_under_way).count();
        let kept: usize =
            self.packs.values().filter_map(|stands| Some(stands.content.as_ref()?.size())).sum();
        under_way < MOST && (under_way + 1) * LARGEST_PACK + kept <= ROOM
    }

    /// How long nothing is to be done, as far as that does not depend on an answer.
    fn next_at(&self, now: Instant) -> Option<Duration> {
        let drops = self.packs.values().filter_map(|stands| stands.until);
        let has_room = self.has_room();
        let due = self.packs.values().filter(|stands| has_room && !stands.is_under_way);
        // One that waits for its namespace is woken by an answer.
        let due = due.filter_map(|stands| stands.at).filter(|at| *at > now);
        due.chain(drops).min().map(|at| at.saturating_duration_since(now))
    }

    /// Takes in what came of a pack. Returns who should look at it. `random` in 0..1 spreads those
    /// that failed together.
    fn came(
        &mut self,
        reference: &PackReference,
        outcome: Outcome,
        now: Instant,
        random: f64,
    ) -> Vec<InstanceKey> {
        let Some(stands) = self.packs.get_mut(reference) else { return Vec::new() };
        stands.is_under_way = false;
        if stands.wanted_by.is_empty() {
            self.packs.remove(reference);
            return Vec::new();
        }
        let is_first = stands.last.replace(now).is_none();
        let before = (stands.commit.clone(), stands.failure.take());
        let spread = 0.75 + 0.25 * random;
        match outcome {
            Ok(Found { commit, tag, pack }) => {
                stands.failures = 0;
                (stands.commit, stands.tag) = (Some(commit), tag);
                if pack.is_some() {
                    (stands.content, stands.until) = (pack, Some(now + KEPT));
                }
                stands.at = Some(now + AGAIN.mul_f64(spread));
            }
            Err(Failure { words, pause }) => {
                stands.failures = stands.failures.saturating_add(1);
                stands.failure = Some(words);
                let doubled = backoff::doubled(FIRST_PAUSE, LONGEST_PAUSE, stands.failures);
                let pause = doubled.max(pause.unwrap_or_default());
                stands.at = Some(now + pause.mul_f64(spread));
            }
        }
        let is_news = is_first || before != (stands.commit.clone(), stands.failure.clone());
        let is_news = is_news || stands.content.is_some();
        if is_news { stands.wanted_by.keys().cloned().collect() } else { Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use openclaw_render::packs::PackFile;

    use super::*;

    const COMMITS: [&str; 2] =
        ["1111111111111111111111111111111111111111", "2222222222222222222222222222222222222222"];

    struct Clock {
        begin: Instant,
        standing: Standing,
    }

    fn key(namespace: &str, name: &str) -> InstanceKey {
        InstanceKey { namespace: namespace.to_owned(), name: name.to_owned() }
    }

    fn reference(text: &str) -> PackReference {
        PackReference::parse(text).expect("a reference")
    }

    fn wanted(text: &str, held: Option<&str>) -> WantedPack {
        WantedPack { reference: reference(text), held: held.map(str::to_owned) }
    }

    fn found(commit: &str) -> Found {
        let file = PackFile::Text("x".repeat(LARGEST_PACK));
        let files = [("x".to_owned(), file)].into();
        let pack = Pack { commit: commit.to_owned(), files, ..Pack::default() };
        Found { commit: commit.to_owned(), tag: None, pack: Some(pack) }
    }

    fn failed(pause: Option<u64>) -> Outcome {
        Err(Failure { words: "is not there".to_owned(), pause: pause.map(Duration::from_secs) })
    }

    impl Clock {
        fn new() -> Self {
            Self { begin: Instant::now(), standing: Standing::default() }
        }

        fn at(&self, seconds: u64) -> Instant {
            self.begin + Duration::from_secs(seconds)
        }

        fn want(&mut self, key: &InstanceKey, all: &[WantedPack], seconds: u64) {
            let now = self.at(seconds);
            self.standing.want(key, all, now);
        }

        fn next(&mut self, seconds: u64) -> Option<String> {
            let now = self.at(seconds);
            self.standing.next(now).map(|(reference, _)| reference.to_string())
        }

        fn came(&mut self, text: &str, outcome: Outcome, seconds: u64) -> Vec<String> {
            let now = self.at(seconds);
            let woken = self.standing.came(&reference(text), outcome, now, 1.0);
            woken.into_iter().map(|key| key.name).collect()
        }
    }

    #[test]
    fn a_pack_is_fetched_once_for_all_and_its_content_kept_until_all_have_stored_it() {
        let mut clock = Clock::new();
        let (ada, bob) = (key("agents", "ada"), key("agents", "bob"));
        clock.want(&ada, &[wanted("o/r/p", None)], 0);
        clock.want(&bob, &[wanted("o/r/p", None)], 0);
        assert_eq!(clock.next(0).as_deref(), Some("o/r/p"));
        assert_eq!(clock.next(0), None, "once");
        assert_eq!(clock.standing.seen(&ada), BTreeMap::new(), "nobody has answered");
        assert_eq!(clock.came("o/r/p", Ok(found(COMMITS[0])), 1), ["ada", "bob"]);
        clock.want(&ada, &[wanted("o/r/p", Some(COMMITS[0]))], 2);
        assert_eq!(clock.standing.seen(&ada)["o/r/p"], PackSeen::default());
        assert!(clock.standing.seen(&bob)["o/r/p"].pack.is_some());
        clock.want(&bob, &[wanted("o/r/p", Some(COMMITS[0]))], 3);
        assert!(clock.standing.packs.values().all(|stands| stands.content.is_none()));
        assert_eq!(clock.next(800), None);
        assert_eq!(clock.next(902).as_deref(), Some("o/r/p"), "a branch may have moved");
        let same = Found { commit: COMMITS[0].to_owned(), tag: None, pack: None };
        assert_eq!(clock.came("o/r/p", Ok(same), 903), [""; 0]);
        clock.next(1900);
        assert_eq!(clock.came("o/r/p", Ok(found(COMMITS[1])), 1901), ["ada", "bob"]);
        clock.want(&ada, &[], 1902);
        clock.want(&bob, &[], 1902);
        assert!(clock.standing.packs.is_empty());
    }

    #[test]
    fn what_fails_is_tried_less_and_less_often_and_as_the_server_says() {
        let mut clock = Clock::new();
        let ada = key("agents", "ada");
        let mut now = 0;
        let mut pauses = Vec::new();
        for pause in [None, None, None, None, None, None, None, None, Some(3600)] {
            clock.want(&ada, &[wanted("o/r/p", None)], now);
            assert!(clock.next(now).is_some());
            clock.came("o/r/p", failed(pause), now);
            // A pass in between wants the same.
            clock.want(&ada, &[wanted("o/r/p", None)], now + 1);
            assert_eq!(clock.next(now + 1), None);
            let at = clock.standing.packs[&reference("o/r/p")].at.expect("it stands");
            pauses.push((at - clock.begin).as_secs() - now);
            now = (at - clock.begin).as_secs();
        }
        assert_eq!(pauses, [30, 60, 120, 240, 480, 960, 1800, 1800, 3600]);
        let seen = &clock.standing.seen(&ada)["o/r/p"];
        assert_eq!(seen.failure.as_deref(), Some("is not there"));
    }

    #[test]
    fn a_commit_that_everybody_has_is_never_asked_for_again() {
        let mut clock = Clock::new();
        let pinned = format!("o/r/p@{}", COMMITS[0]);
        clock.want(&key("agents", "ada"), &[wanted(&pinned, Some(COMMITS[0]))], 0);
        assert_eq!(clock.next(1_000_000), None);
        clock.want(&key("agents", "bob"), &[wanted(&pinned, None)], 0);
        assert_eq!(clock.next(0), Some(pinned));
    }

    #[test]
    fn a_namespace_with_many_packs_leaves_room_for_others() {
        let mut clock = Clock::new();
        let many: Vec<WantedPack> =
            (0..50).map(|number| wanted(&format!("o/r/p{number}"), None)).collect();
        clock.want(&key("many", "ada"), &many, 0);
        let first: Vec<String> = std::iter::from_fn(|| clock.next(0)).collect();
        assert_eq!(first.len(), MOST_OF_NAMESPACE);
        clock.want(&key("few", "bob"), &[wanted("x/y/z", None)], 1);
        assert_eq!(clock.next(1).as_deref(), Some("x/y/z"));
        clock.came(&first[0], failed(None), 2);
        let next = clock.next(100).expect("one more");
        assert_ne!(next, first[0], "what was not tried goes first");
    }

    #[test]
    fn contents_that_nobody_stores_are_dropped_and_do_not_fill_the_memory() {
        let mut clock = Clock::new();
        let most = ROOM / (LARGEST_PACK + 1);
        for number in 0..most {
            let text = format!("o/r/p{number}");
            clock.want(&key(&format!("n{number}"), "ada"), &[wanted(&text, None)], 0);
            assert!(clock.next(0).is_some(), "{number}");
            clock.came(&text, Ok(found(COMMITS[0])), 0);
        }
        clock.want(&key("last", "bob"), &[wanted("x/y/z", None)], 1);
        assert_eq!(clock.next(1), None, "no room");
        let wait = clock.standing.next_at(clock.at(1)).expect("room will be made");
        assert_eq!(wait.as_secs(), KEPT.as_secs() - 1);
        assert_eq!(clock.next(KEPT.as_secs() + 1).as_deref(), Some("x/y/z"));
    }
}
