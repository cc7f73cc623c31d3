//! Plugins of the application that we turn on.

/// Hands metrics to an OpenTelemetry collector.
pub const OTEL: &str = "diagnostics-otel";
/// The package that brings it.
pub const OTEL_PACKAGE: &str = "@openclaw/diagnostics-otel";
