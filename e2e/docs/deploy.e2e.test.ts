import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseEnv } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../packages/server/src/config/load.ts';
import { run, show } from '../run.ts';
import { openPage } from './doc-page.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
/** What the rest of a stop may take beside KEYREEVE_DRAIN_SECONDS. */
const STOP_SECONDS = 15;

const read = (file: string) => readFileSync(path.join(ROOT, file), 'utf8');

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'keyreeve-deploy-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the unit for systemd', () => {
  const text = read('deploy/systemd/keyreeve.service');
  const environment = parseEnv(read('deploy/systemd/keyreeve.env'));
  let unit = '';
  beforeAll(() => {
    // The release that the unit starts is this repository.
    symlinkSync(ROOT, path.join(folder, 'current'));
    unit = path.join(folder, 'keyreeve.service');
    writeFileSync(unit, text.replaceAll('/opt/keyreeve/', `${folder}/`));
  });

  it('is understood by systemd, and starts what is there', async () => {
    const verified = await run('/usr/bin/systemd-analyze', ['verify', unit]);
    expect(verified).toMatchObject({ code: 0, output: '' });
    const files = [...readFileSync(unit, 'utf8').matchAll(/^ExecStart=(\S+) (\S+)/gm)].flat().slice(1);
    expect(files).toHaveLength(2);
    for (const file of files) expect(existsSync(file), file).toBe(true);
  });

  it('gives the server next to no rights on the machine', async () => {
    // 2.0 of 10; systemd calls it "OK" below 5.
    const args = ['security', '--offline=true', '--threshold=20', unit];
    const judged = await run('/usr/bin/systemd-analyze', args);
    show('systemd-analyze security', { ...judged, output: judged.output.trim().split('\n').at(-1) ?? '' });
    expect(judged.code, judged.output).toBe(0);
  });

  it('starts the server again that a reload has met before it listened to signals', () => {
    expect(text).toMatch(/^Restart=on-failure$/m);
    expect(text).toMatch(/^RestartForceExitStatus=SIGHUP$/m);
  });

  it('waits longer than the server takes to stop, with settings that the server takes', () => {
    const { drainSeconds } = loadConfig(environment);
    const [, seconds] = /^TimeoutStopSec=(\d+)$/m.exec(text) ?? [];
    expect(Number(seconds)).toBeGreaterThan(drainSeconds + STOP_SECONDS);
    expect(text).toMatch(/^ExecReload=\/bin\/kill -HUP \$MAINPID$/m);
  });
});

/** Instructions in order; a line that ends with a backslash goes on. */
function readContainerfile(): [name: string, rest: string][] {
  return read('deploy/container/Containerfile')
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(/\\\n/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [name = '', ...rest] = line.trim().split(/\s+/);
      return [name, rest.join(' ')];
    });
}

describe('the container file', () => {
  const instructions = readContainerfile();
  const all = (wanted: string) => instructions.filter(([name]) => name === wanted).map(([, rest]) => rest);

  it('copies what the repository has, and the manifest of every workspace before it installs', () => {
    const known = ['FROM', 'WORKDIR', 'COPY', 'RUN', 'USER', 'ENV', 'VOLUME', 'EXPOSE', 'STOPSIGNAL'];
    const others = ['HEALTHCHECK', 'ENTRYPOINT', 'CMD'];
    for (const [name] of instructions) expect([...known, ...others]).toContain(name);
    const copied = all('COPY')
      .filter((rest) => !rest.startsWith('--from='))
      .flatMap((rest) => rest.split(' ').slice(0, -1));
    for (const source of copied) expect(existsSync(path.join(ROOT, source)), source).toBe(true);
    const lock = JSON.parse(read('package-lock.json')) as {
      packages: Record<string, { link?: true; resolved?: string }>;
    };
    const workspaces = Object.values(lock.packages).filter(({ link }) => link === true);
    expect(workspaces.length).toBeGreaterThan(0);
    for (const { resolved } of workspaces) expect(copied).toContain(`${resolved}/package.json`);
  });

  it('runs scripts that are there, and starts as the documentation does', () => {
    const files = instructions.flatMap(
      ([, rest]) => rest.match(/(?:tools|packages)\/[\w/.-]+\.m?[jt]s\b/g) ?? [],
    );
    expect(files).toContain('packages/server/src/start.mjs');
    for (const file of files) expect(existsSync(path.join(ROOT, file)), file).toBe(true);
    // What is built there is what the server looks for: the console, and the libraries in one file each.
    for (const built of ['packages/console/dist', 'packages/server/dist'])
      expect(all('COPY')).toContain(`--from=build /opt/keyreeve/${built} ${built}`);
    expect(all('USER').at(-1)).not.toMatch(/root|^0/);
  });

  it('has settings with which the server stops in the time that compose leaves it', async () => {
    const environment = Object.fromEntries(
      all('ENV').flatMap((rest) => rest.split(/\s+/).map((pair) => pair.split('=') as [string, string])),
    );
    const compose = await readCompose();
    const { environment: own = {}, stop_grace_period } = compose.services['keyreeve'] ?? {};
    const filled = Object.entries(own).map(([name, value]) => [name, fill(value)] as const);
    const config = loadConfig({ ...environment, ...Object.fromEntries<string>(filled) });
    expect(config.database.engine).toBe('postgres');
    expect(Number.parseInt(stop_grace_period ?? '', 10)).toBeGreaterThan(config.drainSeconds + STOP_SECONDS);
  });
});

