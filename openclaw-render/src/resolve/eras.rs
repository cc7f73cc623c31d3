//! Which keys of openclaw.json exist in which version of OpenClaw, and what becomes of the others.
//!
//! Measured with `openclaw config validate` of 2026.4.24, 2026.6.11, 2026.7.1, 2026.8.1 and
//! 2026.9.6. Between the last version that accepted a key and the first that refused it nothing
//! was measured, so a key there is doubtful, not sure to fail. The list is not complete: the
//! application's own validator judges every file before it is served, and its migration has a look
//! at what is refused (config-sync); what stands here is known before a pod is started.
//!
//! What the migration does was measured with 2026.8.1 and 2026.9.6, and is measured again with
//! fixture `config-retired.yaml` by `scripts/test application`.

use serde_json::{Map, Value};

use crate::problem::{Problem, Rule};
use crate::version::Version;

/// A key that some versions refuse.
struct Retired {
    /// Path in openclaw.json; `*` stands for every key of an object.
    path: &'static str,
    /// Which of its values are refused.
    what: What,
    /// The last version that was seen to accept it.
    accepted: Version,
    /// The first version that was seen to refuse it.
    refused: Version,
    /// Whether config-sync gets it out of the way, with the application's own migration.
    migrated: bool,
    /// What to do instead.
    instead: &'static str,
}

#[derive(Clone, Copy)]
enum What {
    Everything,
    Text,
    Boolean,
}

impl What {
    fn is(self, value: &Value) -> bool {
        match self {
            Self::Everything => true,
            Self::Text => value.is_string(),
            Self::Boolean => value.is_boolean(),
        }
    }
}

/// No version that was measured accepts it.
const NEVER: Version = Version::new(0, 0, 0);
const V4_24: Version = Version::new(2026, 4, 24);
const V7_1: Version = Version::new(2026, 7, 1);
const V8_1: Version = Version::new(2026, 8, 1);

/// A key that 2026.7.1 accepts and 2026.8.1 refuses and migrates, as most are.
const fn gone(path: &'static str, instead: &'static str) -> Retired {
    let what = What::Everything;
    Retired { path, what, accepted: V7_1, refused: V8_1, migrated: true, instead }
}

const RETIRED: &[Retired] = &[
    gone("acp.runtime", "remove it"),
    gone("agents.defaults.compaction.maxHistoryShare", "remove it"),
    gone("agents.defaults.compaction.memoryFlush.prompt", "remove it"),
    gone("agents.defaults.compaction.reserveTokens", "remove it"),
    gone("agents.defaults.compaction.reserveTokensFloor", "remove it"),
    gone("agents.defaults.contextPruning.hardClearRatio", "remove it"),
    gone("agents.defaults.contextPruning.keepLastAssistants", "remove it"),
    gone("agents.defaults.contextPruning.minPrunableToolChars", "remove it"),
    gone("agents.defaults.contextPruning.softTrim", "remove it"),
    gone("agents.defaults.contextPruning.softTrimRatio", "remove it"),
    gone("agents.defaults.memorySearch", "use `memory.search`"),
    Retired {
        path: "agents.defaults.sandbox",
        what: What::Boolean,
        accepted: NEVER,
        refused: V4_24,
        migrated: false,
        instead: "write an object, such as `{ mode: \"off\" }`",
    },
    gone("audio", "remove it"),
    gone("audit", "use `logging.audit`"),
    gone("browser.actionTimeoutMs", "remove it"),
    gone("browser.cdpPortRangeStart", "remove it"),
    gone("browser.color", "remove it"),
    gone("browser.profiles.*.color", "remove it"),
    gone("browser.remoteCdpHandshakeTimeoutMs", "remove it"),
    gone("browser.remoteCdpTimeoutMs", "remove it"),
    gone("canvasHost", "remove it: the canvas is served on the gateway's port"),
    Retired {
        path: "channels.*.streaming",
        what: What::Text,
        accepted: NEVER,
        refused: V7_1,
        migrated: true,
        instead: "write `streaming: { mode: … }`",
    },
    gone("cli", "remove it"),
    gone("crestodian", "remove it"),
    gone("cron.maxConcurrentRuns", "remove it"),
    gone("cron.retry", "remove it"),
    gone("cron.store", "remove it"),
    Retired { accepted: NEVER, ..gone("defaultModel", "use `agents.defaults.model`") },
    gone("discovery.wideArea.enabled", "remove it"),
    gone("gateway.channelHealthCheckMinutes", "remove it"),
    gone("gateway.channelMaxRestartsPerHour", "remove it"),
    gone("gateway.channelStaleEventThresholdMinutes", "remove it"),
    gone("gateway.controlUi.allowInsecureAuth", "remove it"),
    gone("gateway.nodes.allowCommands", "use `gateway.nodes.commands.allow`"),
    gone("gateway.nodes.denyCommands", "use `gateway.nodes.commands.deny`"),
    gone("gateway.reload.debounceMs", "remove it"),
    gone("gateway.reload.deferralTimeoutMs", "remove it"),
    gone("gateway.tailscale.resetOnExit", "remove it"),
    Retired { accepted: V4_24, refused: V7_1, ..gone("gateway.webchat", "remove it") },
    Retired { accepted: NEVER, ..gone("heartbeat", "use `agents.defaults.heartbeat`") },
    gone("hooks.maxBodyBytes", "remove it"),
    gone("logging.redactSensitive", "remove it"),
    gone("media", "use `attachments`"),
    Retired { accepted: NEVER, ..gone("memorySearch", "use `memory.search`") },
    gone("messages.tts", "use `tts`"),
    gone("plugins.installs", "remove it"),
    Retired { accepted: NEVER, ..gone("routing", "use `channels` and `messages.groupChat`") },
    gone("session.idleMinutes", "use `session.reset.idleMinutes`"),
    gone("session.maintenance.rotateBytes", "remove it"),
    gone("tools.media.audio.models", "use `tools.media.models` with `capabilities: [audio]`"),
    Retired {
        accepted: NEVER,
        ..gone("tools.web.search.perplexity", "use `plugins.entries.perplexity.config.webSearch`")
    },
    gone("tui", "remove it"),
    gone("ui.assistant", "use `agents.entries.<id>.identity`"),
    gone("web", "remove it"),
];

