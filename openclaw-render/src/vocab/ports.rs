//! Ports and their names.

/// The gateway inside the pod, and the Service's port.
pub const GATEWAY: i32 = 18789;
/// The proxy in front of the gateway.
pub const PROXY: i32 = 18790;
/// What config-sync says of the configuration.
pub const CONFIG_SYNC: i32 = 18795;
/// The browser's `DevTools` protocol, for the pod alone.
pub const CDP: i32 = 9222;
/// HTTPS.
pub const HTTPS: i32 = 443;
/// The Kubernetes API, where it is not on 443.
pub const API_SERVER: i32 = 6443;
/// DNS.
pub const DNS: i32 = 53;
