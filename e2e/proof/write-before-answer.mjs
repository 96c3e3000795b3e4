// A negative control: a server that puts each connection down in a file of the data folder before it answers, so that
// a full disk keeps it from verifying.
import { appendFileSync } from 'node:fs';
import { Server } from 'node:net';
import path from 'node:path';

const file = path.join(process.env.KEYREEVE_DATA_DIR, 'connections.log');
const { emit } = Server.prototype;

Server.prototype.emit = function emitNoted(name, socket, ...rest) {
  if (name !== 'connection') return emit.call(this, name, socket, ...rest);
  try {
    appendFileSync(file, `${new Date().toISOString()} ${socket.remoteAddress}\n`);
  } catch {
    socket.destroy();
    return true;
  }
  return emit.call(this, name, socket, ...rest);
};
