//! Images that the operator brings, and the registry override.

/// What stands in front of a repository on Docker Hub in its full name.
const DOCKER_HUB: &str = "docker.io/";
/// The agent's image when the spec names none.
pub const AGENT_REPOSITORY: &str = "ghcr.io/openclaw/openclaw";
/// Repositories of the official image: the registry that it is built for and its copy on Docker Hub.
pub const OFFICIAL_REPOSITORIES: &[&str] =
    &[AGENT_REPOSITORY, "docker.io/openclaw/openclaw", "openclaw/openclaw"];
/// The agent's tag when the spec names neither tag nor digest.
pub const AGENT_TAG: &str = "latest";
/// The gateway proxy's image when the spec names none.
pub const PROXY_REPOSITORY: &str = "docker.io/library/nginx";
/// The gateway proxy's tag when the spec names none.
pub const PROXY_TAG: &str = "1.27-alpine";
/// The browser's image when the spec names none.
pub const CHROMIUM_REPOSITORY: &str = "docker.io/chromedp/headless-shell";
/// The browser's tag when the spec names none.
pub const CHROMIUM_TAG: &str = "stable";
/// The browser's repository in older manifests; it is none that the agent can use any more.
pub const BROWSERLESS_REPOSITORY: &str = "ghcr.io/browserless/chromium";
/// The image with uv when the spec names none.
pub const UV_REPOSITORY: &str = "ghcr.io/astral-sh/uv";
/// The tag of the image with uv when the spec names none.
pub const UV_TAG: &str = "0.6-bookworm-slim";
/// The metrics collector's image when the spec names none.
pub const COLLECTOR_REPOSITORY: &str = "docker.io/otel/opentelemetry-collector";
/// The metrics collector's tag when the spec names none.
pub const COLLECTOR_TAG: &str = "0.120.0";
/// Tailscale's image when the spec names none.
pub const TAILSCALE_REPOSITORY: &str = "ghcr.io/tailscale/tailscale";
/// Tailscale's tag when the spec names none.
pub const TAILSCALE_TAG: &str = "latest";
/// The web terminal's image when the spec names none.
pub const TERMINAL_REPOSITORY: &str = "docker.io/tsl0922/ttyd";
/// The web terminal's tag when the spec names none.
pub const TERMINAL_TAG: &str = "latest";
/// The image with rclone, which carries backups to their bucket.
pub const RCLONE_REPOSITORY: &str = "docker.io/rclone/rclone";
/// The tag of the image with rclone.
pub const RCLONE_TAG: &str = "1.68";
/// NetBird's image when the spec names none.
pub const NETBIRD_REPOSITORY: &str = "docker.io/netbirdio/netbird";
/// NetBird's tag when the spec names none.
pub const NETBIRD_TAG: &str = "latest";
/// The image of the server for local models when the spec names none.
pub const OLLAMA_REPOSITORY: &str = "docker.io/ollama/ollama";
/// The tag of that server when the spec names none.
pub const OLLAMA_TAG: &str = "latest";
/// The operator's image, which carries the helper of agent pods.
pub const OPERATOR_REPOSITORY: &str = "ghcr.io/openclaw-rs/openclaw-operator";

/// `repository@digest`, or `repository:tag` without a digest.
#[must_use]
pub fn reference(repository: &str, tag: &str, digest: Option<&str>) -> String {
    match digest {
        Some(digest) => format!("{repository}@{digest}"),
        None => format!("{repository}:{tag}"),
    }
}

/// The tag of a reference, also beside a digest.
#[must_use]
pub fn tag(reference: &str) -> Option<&str> {
    let name = reference.split('@').next()?;
    name.rsplit('/').next()?.split_once(':').map(|(_, tag)| tag)
}

/// Whether a repository is the name of a full one on Docker Hub, without the registry.
#[must_use]
pub fn is_short_for(repository: &str, full: &str) -> bool {
    full.strip_prefix(DOCKER_HUB) == Some(repository)
}

/// Puts `registry` in the place of the image's registry, or in front of an image that names none.
///
/// Docker Hub's own prefix counts as none, so that a mirror sees `nginx` and `ollama/ollama` under
/// the names that it always had. Tag and digest stay as they are.
#[must_use]
pub fn with_registry(image: &str, registry: &str) -> String {
    let registry = registry.trim_end_matches('/');
    if registry.is_empty() {
        return image.to_owned();
    }
    let image = image
        .strip_prefix(DOCKER_HUB)
        .map_or(image, |rest| rest.strip_prefix("library/").unwrap_or(rest));
    match image.split_once('/') {
        Some((host, rest)) if is_registry_host(host) => format!("{registry}/{rest}"),
        _ => format!("{registry}/{image}"),
    }
}

fn is_registry_host(segment: &str) -> bool {
    let port = segment.rsplit_once(':').map_or("", |(_, port)| port);
    segment.contains('.')
        || (segment.starts_with('[') && segment.contains(']'))
        || (!port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::{is_short_for, tag, with_registry};

    #[test]
    fn only_the_same_repository_of_docker_hub_has_a_short_name() {
        let full = "docker.io/ollama/ollama";
        assert!(is_short_for("ollama/ollama", full));
        for other in [full, "ollama", "mirror.example.com/ollama/ollama", "someone/ollama", ""] {
            assert!(!is_short_for(other, full), "{other}");
        }
        assert!(!is_short_for("ghcr.io/tailscale/tailscale", "ghcr.io/tailscale/tailscale"));
        assert!(!is_short_for("tailscale/tailscale", "ghcr.io/tailscale/tailscale"));
    }

    #[test]
    fn a_port_is_no_tag() {
        for (image, expected) in [
            ("ghcr.io/openclaw/openclaw:2026.9.6", Some("2026.9.6")),
            ("localhost:5000/openclaw", None),
            ("localhost:5000/openclaw:1", Some("1")),
            ("r.ex/a:1@sha256:abc", Some("1")),
            ("r.ex/a@sha256:abc", None),
        ] {
            assert_eq!(tag(image), expected, "{image}");
        }
    }

    #[test]
    fn registry_override_follows_the_documented_vectors() {
        for (image, registry, expected) in [
            ("ghcr.io/openclaw/openclaw:latest", "", "ghcr.io/openclaw/openclaw:latest"),
            ("ghcr.io/openclaw/openclaw:latest", "r.ex", "r.ex/openclaw/openclaw:latest"),
            ("ghcr.io/openclaw/openclaw:latest", "r.ex//", "r.ex/openclaw/openclaw:latest"),
            ("docker.io/library/nginx:1.27-alpine", "r.ex", "r.ex/nginx:1.27-alpine"),
            ("docker.io/library/busybox@sha256:abc", "r.ex", "r.ex/busybox@sha256:abc"),
            ("docker.io/ollama/ollama:latest", "r.ex", "r.ex/ollama/ollama:latest"),
            ("ollama/ollama:latest", "r.ex", "r.ex/ollama/ollama:latest"),
            ("nginx:1.27-alpine", "r.ex", "r.ex/nginx:1.27-alpine"),
            ("localhost:5000/x:1", "r.ex", "r.ex/x:1"),
            ("[::1]:5000/x:1", "r.ex", "r.ex/x:1"),
            ("localhost/x:1", "r.ex", "r.ex/localhost/x:1"),
            ("a/b:1", "mirror.local/team", "mirror.local/team/a/b:1"),
        ] {
            assert_eq!(with_registry(image, registry), expected, "{image} {registry}");
        }
    }
}
