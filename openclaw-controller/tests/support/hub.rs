//! A stand-in for ClawHub and for the registry of npm, as a pod beside an agent.

use serde_json::{Value, json};

use super::agent::{Agent, bystander};
use super::http;

/// Skills `weather` and `later` of whoever is asked for, `broken`, whose archive is none, package
/// `greeter` with a program, and plugin `@acme/tiny`. `/seen` tells what was asked for.
const SERVER: &str = r##"
const { createHash } = require("crypto");
const { crc32, gzipSync } = require("zlib");
const seen = [];
const json = JSON.stringify;
const versions = { weather: "1.0.0", broken: "1.0.0", later: "2.0.0" };
// What is not compressed has a short description in either format.
const zip = files => {
    const parts = [], directory = [];
    let offset = 0;
    for (const [name, text] of Object.entries(files)) {
        const [path, content] = [Buffer.from(name), Buffer.from(text)];
        const fields = Buffer.alloc(26);
        fields.writeUInt16LE(20, 0);
        fields.writeUInt32LE(crc32(content), 10);
        fields.writeUInt32LE(content.length, 14);
        fields.writeUInt32LE(content.length, 18);
        fields.writeUInt16LE(path.length, 22);
        const entry = Buffer.alloc(14);
        entry.writeUInt32LE(offset, 10);
        directory.push(Buffer.from("PK\x01\x02\x14\x00"), fields, entry, path);
        parts.push(Buffer.from("PK\x03\x04"), fields, path, content);
        offset += 30 + path.length + content.length;
    }
    const listed = Buffer.concat(directory);
    const end = Buffer.alloc(22);
    end.write("PK\x05\x06");
    end.writeUInt16LE(Object.keys(files).length, 8);
    end.writeUInt16LE(Object.keys(files).length, 10);
    end.writeUInt32LE(listed.length, 12);
    end.writeUInt32LE(offset, 16);
    return Buffer.concat([...parts, listed, end]);
};
const tarball = files => gzipSync(Buffer.concat([
    ...Object.entries(files).flatMap(([name, text]) => {
        const [header, content] = [Buffer.alloc(512), Buffer.from(text)];
        header.write(`package/${name}`);
        header.write("0000755\0000000000\0000000000\0", 100);
        header.write(content.length.toString(8).padStart(11, "0") + "\00000000000000\0        0", 124);
        header.write("ustar\x0000", 257);
        const sum = header.reduce((all, byte) => all + byte, 0);
        header.write(sum.toString(8).padStart(6, "0") + "\0 ", 148);
        return [header, content, Buffer.alloc((512 - content.length % 512) % 512)];
    }),
    Buffer.alloc(1024),
]));
const skill = slug => zip({
    "SKILL.md": `---\nname: ${slug}\ndescription: About ${slug}.\n---\nSay ${slug}.\n`,
});
const packages = {
    greeter: {
        "package.json": { name: "greeter", version: "1.0.0", bin: { greeter: "greeter.js" } },
        "greeter.js": "#!/usr/bin/env node\nconsole.log('Good morning.');\n",
    },
    "@acme/tiny": {
        "package.json": {
            name: "@acme/tiny", version: "1.0.0", type: "module",
            openclaw: { extensions: ["./index.js"], compat: { pluginApi: ">=2026.3.24-beta.2" } },
        },
        "openclaw.plugin.json": {
            id: "tiny", name: "Tiny", description: "Does nothing.", categories: ["other"],
            activation: { onStartup: true },
            configSchema: { type: "object", additionalProperties: false },
        },
        "index.js": "export default { id: 'tiny', name: 'Tiny', register() {} };\n",
    },
};
const archive = name => tarball(Object.fromEntries(Object.entries(packages[name])
    .map(([file, content]) => [file, typeof content === "string" ? content : json(content)])));
