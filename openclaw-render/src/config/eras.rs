//! Which keys of openclaw.json exist in which version of OpenClaw.
//!
//! Measured with `openclaw config validate` of 2026.4.24, 2026.6.11, 2026.7.1, 2026.8.1 and
//! 2026.9.6. Between the last version that accepted a key and the first that refused it nothing
//! was measured, so a key there is doubtful, not sure to fail. The list is not complete: the
//! application's own validator judges every file before it is served (config-sync); what stands
//! here is known before a pod is started.

use serde_json::{Map, Value};

use crate::problem::{Problem, Rule};
use crate::resolve::Version;

/// A key that some versions refuse.
struct Retired {
    /// Path in openclaw.json; `*` stands for every key of an object.
    path: &'static str,
    /// The last version that was seen to accept it.
    accepted: Version,
    /// The first version that was seen to refuse it.
    refused: Version,
    /// What to do instead.
    instead: &'static str,
}

const V4_24: Version = Version::new(2026, 4, 24);
const V7_1: Version = Version::new(2026, 7, 1);
const V8_1: Version = Version::new(2026, 8, 1);
const V9_6: Version = Version::new(2026, 9, 6);

const fn gone(
    path: &'static str,
    accepted: Version,
    refused: Version,
    instead: &'static str,
) -> Retired {
    Retired { path, accepted, refused, instead }
}

const RETIRED: &[Retired] = &[
    gone("audio", V4_24, V9_6, "remove it"),
    gone("browser.actionTimeoutMs", V7_1, V8_1, "remove it"),
    gone("browser.cdpPortRangeStart", V7_1, V8_1, "remove it"),
    gone("browser.color", V7_1, V8_1, "remove it"),
    gone("browser.profiles.*.color", V7_1, V8_1, "remove it"),
    gone("browser.remoteCdpHandshakeTimeoutMs", V7_1, V8_1, "remove it"),
    gone("browser.remoteCdpTimeoutMs", V7_1, V8_1, "remove it"),
    gone("canvasHost", V7_1, V8_1, "remove it: the canvas is served on the gateway's port"),
    gone("cli", V4_24, V9_6, "remove it"),
    gone("discovery.wideArea.enabled", V4_24, V9_6, "remove it"),
    gone("gateway.channelHealthCheckMinutes", V4_24, V9_6, "remove it"),
    gone("gateway.channelMaxRestartsPerHour", V4_24, V9_6, "remove it"),
    gone("gateway.channelStaleEventThresholdMinutes", V4_24, V9_6, "remove it"),
    gone("gateway.controlUi.allowInsecureAuth", V4_24, V9_6, "remove it"),
    gone("gateway.nodes.allowCommands", V4_24, V9_6, "use `gateway.nodes.commands.allow`"),
    gone("gateway.nodes.denyCommands", V4_24, V9_6, "use `gateway.nodes.commands.deny`"),
    gone("gateway.reload.debounceMs", V4_24, V9_6, "remove it"),
    gone("gateway.reload.deferralTimeoutMs", V4_24, V9_6, "remove it"),
    gone("gateway.tailscale.resetOnExit", V4_24, V9_6, "remove it"),
    gone("gateway.webchat", V4_24, V9_6, "remove it"),
    gone("hooks.maxBodyBytes", V4_24, V9_6, "remove it"),
    gone("logging.redactSensitive", V4_24, V9_6, "remove it"),
    gone("media", V4_24, V9_6, "remove it"),
    gone("messages.tts", V4_24, V9_6, "use `tts`"),
    gone("plugins.installs", V4_24, V9_6, "remove it"),
    gone("web", V4_24, V9_6, "remove it"),
];

