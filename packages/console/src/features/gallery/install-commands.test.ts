import { describe, expect, it } from 'vitest';
import { buildInstallCommands } from './install-commands.ts';

const WORDS = { register: 'once', credentials: 'key as user' };
const INSTALLED = {
  baseUrl: 'https://hayama.keys.example',
  id: 'Hayama.Tools',
  version: '1.2.3',
  kind: 'package',
  isPrerelease: false,
  isOpen: true,
  words: WORDS,
} as const;

const textOf = (client: string, more: Partial<Parameters<typeof buildInstallCommands>[0]> = {}) =>
  buildInstallCommands({ ...INSTALLED, ...more }).find((command) => command.client === client)?.text;

describe('the commands that install a package', () => {
  it('name exactly this version and this gallery, for each client', () => {
    expect(textOf('dotnet')).toBe(
      'dotnet add package Hayama.Tools --version 1.2.3 --source https://hayama.keys.example/v3/index.json',
    );
    expect(textOf('reference')).toBe('<PackageReference Include="Hayama.Tools" Version="1.2.3" />');
    expect(textOf('nuget')).toBe(
      'nuget install Hayama.Tools -Version 1.2.3 -Source https://hayama.keys.example/v3/index.json',
    );
    expect(textOf('psresource')).toBe(
      "# once\nRegister-PSResourceRepository -Name Keyreeve -Uri 'https://hayama.keys.example/api/v2' -Trusted\n\n" +
        'Install-PSResource -Name Hayama.Tools -Version 1.2.3 -Repository Keyreeve',
    );
    expect(textOf('install-module')).toBe(
      "# once\nRegister-PSRepository -Name Keyreeve -SourceLocation 'https://hayama.keys.example/api/v2' -InstallationPolicy Trusted\n\n" +
        'Install-Module -Name Hayama.Tools -RequiredVersion 1.2.3 -Repository Keyreeve',
    );
  });

  it('begin with those for which the package is made', () => {
    const first = (kind: 'package' | 'module' | 'script') =>
      buildInstallCommands({ ...INSTALLED, kind })[0]?.client;
    expect([first('package'), first('module'), first('script')]).toEqual([
      'dotnet',
      'psresource',
      'psresource',
    ]);
  });

  it('ask for prereleases by name, and install scripts as scripts', () => {
    const prerelease = { version: '2.0.0-rc.1', isPrerelease: true };
    expect(textOf('psresource', prerelease)).toContain('-Version 2.0.0-rc.1 -Prerelease');
    expect(textOf('install-module', prerelease)).toContain('-RequiredVersion 2.0.0-rc.1 -AllowPrerelease');
    const script = textOf('install-module', { kind: 'script' });
    expect(script).toContain("-ScriptSourceLocation 'https://hayama.keys.example/api/v2/items/psscript'");
    expect(script).toContain('Install-Script -Name Hayama.Tools');
  });

  it('bring credentials to a private gallery, and hold none', () => {
    const isOpen = false;
    expect(textOf('psresource', { isOpen })).toContain('-Credential (Get-Credential)');
    expect(textOf('install-module', { isOpen })).toContain('-Credential (Get-Credential)');
    for (const client of ['dotnet', 'nuget'])
      expect(textOf(client, { isOpen })).toContain('"$KEYREEVE_SECRET_KEY"');
  });

  it.each([
    { id: 'x; rm -rf ~' },
    { id: "a'b" },
    { version: '1.0.0 --source evil' },
    { version: '1.0.0`n' },
    { id: '' },
  ])('are not there for what no server takes: %j', (hostile) => {
    expect(buildInstallCommands({ ...INSTALLED, ...hostile })).toEqual([]);
  });

  it('take nothing of an address that a shell would look at', () => {
    expect(textOf('psresource', { baseUrl: "https://a.example/it's" })).toContain(
      "'https://a.example/it%27s/",
    );
  });
});
