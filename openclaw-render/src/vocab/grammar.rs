//! How texts are written that Kubernetes, registries and browsers take.

/// Characters of a repository that a runtime takes, its registry included.
const REPOSITORY_LENGTH: usize = 255;

/// RFC 1123 label, which names of namespaces, containers and volumes are.
pub(crate) fn is_label(name: &str) -> bool {
    name.len() <= 63 && is_segment(name)
}

/// What a label of an object may say, which may be nothing.
pub(crate) fn is_label_value(value: &str) -> bool {
    value.is_empty() || !value.contains('/') && is_qualified(value)
}

/// RFC 1123 subdomain, which most object names are. The API server bounds the whole name alone.
pub(crate) fn is_subdomain(name: &str) -> bool {
    name.len() <= 253 && name.split('.').all(is_segment)
}

fn is_segment(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty() && text.bytes().all(inner) && !text.starts_with('-') && !text.ends_with('-')
}

/// Key of a label: a qualified name whose domain is written in lower case.
pub(crate) fn is_label_key(key: &str) -> bool {
    let domain = key.split_once('/').map(|(domain, _)| domain);
    is_qualified(key) && domain.is_none_or(is_subdomain)
}

/// Qualified name, see the Kubernetes documentation on labels: syntax and character set. The
/// domain of an annotation may have capital letters.
pub(crate) fn is_qualified(key: &str) -> bool {
    let (prefix, name) =
        key.split_once('/').map_or((None, key), |(domain, name)| (Some(domain), name));
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let ends = |text: &str| {
        text.starts_with(|first: char| first.is_ascii_alphanumeric())
            && text.ends_with(|last: char| last.is_ascii_alphanumeric())
    };
    prefix.is_none_or(|prefix| is_subdomain(&prefix.to_ascii_lowercase()))
        && name.len() <= 63
        && name.bytes().all(inner)
        && ends(name)
}

/// Name of a port, RFC 6335, section 5.1.
pub(crate) fn is_port_name(name: &str) -> bool {
    is_label(name)
        && name.len() <= 15
        && name.bytes().any(|byte| byte.is_ascii_lowercase())
        && !name.contains("--")
}

/// Name of an environment variable: the API server takes printable ASCII without `=`.
pub(crate) fn is_env_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'=')
}

/// Key of a Secret or ConfigMap. None leads out of a directory in which it names a file.
pub(crate) fn is_object_key(key: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (1..=253).contains(&key.len()) && key.bytes().all(inner) && key != "." && !key.starts_with("..")
}

/// Keys with dots between them, as paths of openclaw.json are written.
pub(crate) fn is_key_path(path: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    path.split('.').all(|key| !key.is_empty() && key.bytes().all(word))
}

/// A path that does not begin at the root.
pub(crate) fn is_relative(path: &str) -> bool {
    let mut rest = path.chars();
    rest.next().is_some_and(|first| first != '/') && !rest.as_str().contains('\n')
}

/// A path that begins at the root and does not go up.
pub(crate) fn is_absolute(path: &str) -> bool {
    path.starts_with('/') && path.split('/').all(|segment| segment != "..")
}

/// Numbers with units, the larger ones first, as Prometheus reads times.
pub(crate) fn is_interval(text: &str) -> bool {
    let mut rest = text;
    for unit in ["y", "w", "d", "h", "m", "s", "ms"] {
        let digits = rest.len() - rest.trim_start_matches(|it: char| it.is_ascii_digit()).len();
        let (number, tail) = rest.split_at(digits);
        let Some(tail) = tail.strip_prefix(unit).filter(|_| !number.is_empty()) else { continue };
        // `5ms` is no minute that goes on.
        if unit == "m" && tail.starts_with('s') {
            continue;
        }
        rest = tail;
    }
    rest.is_empty() && !text.is_empty()
}

/// Number of a version of OpenClaw, `YYYY.M.P`, or nothing.
pub(crate) fn is_version(text: &str) -> bool {
    let is_number = |text: &str, lengths: std::ops::RangeInclusive<usize>| {
        lengths.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    let mut parts = text.splitn(3, '.');
    let mut next = |lengths| parts.next().is_some_and(|part| is_number(part, lengths));
    text.is_empty() || next(4..=4) && next(1..=2) && next(1..=usize::MAX)
}

/// Id of an agent in openclaw.json, as 2026.9.6 takes it.
pub(crate) fn is_agent_id(text: &str) -> bool {
    let inner =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte);
    !text.starts_with('-') && (1..=64).contains(&text.len()) && text.bytes().all(inner)
}

/// Name of a workspace: words with hyphens between them.
pub(crate) fn is_workspace_name(name: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    name.split('-').all(|word| !word.is_empty() && word.bytes().all(inner))
}

/// Digest of an image. OCI image specification: the registered algorithm that registries use.
pub(crate) fn is_digest(text: &str) -> bool {
    text.strip_prefix("sha256:").is_some_and(|hex| {
        hex.len() == 64 && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    })
}

