import type { ProofItem } from '../item.ts';

export const durability: readonly ProofItem[] = [
  {
    number: 1,
    title: 'acknowledged writes survive kill -9',
    figures: ['acknowledged writes lost', 'torn changes and damaged pages'],
    longFigures: ['restart to ready'],
    controls: ['a server that answers before it commits'],
    suites: [
      { name: 'proof', files: ['e2e/proof/kill.test.ts'] },
      // How soon the next start is ready is measured where nothing runs beside it.
      { name: 'proof timed', files: ['e2e/proof/large.test.ts'] },
    ],
  },
  {
    number: 2,
    title: 'acknowledged writes survive a power cut',
    figures: ['acknowledged writes lost', 'torn changes and damaged pages'],
    controls: ['a server with synchronous=NORMAL'],
    suites: [{ name: 'power cut', files: ['e2e/powercut/powercut.test.ts'] }],
  },
  {
    number: 3,
    title: 'nothing is acknowledged before the disk has it',
    figures: [
      'syncs of the log for each acknowledged change',
      'acknowledged without a sync between request and answer',
    ],
    controls: ['a server with synchronous=NORMAL'],
    suites: [{ name: 'proof', files: ['e2e/proof/fsync.test.ts'] }],
  },
  {
    number: 6,
    title: 'full disks: data, packages, log, temporary files, inodes',
    figures: [
      'verifications that fail while a disk is full',
      'answers to writes that are neither stored nor refused with 503 or 507 and a reason',
      'acknowledged writes lost, packages in part, damaged files',
      'writes after room is made',
    ],
    controls: ['a server that writes before it verifies', 'a server that answers before it commits'],
    suites: [{ name: 'proof', files: ['e2e/proof/disk.test.ts'] }],
  },
  {
    number: 7,
    title: 'failing system calls of the disk',
    figures: ['false acknowledgements', 'damaged databases and torn changes', 'servers that ended'],
    controls: ['a server that takes failed commits for made ones'],
    suites: [{ name: 'proof', files: ['e2e/proof/io-error.test.ts'] }],
  },
  {
    number: 9,
    title: 'backups under load restore and verify',
    figures: [
      'backups under load that restore and verify',
      'acknowledged before a backup began and missing in it',
    ],
    controls: ['a copy of the files from before the changes'],
    longFigures: [
      'restore of 1,000,000 keys',
      'recovery point: backups of 1,000,000 keys, one after the other',
    ],
    suites: [
      {
        name: 'vitest',
        files: ['packages/server/src/commands/backup-load.http.test.ts'],
        projects: ['sqlite'],
      },
      { name: 'proof timed', files: ['e2e/proof/large.test.ts'] },
    ],
  },
  {
    number: 10,
    title: 'upgrades from every earlier schema, also when they are killed',
    figures: [
      'databases of earlier steps that migrate with all that is in them',
      'kills during a migration after which a release neither starts nor refuses in words',
      'earlier releases that refuse a newer database in words',
    ],
    controls: ['a migration that empties a table and a column'],
    suites: [
      {
        name: 'vitest',
        files: ['packages/server/src/storage/upgrade.http.test.ts'],
        projects: ['sqlite', 'postgres'],
      },
    ],
  },
  {
    number: 12,
    title: 'restart to ready with very many keys',
    figures: ['restart to ready'],
    controls: ['a server that looks at every key first'],
    suites: [{ name: 'proof timed', files: ['e2e/proof/large.test.ts'] }],
  },
  {
    number: 17,
    title: 'revoked stays revoked over restarts and wrong clocks',
    figures: ['revoked credentials that are taken again'],
    controls: ['a database whose rows of before are put back'],
    suites: [
      {
        name: 'vitest',
        files: ['packages/testkit/src/revoked-for-good.http.test.ts'],
        projects: ['sqlite', 'postgres'],
      },
    ],
  },
  {
    number: 25,
    title: 'clocks that jump while the server runs',
    figures: ['servers that end or stop answering', 'wrong accepts', 'good keys refused'],
    controls: ['a server that keeps the time of its start'],
    suites: [{ name: 'proof', files: ['e2e/proof/clock.test.ts'] }],
  },
];
