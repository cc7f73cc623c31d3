//! Which changes of openclaw.json the running gateway takes in, and which restart it.

use crate::version::Version;

/// Prefixes of what the running gateway takes in.
///
/// Source: OpenClaw's documentation, "Config hot reload", of 2026.9.6. Plugins may add rules of their
/// own, which only that plugin knows.
const HOT: [&str; 84] = [
    "accessGroups",
    "acp",
    "agents",
    "approvals",
    "attachments.ttlHours",
    "audio",
    "auth.order",
    "auth.profiles",
    "bindings",
    "broadcast",
    "browser.allowSystemProfileImport",
    "browser.attachOnly",
    "browser.cdpUrl",
    "browser.defaultProfile",
    "browser.enabled",
    "browser.evaluateEnabled",
    "browser.executablePath",
    "browser.extraArgs",
    "browser.headless",
    "browser.noSandbox",
    "browser.profiles",
    "browser.snapshotDefaults",
    "browser.ssrfPolicy",
    "browser.tabCleanup",
    "channels",
    "cloudWorkers",
    "commands",
    "cron",
    "desktop.host",
    "diagnostics.cacheTrace.enabled",
    "diagnostics.enabled",
    "diagnostics.flags",
    "discovery.mdns.mode",
    "gateway.allowRealIpFallback",
    "gateway.auth.allowTailscale",
    "gateway.auth.identityScopes",
    "gateway.auth.rateLimit",
    "gateway.auth.trustedProxy",
    "gateway.controlUi.allowedOrigins",
    "gateway.controlUi.dangerouslyAllowHostHeaderOriginFallback",
    "gateway.controlUi.embedSandbox",
    "gateway.controlUi.enabled",
    "gateway.controlUi.environment",
    "gateway.controlUi.github",
    "gateway.http.endpoints",
    "gateway.http.securityHeaders.strictTransportSecurity",
    "gateway.nodes.allowSkills",
    "gateway.nodes.browser",
    "gateway.nodes.commands",
    "gateway.nodes.pairing",
    "gateway.publicOrigin",
    "gateway.reload",
    "gateway.remote",
    "gateway.roles",
    "gateway.terminal",
    "gateway.tools",
    "gateway.trustedProxies",
    "hooks",
    "identity",
    "logging",
    "mcp",
    "mcp.apps.sandboxOrigin",
    "memory.citations",
    "messages",
    "meta",
    "models",
    "plugins",
    "secrets",
    "security.audit.suppressions",
    "security.installPolicy",
    "session",
    "skills",
    "surfaces",
    "talk",
    "telemetry",
    "tools",
    "transcripts",
    "tts",
    "ui",
    "update.auto.enabled",
    "update.channel",
    "update.checkOnStart",
    "wizard",
    "worktreeRoot",
];
/// Prefixes of what restarts the gateway all the same, unless a longer one of the others fits.
const COLD: [&str; 5] = ["browser", "discovery", "gateway", "mcp.apps", "secrets.egressProxy"];
/// Of the gateway's own keys, what versions before 2026.9 take in.
const HOT_EARLY: [&str; 2] = ["gateway.reload", "gateway.remote"];
/// What restarts those besides.
const COLD_EARLY: [&str; 2] = ["plugins.installs", "plugins.load"];

/// Returns whether a changed key restarts the gateway of a version.
pub(crate) fn restarts_gateway(path: &str, version: Option<Version>) -> bool {
    let begins = |prefix: &str| {
        path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let is_among = |prefixes: &[&str]| prefixes.iter().any(|prefix| begins(prefix));
    if version.is_some_and(|version| !version.reloads_gateway()) {
        if begins("gateway") {
            return !is_among(&HOT_EARLY);
        }
        if is_among(&COLD_EARLY) {
            return true;
        }
    }
    let longest = |prefixes: &[&str]| {
        prefixes.iter().filter(|prefix| begins(prefix)).map(|prefix| prefix.len()).max()
    };
    // Nothing that fits is less than anything that does: what nobody knows restarts the gateway.
    longest(&HOT).is_none_or(|hot| longest(&COLD) > Some(hot))
}

#[cfg(test)]
mod tests {
    use super::restarts_gateway;
    use crate::version::Version;

    #[test]
    fn the_longest_prefix_decides_and_what_is_unknown_restarts() {
        for path in
            ["gateway.port", "gateway", "browser.color", "mcp.apps.port", "unheard", "toolsx"]
        {
            assert!(restarts_gateway(path, None), "{path}");
        }
        for path in
            ["gateway.controlUi.allowedOrigins", "mcp.servers.a", "mcp.apps.sandboxOrigin", "ui.a"]
        {
            assert!(!restarts_gateway(path, None), "{path}");
        }
        let early = Version::from_tag("2026.8.1");
        assert!(restarts_gateway("gateway.controlUi.allowedOrigins", early));
        assert!(!restarts_gateway("gateway.remote.url", early));
    }
}
