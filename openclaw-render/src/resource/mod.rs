//! One file for each kind of object; this is the list of them all.

mod config_map;
mod cron_job;
mod grafana_dashboard;
mod horizontal_pod_autoscaler;
mod http_route;
mod ingress;
mod job;
mod meta;
mod middleware;
mod network_policy;
mod pack_config_map;
mod persistent_volume_claim;
mod pod_disruption_budget;
mod prometheus_rule;
mod role;
mod role_binding;
mod secret;
mod service;
mod service_account;
mod service_monitor;
pub(crate) mod stake;
mod stateful_set;
mod workspace_config_map;

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::api::networking::v1::NetworkPolicy;
use k8s_openapi::api::rbac::v1::Role;
use stake::Stake::{self, Beside, Linked, Needed};
use stake::WhileHeld::{Changes, OnlyMade, Stays};
use stake::{Rendered, marked};

use crate::pod::{self, Part};
use crate::resolve::{self, Resolved, Standing};

/// Every object of an instance, in the order in which objects are applied.
pub(crate) fn render(instance: &Resolved) -> Vec<Rendered> {
    let of_pod = pod::parts(instance);
    let parts = &of_pod;
    let mut all = Vec::new();
    all.extend(marked(Needed(OnlyMade), service_account::render(instance)));
    all.extend(marked(Linked(OnlyMade), [role::render(instance, parts)]));
    all.extend(marked(Needed(OnlyMade), [role_binding::render(instance)]));
    all.extend(marked(Needed(OnlyMade), network_policy::render(instance, parts)));
    all.extend(marked(Beside, network_policy::of_backups(instance)));
    all.extend(secret::render(instance));
    all.extend(marked(Needed(Changes), secret::of_parts(instance, parts)));
    all.extend(secret::of_ingress(instance));
    all.extend(marked(Beside, pack_config_map::render(instance)));
    all.extend(
        marked(Needed(Stays), contents(instance, parts))
            .map(|rendered| lacking(rendered, instance)),
    );
    all.extend(marked(Beside, grafana_dashboard::render(instance)));
    all.extend(marked(Needed(Changes), persistent_volume_claim::render(instance, parts)));
    all.extend(marked(Beside, pod_disruption_budget::render(instance)));
    all.extend(marked(Linked(Stays), [service::render(instance, parts)]));
    all.extend(marked(Beside, middleware::render(instance)));
    all.extend(marked(Beside, ingress::render(instance)).map(|each| guarded(each, instance)));
    all.extend(marked(Beside, http_route::render(instance)));
    all.extend(marked(Beside, horizontal_pod_autoscaler::render(instance)));
    all.extend(marked(Beside, service_monitor::render(instance)));
    all.extend(marked(Beside, prometheus_rule::render(instance)));
    all.extend(marked(Beside, job::render(instance)));
    all.extend(marked(Beside, cron_job::render(instance)));
    all.extend(marked(Stake::Pod, [stateful_set::render(instance, of_pod)]));
    all
}

/// A new agent does not begin without its skill packs while they are being fetched. One that is there
/// is not kept waiting.
fn lacking(rendered: Rendered, instance: &Resolved) -> Rendered {
    let is_workspace = rendered.object.key().name == instance.name.workspace();
    let lacks = is_workspace && instance.skill_packs.is_pending;
    Rendered { lacks: lacks.then_some("the skill packs, which are being fetched"), ..rendered }
}

/// An Ingress that asks for a password does not begin without what asks for it, and does not stay
/// where that is certain to be missing.
fn guarded(rendered: Rendered, instance: &Resolved) -> Rendered {
    let password = instance.ingress.as_ref().and_then(resolve::Ingress::password);
    let lacks = match password {
        None | Some(Standing::Usable) => None,
        Some(Standing::Unknown | Standing::Missing) => {
            Some("its Middleware, without which everyone would be let in")
        }
    };
    Rendered { lacks, goes: password == Some(Standing::Missing), ..rendered }
}

