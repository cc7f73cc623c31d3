//! Workers: so many passes at a time, in the order of the queue.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kube::api::DynamicObject;
use kube::runtime::reflector::{ObjectRef, Store};
use tokio::task::{Id, JoinError, JoinSet};
use tracing::error;

use crate::cache::InstanceKey;
use crate::cluster::INSTANCES;
use crate::context::Context;
use crate::instance::{self, Memory};

/// A list tells of an instance before the store has it.
const UNTIL_STORED: Duration = Duration::from_secs(1);
/// A pass that panicked would most likely do so again.
const AFTER_PANIC: Duration = Duration::from_mins(5);

/// Passes over instances until the queue is closed and the last pass has ended.
pub(crate) async fn work(stores: Vec<Store<DynamicObject>>, context: Arc<Context>) {
    let stores: Arc<[_]> = stores.into();
    let mut passes = JoinSet::new();
    let mut under_way: BTreeMap<Id, InstanceKey> = BTreeMap::new();
    while !(context.queue.is_closed() && passes.is_empty()) {
        while let Some((key, memory)) = context.queue.take() {
            let pass = pass(key.clone(), memory, Arc::clone(&stores), Arc::clone(&context));
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
async fn pass(
    key: InstanceKey,
    mut memory: Memory,
    stores: Arc<[Store<DynamicObject>]>,
    context: Arc<Context>,
) -> (Memory, Duration) {
    let place = ObjectRef::new_with(&key.name, INSTANCES.to_api_resource()).within(&key.namespace);
    let again_in = match stores.iter().find_map(|store| store.get(&place)) {
        Some(object) => instance::reconcile(object, &mut memory, &context).await,
        None => UNTIL_STORED,
    };
    (memory, again_in)
}
