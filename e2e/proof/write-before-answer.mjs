// A negative control: a server that puts each connection down in a file of the data folder before it answers, so that
// a full disk keeps it from verifying.
//
// Each of them takes a block of its own. Those who wait for the server to start connect to it too, before the disk is
// full: many short lines after theirs would still fit into the block that theirs is in.
import { appendFileSync } from 'node:fs';
import { Server } from 'node:net';
import path from 'node:path';

const file = path.join(process.env.KEYREEVE_DATA_DIR, 'connections.log');
const BLOCK_BYTES = 4_096;
const { emit } = Server.prototype;

Server.prototype.emit = function emitNoted(name, socket, ...rest) {
  if (name !== 'connection') return emit.call(this, name, socket, ...rest);
  try {
    const line = `${new Date().toISOString()} ${socket.remoteAddress}`;
    appendFileSync(file, `${line.padEnd(BLOCK_BYTES - 1)}\n`);
  } catch {
    socket.destroy();
    return true;
  }
  return emit.call(this, name, socket, ...rest);
};
