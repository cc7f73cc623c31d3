//! Kinds that a cluster may lack: watched while it has them, looked for at long intervals while it
//! does not. Nobody waits for them, and no right to look at definitions is needed.

use std::time::Duration;

use futures::StreamExt;
use openclaw_render::{Fact, Kind};
use tracing::{info, warn};

use super::{Sink, Watches, deliver};
use crate::feed::{Feed, FeedError};
use crate::random;

/// After a kind went, or the operator started. Whoever has just installed something waits for it.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
/// A request now and then, whether or not anybody wants the kind.
const LONGEST_PAUSE: Duration = Duration::from_mins(2);
/// Part of a pause by which it is shortened at random: replicas and namespaces spread.
const JITTER: f64 = 0.2;

/// One kind, in one scope.
pub(super) struct Optional {
    watches: Watches,
    kind: &'static str,
    /// Whoever wants something of the kind is told that it is there.
    wanted: Option<Kind>,
    is_there: Fact<()>,
    namespace: Option<String>,
    /// Until it is looked for again.
    pause: Duration,
    /// What was reported last, which is not said twice.
    reported: String,
}

impl Optional {
    pub(super) fn new(watches: Watches, kind: &'static str, namespace: Option<String>) -> Self {
        let (wanted, is_there) = (None, Fact::Unknown);
        let reported = String::new();
        Self { watches, kind, wanted, is_there, namespace, pause: FIRST_PAUSE, reported }
    }

    /// A kind of which instances may want something.
    pub(super) fn of(self, kind: Kind) -> Self {
        Self { wanted: Some(kind), ..self }
    }

    /// Follows the kind for ever, as it comes and goes.
    pub(super) async fn run(mut self, feed: Feed, mut sink: impl Sink) {
        loop {
            self.follow(feed.clone(), &mut sink).await;
            tokio::time::sleep(self.pause.mul_f64(1.0 - JITTER * random::fraction())).await;
            self.pause = LONGEST_PAUSE.min(self.pause * 2);
        }
    }

    /// Until it cannot be listed, or is gone.
    async fn follow(&mut self, feed: Feed, sink: &mut impl Sink) {
        let mut events = feed.events();
        let mut is_listed = false;
        while let Some(event) = events.next().await {
            match event {
                Ok(event) => {
                    is_listed &= !matches!(event, kube::runtime::watcher::Event::Init);
                    if deliver(event, sink) {
                        is_listed = true;
                        self.pause = FIRST_PAUSE;
                        self.found();
                    }
                }
                Err(error) if error.is_no_such_kind() => {
                    self.missed(sink);
                    return;
                }
                Err(error) => {
                    self.failed(&error);
                    if !is_listed {
                        return;
                    }
                }
            }
        }
    }

    fn found(&mut self) {
        if self.set(Fact::Known(())) {
            info!(kind = %self.kind, "the cluster has this kind: it is watched");
        }
        self.reported.clear();
    }

    /// What there was of it is gone.
    fn missed(&mut self, sink: &mut impl Sink) {
        sink.begin();
        sink.end();
        if self.set(Fact::Absent) {
            info!(kind = %self.kind, "the cluster does not have this kind: nothing is done with it");
        }
        self.reported.clear();
    }

    /// What is known of the kind stays.
    fn failed(&mut self, error: &FeedError) {
        self.watches.context.metrics.watch_failed(self.kind);
        let said = error.to_string();
        if said != self.reported {
            warn!(kind = %self.kind, error = said, "a watch broke off and is begun again");
            self.reported = said;
        }
    }

    /// Whether that is news. Whoever wants something of the kind then has something to do.
    fn set(&mut self, fact: Fact<()>) -> bool {
        let Some(kind) = self.wanted else {
            return std::mem::replace(&mut self.is_there, fact.clone()) != fact;
        };
        let context = &self.watches.context;
        let is_news = context.cache.set_kind(kind, self.namespace.as_deref(), fact);
        if is_news {
            self.watches.wake(context.instances.keys(self.namespace.as_deref()));
        }
        is_news
    }
}
