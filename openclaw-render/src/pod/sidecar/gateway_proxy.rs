//! `gateway-proxy`: nginx between the pod's network and the gateway's loopback port. It tells the
//! gateway the client's address; without it, everyone would look like a client inside the pod.

use k8s_openapi::api::core::v1::{Container, ContainerPort, HostAlias, SecurityContext};

use crate::pod::volumes;
use crate::resolve::Resolved;
use crate::vocab::{names, paths, ports};

/// User `nginx` of the image, unless the pod is given one: a cluster that prescribes a range of
/// users (the constraints `restricted-v2`) lets no other in. nginx works as any.
const USER: i64 = 101;

pub(in crate::pod) fn container(instance: &Resolved) -> Option<Container> {
    let proxy = instance.proxy.as_ref()?;
    let configuration = format!("{}/{}", paths::PROXY_CONFIG, names::PROXY_KEY);
    Some(Container {
        args: Some(["-c", &configuration, "-g", "daemon off;"].map(str::to_owned).to_vec()),
        command: Some(vec!["nginx".to_owned()]),
        image: Some(proxy.image.clone()),
        image_pull_policy: Some("IfNotPresent".to_owned()),
        name: names::GATEWAY_PROXY.to_owned(),
        ports: Some(vec![ContainerPort {
            container_port: ports::PROXY,
            name: Some(ports::PROXY_NAME.to_owned()),
            protocol: Some("TCP".to_owned()),
            ..Default::default()
        }]),
        resources: Some(instance.resources.proxy.clone()),
        restart_policy: Some("Always".to_owned()),
        security_context: Some(SecurityContext {
            run_as_non_root: Some(true),
            run_as_user: (!instance.security.own_user).then_some(USER),
            ..instance.security.helper.clone()
        }),
        volume_mounts: Some(vec![
            volumes::read_only(names::PROXY_CONFIG_VOLUME, paths::PROXY_CONFIG),
            volumes::mount(names::PROXY_SCRATCH_VOLUME, paths::TMP),
        ]),
        ..Default::default()
    })
}

/// nginx exits when told to listen in a family that the node does not have, such as IPv6 under
/// `ipv6.disable=1`, and knows no condition. When it resolves a name, it asks for the families that
/// work here (`AI_ADDRCONFIG`).
pub(in crate::pod) fn host_aliases(instance: &Resolved) -> Option<Vec<HostAlias>> {
    instance.proxy.as_ref()?;
    let alias = |ip: &str| HostAlias {
        hostnames: Some(vec![names::EVERY_ADDRESS.to_owned()]),
        ip: ip.to_owned(),
    };
    Some(vec![alias("0.0.0.0"), alias("::")])
}