interface Service {
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly healthcheck?: object;
  readonly stop_grace_period?: string;
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, null>>;
}

async function readCompose(): Promise<Compose> {
  const script = 'import json, sys, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1]))))';
  const parsed = await run('/usr/bin/python3', [
    '-c',
    script,
    path.join(ROOT, 'deploy/container/compose.yaml'),
  ]);
  expect(parsed.code, parsed.output).toBe(0);
  return JSON.parse(parsed.stdout) as Compose;
}

/** The variables as the documentation sets them. */
const SECRETS: Readonly<Record<string, string>> = {
  KEYREEVE_PUBLIC_URL: 'https://keys.example.com',
  KEYREEVE_MASTER_KEY: Buffer.alloc(32, 1).toString('base64'),
  POSTGRES_PASSWORD: 'abc',
  KEYREEVE_TRUST_PROXY: '172.16.0.0/12',
};

/** `${NAME:?why}` and `${NAME:-}`, as compose fills them in. */
function fill(value: string): string {
  return value.replaceAll(/\$\{(\w+):(?:\?[^}]+|-)\}/g, (_all, name: string) => {
    const known = SECRETS[name];
    if (known === undefined) throw new Error(`The documentation does not set ${name}.`);
    return known;
  });
}

describe('the compose file', () => {
  // Of the compose specification (https://compose-spec.io), what it uses.
  const SERVICE_KEYS =
    'image build depends_on environment volumes ports stop_grace_period init read_only tmpfs cap_drop security_opt restart healthcheck shm_size'.split(
      ' ',
    );

  it('says only what compose knows, of services and volumes that are there', async () => {
    const compose = await readCompose();
    expect(Object.keys(compose).toSorted()).toEqual(['name', 'services', 'volumes']);
    for (const service of Object.values(compose.services)) {
      for (const key of Object.keys(service)) expect(SERVICE_KEYS).toContain(key);
      for (const [name, { condition }] of Object.entries(service.depends_on ?? {})) {
        expect(condition).toBe('service_healthy');
        expect(compose.services[name]?.healthcheck).toBeDefined();
      }
      for (const volume of service.volumes ?? [])
        expect(Object.keys(compose.volumes)).toContain(volume.split(':')[0]);
      // Others reach the server by the proxy that ends TLS, and the database not at all.
      for (const port of service.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:/);
      if (service.build === undefined) continue;
      const context = path.resolve(ROOT, 'deploy/container', service.build.context);
      expect(existsSync(path.join(context, service.build.dockerfile))).toBe(true);
    }
  });
});

describe('the documentation', () => {
  it('sets every variable that the compose file wants', () => {
    const page = openPage('docs/operations/deploy.md');
    const block = page.claim('sh', 'deploy/container/.env');
    for (const name of Object.keys(SECRETS)) expect(block.text).toContain(`${name}=`);
    page.expectAllClaimed();
  });

  it('of workers shows nothing that is neither executed nor said not to be', () => {
    openPage('docs/operations/workers.md').expectAllClaimed();
  });
});
