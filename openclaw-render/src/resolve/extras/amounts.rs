//! What containers of the user's ask of their node: resources by name, and how much of each.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ResourceRequirements;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use crate::quantity;
use crate::resolve::context::Resolving;
use crate::vocab::grammar::is_label_key;

/// What every node has.
const STANDARD: [&str; 3] = ["cpu", "memory", "ephemeral-storage"];
const HUGE_PAGES: &str = "hugepages-";
/// Domain of the names that are Kubernetes' own.
const NATIVE: &str = "kubernetes.io/";
/// What quotas put in front of names.
const REQUESTS: &str = "requests.";
const ONE: i128 = 1_000_000_000;
const THOUSANDTH: i128 = ONE / 1000;

pub(super) fn check(path: &str, resources: Option<&ResourceRequirements>, cx: &mut Resolving<'_>) {
    let Some(resources) = resources else { return };
    let path = format!("{path}.resources");
    for (index, _) in resources.claims.iter().flatten().enumerate() {
        cx.error(
            format!("{path}.claims[{index}]"),
            "is of a pod's resource claims, and an agent's pod has none: remove it",
        );
    }
    let amount = |amount: &Quantity| quantity::parse(&amount.0).ok();
    for (field, amounts) in [("requests", &resources.requests), ("limits", &resources.limits)] {
        for (resource, value) in amounts.iter().flatten() {
            let path = format!("{path}.{field}.{resource}");
            if !is_resource(resource) {
                cx.error(
                    path.as_str(),
                    "is no resource of a container: write `cpu`, `memory`, `ephemeral-storage`, \
                     `hugepages-…` or one with a domain, as `nvidia.com/gpu`",
                );
            }
            match amount(value) {
                None => cx.error(path, format!("{:?} is no quantity: write 500m or 2Gi", value.0)),
                Some(parsed) if parsed.is_negative() => {
                    cx.error(path, format!("{:?} is negative", value.0));
                }
                Some(parsed) if is_counted(resource) && has_parts(parsed) => {
                    cx.error(path, format!("{:?} is no whole number", value.0));
                }
                Some(parsed) if !is_of_pages(resource, parsed) => {
                    cx.error(path, format!("{:?} is no multiple of the size of a page", value.0));
                }
                Some(_) => {}
            }
        }
    }
    check_huge_pages(&path, resources, cx);
    for (resource, request) in resources.requests.iter().flatten() {
        let path = format!("{path}.requests.{resource}");
        let limit = resources.limits.as_ref().and_then(|limits| limits.get(resource));
        let Some(asked) = amount(request) else { continue };
        match limit.map(|limit| (limit, amount(limit))) {
            Some((limit, Some(most))) if asked > most => {
                cx.error(path, format!("{} is more than the limit {}", request.0, limit.0));
            }
            Some((limit, Some(most))) if is_whole(resource) && asked != most => {
                cx.error(path, format!(
                    "{} is less than the limit {}, and nobody shares such a resource: write the \
                     limit alone",
                    request.0, limit.0
                ));
            }
            None if is_whole(resource) => {
                cx.error(path, "needs a limit, as nobody shares such a resource: write that alone");
            }
            _ => {}
        }
    }
}

/// Kubernetes gives nobody huge pages who names neither processor nor memory.
fn check_huge_pages(path: &str, resources: &ResourceRequirements, cx: &mut Resolving<'_>) {
    let names =
        || [&resources.limits, &resources.requests].into_iter().flatten().flat_map(BTreeMap::keys);
    let huge = names().find(|name| name.starts_with(HUGE_PAGES));
    if let Some(name) = huge
        && !names().any(|name| matches!(name.as_str(), "cpu" | "memory"))
    {
        cx.error(path, format!("{name} needs `cpu` or `memory` beside it: add one"));
    }
}

/// Whether an amount of huge pages is one of whole pages; any amount is of anything else.
fn is_of_pages(name: &str, amount: quantity::Quantity) -> bool {
    let Some(size) = name.strip_prefix(HUGE_PAGES) else { return true };
    let size = quantity::parse(size).map_or(0, quantity::Quantity::nanos);
    size > 0 && size % ONE == 0 && amount.nanos() % size == 0
}

/// Whether a container can ask for it. A name of Kubernetes' own domain may be a newer one.
fn is_resource(name: &str) -> bool {
    if !name.contains('/') {
        return STANDARD.contains(&name) || name.starts_with(HUGE_PAGES) && is_label_key(name);
    }
    let is_extended = !name.starts_with(REQUESTS) && is_label_key(&format!("{REQUESTS}{name}"));
    is_label_key(name) && (name.contains(NATIVE) || is_extended)
}

/// Whether it is counted in pieces.
fn is_counted(name: &str) -> bool {
    name.contains('/') && !name.contains(NATIVE)
}

/// Whether whoever asks for it has it for itself.
fn is_whole(name: &str) -> bool {
    is_counted(name) || name.starts_with(HUGE_PAGES)
}

/// What is less than a thousandth is rounded up before anybody looks.
fn has_parts(amount: quantity::Quantity) -> bool {
    let thousandths = amount.nanos().saturating_add(THOUSANDTH - 1).div_euclid(THOUSANDTH);
    thousandths % 1000 != 0
}