/// Keys that may stand at the root of openclaw.json in one of the versions measured, sorted.
const ROOT_KEYS: &[&str] = &[
    "$schema",
    "accessGroups",
    "acp",
    "agents",
    "approvals",
    "attachments",
    "audio",
    "auth",
    "bindings",
    "broadcast",
    "browser",
    "canvasHost",
    "channels",
    "cli",
    "cloudWorkers",
    "commands",
    "crestodian",
    "cron",
    "desktop",
    "diagnostics",
    "discovery",
    "env",
    "gateway",
    "hooks",
    "logging",
    "mcp",
    "media",
    "memory",
    "messages",
    "meta",
    "models",
    "nodeHost",
    "plugins",
    "proxy",
    "secrets",
    "security",
    "session",
    "skills",
    "surfaces",
    "talk",
    "telemetry",
    "tools",
    "transcripts",
    "tts",
    "ui",
    "update",
    "web",
    "wizard",
    "worktreeAcceleration",
    "worktreeRoot",
];

/// Keys that the operator's users often write although no version has them.
const MISTAKEN: &[(&str, &str)] = &[
    ("customInstructions", "put instructions into `AGENTS.md` of `spec.workspace.initialFiles`"),
    ("apiKeys", "give keys to the agent with `spec.env` or `spec.envFrom`"),
    ("mcpServers", "use `mcp.servers`"),
];

/// Reports what the version that runs refuses.
pub(crate) fn check(
    path: &str,
    document: &Map<String, Value>,
    version: Version,
    problems: &mut Vec<Problem>,
) {
    for key in document.keys() {
        if ROOT_KEYS.binary_search(&key.as_str()).is_err() {
            let instead = MISTAKEN.iter().find(|(mistaken, _)| mistaken == key);
            let instead = instead.map_or("remove it", |(_, instead)| instead);
            problems.push(Problem::will_not_start(
                format!("{path}.{key}"),
                format!("no version of the application has this key: {instead}"),
            ));
        }
    }
    for retired in RETIRED {
        let mut found = Vec::new();
        let segments: Vec<&str> = retired.path.split('.').collect();
        find(document, &segments, path, &mut found);
        for place in found {
            if version >= retired.refused {
                problems.push(Problem::will_not_start(
                    place,
                    format!("{version} refuses this key: {}", retired.instead),
                ));
            } else if version > retired.accepted {
                problems.push(Problem::advice(
                    place,
                    Rule::Config,
                    format!(
                        "{version} may refuse this key, {} does: {}",
                        retired.refused, retired.instead
                    ),
                ));
            }
        }
    }
}

fn find(document: &Map<String, Value>, segments: &[&str], path: &str, found: &mut Vec<String>) {
    let Some((first, rest)) = segments.split_first() else { return };
    for (key, value) in document.iter().filter(|(key, _)| *first == "*" || key == first) {
        let path = format!("{path}.{key}");
        if rest.is_empty() {
            found.push(path);
        } else if let Some(inner) = value.as_object() {
            find(inner, rest, &path, found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(document: &Value, version: Version) -> Vec<String> {
        let mut problems = Vec::new();
        check("raw", document.as_object().expect("an object"), version, &mut problems);
        problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn root_keys_are_sorted() {
        assert!(ROOT_KEYS.is_sorted());
    }

    #[test]
    fn a_key_is_refused_only_by_versions_that_were_seen_to_refuse_it() {
        let document = serde_json::json!({"browser": {"profiles": {"a": {"color": "#fff"}}}});
        assert!(findings(&document, V7_1).is_empty());
        insta::assert_debug_snapshot!(findings(&document, V8_1), @r#"
        [
            "raw.browser.profiles.a.color: will not start: 2026.8.1 refuses this key: remove it",
        ]
        "#);
        insta::assert_debug_snapshot!(findings(&serde_json::json!({"web": {}}), V8_1), @r#"
        [
            "raw.web: advice: 2026.8.1 may refuse this key, 2026.9.6 does: remove it",
        ]
        "#);
    }

    #[test]
    fn a_root_key_of_no_version_is_named_with_a_remedy() {
        insta::assert_debug_snapshot!(findings(&serde_json::json!({"mcpServers": {}}), V9_6), @r#"
        [
            "raw.mcpServers: will not start: no version of the application has this key: use `mcp.servers`",
        ]
        "#);
    }
}
