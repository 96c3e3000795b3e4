import { shellAddress, toHarmlessAddress } from '../../snippets/quoting.ts';

export type InstallClient = 'psresource' | 'install-module' | 'dotnet' | 'reference' | 'nuget';

interface Installed {
  /** Origin of the workspace. */
  readonly baseUrl: string;
  readonly id: string;
  readonly version: string;
  readonly kind: 'package' | 'module' | 'script';
  readonly isPrerelease: boolean;
  /** Everybody reads the gallery; else a client has to be given credentials. */
  readonly isOpen: boolean;
  readonly words: {
    /** Why the first command is there: once on each machine. */
    readonly register: string;
    readonly credentials: string;
  };
}

export interface InstallCommand {
  readonly client: InstallClient;
  readonly label: string;
  readonly text: string;
}

/** The name under which clients know this gallery. */
const NAME = 'Keyreeve';
// What the server takes at a push; whatever else came would be a part of a command that somebody runs.
const HARMLESS = /^[A-Za-z0-9._-]+$/;

function psresource({ url, id, version, isPrerelease, isOpen, words }: Parts): string {
  const credential = isOpen ? '' : ' -Credential (Get-Credential)';
  return [
    `# ${words.register}`,
    `Register-PSResourceRepository -Name ${NAME} -Uri '${url}/api/v2' -Trusted`,
    '',
    ...(isOpen ? [] : [`# ${words.credentials}`]),
    `Install-PSResource -Name ${id} -Version ${version}${isPrerelease ? ' -Prerelease' : ''} -Repository ${NAME}${credential}`,
  ].join('\n');
}

function installModule({ url, id, version, kind, isPrerelease, isOpen, words }: Parts): string {
  const credential = isOpen ? '' : ' -Credential (Get-Credential)';
  const scripts = kind === 'script' ? ` -ScriptSourceLocation '${url}/api/v2/items/psscript'` : '';
  const command = kind === 'script' ? 'Install-Script' : 'Install-Module';
  return [
    `# ${words.register}`,
    ...(isOpen ? [] : [`# ${words.credentials}`]),
    `Register-PSRepository -Name ${NAME} -SourceLocation '${url}/api/v2'${scripts} -InstallationPolicy Trusted${credential}`,
    '',
    `${command} -Name ${id} -RequiredVersion ${version}${isPrerelease ? ' -AllowPrerelease' : ''} -Repository ${NAME}${credential}`,
  ].join('\n');
}

function dotnet({ url, id, version, isOpen, words }: Parts): string {
  const index = shellAddress(`${url}/v3/index.json`);
  if (isOpen) return `dotnet add package ${id} --version ${version} --source ${index}`;
  return [
    `# ${words.register}: ${words.credentials}`,
    `dotnet nuget add source ${index} --name ${NAME} --username "$KEYREEVE_API_KEY" --password "$KEYREEVE_SECRET_KEY"`,
    '',
    `dotnet add package ${id} --version ${version}`,
  ].join('\n');
}

function reference({ id, version }: Parts): string {
  return `<PackageReference Include="${id}" Version="${version}" />`;
}

function nuget({ url, id, version, isOpen, words }: Parts): string {
  const index = shellAddress(`${url}/v3/index.json`);
  if (isOpen) return `nuget install ${id} -Version ${version} -Source ${index}`;
  return [
    `# ${words.register}: ${words.credentials}`,
    `nuget sources add -Name ${NAME} -Source ${index} -Username "$KEYREEVE_API_KEY" -Password "$KEYREEVE_SECRET_KEY"`,
    '',
    `nuget install ${id} -Version ${version} -Source ${NAME}`,
  ].join('\n');
}

type Parts = Installed & { readonly url: string };

const POWERSHELL = [
  { client: 'psresource', label: 'Install-PSResource', build: psresource },
  { client: 'install-module', label: 'Install-Module', build: installModule },
] as const;
const NUGET = [
  { client: 'dotnet', label: 'dotnet', build: dotnet },
  { client: 'reference', label: 'PackageReference', build: reference },
  { client: 'nuget', label: 'nuget', build: nuget },
] as const;

/** What one types to install exactly this version, for each client, those for which the package is made first. */
export function buildInstallCommands(installed: Installed): readonly InstallCommand[] {
  const { id, version, kind, baseUrl } = installed;
  if (!HARMLESS.test(id) || !HARMLESS.test(version)) return [];
  const parts = { ...installed, url: toHarmlessAddress(baseUrl) };
  const ways = kind === 'package' ? [...NUGET, ...POWERSHELL] : [...POWERSHELL, ...NUGET];
  return ways.map(({ client, label, build }) => ({
    client,
    label: client === 'install-module' && kind === 'script' ? 'Install-Script' : label,
    text: build(parts),
  }));
}
