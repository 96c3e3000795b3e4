import { Buffer } from 'node:buffer';
import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';

/** A name server that answers each question about any name with the next of its addresses, and lets nobody keep it. */
export interface RebindingDns {
  /** Asks it, as a program would that has it as its name server. */
  lookUp(name: string): Promise<readonly string[]>;
  readonly questionCount: number;
  close(): Promise<void>;
}

const HEAD_BYTES = 12;
/** A question of type A and class IN ends with these. */
const QUESTION_END_BYTES = 4;

/** Starts one at a free port of this machine. @param addresses in turn, from the first again after the last */
export async function startRebindingDns(addresses: readonly string[]): Promise<RebindingDns> {
  let questionCount = 0;
  const socket = createSocket('udp4');
  socket.on('message', (query, { port, address }) => {
    const next = addresses[questionCount % addresses.length] ?? '127.0.0.1';
    questionCount += 1;
    socket.send(toAnswer(query, next), port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const resolver = new Resolver({ timeout: 2_000, tries: 1 });
  resolver.setServers([`127.0.0.1:${socket.address().port}`]);
  return {
    lookUp: (name) => resolver.resolve4(name),
    get questionCount() {
      return questionCount;
    },
    close: async () => {
      socket.close();
      await once(socket, 'close');
    },
  };
}

/** RFC 1035 4: the question once more, and one address that is good for no second. */
function toAnswer(query: Buffer, address: string): Buffer {
  const questionEnd = query.indexOf(0, HEAD_BYTES) + 1 + QUESTION_END_BYTES;
  const head = Buffer.from([...query.subarray(0, 2), 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0]);
  // The name of the question by a pointer, type A, class IN, seconds to live, four bytes.
  const record = Buffer.from([
    0xc0,
    HEAD_BYTES,
    0,
    1,
    0,
    1,
    0,
    0,
    0,
    0,
    0,
    4,
    ...address.split('.').map(Number),
  ]);
  return Buffer.concat([head, query.subarray(HEAD_BYTES, questionEnd), record]);
}
