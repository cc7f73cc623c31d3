// Asks for what a file lists, one after the other, and prints what was answered: as clients that
// have different addresses would, for the page, for an API, and for the WebSocket. Ends when the
// gateway's log has named every client.
import { readFileSync } from "node:fs";
import http from "node:http";

const HANDSHAKE = {
  connection: "Upgrade",
  upgrade: "websocket",
  "sec-websocket-version": "13",
  "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
};

function ask({ from, to, port = 18790, path, headers = {} }) {
  return new Promise((resolve) => {
    const request = http.request({ host: to, port, path, headers, localAddress: from });
    request.on("upgrade", (answer, socket, head) => {
      const first = (bytes) => {
        socket.destroy();
        resolve({ code: answer.statusCode, body: bytes.toString("latin1") });
      };
      if (head.length > 0) first(head);
      else socket.once("data", first);
    });
    request.on("response", async (answer) => {
      let body = "";
      for await (const part of answer) body += part;
      resolve({ code: answer.statusCode, body });
    });
    request.on("error", (error) => resolve({ code: 0, body: error.message }));
    request.end();
  });
}

async function until(holds) {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 100));
}

const [knocks, log] = process.argv.slice(2);
const gateway = { from: "127.0.0.1", to: "127.0.0.1", port: 18789, path: "/startupz" };
await until(async () => (await ask(gateway)).code === 200);
const clients = JSON.parse(readFileSync(knocks, "utf8"));
const answers = [];
for (const { from, to, headers } of clients) {
  const page = await ask({ from, to, path: "/", headers });
  const api = await ask({ from, to, path: "/v1/models", headers });
  const socket = await ask({ from, to, path: "/", headers: { ...headers, ...HANDSHAKE } });
  answers.push({ page, api, socket });
}
await until(() => {
  const lines = readFileSync(log, "utf8");
  return clients.every(({ headers }) => lines.includes(`ua=${headers["user-agent"]} `));
});
console.log(JSON.stringify(answers));
process.exit(0);
