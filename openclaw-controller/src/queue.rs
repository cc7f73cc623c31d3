//! Which instances wait for a pass.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use kube::api::DynamicObject;
use kube::runtime::controller::{ReconcileReason, ReconcileRequest};
use kube::runtime::reflector::ObjectRef;

use crate::cache::InstanceKey;
use crate::cluster::INSTANCES;

/// A request for a pass.
pub(crate) type Request = ReconcileRequest<DynamicObject>;

/// Wakes instances; one that is awake already is not counted twice.
#[derive(Default)]
pub(crate) struct Queue {
    scopes: Mutex<BTreeMap<Option<String>, UnboundedSender<Request>>>,
    waiting: Mutex<BTreeSet<InstanceKey>>,
}

impl Queue {
    /// The instances of a namespace, or of all namespaces, that are woken from now on.
    pub(crate) fn scope(&self, namespace: Option<String>) -> UnboundedReceiver<Request> {
        let (sender, receiver) = unbounded();
        self.scopes.lock().unwrap_or_else(PoisonError::into_inner).insert(namespace, sender);
        receiver
    }

    pub(crate) fn wake(&self, key: &InstanceKey) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone());
        let scopes = self.scopes.lock().unwrap_or_else(PoisonError::into_inner);
        let scope = scopes.get(&Some(key.namespace.clone())).or_else(|| scopes.get(&None));
        if let Some(sender) = scope {
            let obj_ref =
                ObjectRef::new_with(&key.name, INSTANCES.to_api_resource()).within(&key.namespace);
            // The other end is gone only when the process stops.
            let _ = sender.unbounded_send(ReconcileRequest {
                obj_ref,
                reason: ReconcileReason::Custom { reason: "woken by a watch".into() },
            });
        }
    }

    /// A pass over it begins.
    pub(crate) fn started(&self, key: &InstanceKey) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    pub(crate) fn depth(&self) -> usize {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// No instance is woken any more: the passes under way end, and no other begins.
    pub(crate) fn close(&self) {
        self.scopes.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
