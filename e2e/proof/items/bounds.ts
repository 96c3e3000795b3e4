import type { ProofItem, ProofSource } from '../item.ts';

const DEPLOYMENT: readonly ProofSource[] = [
  { name: 'nodes', files: ['e2e/nodes/deployment.test.ts'], isTimed: true },
];
const TWO_NODES: readonly ProofSource[] = [{ name: 'nodes', files: ['e2e/nodes/two-nodes.test.ts'] }];
const MIX: readonly ProofSource[] = [{ name: 'proof timed', files: ['e2e/proof/load-mix.test.ts'] }];

/** How long things may take, how often they may happen, and what must not hold them up. */
export const BOUNDS: readonly ProofItem[] = [
  {
    number: 4,
    title: 'acknowledged writes over crashes of PostgreSQL',
    figures: ['acknowledged writes lost when PostgreSQL crashes'],
    controls: ['synchronous_commit=off'],
    suites: TWO_NODES,
  },
  {
    number: 13,
    title: 'rolling restart of two nodes behind HAProxy',
    figures: ['requests that failed over rolling restarts'],
    controls: ['a node that is killed instead'],
    suites: TWO_NODES,
  },
  {
    number: 14,
    title: 'revocation on the same node',
    figures: ['stale answers on the same node'],
    controls: ['a gateway that keeps answers for a second'],
    suites: [{ name: 'proof timed', files: ['e2e/proof/load-revocation.test.ts'] }],
  },
  {
    number: 15,
    title: 'revocation on three nodes over PostgreSQL',
    figures: ['until a revocation counts at other nodes'],
    controls: ['revocations that move no epoch'],
    suites: DEPLOYMENT,
  },
  {
    number: 16,
    title: 'revocation at nodes that are cut off, stopped or not notified',
    figures: [
      'stale answers past the lease: at the node behind PgBouncer',
      'stale answers past the lease: without NOTIFY',
      'stale answers past the lease: one node paused',
      'stale answers past the lease: nodes cut off from the database',
    ],
    controls: ['revocations that move no epoch'],
    suites: DEPLOYMENT,
  },
  {
    number: 18,
    title: 'quotas and rate limits on one and three nodes',
    figures: [
      'uses of a key with 100 on one node',
      'uses of a key with 100 on three nodes',
      'requests over the rate limit on one node',
      'requests over the rate limit on three nodes',
    ],
    controls: ['a counter that looks first and counts later', 'nodes that count each for itself'],
    suites: DEPLOYMENT,
  },
  {
    number: 19,
    title: 'verification while mail, webhooks and log are broken',
    figures: ['verifications that failed while mail, webhooks and log are broken'],
    longFigures: ['p99 while mail, webhooks and log are broken, in parts of that while they are whole'],
    controls: ['an answer that waits for the mail server'],
    suites: MIX,
  },
  {
    number: 20,
    title: 'verification beside forty sign-ins',
    figures: ['a verification beside 40 sign-ins, in parts of one whose server hashes on its event loop'],
    longFigures: ['a verification beside 40 sign-ins'],
    controls: ['passwords hashed on the event loop'],
    suites: MIX,
  },
  {
    number: 21,
    title: 'event loop under hostile requests',
    figures: ['verifications that failed, and faults, under hostile requests'],
    longFigures: ['event-loop delay under hostile requests'],
    controls: ['passwords hashed on the event loop'],
    suites: MIX,
  },
  {
    number: 22,
    title: 'slow clients',
    figures: ['sockets of slow clients after 10 s', 'parallel verifications that failed'],
    controls: ['a server without time limits'],
    suites: [{ name: 'proof timed', files: ['e2e/proof/slow-clients.test.ts'] }],
  },
  {
    number: 24,
    title: 'a database that hangs',
    figures: ['the longest wait for an answer while the database hangs', 'until all is well again'],
    controls: ['a program without time limits'],
    suites: DEPLOYMENT,
  },
  {
    number: 26,
    title: 'mails and webhooks through outages and kill -9',
    figures: [
      'mails lost, or repeated under another id, over kill -9',
      'webhooks lost, or repeated under another id, over kill -9',
      'mails lost or doubled over a day without a mail server',
      'copies of a mail whose answer was lost once',
    ],
    controls: ['mails that count as sent before they are'],
    suites: [{ name: 'notices', files: ['e2e/notices/crash.test.ts', 'e2e/notices/outage.test.ts'] }],
  },
];
