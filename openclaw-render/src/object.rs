//! [`Object`]: every kind that we render, its rank when applied, its identity.

use std::collections::BTreeMap;
use std::fmt;

use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::{
    ConfigMap, PersistentVolumeClaim, Secret, Service, ServiceAccount,
};
use k8s_openapi::api::networking::v1::{Ingress, NetworkPolicy};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::canonical;
use crate::gateway_api::HTTPRoute;
use crate::monitoring::{PrometheusRule, ServiceMonitor};
use crate::traefik::Middleware;

/// Declares the kinds once: variants, their metadata, their values.
macro_rules! kinds {
    ($($kind:ident $api_version:literal $plural:literal $ownership:ident $(of $project:literal)?),+
     $(,)?) => {
        /// A kind that we render, in the order in which objects are applied.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Kind {
            $(#[doc = concat!("`", stringify!($kind), "` of `", $api_version, "`.")] $kind,)+
        }

        impl Kind {
            /// All of them, in apply order.
            pub const ALL: &[Self] = &[$(Self::$kind,)+];

            /// The kind's name.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$kind => stringify!($kind),)+ }
            }

            /// Its API version.
            #[must_use]
            pub fn api_version(self) -> &'static str {
                match self { $(Self::$kind => $api_version,)+ }
            }

            /// The resource's name in URLs and RBAC rules.
            #[must_use]
            pub fn plural(self) -> &'static str {
                match self { $(Self::$kind => $plural,)+ }
            }

            /// Whether objects of this kind are applied again and again, or created.
            #[must_use]
            pub fn ownership(self) -> Ownership {
                match self { $(Self::$kind => Ownership::$ownership,)+ }
            }

            /// Returns the project that brings the kind, if Kubernetes itself does not. A cluster
            /// may lack such a kind, now or later.
            #[must_use]
            pub fn project(self) -> Option<&'static str> {
                match self { $(Self::$kind => None$(.or(Some($project)))?,)+ }
            }
        }

        /// An object that we render.
        #[derive(Clone, Debug, PartialEq)]
        #[expect(clippy::large_enum_variant, reason = "a dozen per instance, moved once")]
        pub enum Object {
            $(#[doc = concat!("A `", stringify!($kind), "`.")] $kind($kind),)+
        }

        impl Object {
            /// Its kind.
            #[must_use]
            pub fn kind(&self) -> Kind {
                match self { $(Self::$kind(_) => Kind::$kind,)+ }
            }

            fn metadata(&self) -> &ObjectMeta {
                match self { $(Self::$kind(object) => &object.metadata,)+ }
            }

            fn metadata_mut(&mut self) -> &mut ObjectMeta {
                match self { $(Self::$kind(object) => &mut object.metadata,)+ }
            }

            fn write(&self) -> Result<String, serde_json::Error> {
                match self {
                    $(Self::$kind(object) => {
                        canonical::write($api_version, stringify!($kind), object)
                    })+
                }
            }

            fn serialise(&self) -> Value {
                match self { $(Self::$kind(object) => serde_json::to_value(object),)+ }
                    .unwrap_or_default()
            }
        }

        $(impl From<$kind> for Object {
            fn from(object: $kind) -> Self { Self::$kind(object) }
        })+
    };
}

// The order is the one in which objects are applied: what others refer to comes first, the
// StatefulSet last.
kinds! {
    ServiceAccount "v1" "serviceaccounts" Applied,
    Role "rbac.authorization.k8s.io/v1" "roles" Applied,
    RoleBinding "rbac.authorization.k8s.io/v1" "rolebindings" Applied,
    NetworkPolicy "networking.k8s.io/v1" "networkpolicies" Applied,
    Secret "v1" "secrets" CreatedOnce,
    ConfigMap "v1" "configmaps" Applied,
    PersistentVolumeClaim "v1" "persistentvolumeclaims" CreatedOnce,
    PodDisruptionBudget "policy/v1" "poddisruptionbudgets" Applied,
    Service "v1" "services" Applied,
    Middleware "traefik.io/v1alpha1" "middlewares" Applied of "Traefik's definitions",
    Ingress "networking.k8s.io/v1" "ingresses" Applied,
    HTTPRoute "gateway.networking.k8s.io/v1" "httproutes" Applied of "the Gateway API",
    HorizontalPodAutoscaler "autoscaling/v2" "horizontalpodautoscalers" Applied,
    ServiceMonitor "monitoring.coreos.com/v1" "servicemonitors" Applied of "the Prometheus Operator",
    PrometheusRule "monitoring.coreos.com/v1" "prometheusrules" Applied of "the Prometheus Operator",
    Job "batch/v1" "jobs" RunOnce,
    CronJob "batch/v1" "cronjobs" Applied,
    StatefulSet "apps/v1" "statefulsets" Applied,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Kind and name; the namespace is the instance's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectKey {
    /// The kind.
    pub kind: Kind,
    /// The name.
    pub name: String,
}