/// The objects whose size is the user's: the configuration, and what the workspace begins with.
pub(crate) fn config_maps(instance: &Resolved) -> [ConfigMap; 2] {
    contents(instance, &pod::parts(instance))
}

/// Returns the Job that makes the last backup of an instance with these finalizers.
pub(crate) fn last_backup(instance: &Resolved, finalizers: &[String]) -> Option<Job> {
    job::of_last_backup(instance, finalizers)
}

/// What keeps the agent apart from others, and what it may do.
pub(crate) fn guards(instance: &Resolved) -> (Option<NetworkPolicy>, Role) {
    let parts = &pod::parts(instance);
    (network_policy::render(instance, parts), role::render(instance, parts))
}

fn contents(instance: &Resolved, parts: &[Part]) -> [ConfigMap; 2] {
    [config_map::render(instance, parts), workspace_config_map::render(instance, parts)]
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::{Container, EnvVar, HostAlias};
    use k8s_openapi::api::rbac::v1::PolicyRule;
    use serde_json::{Value, json};

    use super::*;
    use crate::pod::part::{AgentShare, Claim, File, OnChange, OpenTo, Port, Published};
    use crate::seed::{SeedDirectory, SeedRoot};
    use crate::{Observed, Settings, decode_instance, resolve};

    fn resolved() -> Resolved {
        let (instance, _) = decode_instance(json!({
            "apiVersion": "openclaw.rocks/v1alpha1",
            "kind": "OpenClawInstance",
            "metadata": {"name": "ada", "namespace": "agents"},
            "spec": {
                "image": {"tag": "2026.9.6"},
                "env": [{"name": "CHOSEN", "value": "by the user"}],
            },
        }))
        .unwrap();
        resolve(&instance, &Observed::default(), &Settings::default()).resolved.unwrap()
    }

    /// One of everything.
    fn part() -> Part {
        let port = |number, name, open_to| Port { number, name, published: None, open_to };
        let entry = |name: &str| EnvVar {
            name: name.to_owned(),
            value: Some("by the part".to_owned()),
            ..EnvVar::default()
        };
        Part {
            container: Container { name: "more".to_owned(), ..Container::default() },
            volumes: serde_json::from_value(json!([{"name": "more"}])).unwrap(),
            claims: vec![Claim {
                name: "ada-more".to_owned(),
                annotations: [].into(),
                spec: serde_json::from_value(json!({"storageClassName": "fast"})).unwrap(),
                outlives_instance: true,
            }],
            agent: AgentShare {
                env: vec![entry("CHOSEN"), entry("MORE")],
                mounts: serde_json::from_value(json!([{"name": "more", "mountPath": "/more"}]))
                    .unwrap(),
                path: vec!["/more"],
            },
            secrets: vec!["ada-more".to_owned()],
            files: vec![
                File { key: "loaded", content: "a".to_owned(), on_change: OnChange::Reloads },
                File {
                    key: "kept",
                    content: "b".to_owned(),
                    on_change: OnChange::RestartsPod("openclaw.rocks/more-hash"),
                },
            ],
            directories: vec![SeedDirectory {
                root: SeedRoot::Scratch,
                path: "more".to_owned(),
                mode: "0700".to_owned(),
            }],
            ports: vec![
                port(1, "nobody", OpenTo::Nobody),
                port(3, "operator", OpenTo::Operator),
                Port {
                    published: Some(Published { number: 20, name: "out", app_protocol: None }),
                    ..port(2, "clients", OpenTo::Clients)
                },
            ],
            egress: serde_json::from_value(json!([{"ports": [{"port": 4}]}])).unwrap(),
            rules: vec![PolicyRule { verbs: vec!["get".to_owned()], ..PolicyRule::default() }],
            host_aliases: vec![HostAlias { ip: "192.0.2.1".to_owned(), hostnames: None }],
            ..Part::default()
        }
    }

    fn values(of: &Value, list: &str, value: &str) -> Vec<Value> {
        let list = of.pointer(list).and_then(Value::as_array).cloned().unwrap_or_default();
        list.iter().filter_map(|item| item.pointer(value)).cloned().collect()
    }

    #[test]
    fn what_a_part_brings_is_found_in_the_pod() {
        let instance = resolved();
        let mut parts = pod::parts(&instance);
        parts.push(part());
        let pod = serde_json::to_value(pod::template(&instance, parts)).unwrap();
        assert_eq!(
            values(&pod, "/spec/initContainers", "/name"),
            ["init-config", "config-sync", "gateway-proxy", "more", "migrate-state"]
        );
        assert_eq!(values(&pod, "/spec/containers", "/name"), ["openclaw"]);
        assert_eq!(
            values(&pod, "/spec/initContainers/3/ports", "/containerPort"),
            [json!(1), json!(3), json!(2)]
        );
        assert_eq!(values(&pod, "/spec/volumes", "/name").last(), Some(&json!("more")));
        let mounts = values(&pod, "/spec/containers/0/volumeMounts", "/name");
        assert_eq!(mounts.last(), Some(&json!("more")));
        let env = pod.pointer("/spec/containers/0/env").and_then(Value::as_array).unwrap();
        assert!(env.contains(&json!({"name": "MORE", "value": "by the part"})), "{env:?}");
        let chosen: Vec<_> = env.iter().filter(|entry| entry["name"] == "CHOSEN").collect();
        assert_eq!(chosen, [&json!({"name": "CHOSEN", "value": "by the user"})]);
        let aliases = values(&pod, "/spec/hostAliases", "/ip");
        assert_eq!(aliases.last(), Some(&json!("192.0.2.1")));
        let annotations = pod.pointer("/metadata/annotations").unwrap();
        assert_eq!(annotations["openclaw.rocks/more-hash"], crate::hash::of("b"));
        assert!(!annotations.to_string().contains(&crate::hash::of("a")), "{annotations}");
    }

    #[test]
    fn what_a_part_brings_is_found_in_other_objects() {
        let instance = resolved();
        let parts = [part()];
        let service = serde_json::to_value(service::render(&instance, &parts)).unwrap();
        let port = json!({"name": "out", "port": 20, "protocol": "TCP", "targetPort": 2});
        assert_eq!(service["spec"]["ports"], json!([port]));
        let policy = network_policy::render(&instance, &parts);
        let policy = serde_json::to_value(policy).unwrap();
        let opened = values(&policy, "/spec/ingress", "/ports/0/port");
        assert_eq!(opened, [json!(2), json!(3)]);
        let left = values(&policy, "/spec/egress", "/ports/0/port");
        assert_eq!(left.last(), Some(&json!(4)));
        assert_eq!(role::render(&instance, &parts).rules, Some(part().rules));
        let [config, workspace] = contents(&instance, &parts);
        let files = [("kept", "b"), ("loaded", "a")];
        let files = files.map(|(key, content)| (key.to_owned(), content.to_owned()));
        assert_eq!(config.data, Some(files.into()));
        let plan = workspace.data.unwrap().remove(crate::seed::SEED_PLAN_KEY).unwrap();
        let plan: Value = serde_json::from_str(&plan).unwrap();
        assert!(values(&plan, "/directories", "/path").contains(&json!("more")), "{plan}");
        let secrets = secret::of_parts(&instance, &parts);
        let secrets: Vec<_> = secrets.iter().map(|each| each.metadata.name.as_deref()).collect();
        assert_eq!(secrets, [Some("ada-more")]);
        let claims = persistent_volume_claim::render(&instance, &parts);
        let claims: Vec<_> = claims.iter().map(|claim| claim.metadata.name.as_deref()).collect();
        assert_eq!(claims, [Some("ada-more")]);
    }
}
