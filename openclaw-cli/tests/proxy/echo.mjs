// Stands in for the application: answers everything with the headers of the request, and logs who
// asked as it does.
import http from "node:http";

http
  .createServer((request, answer) => {
    console.log(`ua=${request.headers["user-agent"]} `);
    answer.end(JSON.stringify(request.headersDistinct));
  })
  .listen(18789, "127.0.0.1");