impl ObjectKey {
    /// A key.
    #[must_use]
    pub fn new(kind: Kind, name: impl Into<String>) -> Self {
        Self { kind, name: name.into() }
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.name)
    }
}

/// As text, `Kind/name`, so that it can be the key of a JSON object.
impl Serialize for ObjectKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ObjectKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let key = text.split_once('/').and_then(|(kind, name)| {
            let kind = Kind::ALL.iter().find(|known| known.as_str() == kind)?;
            Some(Self::new(*kind, name))
        });
        key.ok_or_else(|| serde::de::Error::custom(format!("{text:?} is not `Kind/name`")))
    }
}

/// How an object comes to be and who owns its content afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ownership {
    /// Applied whenever what we own of it differs.
    Applied,
    /// Created when it is not there, then left alone: its content is the user's.
    CreatedOnce,
    /// Created when it is not there, left alone, and deleted when it is no longer wanted.
    RunOnce,
}

impl Object {
    /// Its identity within the namespace.
    #[must_use]
    pub fn key(&self) -> ObjectKey {
        ObjectKey::new(self.kind(), self.name())
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.metadata().name.as_deref().unwrap_or_default()
    }

    /// Its namespace.
    #[must_use]
    pub fn namespace(&self) -> &str {
        self.metadata().namespace.as_deref().unwrap_or_default()
    }

    /// Whether it is the object of that key.
    pub(crate) fn is(&self, key: &ObjectKey) -> bool {
        self.kind() == key.kind && self.name() == key.name
    }

    /// Adds an annotation.
    pub(crate) fn annotate(&mut self, key: &str, value: &str) {
        let annotations = self.metadata_mut().annotations.get_or_insert_default();
        annotations.insert(key.to_owned(), value.to_owned());
    }

    /// Whether it is applied again and again, or created.
    #[must_use]
    pub fn ownership(&self) -> Ownership {
        self.kind().ownership()
    }

    /// The object as it is sent: keys sorted, quantities and atomic parts as the API server stores
    /// them.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let mut value = self.serialise();
        if let Some(object) = value.as_object_mut() {
            // Types of ours do not say what they are.
            let kind = self.kind();
            for (field, text) in [("apiVersion", kind.api_version()), ("kind", kind.as_str())] {
                object.entry(field).or_insert_with(|| text.into());
            }
        }
        canonical::canonicalise(&mut value);
        value
    }

    /// [`to_value`](Self::to_value) as compact JSON, without the way over values: what
    /// [`content_hash`](crate::seed::content_hash) makes of it is the value's [`hash`](crate::hash).
    #[must_use]
    pub fn to_json(&self) -> String {
        self.write().unwrap_or_else(|_| self.to_value().to_string())
    }

    /// The pod template in it as compact JSON, as it is sent.
    pub(crate) fn template_json(&self) -> Option<String> {
        if let Self::StatefulSet(set) = self
            && let Some(spec) = &set.spec
            && let Ok(text) = canonical::write_part("spec", "template", &spec.template)
        {
            return Some(text);
        }
        self.to_value().pointer("/spec/template").map(Value::to_string)
    }

    /// The object with these annotations and no others.
    pub(crate) fn annotated(mut self, annotations: BTreeMap<String, String>) -> Self {
        self.metadata_mut().annotations = Some(annotations);
        self
    }

    /// The object as YAML, keys sorted, for people and for `kubectl apply`.
    #[must_use]
    pub fn to_yaml(&self) -> String {
        serde_saphyr::to_string(&self.to_value()).unwrap_or_default()
    }
}
