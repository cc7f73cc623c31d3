//! Ports and their names.

/// The gateway inside the pod, and the Service's port.
pub const GATEWAY: i32 = 18789;
/// The proxy in front of the gateway.
pub const PROXY: i32 = 18790;
/// What config-sync says of the configuration.
pub const CONFIG_SYNC: i32 = 18795;
/// Canvas port of old versions: nothing listens there in any version since 2026.4.
pub const CANVAS: i32 = 18793;
/// HTTPS.
pub const HTTPS: i32 = 443;
/// DNS.
pub const DNS: i32 = 53;
