//! `gateway-proxy`: nginx between the pod's network and the gateway's loopback port. It tells the
//! gateway the client's address; without it, everyone would look like a client inside the pod.

mod nginx_conf;

use k8s_openapi::api::core::v1::{Container, HostAlias, Probe, SecurityContext, TCPSocketAction};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use crate::pod::part::{File, OnChange, OpenTo, Part, Port};
use crate::pod::{agent, volumes};
use crate::resolve::{Proxy, Resolved};
use crate::vocab::{annotations, paths, ports};

const NAME: &str = "gateway-proxy";
const PORT_NAME: &str = "gw-proxy";
/// Its configuration: key and file, volume, and where that is seen.
const CONFIGURATION: &str = "nginx.conf";
const CONFIGURATION_VOLUME: &str = "gateway-proxy-config";
const CONFIGURATION_DIRECTORY: &str = "/etc/nginx/openclaw";
/// Volume of temporary files. nginx streams; bodies pass through without being stored.
const SCRATCH_VOLUME: &str = "gateway-proxy-tmp";
const SCRATCH_LIMIT: &str = "64Mi";
/// Host name that stands for all addresses of the pod, in every family that its node has.
const EVERY_ADDRESS: &str = "every-address.openclaw.internal";

/// User `nginx` of the image, unless the pod is given one: a cluster that prescribes a range of
/// users (the constraints `restricted-v2`) lets no other in. nginx works as any.
const USER: i64 = 101;

pub(in crate::pod) fn part(instance: &Resolved) -> Option<Part> {
    let proxy = instance.proxy.as_ref()?;
    let config = instance.name.config();
    Some(Part {
        container: container(instance, proxy),
        volumes: vec![
            volumes::config_map(CONFIGURATION_VOLUME, &config, Some(CONFIGURATION)),
            volumes::empty(SCRATCH_VOLUME, SCRATCH_LIMIT),
        ],
        files: vec![File {
            key: CONFIGURATION,
            content: nginx_conf::render(instance),
            on_change: OnChange::RestartsPod(annotations::PROXY_HASH),
        }],
        ports: vec![Port {
            number: ports::PROXY,
            name: PORT_NAME,
            published: Some(agent::published()),
            open_to: OpenTo::Clients,
        }],
        host_aliases: host_aliases(),
        ..Part::default()
    })
}

fn container(instance: &Resolved, proxy: &Proxy) -> Container {
    let configuration = format!("{CONFIGURATION_DIRECTORY}/{CONFIGURATION}");
    Container {
        args: Some(["-c", &configuration, "-g", "daemon off;"].map(str::to_owned).to_vec()),
        command: Some(vec!["nginx".to_owned()]),
        image: Some(proxy.image.clone()),
        image_pull_policy: Some("IfNotPresent".to_owned()),
        name: NAME.to_owned(),
        readiness_probe: Some(listens()),
        resources: Some(instance.resources.proxy.clone()),
        restart_policy: Some("Always".to_owned()),
        security_context: Some(SecurityContext {
            run_as_non_root: Some(true),
            run_as_user: instance.security.user_of_image(USER),
            ..instance.security.helper.clone()
        }),
        volume_mounts: Some(vec![
            volumes::read_only(CONFIGURATION_VOLUME, CONFIGURATION_DIRECTORY),
            volumes::mount(SCRATCH_VOLUME, paths::TMP),
        ]),
        ..Default::default()
    }
}

/// The pod is ready for clients while nginx takes connections. What is behind it the agent's own probes
/// tell: asking through nginx, one dead proxy would have the agent started again.
fn listens() -> Probe {
    Probe {
        failure_threshold: Some(3),
        period_seconds: Some(10),
        success_threshold: Some(1),
        tcp_socket: Some(TCPSocketAction {
            port: IntOrString::Int(ports::PROXY),
            ..Default::default()
        }),
        timeout_seconds: Some(5),
        ..Default::default()
    }
}

/// nginx exits when told to listen in a family that the node does not have, such as IPv6 under
/// `ipv6.disable=1`, and knows no condition. When it resolves a name, it asks for the families that
/// work here (`AI_ADDRCONFIG`).
fn host_aliases() -> Vec<HostAlias> {
    let alias =
        |ip: &str| HostAlias { hostnames: Some(vec![EVERY_ADDRESS.to_owned()]), ip: ip.to_owned() };
    vec![alias("0.0.0.0"), alias("::")]
}
