//! `ConfigMap` with openclaw.json and the proxy's nginx.conf. No secret is in it.
//!
//! - Present when: always.
//! - Reads: the user's configuration and all that completes it.
//! - Restarts pods: openclaw.json never (config-sync hands it to the running gateway); nginx.conf
//!   through a hash in the pod template.

use k8s_openapi::api::core::v1::ConfigMap;

use super::nginx_conf;
use crate::config;
use crate::resolve::Resolved;
use crate::vocab::{meta, names};

pub(super) fn render(instance: &Resolved) -> ConfigMap {
    let mut data = std::collections::BTreeMap::from([(
        names::CONFIG_KEY.to_owned(),
        config::render(instance),
    )]);
    if instance.proxy.is_some() {
        data.insert(names::PROXY_KEY.to_owned(), nginx_conf::render(instance));
    }
    ConfigMap {
        metadata: meta::owned(instance, instance.name.config()),
        data: Some(data),
        ..Default::default()
    }
}
