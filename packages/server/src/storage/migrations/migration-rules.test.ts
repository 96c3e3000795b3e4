import { readdirSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { DummyDriver, Kysely, PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler } from 'kysely';
import type { Migration } from 'kysely/migration';
import { describe, expect, it } from 'vitest';

// The rules are in docs/architecture.md, and why in decision 34.

/** Tables that have a row for each key, account, event or package, and so may have millions. */
const LARGE_TABLES = [
  'accounts',
  'api_keys',
  'audit',
  'events',
  'feed_entries',
  'key_days',
  'key_first_refusals',
  'key_hours',
  'key_last_refusals',
  'key_last_uses',
  'outbox',
  'package_search',
  'package_versions',
  'packages',
  'webhook_deliveries',
];

/** Migrations older than the rules. None is added: 0001 to 0011 and the first three of the counters are what they are. */
const BEFORE_THE_RULES = /^(00(0\d|1[01])|usage-000[123])-/;

async function compile(migration: Migration): Promise<string[]> {
  const statements: string[] = [];
  const db = new Kysely<unknown>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (each) => new PostgresIntrospector(each),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
    log: ({ query }) => {
      statements.push(query.sql.replace(/\s+/g, ' ').trim().toLowerCase());
    },
  });
  await migration.up(db);
  return statements;
}

/** What a statement would do to a large table that others read and write meanwhile; null when it does no harm. */
function findHarm(statement: string, madeHere: readonly string[] = []): string | null {
  const names = LARGE_TABLES.filter((table) => !madeHere.includes(table)).join('|');
  const table = `"?(?:${names})"?(?![\\w"])`;
  const harms: [RegExp, string][] = [
    [
      new RegExp(`^create (unique )?index (?!concurrently).* on ${table}`),
      'writers wait for the whole index',
    ],
    [new RegExp(`^(update|delete from) ${table}`), 'rewrites rows in one transaction'],
    [new RegExp(`^insert into .* select .* from ${table}`), 'reads the whole table in one transaction'],
    [
      new RegExp(`^alter table ${table} (?!add column )`),
      'the release before cannot read the table any more, or everybody waits while it is checked or rewritten',
    ],
    [
      new RegExp(`^alter table ${table} add column (?!.* default ).* not null`),
      'the release before cannot insert',
    ],
    [
      new RegExp(`^alter table ${table} add column .*\\b(unique|references|check|generated)\\b`),
      'is checked row by row',
    ],
    [new RegExp(`^drop table (if exists )?${table}`), 'the release before still reads it'],
    [new RegExp(`^(vacuum full|cluster|reindex|lock table|truncate)\\b.*${table}`), 'locks the table'],
  ];
  return harms.find(([pattern]) => pattern.test(statement))?.[1] ?? null;
}

function tablesMadeBy(statements: readonly string[]): string[] {
  return statements.flatMap(
    (statement) => /^create table (?:if not exists )?"?(\w+)/.exec(statement)?.[1] ?? [],
  );
}

const files = readdirSync(import.meta.dirname).filter((name) => /^(usage-)?\d{4}-[a-z0-9-]+\.ts$/.test(name));

describe('a migration keeps the deployment running', () => {
  it.each(files.filter((name) => !BEFORE_THE_RULES.test(name)))(
    '%s locks and rewrites no large table',
    async (name) => {
      const module: unknown = await import(pathToFileURL(path.join(import.meta.dirname, name)).href);
      const [migration] = Object.values(module as Record<string, Migration>);
      if (migration === undefined) throw new Error(`${name} exports no migration.`);
      const statements = await compile(migration);
      expect(statements).not.toEqual([]);
      const made = tablesMadeBy(statements);
      expect(statements.filter((statement) => findHarm(statement, made) !== null)).toEqual([]);
    },
  );

  it('is looked at, with those of today', () => {
    expect(files.filter((name) => !BEFORE_THE_RULES.test(name))).toContain('0013-large-lists.ts');
  });

  it.each([
    'create index "a" on "api_keys" ("state")',
    'create unique index a on accounts (email_lower)',
    'update "api_keys" set "state" = $1',
    'delete from audit where at < 1',
    'insert into "key_days" ("key_id") select key_id from key_hours',
    'alter table "api_keys" alter column "comment" type varchar(10)',
    'alter table "api_keys" alter column "comment" set not null',
    'alter table "api_keys" rename to "keys"',
    'alter table "api_keys" drop column "comment"',
    'alter table "api_keys" add constraint "a" check (version > 0)',
    'alter table "api_keys" add column "a" text not null',
    'alter table "api_keys" add column "a" text unique',
    'drop table "audit"',
  ])('is refused for: %s', (statement) => {
    expect(findHarm(statement)).not.toBeNull();
  });

  it.each([
    'create index concurrently "a" on "api_keys" ("state")',
    'create index "a" on "sessions" ("created_at")',
    'alter table "api_keys" add column "a" text',
    `alter table "accounts" add column "a" text default '[]' not null`,
    'update "settings" set "version" = 2',
    'drop index "api_keys_by_owner"',
  ])('may do: %s', (statement) => {
    expect(findHarm(statement)).toBeNull();
  });
});