const packument = (name, server) => {
    const bytes = archive(name), manifest = packages[name]["package.json"];
    const integrity = "sha512-" + createHash("sha512").update(bytes).digest("base64");
    const dist = { integrity, tarball: `${server}/${name}/-/it.tgz` };
    const latest = manifest.version;
    return { name, "dist-tags": { latest }, versions: { [latest]: { ...manifest, dist } } };
};
const verdict = ({ slug, ownerHandle, version }, server) => ({
    ok: true, decision: "pass", reasons: [], requestedSlug: slug, requestedOwnerHandle: ownerHandle,
    requestedVersion: version, slug, version, displayName: slug, publisherHandle: ownerHandle,
    overview: slug, skillUrl: `${server}/${slug}`, securityAuditUrl: `${server}/${slug}/audit`,
    security: { status: "clean", passed: true },
});
require("http").createServer(async (request, response) => {
    const server = `http://${request.headers.host}`;
    const url = new URL(request.url, server);
    const path = decodeURIComponent(url.pathname);
    const answer = (content, code = 200) => {
        const type = Buffer.isBuffer(content) ? "application/octet-stream" : "application/json";
        response.writeHead(code, { "content-type": type });
        response.end(Buffer.isBuffer(content) ? content : json(content));
    };
    if (path === "/seen") return answer(seen);
    let body = "";
    for await (const part of request) body += part;
    seen.push(`${request.method} ${request.url} ${body}`);
    const asked = /^\/api\/v1\/skills\/([\w-]+)\/install$/.exec(path);
    if (asked) {
        const [, slug] = asked, version = versions[slug];
        const downloadUrl = `${server}/api/v1/download?slug=${slug}`;
        const archive = { version, downloadUrl };
        return answer({ ok: true, slug, installKind: "archive", archive });
    }
    if (path === "/api/v1/skills/-/security-verdicts") {
        const items = JSON.parse(body).items.map(item => verdict(item, server));
        return answer({ schema: "clawhub.skills.security-verdicts.v1", items });
    }
    const slug = url.searchParams.get("slug");
    if (path === "/api/v1/download") {
        return answer(slug === "broken" ? Buffer.from("no archive") : skill(slug));
    }
    const name = path.slice(1).split("/-/")[0];
    if (packages[name]) {
        return answer(path.endsWith(".tgz") ? archive(name) : packument(name, server));
    }
    answer({ error: "not found" }, 404);
}).listen(8000);
"##;

/// Name of its pod and of its Service.
const NAME: &str = "hub";

/// The stand-in. It has the same address whenever it runs.
pub struct Hub {
    url: String,
}

impl Hub {
    pub async fn beside(agent: &Agent) -> Self {
        let service = json!({
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": NAME},
            "spec": {"selector": {"hub": NAME}, "ports": [{"port": 8000}]},
        });
        let service = agent.cluster.apply(&service).await.expect("the Service is taken");
        let address = service["spec"]["clusterIP"].as_str().expect("an address");
        let hub = Self { url: format!("http://{address}:8000") };
        hub.start(agent).await;
        hub
    }

    /// Starts it once more; it has forgotten what it was asked for.
    pub async fn start(&self, agent: &Agent) {
        let mut pod = bystander(NAME, "2026.9.6", &["node", "-e", SERVER]);
        pod["metadata"]["labels"] = json!({"hub": NAME});
        agent.with_bystander(&pod).await;
        let serves = async || http::get(&format!("{}/seen", self.url)).await.is_some();
        agent.cluster.until("the hub is served", serves).await;
    }

    /// Nobody answers by that address any more.
    pub async fn stop(&self, agent: &Agent) {
        agent.cluster.delete_pod(NAME).await;
    }

    /// What an agent is told of it.
    pub fn variables(&self) -> Value {
        json!([
            {"name": "OPENCLAW_CLAWHUB_URL", "value": self.url},
            {"name": "NPM_CONFIG_REGISTRY", "value": self.url},
        ])
    }

    /// How often it was asked for something, by a part of its path.
    pub async fn count(&self, path: &str) -> usize {
        let (_, text) = http::get(&format!("{}/seen", self.url)).await.expect("the hub answers");
        let seen: Vec<String> = serde_json::from_str(&text).expect("JSON");
        seen.iter().filter(|each| each.contains(path)).count()
    }
}
