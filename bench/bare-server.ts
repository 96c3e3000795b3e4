import { createServer } from 'node:http';

/** The yardstick: reads the whole request and answers a constant, and does nothing else. */
const BODY = JSON.stringify({ valid: true, code: 'valid' });
const server = createServer((request, response) => {
  request.on('data', () => undefined);
  request.on('end', () => {
    if (request.method === 'GET') response.writeHead(204).end();
    else
      response
        .writeHead(200, { 'content-type': 'application/json', 'content-length': BODY.length })
        .end(BODY);
  });
});
server.listen(Number(process.argv[2]), '127.0.0.1');
