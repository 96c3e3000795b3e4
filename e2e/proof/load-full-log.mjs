// The disk under the log of the server is full for as long as there is a file of that name.
import fs from 'node:fs';

const { write } = fs;
const STDOUT = 1;

fs.write = function writeWhileThereIsRoom(fd, ...rest) {
  if (fd !== STDOUT || !fs.existsSync(process.env.FULL_WHILE_THERE_IS)) return write.call(this, fd, ...rest);
  const fault = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  const done = rest.at(-1);
  setImmediate(() => done(fault));
};
