//! Certificates of the user's that every container of the pod trusts.

use k8s_openapi::api::core::v1::{Container, Volume, VolumeMount};

use super::{env as environment, volumes};
use crate::resolve::{BundleSource, Resolved};
use crate::vocab::{env, paths};

/// The file on their volume.
const KEY: &str = "ca-bundle.crt";

/// Node.js adds what is in the file to its own list. OpenSSL, Go and git read it in the place of
/// their own file, and the directory of the image's certificates beside it.
const VARIABLES: [&str; 3] = [env::GIT_SSL_CAINFO, env::NODE_EXTRA_CA_CERTS, env::SSL_CERT_FILE];

/// Returns the volume that holds them.
pub(super) fn volume(instance: &Resolved) -> Option<Volume> {
    let bundle = instance.ca_bundle.as_ref()?;
    let volume = &bundle.volume;
    Some(match &bundle.source {
        BundleSource::ConfigMap(name) => volumes::key_of_map(volume, name, &bundle.key, KEY),
        BundleSource::Secret(name) => volumes::key_of_secret(volume, name, &bundle.key, KEY),
    })
}

/// Returns the container with the certificates, whatever it is for: one that comes later trusts
/// them, too. What it says of these variables itself wins.
pub(super) fn trusted(container: Container, instance: &Resolved) -> Container {
    let Some(bundle) = &instance.ca_bundle else { return container };
    let mut entries = container.env.unwrap_or_default();
    for name in VARIABLES {
        if entries.iter().all(|entry| entry.name != name) {
            entries.push(environment::entry(name, paths::CA_BUNDLE));
        }
    }
    let mut mounts = container.volume_mounts.unwrap_or_default();
    let mount = volumes::below(&bundle.volume, paths::CA_BUNDLE, KEY);
    mounts.push(VolumeMount { read_only: Some(true), ..mount });
    Container { env: Some(entries), volume_mounts: Some(mounts), ..container }
}