/// Tag of an image. OCI distribution specification, grammar of tags.
pub(crate) fn is_tag(text: &str) -> bool {
    text.len() <= 128
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
        && !text.starts_with(['.', '-'])
}

/// Tag of an image, also with its digest behind it, as Renovate writes them.
pub(crate) fn is_image_tag(text: &str) -> bool {
    let (name, digest) = text.split_once('@').map_or((text, None), |(name, it)| (name, Some(it)));
    !name.is_empty() && is_tag(name) && digest.is_none_or(is_digest)
}

/// Host of a registry, with its port, and a path in it.
pub(crate) fn is_registry(text: &str) -> bool {
    let mut segments = text.trim_end_matches('/').split('/');
    let authority = segments.next().unwrap_or_default();
    let in_path = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || is_joint(byte);
    is_authority(authority)
        && segments.all(|segment| !segment.is_empty() && segment.bytes().all(in_path))
}

fn is_joint(byte: u8) -> bool {
    b"._-".contains(&byte)
}

fn is_authority(text: &str) -> bool {
    let is_port = |port: &str| {
        (1..=5).contains(&port.len()) && port.bytes().all(|byte| byte.is_ascii_digit())
    };
    if let Some((address, rest)) = text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        let in_address = |byte: u8| byte.is_ascii_hexdigit() || b":.".contains(&byte);
        return !address.is_empty()
            && address.bytes().all(in_address)
            && (rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port));
    }
    let (host, port) = text.split_once(':').map_or((text, None), |(host, it)| (host, Some(it)));
    let in_host = |byte: u8| byte.is_ascii_alphanumeric() || is_joint(byte);
    !host.is_empty()
        && host.bytes().all(in_host)
        && !host.starts_with(['.', '-'])
        && port.is_none_or(is_port)
}

/// Repository of images. Loose on purpose: what is refused here no container runtime can pull.
pub(crate) fn is_repository(text: &str) -> bool {
    let (host, path) = text.split_once('/').map_or(("", text), |(host, path)| (host, path));
    let in_path =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-/".contains(&byte);
    let in_host = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]_".contains(&byte);
    !path.is_empty()
        && host.bytes().all(in_host)
        && path.bytes().all(in_path)
        && path.split('/').all(|segment| !segment.is_empty())
        && !text.starts_with(['/', '-', '.'])
}

/// Whole reference of an image: repository, and perhaps a tag and a digest. As loose as its parts.
pub(crate) fn is_image(text: &str) -> bool {
    let (name, digest) = text.split_once('@').map_or((text, None), |(name, it)| (name, Some(it)));
    let path = name.rfind('/').map_or(0, |end| end + 1);
    let tag_at = name.get(path..).and_then(|last| last.find(':')).map(|at| path + at);
    let (repository, tag) = match tag_at.and_then(|at| name.split_at_checked(at)) {
        Some((repository, tag)) => (repository, tag.strip_prefix(':')),
        None => (name, None),
    };
    repository.len() <= REPOSITORY_LENGTH
        && is_repository(repository)
        && tag.is_none_or(|tag| !tag.is_empty() && is_tag(tag))
        && digest.is_none_or(is_any_digest)
}

/// Digest by any of the algorithms that a runtime knows.
fn is_any_digest(text: &str) -> bool {
    let is_hex = |hex: &str| hex.bytes().all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'));
    text.split_once(':').is_some_and(|(algorithm, hex)| {
        let digits = match algorithm {
            "sha256" => 64,
            "sha384" => 96,
            "sha512" => 128,
            _ => return false,
        };
        hex.len() == digits && is_hex(hex)
    })
}

/// Address of a server: scheme, host and port, without a path.
pub(crate) fn is_server_url(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| {
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        !authority.contains('_') && is_authority(authority)
    })
}

/// Returns the port in the address of a server, if it is not that of HTTPS.
pub(crate) fn port_of_url(url: &str) -> Option<i32> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.trim_end_matches('/');
    let host_ends = authority.rfind(']').map_or(0, |end| end + 1);
    let port = authority.get(host_ends..)?.rsplit_once(':').map(|(_, port)| port);
    let port = match port {
        Some(port) => port.parse().ok().filter(|port| (1..=65535).contains(port))?,
        None if scheme == "http" => 80,
        None => 443,
    };
    Some(port).filter(|port| *port != 443)
}

/// Model of Ollama's: a name, or the way to it in a registry, and a tag.
pub(crate) fn is_model(text: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.split('/').all(|segment| {
        segment.bytes().next().is_some_and(is_word)
            && segment.bytes().all(|byte| is_word(byte) || b".:-".contains(&byte))
    })
}

/// Name of a folder of dashboards: one line, and nothing that leads up.
pub(crate) fn is_folder(text: &str) -> bool {
    !text.chars().any(char::is_control) && text.split('/').all(|part| part != "..")
}

