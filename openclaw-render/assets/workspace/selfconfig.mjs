// What selfconfig.sh does. A newer openclaw-operator replaces this file.
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { request } from "node:https";

const ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";
const REQUESTS = "openclawselfconfigs";
const USAGE = `usage: selfconfig.sh COMMAND [--wait[=SECONDS]]
  read:   get-instance | get-config | get-secret NAME | status REQUEST
  write:  add-skill SKILL | remove-skill SKILL | config-patch JSON
          add-env NAME VALUE | remove-env NAME
          add-file NAME CONTENT (or - for standard input, or @PATH) | remove-file NAME`;

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

function variable(name) {
  return process.env[name] || fail(`${name} is not set`);
}

function content(text) {
  if (text === "-") return readFileSync(0, "utf8");
  return text.startsWith("@") ? readFileSync(text.slice(1), "utf8") : text;
}

function json(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    return fail(`the patch is not JSON: ${error.message}`);
  }
}

// Number of arguments, and the spec that they make.
const WRITES = {
  "add-skill": [1, (skill) => ({ addSkills: [skill] })],
  "remove-skill": [1, (skill) => ({ removeSkills: [skill] })],
  "config-patch": [1, (patch) => ({ configPatch: json(patch) })],
  "add-env": [2, (name, value) => ({ addEnvVars: [{ name, value }] })],
  "remove-env": [1, (name) => ({ removeEnvVars: [name] })],
  "add-file": [2, (name, text) => ({ addWorkspaceFiles: { [name]: content(text) } })],
  "remove-file": [1, (name) => ({ removeWorkspaceFiles: [name] })],
};

function call(method, path, body) {
  const text = body && JSON.stringify(body);
  const headers = {
    Accept: "application/json",
    Authorization: `Bearer ${readFileSync(`${ACCOUNT}/token`, "utf8").trim()}`,
  };
  if (text) {
    headers["Content-Type"] = "application/json";
    headers["Content-Length"] = Buffer.byteLength(text);
  }
  return new Promise((resolve) => {
    const options = {
      ca: readFileSync(`${ACCOUNT}/ca.crt`),
      headers,
      host: process.env.KUBERNETES_SERVICE_HOST || "kubernetes.default.svc",
      method,
      path,
      port: process.env.KUBERNETES_SERVICE_PORT_HTTPS || 443,
      signal: AbortSignal.timeout(30_000),
    };
    const failed = (error) => fail(`no answer from the Kubernetes API: ${error.message}`);
    const sent = request(options, (answer) => {
      const chunks = [];
      answer.on("data", (chunk) => chunks.push(chunk));
      answer.on("error", failed);
      answer.on("end", () => {
        const said = Buffer.concat(chunks).toString("utf8");
        if (answer.statusCode >= 400) fail(`HTTP ${answer.statusCode}: ${said}`);
        resolve(said);
      });
    });
    sent.on("error", failed);
    sent.end(text);
  });
}

function print(text) {
  try {
    process.stdout.write(`${JSON.stringify(JSON.parse(text), null, 2)}\n`);
  } catch {
    process.stdout.write(text);
  }
}

async function wait(path, seconds) {
  const until = Date.now() + seconds * 1000;
  while (Date.now() < until) {
    const { phase, message } = JSON.parse(await call("GET", path)).status ?? {};
    if (phase === "Applied") return;
    if (phase === "Failed" || phase === "Denied") fail(`${phase}: ${message ?? ""}`);
    await new Promise((resolve) => setTimeout(resolve, 2000));
  }
  fail(`not carried out within ${seconds} s`);
}

const given = process.argv.slice(2);
const waiting = given.find((word) => /^--wait(=\d+)?$/.test(word));
const [command, ...words] = given.filter((word) => word !== waiting);

const instance = () => variable("OPENCLAW_INSTANCE_NAME");
const ours = (plural, name = "") =>
  `/apis/openclaw.rocks/v1alpha1/namespaces/${variable("OPENCLAW_NAMESPACE")}/${plural}` +
  (name && `/${encodeURIComponent(name)}`);
const core = (plural, name) =>
  `/api/v1/namespaces/${variable("OPENCLAW_NAMESPACE")}/${plural}/${encodeURIComponent(name)}`;

const READS = {
  "get-instance": [0, () => ours("openclawinstances", instance())],
  "get-config": [0, () => core("configmaps", `${instance()}-config`)],
  "get-secret": [1, (name) => core("secrets", name)],
  status: [1, (name) => ours(REQUESTS, name)],
};

const known = Object.hasOwn(READS, command) || Object.hasOwn(WRITES, command);
if (!known) {
  process.stdout.write(`${USAGE}\n`);
} else {
  const [count, make] = READS[command] ?? WRITES[command];
  if (words.length < count) fail(`${command} takes ${count} argument(s); see selfconfig.sh help`);
  const made = make(...words);
  if (Object.hasOwn(READS, command)) {
    print(await call("GET", made));
  } else {
    const name = `sc-${Math.floor(Date.now() / 1000)}-${randomBytes(5).toString("hex")}`;
    print(
      await call("POST", ours(REQUESTS), {
        apiVersion: "openclaw.rocks/v1alpha1",
        kind: "OpenClawSelfConfig",
        metadata: { name },
        spec: { instanceRef: instance(), ...made },
      }),
    );
    process.stdout.write(`created ${name}\n`);
    if (waiting) await wait(ours(REQUESTS, name), Number(waiting.split("=")[1] ?? 300));
  }
}
