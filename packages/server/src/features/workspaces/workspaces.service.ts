import { isIP } from 'node:net';
import { type Caller, readCursor, type Workspace } from '../../http/index.ts';
import { randomBase62 } from '../../lib/base62.ts';
import type { Clock } from '../../lib/clock.ts';
import { newId } from '../../lib/ids.ts';
import { isEqualConstantTime, sha256Hex } from '../../lib/mac.ts';
import { type Page, toPage } from '../../lib/page.ts';
import type { Random } from '../../lib/random.ts';
import { Secret } from '../../lib/secret.ts';
import { inTransaction, isUniqueViolation, type Storage, type Tx } from '../../storage/index.ts';
import type { AuditService } from '../audit/index.ts';
import { workspaceErrors } from './workspaces.errors.ts';
import {
  deleteSetupCode,
  findDefaultWorkspace,
  findSetupCode,
  findWorkspaceByHost,
  findWorkspaceById,
  findWorkspaceBySubdomain,
  insertWorkspace,
  listHosts,
  listWorkspaces,
  saveSetupCode,
  type WorkspaceRow,
} from './workspaces.repo.ts';

/** Where the installation is reached; from the configuration. */
export interface PlaceConfig {
  /** Origin of the default workspace. */
  readonly publicUrl: string;
  readonly baseDomain: string | null;
}

export interface WorkspaceView {
  readonly workspace: Workspace;
  readonly aliases: readonly string[];
  readonly createdAt: number;
}

export interface WorkspacesService {
  /** Makes the default workspace in a new database, and reads it. Called once, before anything else. */
  open(): Promise<Workspace>;
  /** The workspace of a `Host` header, or null: the answer is then 421. */
  findByHost(host: string): Promise<Workspace | null>;
  /** What `findByHost` has found before, without waiting; null when it was not asked, or forgotten. */
  peekByHost(host: string): Workspace | null;
  findById(id: string): Promise<Workspace | null>;
  list(page: { limit: number; cursor?: string | undefined }): Promise<Page<WorkspaceView>>;
  /**
   * A new workspace with its own one-time setup code, which is in this answer only.
   *
   * @throws workspace.subdomain_taken, workspace.no_base_domain
   */
  create(
    caller: Caller,
    input: { name: string; subdomain: string; aliases: readonly string[] },
  ): Promise<WorkspaceView & { setupCode: Secret }>;
  /** Replaces the setup code of a workspace by a new one. */
  issueSetupCode(workspaceId: string): Promise<Secret>;
  hasSetupCode(workspaceId: string): Promise<boolean>;
  /** True when the code is right; it is used up then, together with what else the transaction does. */
  consumeSetupCode(tx: Tx, workspaceId: string, code: Secret): Promise<boolean>;
}

interface Deps {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly random: Random;
  readonly audit: AuditService;
  readonly place: () => PlaceConfig;
}

const SETUP_CODE_CHARACTERS = 24;
/** Any address of IPv6 is a name of the default workspace, so whoever asks decides how many there are. */
const HOSTS_MAX = 1_000;
const LOCAL_NAMES = ['localhost', 'localhost.localdomain'];

/** The name in a Host header, lower case, without port and brackets. */
function hostName(host: string): string {
  const bracketed = /^\[([^\]]{1,64})\](?::\d{1,5})?$/.exec(host);
  const name = bracketed?.[1] ?? host.replace(/:\d{1,5}$/, '');
  return name.toLowerCase().replace(/\.$/, '');
}