/// Address of pages below which there are others. Braces are not among the characters of a URL:
/// Prometheus would run what stands in them as a template.
pub(crate) fn is_pages_url(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let is_of_url = |it: char| it.is_ascii_alphanumeric() || "-._~:/[]@!$&'()*+,;=%".contains(it);
    rest.is_some_and(|rest| {
        !rest.is_empty() && !rest.starts_with('/') && rest.chars().all(is_of_url)
    })
}

/// Host of requests, perhaps with a wildcard as its first part.
pub(crate) fn is_host(host: &str) -> bool {
    is_subdomain(host.strip_prefix("*.").unwrap_or(host))
}

/// Path of requests: no character that means something to the file that a controller writes paths
/// into, and that no address has.
pub(crate) fn is_web_path(path: &str) -> bool {
    let is_foreign = |it: char| it.is_control() || it.is_whitespace() || ";{}#\"'`".contains(it);
    path.starts_with('/') && !path.contains(is_foreign)
}

/// User name of basic authentication, as a line of htpasswd takes it.
pub(crate) fn is_user_name(name: &str) -> bool {
    !name.contains(':') && !name.starts_with('#') && !name.chars().any(char::is_control)
}

/// What a browser says that a password is for.
pub(crate) fn is_realm(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b" -._/".contains(&byte))
}

/// Form of the name of a time zone.
pub(crate) fn is_time_zone(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"_+-".contains(&byte);
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.split('/').all(|part| !part.is_empty() && part.bytes().all(inner))
}

/// What a browser sends as `Origin`. RFC 6454: scheme, host and port.
pub(crate) fn is_origin(text: &str) -> bool {
    text.split_once("://").is_some_and(|(scheme, host)| {
        matches!(scheme, "http" | "https")
            && !host.is_empty()
            && !host.contains(['/', '*', '?', '#', '@', ' '])
    })
}

#[cfg(test)]
mod tests {
    use super::{is_image, is_interval, is_label_key, is_origin, is_pages_url, is_qualified};

    #[test]
    fn times_are_those_that_prometheus_reads() {
        for good in ["30s", "1m30s", "1h5ms", "0s", "1y2w3d4h5m6s7ms"] {
            assert!(is_interval(good), "{good}");
        }
        for bad in ["", "30", "s", "30 s", "5s1m", "1.5s", "-1s", "1m1m"] {
            assert!(!is_interval(bad), "{bad}");
        }
    }

    #[test]
    fn an_image_is_what_a_runtime_can_pull() {
        let (hex, long) = ("0".repeat(64), "a".repeat(255));
        for good in [
            "busybox",
            "busybox:1.37",
            "ghcr.io/Team/tool".to_lowercase().as_str(),
            "localhost:5000/tool",
            "localhost:5000/tool:1",
            "[::1]:5000/a/b:1",
            "Registry.example.com/a__b/c--d:V1_x",
            &format!("a:1@sha256:{hex}"),
            &format!("a@sha512:{hex}{hex}"),
            &long,
        ] {
            assert!(is_image(good), "{good}");
        }
        for bad in [
            "",
            " busybox",
            "busybox ",
            "x/y:a b",
            "Busybox",
            "ghcr.io/Team/tool",
            "https://x/y",
            "busybox:",
            "busybox@sha256:abc",
            "busybox@",
            "/a",
            "a/",
            &format!("a@md5:{hex}"),
            &format!("a:{}", "x".repeat(129)),
            &format!("{long}a"),
        ] {
            assert!(!is_image(bad), "{bad}");
        }
    }

    #[test]
    fn a_name_can_follow_a_base() {
        for good in ["https://docs.example.com/runbooks/", "http://[::1]:8080", "https://a/%20"] {
            assert!(is_pages_url(good), "{good}");
        }
        for bad in [
            "",
            "https://",
            "ftp://a",
            "https:///a",
            "https://a?b",
            "https://a#b",
            "https://a/{{ .Value }}",
            "https://a b",
            "https://a\n",
            "javascript:alert(1)",
        ] {
            assert!(!is_pages_url(bad), "{bad:?}");
        }
    }

    #[test]
    fn the_domain_of_a_label_is_in_lower_case() {
        assert!(is_label_key("example.com/A_b"));
        assert!(is_qualified("Example.COM/a") && !is_label_key("Example.COM/a"));
    }

    #[test]
    fn keys_are_qualified_names() {
        for good in ["a", "example.com/scrape", "a_b.c-d", "k8s.v1.cni.cncf.io/networks"] {
            assert!(is_qualified(good), "{good:?}");
        }
        for bad in ["", "a b", "/a", "a/", "a/b/c", "-a", "a.", "-x/a", &"a".repeat(64)] {
            assert!(!is_qualified(bad), "{bad:?}");
        }
    }

    #[test]
    fn only_what_a_browser_sends_is_an_origin() {
        assert!(is_origin("https://claw.example.com:8443"));
        for bad in [
            "claw.example.com",
            "https://claw.example.com/",
            "*",
            "https://*.example.com",
            "ftp://a",
        ] {
            assert!(!is_origin(bad), "{bad}");
        }
    }
}
