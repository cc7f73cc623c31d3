//! Probes and hooks of containers of the user's: what the API server would refuse of them.

use k8s_openapi::api::core::v1::{
    Container, ExecAction, HTTPGetAction, LifecycleHandler, Probe, TCPSocketAction,
};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use crate::resolve::context::Resolving;
use crate::vocab::grammar::is_port_name;

/// What a probe or a hook may do.
#[derive(Default)]
struct Handlers<'a> {
    exec: Option<&'a ExecAction>,
    http_get: Option<&'a HTTPGetAction>,
    tcp_socket: Option<&'a TCPSocketAction>,
    /// Port of a gRPC service.
    grpc: Option<i32>,
    /// Seconds.
    sleep: Option<i64>,
}

/// Checks the probes and hooks of a container that goes on.
pub(super) fn check(path: &str, container: &Container, cx: &mut Resolving<'_>) {
    let probes = [
        ("livenessProbe", &container.liveness_probe, true),
        ("readinessProbe", &container.readiness_probe, false),
        ("startupProbe", &container.startup_probe, true),
    ];
    for (field, probe, restarts) in probes {
        if let Some(probe) = probe {
            check_probe(&format!("{path}.{field}"), probe, restarts, cx);
        }
    }
    let hooks = container.lifecycle.as_ref();
    let hooks = hooks.map(|it| [("postStart", &it.post_start), ("preStop", &it.pre_stop)]);
    for (field, hook) in hooks.into_iter().flatten() {
        if let Some(hook) = hook {
            check_hook(&format!("{path}.lifecycle.{field}"), hook, cx);
        }
    }
}

/// A probe that `restarts` is one whose failure ends the container.
fn check_probe(path: &str, probe: &Probe, restarts: bool, cx: &mut Resolving<'_>) {
    let handlers = Handlers {
        exec: probe.exec.as_ref(),
        http_get: probe.http_get.as_ref(),
        tcp_socket: probe.tcp_socket.as_ref(),
        grpc: probe.grpc.as_ref().map(|grpc| grpc.port),
        sleep: None,
    };
    check_handlers(path, &handlers, "`exec`, `httpGet`, `tcpSocket` or `grpc`", cx);
    // Zero stands for the default.
    let numbers = [
        ("failureThreshold", probe.failure_threshold),
        ("initialDelaySeconds", probe.initial_delay_seconds),
        ("periodSeconds", probe.period_seconds),
        ("successThreshold", probe.success_threshold),
        ("timeoutSeconds", probe.timeout_seconds),
    ];
    for (field, number) in numbers {
        if let Some(number) = number.filter(|number| *number < 0) {
            cx.error(format!("{path}.{field}"), format!("{number} is negative"));
        }
    }
    if restarts && probe.success_threshold.is_some_and(|count| count > 1) {
        cx.error(
            format!("{path}.successThreshold"),
            "is for readiness probes: write 1, or remove it",
        );
    }
    if let Some(seconds) = probe.termination_grace_period_seconds {
        let path = format!("{path}.terminationGracePeriodSeconds");
        if !restarts {
            cx.error(path, "is not for readiness probes, which end nothing: remove it");
        } else if seconds < 1 {
            cx.error(path, format!("{seconds} is too small: use 1 or more"));
        }
    }
}

fn check_hook(path: &str, hook: &LifecycleHandler, cx: &mut Resolving<'_>) {
    let handlers = Handlers {
        exec: hook.exec.as_ref(),
        http_get: hook.http_get.as_ref(),
        tcp_socket: hook.tcp_socket.as_ref(),
        grpc: None,
        sleep: hook.sleep.as_ref().map(|sleep| sleep.seconds),
    };
    check_handlers(path, &handlers, "`exec`, `httpGet` or `sleep`", cx);
}

fn check_handlers(path: &str, handlers: &Handlers<'_>, choices: &str, cx: &mut Resolving<'_>) {
    let given = [
        ("exec", handlers.exec.is_some()),
        ("httpGet", handlers.http_get.is_some()),
        ("tcpSocket", handlers.tcp_socket.is_some()),
        ("grpc", handlers.grpc.is_some()),
        ("sleep", handlers.sleep.is_some()),
    ];
    let given: Vec<&str> =
        given.into_iter().filter_map(|(field, is_set)| is_set.then_some(field)).collect();
    match given.as_slice() {
        [] => cx.error(path, format!("says nothing to do: write {choices}")),
        [_] => {}
        several => {
            cx.error(path, format!("says {}: leave one of them", several.join(" and ")));
        }
    }
    if handlers.exec.is_some_and(|exec| exec.command.iter().flatten().next().is_none()) {
        cx.error(format!("{path}.exec.command"), "is missing: write what is run");
    }
    if let Some(request) = handlers.http_get {
        check_request(&format!("{path}.httpGet"), request, cx);
    }
    if let Some(socket) = handlers.tcp_socket {
        check_port(&format!("{path}.tcpSocket.port"), &socket.port, cx);
    }
    if let Some(port) = handlers.grpc {
        check_port(&format!("{path}.grpc.port"), &IntOrString::Int(port), cx);
    }
    if let Some(seconds) = handlers.sleep.filter(|seconds| *seconds < 0) {
        cx.error(format!("{path}.sleep.seconds"), format!("{seconds} is negative"));
    }
}

fn check_request(path: &str, request: &HTTPGetAction, cx: &mut Resolving<'_>) {
    check_port(&format!("{path}.port"), &request.port, cx);
    let scheme = request.scheme.as_deref().unwrap_or_default();
    if !matches!(scheme, "" | "HTTP" | "HTTPS") {
        cx.error(format!("{path}.scheme"), format!("{scheme:?} is neither `HTTP` nor `HTTPS`"));
    }
    let is_of_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    for (index, header) in request.http_headers.iter().flatten().enumerate() {
        if header.name.is_empty() || !header.name.bytes().all(is_of_name) {
            cx.error(
                format!("{path}.httpHeaders[{index}].name"),
                format!("{:?} is no header: write letters, digits and `-`", header.name),
            );
        }
    }
}

fn check_port(path: &str, port: &IntOrString, cx: &mut Resolving<'_>) {
    match port {
        IntOrString::Int(number) if !(1..=65_535).contains(number) => {
            cx.error(path, format!("{number} is no port: write 1 to 65535"));
        }
        IntOrString::String(name) if !is_port_name(name) => cx.error(
            path,
            format!("{name:?} is not the name of a port: write a number, without quotes"),
        ),
        IntOrString::Int(_) | IntOrString::String(_) => {}
    }
}
