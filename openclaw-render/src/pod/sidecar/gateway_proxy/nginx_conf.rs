//! nginx.conf of the gateway proxy.
//!
//! The file in `assets/` is what nginx gets, but for its lines that begin with `#each NETWORK: ` or
//! `#each HEADER: `: what follows there is written once for each.

use crate::resolve::Resolved;

const TEMPLATE: &str = include_str!("../../../../assets/proxy/nginx.conf");

pub(super) fn render(instance: &Resolved) -> String {
    let mut text = String::new();
    for line in TEMPLATE.lines() {
        let indent = line.len() - line.trim_start().len();
        let (indent, content) = line.split_at(indent);
        let repeated = if let Some(pattern) = content.strip_prefix("#each NETWORK: ") {
            networks(instance, pattern)
        } else if let Some(pattern) = content.strip_prefix("#each HEADER: ") {
            headers(instance, pattern)
        } else {
            vec![content.to_owned()]
        };
        for content in repeated {
            text.push_str(indent);
            text.push_str(&content);
            text.push('\n');
        }
    }
    text
}

fn networks(instance: &Resolved, pattern: &str) -> Vec<String> {
    let networks = instance.gateway.trusted_peers.iter();
    networks.map(|network| pattern.replace("NETWORK", &network.to_string())).collect()
}

/// A header, how nginx calls it in variables, and its number, since names are cut nowhere.
fn headers(instance: &Resolved, pattern: &str) -> Vec<String> {
    let headers = instance.gateway.identity_headers.iter().enumerate();
    let line = |(number, header): (usize, &crate::resolve::HeaderName)| {
        pattern
            .replace("NUMBER", &number.to_string())
            .replace("VARIABLE", &header.variable())
            .replace("HEADER", &header.to_string())
    };
    headers.map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::super::EVERY_ADDRESS;
    use super::TEMPLATE;
    use crate::vocab::ports;

    #[test]
    fn the_template_agrees_with_what_the_pod_is_given() {
        for expected in [
            format!("listen {}:{};", EVERY_ADDRESS, ports::PROXY),
            format!("server 127.0.0.1:{};", ports::GATEWAY),
        ] {
            assert!(TEMPLATE.contains(&expected), "{expected}");
        }
    }
}
