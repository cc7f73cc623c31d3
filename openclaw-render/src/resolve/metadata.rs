//! Keys of labels and annotations that the user gives for objects of ours.

use std::collections::BTreeMap;

use super::context::Resolving;
use super::security::is_subdomain;
use crate::api::OpenClawInstanceSpec;

type Keys = BTreeMap<String, String>;

/// Reports keys that no object can have, because the API server would refuse the whole object.
pub(super) fn check(spec: &OpenClawInstanceSpec, cx: &mut Resolving<'_>) {
    let rbac = spec.security.as_ref().and_then(|each| each.rbac.as_ref());
    let service = spec.networking.as_ref().and_then(|each| each.service.as_ref());
    let availability = spec.availability.as_ref();
    let places: [(&str, Option<&Keys>); 4] = [
        ("spec.podAnnotations", spec.pod_annotations.as_ref()),
        ("spec.networking.service.annotations", service.and_then(|it| it.annotations.as_ref())),
        (
            "spec.security.rbac.serviceAccountAnnotations",
            rbac.and_then(|it| it.service_account_annotations.as_ref()),
        ),
        ("spec.availability.nodeSelector", availability.and_then(|it| it.node_selector.as_ref())),
    ];
    for (path, keys) in places {
        for key in keys.into_iter().flat_map(BTreeMap::keys).filter(|key| !is_qualified(key)) {
            cx.error(
                format!("{path}[{key:?}]"),
                "is no key of a label or annotation: write `name` or `domain/name`, the name with \
                 at most 63 letters, digits, `-`, `_` and `.`",
            );
        }
    }
}

/// Qualified name, see the Kubernetes documentation on labels: syntax and character set. The
/// domain of an annotation may have capital letters.
fn is_qualified(key: &str) -> bool {
    let (prefix, name) = key.split_once('/').map_or((None, key), |(it, name)| (Some(it), name));
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let ends = |text: &str| {
        text.starts_with(|it: char| it.is_ascii_alphanumeric())
            && text.ends_with(|it: char| it.is_ascii_alphanumeric())
    };
    prefix.is_none_or(|prefix| is_subdomain(&prefix.to_ascii_lowercase()))
        && name.len() <= 63
        && name.bytes().all(inner)
        && ends(name)
}

#[cfg(test)]
mod tests {
    use super::is_qualified;

    #[test]
    fn keys_are_qualified_names() {
        for good in ["a", "example.com/scrape", "a_b.c-d", "k8s.v1.cni.cncf.io/networks"] {
            assert!(is_qualified(good), "{good:?}");
        }
        for bad in ["", "a b", "/a", "a/", "a/b/c", "-a", "a.", "-x/a", &"a".repeat(64)] {
            assert!(!is_qualified(bad), "{bad:?}");
        }
    }
}
