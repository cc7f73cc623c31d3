//! What the Service in front of the agent is like, and where its ports lead.

use std::collections::{BTreeMap, BTreeSet};

use super::context::Resolving;
use super::gateway::proxied;
use super::{Served, WebTerminal};
use crate::api::{OpenClawInstanceSpec, PortProtocol, ServicePortSpec, ServiceType};
use crate::vocab::{names, ports};

const PORTS: &str = "spec.networking.service.ports";

/// What the Service is like.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Service {
    /// How far it reaches.
    pub(crate) reach: ServiceType,
    pub(crate) annotations: BTreeMap<String, String>,
    /// Ports that were asked for; none means those of the pod's containers.
    pub(crate) ports: Vec<ChosenPort>,
    /// Its port that leads to the gateway.
    pub(crate) gateway: Option<i32>,
    /// Numbers of all its TCP ports.
    numbers: BTreeSet<i32>,
}

/// A port of the Service that was asked for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ChosenPort {
    pub(crate) name: String,
    pub(crate) number: i32,
    /// Port of the pod.
    pub(crate) target: i32,
    pub(crate) protocol: PortProtocol,
    pub(crate) node_port: Option<i32>,
}

impl Service {
    /// Whether it has a TCP port of that number.
    pub(super) fn has(&self, number: i32) -> bool {
        self.numbers.contains(&number)
    }

    /// Whether a TCP port of it leads to that port of the pod.
    pub(super) fn leads_to(&self, number: i32, target: i32) -> bool {
        let chosen = self
            .ports
            .iter()
            .find(|port| port.protocol == PortProtocol::TCP && port.number == number);
        self.has(number) && chosen.map_or(number, |port| port.target) == target
    }

    /// Returns whether it has no TCP port.
    pub(super) fn leads_nowhere(&self) -> bool {
        self.numbers.is_empty()
    }

    /// Returns the numbers of its TCP ports, for people.
    pub(super) fn listed(&self) -> String {
        let numbers: Vec<String> = self.numbers.iter().map(ToString::to_string).collect();
        if numbers.is_empty() { "none".to_owned() } else { numbers.join(", ") }
    }
}

pub(super) fn resolve(
    spec: &OpenClawInstanceSpec,
    metrics: Option<&Served>,
    terminal: Option<&WebTerminal>,
    cx: &mut Resolving<'_>,
) -> Service {
    let service = spec.networking.as_ref().and_then(|networking| networking.service.clone());
    let service = service.unwrap_or_default();
    let reach = service.type_.unwrap_or(ServiceType::ClusterIP);
    let given = service.ports.unwrap_or_default();
    let ports = chosen(spec, reach, &given, metrics, cx);
    let mut numbers: BTreeSet<i32> = metrics.map(|served| served.port).into_iter().collect();
    let gateway = if given.is_empty() {
        numbers.insert(ports::GATEWAY);
        if terminal.is_some_and(WebTerminal::is_open) {
            numbers.insert(ports::WEB_TERMINAL);
            if reach != ServiceType::ClusterIP {
                cx.risk(
                    "spec.networking.service.type",
                    "publishes the web terminal, too, without TLS: list the ports that are meant \
                     in `spec.networking.service.ports`",
                );
            }
        }
        Some(ports::GATEWAY)
    } else {
        let gateway = target_of_gateway(spec);
        let tcp = ports.iter().filter(|port| port.protocol == PortProtocol::TCP);
        numbers.extend(tcp.clone().map(|port| port.number));
        let mut leading = tcp.filter(|port| port.target == gateway).map(|port| port.number);
        leading.clone().find(|number| *number == ports::GATEWAY).or_else(|| leading.next())
    };
    Service { reach, annotations: service.annotations.unwrap_or_default(), ports, gateway, numbers }
}

/// The pod's port behind which the gateway is.
fn target_of_gateway(spec: &OpenClawInstanceSpec) -> i32 {
    if proxied(spec) { ports::PROXY } else { ports::GATEWAY }
}

