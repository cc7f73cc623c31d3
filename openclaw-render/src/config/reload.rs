//! Which changes of openclaw.json the running gateway takes in, and which restart it.

/// Prefixes of what the running gateway takes in.
///
/// Source: OpenClaw's documentation, "Config hot reload", of 2026.9.6. Plugins may add rules of their
/// own, which only that plugin knows.
const HOT: [&str; 72] = [
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
    "gateway.controlUi.enabled",
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
    "models",
    "plugins",
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
];
/// Prefixes of what restarts the gateway all the same, unless a longer one of the others fits.
const COLD: [&str; 4] = ["browser", "discovery", "gateway", "mcp.apps"];

/// Returns whether a changed key restarts the gateway.
pub(crate) fn restarts_gateway(path: &str) -> bool {
    let begins = |prefix: &str| {
        path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let longest = |prefixes: &[&str]| {
        prefixes.iter().filter(|prefix| begins(prefix)).map(|prefix| prefix.len()).max()
    };
    // Nothing that fits is less than anything that does: what nobody knows restarts the gateway.
    longest(&HOT).is_none_or(|hot| longest(&COLD) > Some(hot))
}

#[cfg(test)]
mod tests {
    use super::restarts_gateway;

    #[test]
    fn the_longest_prefix_decides_and_what_is_unknown_restarts() {
        for path in
            ["gateway.port", "gateway", "browser.color", "mcp.apps.port", "unheard", "toolsx"]
        {
            assert!(restarts_gateway(path), "{path}");
        }
        for path in
            ["gateway.controlUi.allowedOrigins", "mcp.servers.a", "mcp.apps.sandboxOrigin", "ui.a"]
        {
            assert!(!restarts_gateway(path), "{path}");
        }
    }
}
