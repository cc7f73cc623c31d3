// Asks for what a file lists, one after the other, and prints what was answered: as clients that
// have different addresses would, for the page, for an API, and for the WebSocket.
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

for (;;) {
  const started = await ask({ from: "127.0.0.1", to: "127.0.0.1", port: 18789, path: "/startupz" });
  if (started.code === 200) break;
  await new Promise((resolve) => setTimeout(resolve, 200));
}
const answers = [];
for (const { from, to, headers } of JSON.parse(readFileSync(process.argv[2], "utf8"))) {
  const page = await ask({ from, to, path: "/", headers });
  const api = await ask({ from, to, path: "/v1/models", headers });
  const socket = await ask({ from, to, path: "/", headers: { ...headers, ...HANDSHAKE } });
  answers.push({ page, api, socket });
}
console.log(JSON.stringify(answers));
process.exit(0);