fn chosen(
    spec: &OpenClawInstanceSpec,
    reach: ServiceType,
    given: &[ServicePortSpec],
    metrics: Option<&Served>,
    cx: &mut Resolving<'_>,
) -> Vec<ChosenPort> {
    check_names(given, cx);
    let mut ports = Vec::new();
    for (index, port) in given.iter().enumerate() {
        let path = format!("{PORTS}[{index}]");
        let target = port.target_port.unwrap_or(port.port);
        if let Some(reason) = closed(target, spec, metrics.is_some()) {
            let field = if port.target_port.is_some() { "targetPort" } else { "port" };
            cx.ineffective(format!("{path}.{field}"), format!("is left out: {reason}"));
            continue;
        }
        check_monitored(&path, port, target, metrics, cx);
        let node_port = port.node_port.filter(|_| reach != ServiceType::ClusterIP);
        if node_port.is_none() && port.node_port.is_some() {
            cx.ineffective(
                format!("{path}.nodePort"),
                "has no effect: a Service of type `ClusterIP` has no ports on nodes; use \
                 `spec.networking.service.type` `NodePort` or `LoadBalancer`",
            );
        }
        // Which of the two it is, is not the Service's business.
        let is_gateway = [ports::GATEWAY, ports::PROXY].contains(&target);
        ports.push(ChosenPort {
            name: port.name.clone(),
            number: port.port,
            target: if is_gateway { target_of_gateway(spec) } else { target },
            protocol: port.protocol.unwrap_or_default(),
            node_port,
        });
    }
    if ports.is_empty() && !given.is_empty() {
        cx.error(PORTS, "leads nowhere: leave it out, and the Service gets the gateway's port");
    } else if !given.is_empty()
        && !ports.iter().any(|port| {
            port.target == target_of_gateway(spec) && port.protocol == PortProtocol::TCP
        })
    {
        cx.ineffective(
            PORTS,
            format!(
                "has no port that leads to the gateway, so nobody reaches the agent through its \
                 Service: add one whose `targetPort` is {}",
                ports::GATEWAY
            ),
        );
    }
    ports
}

/// What the API server refuses of the list; it would refuse the whole Service with it.
fn check_names(given: &[ServicePortSpec], cx: &mut Resolving<'_>) {
    for (index, port) in given.iter().enumerate() {
        let path = format!("{PORTS}[{index}]");
        let before = given.iter().take(index);
        let protocol = port.protocol.unwrap_or_default();
        let same = |other: &ServicePortSpec| other.protocol.unwrap_or_default() == protocol;
        if before.clone().any(|other| other.name == port.name) {
            cx.error(format!("{path}.name"), format!("{:?} is there twice", port.name));
        }
        if before.clone().any(|other| other.port == port.port && same(other)) {
            cx.error(
                format!("{path}.port"),
                format!("{} is there twice for {protocol}", port.port),
            );
        }
        let shared = |other: &ServicePortSpec| other.node_port == port.node_port && same(other);
        if let Some(number) = port.node_port
            && before.clone().any(shared)
        {
            cx.error(format!("{path}.nodePort"), format!("{number} is there twice for {protocol}"));
        }
    }
}

/// Returns why nobody outside the pod reaches a port of it.
fn closed(target: i32, spec: &OpenClawInstanceSpec, measured: bool) -> Option<String> {
    let browses = spec.chromium.as_ref().and_then(|each| each.enabled) == Some(true);
    match target {
        ports::CANVAS => Some(format!(
            "nothing listens on {target}, the canvas port of old versions: remove the entry"
        )),
        ports::CONFIG_SYNC => Some(format!("{target} is for the operator alone")),
        ports::CDP if browses => {
            Some(format!("{target} commands the browser, and is for the pod alone"))
        }
        ports::OTLP if measured => Some(format!("{target} is for the pod alone")),
        _ => None,
    }
}

/// A ServiceMonitor scrapes the port of that name.
fn check_monitored(
    path: &str,
    port: &ServicePortSpec,
    target: i32,
    metrics: Option<&Served>,
    cx: &mut Resolving<'_>,
) {
    let Some(served) = metrics else { return };
    let named = port.name == names::METRICS_PORT;
    let takes_its_place = named || port.port == served.port;
    if takes_its_place && !(named && target == served.port) {
        cx.ineffective(
            path,
            format!(
                "takes the place of the metrics port, which is named `{}` and leads to {}: the \
                 agent's metrics are not on the Service",
                names::METRICS_PORT,
                served.port
            ),
        );
    }
}
