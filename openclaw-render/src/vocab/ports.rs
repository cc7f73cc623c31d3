//! Ports and their names.

use super::names;

/// The gateway inside the pod, and the Service's port.
pub const GATEWAY: i32 = 18789;
/// The proxy in front of the gateway.
pub const PROXY: i32 = 18790;
/// What config-sync says of the configuration.
pub const CONFIG_SYNC: i32 = 18795;
/// The browser's `DevTools` protocol, for the pod alone.
pub const CDP: i32 = 9222;
/// The server for local models, for the pod alone.
pub const OLLAMA: i32 = 11434;
/// The web terminal.
pub const WEB_TERMINAL: i32 = 7681;
/// STUN, by which a tailnet finds ways through NAT.
pub const STUN: i32 = 3478;
/// `WireGuard` of a tailnet.
pub const WIREGUARD: i32 = 41641;
/// `WireGuard` of a `NetBird` network.
pub const NETBIRD: i32 = 51820;
/// The API server, where it is reached past its Service.
pub const API_SERVER: i32 = 6443;
/// Where the agent hands its metrics to the collector, for the pod alone.
pub const OTLP: i32 = 4318;
/// Ports on which containers of the pod listen, whether or not they are there, and which these are.
pub const OF_THE_POD: &[(i32, &str)] = &[
    (GATEWAY, names::AGENT),
    (PROXY, "gateway-proxy"),
    (CONFIG_SYNC, names::CONFIG_SYNC),
    (CDP, "chromium"),
    (OTLP, "otel-collector"),
    (OLLAMA, "ollama"),
];

/// The canvas of old versions, on which nothing listens any more.
pub const CANVAS: i32 = 18793;

/// HTTPS.
pub const HTTPS: i32 = 443;
/// DNS.
pub const DNS: i32 = 53;