/// Keys that may stand at the root of openclaw.json in one of the versions measured, sorted.
const ROOT_KEYS: &[&str] = &[
    "$include",
    "$schema",
    "accessGroups",
    "acp",
    "agents",
    "approvals",
    "attachments",
    "audio",
    "audit",
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
    "tui",
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

/// Returns what the version that runs refuses. A version that is only assumed is not judged for
/// sure, and neither is one beyond those that were measured.
pub(super) fn check(
    path: &str,
    document: &Map<String, Value>,
    version: Version,
    is_told: bool,
) -> Vec<Problem> {
    let mut problems = Vec::new();
    let is_measured = is_told && (V4_24..=Version::NEWEST).contains(&version);
    for key in document.keys() {
        let is_migrated = |retired: &Retired| retired.path == key && version >= retired.refused;
        if ROOT_KEYS.binary_search(&key.as_str()).is_err() && !RETIRED.iter().any(is_migrated) {
            let mistaken = MISTAKEN.iter().find(|(mistaken, _)| mistaken == key);
            let retired = RETIRED.iter().find(|retired| retired.path == key);
            let instead = mistaken
                .map(|(_, instead)| *instead)
                .or(retired.map(|retired| retired.instead))
                .unwrap_or("remove it");
            let place = format!("{path}.{key}");
            problems.push(if is_measured {
                Problem::will_not_start(
                    place,
                    format!("no version of the application has this key: {instead}"),
                )
            } else {
                Problem::advice(
                    place,
                    Rule::Config,
                    format!("no version up to {} has this key: {instead}", Version::NEWEST),
                )
            });
        }
    }
    for retired in RETIRED {
        let mut found = Vec::new();
        let segments: Vec<&str> = retired.path.split('.').collect();
        find(document, &segments, retired.what, path, &mut found);
        for place in found {
            problems.extend(judge(retired, version, is_measured, place));
        }
    }
    problems
}

fn judge(retired: &Retired, version: Version, is_measured: bool, place: String) -> Option<Problem> {
    let Retired { accepted, refused, migrated, instead, .. } = retired;
    let advice = |message| Some(Problem::advice(place.clone(), Rule::Config, message));
    let newest = Version::NEWEST;
    if version >= *refused {
        match (*migrated, is_measured) {
            (true, _) if version > newest => advice(format!(
                "{refused} and later refuse this key, and up to {newest} their own migration \
                 changes it in the pod: {instead}"
            )),
            (true, _) => advice(format!(
                "{version} refuses this key, and its own migration changes it in the pod: {instead}"
            )),
            (false, true) => Some(Problem::will_not_start(
                place,
                format!("{version} refuses this key: {instead}"),
            )),
            (false, false) => advice(format!("{refused} and later refuse this key: {instead}")),
        }
    } else if version > *accepted && *accepted != NEVER {
        advice(format!("{version} may refuse this key, {refused} does: {instead}"))
    } else {
        None
    }
}

fn find(
    document: &Map<String, Value>,
    segments: &[&str],
    what: What,
    path: &str,
    found: &mut Vec<String>,
) {
    let Some((first, rest)) = segments.split_first() else { return };
    for (key, value) in document.iter().filter(|(key, _)| *first == "*" || key == first) {
        let path = format!("{path}.{key}");
        if rest.is_empty() {
            found.extend(what.is(value).then_some(path));
        } else if let Some(inner) = value.as_object() {
            find(inner, rest, what, &path, found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const V9_6: Version = Version::new(2026, 9, 6);

    fn findings(document: &Value, version: Version, is_told: bool) -> Vec<String> {
        let document = document.as_object().expect("an object");
        check("raw", document, version, is_told).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn tables_are_sorted() {
        assert!(ROOT_KEYS.is_sorted());
        assert!(RETIRED.is_sorted_by_key(|retired| retired.path));
    }

    #[test]
    fn every_key_that_is_migrated_is_in_the_fixture_that_the_application_migrates() {
        let text = include_str!("../../../fixtures/instances/config-retired.yaml");
        let fixture: Value = serde_saphyr::from_str(text).expect("YAML");
        let raw = fixture.pointer("/spec/config/raw").and_then(Value::as_object).expect("raw");
        for retired in RETIRED.iter().filter(|retired| retired.migrated) {
            let segments: Vec<&str> = retired.path.split('.').collect();
            let mut found = Vec::new();
            find(raw, &segments, retired.what, "", &mut found);
            assert!(!found.is_empty(), "{}", retired.path);
        }
    }

    #[test]
    fn a_key_is_reported_only_for_versions_that_may_refuse_it() {
        let document = serde_json::json!({"browser": {"profiles": {"a": {"color": "#fff"}}}});
        assert!(findings(&document, V7_1, true).is_empty());
        insta::assert_debug_snapshot!(findings(&document, Version::new(2026, 7, 33), true), @r#"
        [
            "raw.browser.profiles.a.color: advice: 2026.7.33 may refuse this key, 2026.8.1 does: remove it",
        ]
        "#);
        insta::assert_debug_snapshot!(findings(&document, V8_1, true), @r#"
        [
            "raw.browser.profiles.a.color: advice: 2026.8.1 refuses this key, and its own migration changes it in the pod: remove it",
        ]
        "#);
    }

    #[test]
    fn only_the_shape_that_is_refused_is_reported() {
        let shapes = |sandbox: Value, streaming: Value| {
            let document = serde_json::json!({
                "agents": {"defaults": {"sandbox": sandbox}},
                "channels": {"discord": {"streaming": streaming}},
            });
            findings(&document, V9_6, true)
        };
        let objects = serde_json::json!({"mode": "off"});
        assert!(shapes(objects.clone(), objects).is_empty());
        insta::assert_debug_snapshot!(shapes(true.into(), "partial".into()), @r#"
        [
            "raw.agents.defaults.sandbox: will not start: 2026.9.6 refuses this key: write an object, such as `{ mode: \"off\" }`",
            "raw.channels.discord.streaming: advice: 2026.9.6 refuses this key, and its own migration changes it in the pod: write `streaming: { mode: … }`",
        ]
        "#);
    }

    #[test]
    fn a_root_key_of_no_version_is_sure_to_be_refused_only_by_a_version_that_was_measured() {
        let document = serde_json::json!({"mcpServers": {}, "mcpservers": {}});
        insta::assert_debug_snapshot!(findings(&document, V9_6, true), @r#"
        [
            "raw.mcpServers: will not start: no version of the application has this key: use `mcp.servers`",
            "raw.mcpservers: will not start: no version of the application has this key: remove it",
        ]
        "#);
        insta::assert_debug_snapshot!(findings(&document, V9_6, false), @r#"
        [
            "raw.mcpServers: advice: no version up to 2026.9.6 has this key: use `mcp.servers`",
            "raw.mcpservers: advice: no version up to 2026.9.6 has this key: remove it",
        ]
        "#);
        for version in [Version::new(2026, 12, 1), Version::new(2026, 4, 23)] {
            assert_eq!(findings(&document, version, true), findings(&document, V9_6, false));
        }
    }

    #[test]
    fn a_root_key_that_only_a_migration_knows_is_retired_where_there_is_one() {
        let document = serde_json::json!({"heartbeat": {}});
        insta::assert_debug_snapshot!(findings(&document, V8_1, true), @r#"
        [
            "raw.heartbeat: advice: 2026.8.1 refuses this key, and its own migration changes it in the pod: use `agents.defaults.heartbeat`",
        ]
        "#);
        insta::assert_debug_snapshot!(findings(&document, V7_1, true), @r#"
        [
            "raw.heartbeat: will not start: no version of the application has this key: use `agents.defaults.heartbeat`",
        ]
        "#);
    }
}
