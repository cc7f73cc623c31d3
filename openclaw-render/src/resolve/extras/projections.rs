//! Files that the kubelet makes: of several sources in one volume, and of what a pod is.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{DownwardAPIVolumeFile, Volume, VolumeProjection};

use crate::resolve::context::Resolving;
use crate::resolve::sources;

/// Seconds that a token of the kubelet's lasts, at least and at most.
const TOKEN_SECONDS: std::ops::RangeInclusive<i64> = 600..=1 << 32;

pub(super) fn check(path: &str, volume: &Volume, cx: &mut Resolving<'_>) {
    let files = volume.downward_api.as_ref().and_then(|it| it.items.as_deref());
    for (index, file) in files.unwrap_or_default().iter().enumerate() {
        check_file(&format!("{path}.downwardAPI.items[{index}]"), file, cx);
    }
    let mut taken = BTreeSet::new();
    let projected = volume.projected.as_ref().and_then(|it| it.sources.as_deref());
    for (index, source) in projected.unwrap_or_default().iter().enumerate() {
        check_source(&format!("{path}.projected.sources[{index}]"), source, &mut taken, cx);
    }
}

fn check_source<'a>(
    path: &str,
    source: &'a VolumeProjection,
    taken: &mut BTreeSet<&'a str>,
    cx: &mut Resolving<'_>,
) {
    let value = serde_json::to_value(source).unwrap_or_default();
    let kinds: Vec<&str> =
        value.as_object().into_iter().flatten().map(|(kind, _)| kind.as_str()).collect();
    match kinds.as_slice() {
        // Newer clusters have sources that this library has no name for.
        [] | [_] => {}
        several => cx.error(
            path,
            format!(
                "has {} sources ({}): give each an item of its own",
                several.len(),
                several.join(", ")
            ),
        ),
    }
    let mut places: Vec<(String, &'a str)> = Vec::new();
    let secret = source.secret.as_ref().and_then(|it| it.items.as_deref());
    let map = source.config_map.as_ref().and_then(|it| it.items.as_deref());
    for (kind, items) in [("secret", secret), ("configMap", map)] {
        for (index, item) in items.unwrap_or_default().iter().enumerate() {
            places.push((format!("{path}.{kind}.items[{index}].path"), &item.path));
        }
    }
    let files = source.downward_api.as_ref().and_then(|it| it.items.as_deref());
    for (index, file) in files.unwrap_or_default().iter().enumerate() {
        let path = format!("{path}.downwardAPI.items[{index}]");
        check_file(&path, file, cx);
        places.push((format!("{path}.path"), &file.path));
    }
    if let Some(token) = &source.service_account_token {
        let path = format!("{path}.serviceAccountToken");
        // The API server does not hold it against the files of other sources.
        check_path(&format!("{path}.path"), &token.path, cx);
        if let Some(seconds) = token.expiration_seconds.filter(|it| !TOKEN_SECONDS.contains(it)) {
            cx.error(
                format!("{path}.expirationSeconds"),
                format!(
                    "{seconds} is no time of a token: write {} to {}",
                    TOKEN_SECONDS.start(),
                    TOKEN_SECONDS.end()
                ),
            );
        }
    }
    for (path, place) in places {
        if !place.is_empty() && !taken.insert(place) {
            cx.error(path, format!("{place:?} is a file of this volume already: rename one"));
        }
    }
}

fn check_file(path: &str, file: &DownwardAPIVolumeFile, cx: &mut Resolving<'_>) {
    check_path(&format!("{path}.path"), &file.path, cx);
    sources::check_file(path, file, cx);
}

/// Checks the place of a file in its volume.
pub(super) fn check_path(path: &str, place: &str, cx: &mut Resolving<'_>) {
    let leaves = place.starts_with('/') || place.starts_with("..");
    if place.is_empty() || leaves || place.split('/').any(|step| step == "..") {
        cx.error(path, format!("{place:?} is no path in the volume: write one without `..`"));
    }
}
