//! nginx.conf judged by nginx, for any text in a spec and for any node.

use std::cell::Cell;
use std::fs;
use std::path::Path;
use std::process::Command;

use openclaw_render::{Object, Severity};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::json;

use crate::pod::{apart, folder, rendered, said};

/// What nginx refuses or has doubts about.
fn judged(objects: &[Object]) -> Result<(), String> {
    let folder = folder(objects);
    let path = folder.path().join("nginx.conf");
    // The name of all addresses is known in the pod only.
    let conf = fs::read_to_string(&path).expect("a file");
    let conf = conf.replace("every-address.openclaw.internal", "localhost");
    fs::write(&path, &conf).expect("a file");
    let output = Command::new("nginx").arg("-t").arg("-c").arg(path).output().expect("nginx runs");
    let text = said(&output);
    let fine = output.status.success() && !text.contains("[warn]");
    if fine { Ok(()) } else { Err(format!("{text}\n{conf}")) }
}

/// Mostly what somebody would write, sometimes anything.
fn text(good: &'static str) -> impl Strategy<Value = String> {
    prop_oneof![
        60 => good,
        1 => any::<String>(),
        1 => "[0-9a-zA-Z.:/{};$\"'#\\\\ \n-]{0,80}",
    ]
}

#[test]
fn nginx_takes_what_is_rendered_for_any_text_or_there_is_an_error() {
    let network = text(
        "(([0-9]{1,2}\\.){3}[0-9]{1,2}(/[0-9]|/[12][0-9]|/3[0-2])?)\
         |((::ffff:)?[0-9a-f]{1,4}::[0-9a-f]{0,4}(/[0-9]|/[1-9][0-9])?)|\\[::2\\]|",
    );
    let lists = (
        proptest::collection::vec(network, 0..6),
        text("[A-Za-z0-9-]{1,64}|-{1,64}"),
        proptest::collection::vec(text("[A-Za-z0-9-]{60,64}|x-[a-z]{1,9}|-{1,4}|Host"), 0..12),
        text("trusted-proxy"),
    );
    let judged_by_nginx = Cell::new(0);
    let property =
        |(networks, user, required, mode): (Vec<String>, String, Vec<String>, String)| {
            let trusted_proxy = json!({"userHeader": user, "requiredHeaders": required});
            let (objects, problems) = rendered(&json!({
                "trustedProxies": networks,
                "auth": {"mode": mode, "trustedProxy": trusted_proxy},
            }));
            if problems.iter().any(|problem| problem.severity == Severity::Error) {
                return Ok(());
            }
            judged_by_nginx.set(judged_by_nginx.get() + 1);
            judged(&objects).map_err(TestCaseError::fail)
        };
    let config = Config { cases: 400, failure_persistence: None, ..Config::default() };
    // The same cases every time: a red build is red for everybody.
    let mut runner =
        TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    runner.run(&lists, property).unwrap_or_else(|error| panic!("{error}"));
    let most = |count, prefix: &str| -> Vec<String> {
        (0..count)
            .map(|number| format!("{prefix}{number:0>width$}", width = 64 - prefix.len()))
            .collect()
    };
    let networks: Vec<String> = (0..1000).map(|number| format!("2001:db8:{number}::/48")).collect();
    property((networks, "x-user".to_owned(), most(32, "x-"), "trusted-proxy".to_owned()))
        .unwrap_or_else(|error| panic!("as much as is allowed: {error}"));
    assert!(judged_by_nginx.get() > 100, "{} were judged", judged_by_nginx.get());
}

/// A node that was booted with `ipv6.disable=1`.
const NO_IPV6: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <sys/socket.h>
int socket(int domain, int type, int protocol) {
  if (domain == AF_INET6) { errno = EAFNOSUPPORT; return -1; }
  return ((int (*)(int, int, int))dlsym(RTLD_NEXT, "socket"))(domain, type, protocol);
}
"#;

/// Listens, and prints the addresses of the sockets.
const LISTEN: &str = r#"
set -euo pipefail
mount --bind "$1/hosts" /etc/hosts
ip link set lo up
ip address add 10.42.0.5 dev lo
if [[ -n "${LD_PRELOAD:-}" ]]; then
    echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6
else
    ip address add fd00:42::5 dev lo
fi
nginx -c "$1/nginx.conf" -g 'user root;'
ss --listening --tcp --numeric --no-header | awk '{ print $4 }' | sort
"#;

#[test]
fn nginx_listens_in_every_family_that_the_node_has_and_starts_without_ipv6() {
    let folder = folder(&rendered(&json!({})).0);
    let source = folder.path().join("no-ipv6.c");
    let library = folder.path().join("no-ipv6.so");
    fs::write(&source, NO_IPV6).expect("a file");
    let compiled =
        Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(source).output();
    let compiled = compiled.expect("the compiler runs");
    assert!(compiled.status.success(), "{}", said(&compiled));
    let listening = |library: &Path| {
        let mut command = apart(Path::new("bash"));
        command.args(["-c", LISTEN, "listen"]).arg(folder.path()).env("LD_PRELOAD", library);
        let output = command.output().expect("it runs");
        assert!(output.status.success(), "{}", said(&output));
        String::from_utf8(output.stdout).expect("text")
    };
    assert_eq!(listening(Path::new("")), "0.0.0.0:18790\n[::]:18790\n");
    assert_eq!(listening(&library), "0.0.0.0:18790\n");
}