class Workspaces implements WorkspacesService {
  readonly #deps: Deps;
  #default: WorkspaceRow | null = null;
  /** By `Host` header as it was sent. Hosts are only ever added, so what was found stays true. */
  readonly #found = new Map<string, Workspace>();

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  async open(): Promise<Workspace> {
    const { storage, clock, random } = this.#deps;
    this.#default = await inTransaction(storage, async (tx) => {
      const found = await findDefaultWorkspace(tx);
      if (found !== undefined) return found;
      const row: WorkspaceRow = {
        id: newId(random, 'workspace'),
        name: 'Default',
        subdomain: null,
        is_default: 1,
        created_at: clock.now(),
      };
      await insertWorkspace(tx, row, []);
      await this.#deps.audit.beginLog(tx, row.id);
      return row;
    });
    return this.#toWorkspace(this.#default);
  }

  peekByHost(host: string): Workspace | null {
    return this.#found.get(host) ?? null;
  }

  async findByHost(host: string): Promise<Workspace | null> {
    const known = this.#found.get(host);
    if (known !== undefined) return known;
    const found = await this.#findByHost(host);
    if (found === null) return null;
    if (this.#found.size >= HOSTS_MAX) this.#found.clear();
    this.#found.set(host, found);
    return found;
  }

  async #findByHost(host: string): Promise<Workspace | null> {
    if (this.#default === null) throw new Error('open() comes first.');
    const name = hostName(host);
    const { publicUrl, baseDomain } = this.#deps.place();
    if (LOCAL_NAMES.includes(name) || isIP(name) !== 0 || name === new URL(publicUrl).hostname)
      return this.#toWorkspace(this.#default);
    const suffix = `.${baseDomain ?? ''}`;
    const isBelow =
      baseDomain !== null && name.endsWith(suffix) && !name.slice(0, -suffix.length).includes('.');
    const row = isBelow
      ? await findWorkspaceBySubdomain(this.#deps.storage.read, name.slice(0, -suffix.length))
      : await findWorkspaceByHost(this.#deps.storage.read, name);
    return row === undefined ? null : await this.#toWorkspaceWithHosts(row);
  }

  async findById(id: string): Promise<Workspace | null> {
    const row = await findWorkspaceById(this.#deps.storage.read, id);
    return row === undefined ? null : await this.#toWorkspaceWithHosts(row);
  }

  async list(page: { limit: number; cursor?: string | undefined }): Promise<Page<WorkspaceView>> {
    const after = readCursor(page.cursor, ['']);
    const rows = await listWorkspaces(this.#deps.storage.read, after, page.limit + 1);
    const { items, nextCursor } = toPage(rows, page.limit, (row) => [row.id]);
    const hosts = await listHosts(
      this.#deps.storage.read,
      items.map((row) => row.id),
    );
    const views = items.map((row) => {
      const aliases = hosts.filter((host) => host.workspace_id === row.id).map((host) => host.host);
      return { workspace: this.#toWorkspace(row, aliases[0]), aliases, createdAt: row.created_at };
    });
    return { items: views, nextCursor };
  }

  async create(
    caller: Caller,
    input: { name: string; subdomain: string; aliases: readonly string[] },
  ): Promise<WorkspaceView & { setupCode: Secret }> {
    const { storage, clock, random, audit } = this.#deps;
    const aliases = input.aliases.map((alias) => alias.toLowerCase());
    if (this.#deps.place().baseDomain === null && aliases.length === 0)
      throw workspaceErrors.no_base_domain();
    const row: WorkspaceRow = {
      id: newId(random, 'workspace'),
      name: input.name,
      subdomain: input.subdomain,
      is_default: 0,
      created_at: clock.now(),
    };
    const setupCode = this.#newSetupCode();
    try {
      await inTransaction(storage, async (tx) => {
        await insertWorkspace(tx, row, aliases);
        await audit.beginLog(tx, row.id);
        await saveSetupCode(tx, row.id, sha256Hex(setupCode.reveal()), clock.now());
        await audit.record(tx, caller, {
          action: 'workspace.created',
          target: { kind: 'workspace', id: row.id, name: row.name },
          detail: { subdomain: row.subdomain, aliases },
        });
      });
    } catch (error) {
      if (isUniqueViolation(error)) throw workspaceErrors.subdomain_taken({ cause: error });
      throw error;
    }
    return { workspace: this.#toWorkspace(row, aliases[0]), aliases, createdAt: row.created_at, setupCode };
  }

  async issueSetupCode(workspaceId: string): Promise<Secret> {
    const { storage, clock } = this.#deps;
    const code = this.#newSetupCode();
    await inTransaction(storage, (tx) =>
      saveSetupCode(tx, workspaceId, sha256Hex(code.reveal()), clock.now()),
    );
    return code;
  }

  async hasSetupCode(workspaceId: string): Promise<boolean> {
    return (await findSetupCode(this.#deps.storage.read, workspaceId)) !== null;
  }

  async consumeSetupCode(tx: Tx, workspaceId: string, code: Secret): Promise<boolean> {
    const digest = await findSetupCode(tx, workspaceId);
    if (digest === null || !isEqualConstantTime(digest, sha256Hex(code.reveal().trim()))) return false;
    await deleteSetupCode(tx, workspaceId);
    return true;
  }

  #newSetupCode(): Secret {
    return new Secret(randomBase62(this.#deps.random, SETUP_CODE_CHARACTERS));
  }

  async #toWorkspaceWithHosts(row: WorkspaceRow): Promise<Workspace> {
    const needsHost = row.is_default === 0 && this.#deps.place().baseDomain === null;
    const [first] = !needsHost ? [] : await listHosts(this.#deps.storage.read, [row.id]);
    return this.#toWorkspace(row, first?.host);
  }

  /** The address is made from the configuration, never from a request: a forged Host would otherwise end up in mails. */
  #toWorkspace(row: WorkspaceRow, alias?: string): Workspace {
    const { publicUrl, baseDomain } = this.#deps.place();
    const url = new URL(publicUrl);
    if (row.is_default === 0)
      url.hostname = baseDomain === null ? (alias ?? url.hostname) : `${row.subdomain}.${baseDomain}`;
    return {
      id: row.id,
      name: row.name,
      subdomain: row.subdomain,
      isDefault: row.is_default === 1,
      url: url.origin,
    };
  }
}

export function createWorkspacesService(deps: Deps): WorkspacesService {
  return new Workspaces(deps);
}
