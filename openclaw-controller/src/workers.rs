//! Workers: so many passes at a time, in the order of the queue.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{Id, JoinError, JoinSet};
use tracing::error;

use crate::context::Context;
use crate::instance;
use crate::live::InstanceKey;
use crate::memory::Memory;

/// A pass that panicked would most likely do so again.
const AFTER_PANIC: Duration = Duration::from_mins(5);

/// Passes over instances until the queue is closed and the last pass has ended.
pub(crate) async fn work(context: Arc<Context>) {
    let mut passes = JoinSet::new();
    let mut under_way: BTreeMap<Id, InstanceKey> = BTreeMap::new();
    while !(context.queue.is_closed() && passes.is_empty()) {
        while let Some((key, memory)) = context.queue.take() {
            let pass = pass(key.clone(), memory, Arc::clone(&context));
            under_way.insert(passes.spawn(pass).id(), key);
        }
        tokio::select! {
            Some(ended) = passes.join_next_with_id() => {
                let id = ended.as_ref().map_or_else(JoinError::id, |(id, _)| *id);
                let Some(key) = under_way.remove(&id) else { continue };
                let (memory, again_in) = match ended {
                    Ok((_, result)) => result,
                    Err(panicked) => {
                        error!(
                            namespace = key.namespace,
                            instance = key.name,
                            error = %panicked,
                            "a pass broke down: please report it"
                        );
                        (Memory::default(), AFTER_PANIC)
                    }
                };
                if !context.queue.put_back(&key, memory, again_in) {
                    // What the pass kept of it since.
                    context.forget(&key);
                }
            }
            () = context.queue.wait() => {}
        }
    }
}

/// What it leaves to the next one, and when that is due.
async fn pass(key: InstanceKey, mut memory: Memory, context: Arc<Context>) -> (Memory, Duration) {
    let again_in = instance::reconcile(&key, &mut memory, &context).await;
    (memory, again_in)
}
