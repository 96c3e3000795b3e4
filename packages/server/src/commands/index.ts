import type { ServerCommand } from './command.ts';

/**
 * Every command of the entry, by name. Each is loaded when it is run: `doctor` must be able to tell what keeps the
 * server from starting, and a backup needs none of the HTTP side.
 */
export const COMMANDS: Readonly<Record<string, ServerCommand>> = {
  serve: {
    summary: 'Starts the server; so does no command at all. --demo fills an empty database first.',
    run: async (args, environment) => (await import('./serve.ts')).runServe(args, environment),
  },
  backup: {
    summary: 'Writes everything but the master key into one file, while the server runs.',
    run: async (args, environment) => (await import('./backup.ts')).runBackup(args, environment),
  },
  restore: {
    summary: 'Puts a backup into an empty data folder or database.',
    run: async (args, environment) => (await import('./restore.ts')).runRestore(args, environment),
  },
  doctor: {
    summary: 'Looks for faults of the installation and changes nothing; ends with 1 when it has any.',
    run: async (args, environment) => (await import('./doctor.ts')).runDoctor(args, environment),
  },
  'master-key': {
    summary: 'rotate: wraps the data keys under a new master key, while the server runs.',
    run: async (args, environment) => (await import('./master-key.ts')).runMasterKey(args, environment),
  },
  audit: {
    summary: 'verify: whether the audit log is as it was written, in the database or in an export.',
    run: async (args, environment) => (await import('./audit.ts')).runAudit(args, environment),
  },
  pepper: {
    summary: 'rotate: stores new secrets under a new pepper, while the server runs.',
    run: async (args, environment) => (await import('./pepper.ts')).runPepper(args, environment),
  },
};

export { CommandError, commandUsageError, type ServerCommand } from './command.ts';
