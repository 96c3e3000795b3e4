import {
  command,
  comment,
  heading,
  literal,
  plain,
  type SnippetContext,
  type SnippetPart,
  secret,
} from './parts.ts';
import { shellAddress } from './quoting.ts';

/** One line, since sh, PowerShell and cmd do not agree on how a line is continued. */
export function nugetSnippet(context: SnippetContext): readonly SnippetPart[] {
  const { url, isFromEnvironment, words } = context;
  return [
    heading(context, '#', words.push),
    command('nuget'),
    plain(' push MyPackage.1.0.0.nupkg -Source '),
    literal(shellAddress(`${url}/api/v2/package`)),
    plain(' -ApiKey '),
    isFromEnvironment ? literal('"${KEYREEVE_API_KEY}_${KEYREEVE_SECRET_KEY}"') : secret('fullKey'),
  ];
}

export function psresourceSnippet(context: SnippetContext): readonly SnippetPart[] {
  const { url, isFromEnvironment, words } = context;
  return [
    comment(`# ${words.register}\n`),
    command('Register-PSResourceRepository'),
    plain(' -Name Keyreeve -Uri '),
    literal(`'${url}/api/v2'`),
    plain(' -Trusted\n\n'),
    heading(context, '#', words.publish),
    command('Publish-PSResource'),
    plain(' -Path ./MyModule -Repository Keyreeve -ApiKey '),
    ...(isFromEnvironment
      ? [literal('"${env:KEYREEVE_API_KEY}_${env:KEYREEVE_SECRET_KEY}"')]
      : [literal("'"), secret('fullKey'), literal("'")]),
  ];
}

/** A step of a workflow. The key comes from the secrets of the repository, so the text holds none in either mode. */
export function githubSnippet({ url, words }: SnippetContext): readonly SnippetPart[] {
  return [
    comment(`# ${words.storeSecret}\n`),
    plain('- name: Push packages\n  shell: bash\n  env:\n    KEYREEVE_API_KEY: '),
    literal('${{ secrets.KEYREEVE_API_KEY }}'),
    plain('\n  run: >-\n    '),
    command('dotnet'),
    plain(' nuget push '),
    literal('"artifacts/*.nupkg"'),
    plain(' --skip-duplicate\n    --source '),
    literal(shellAddress(`${url}/api/v2/package`)),
    plain('\n    --api-key '),
    literal('"$KEYREEVE_API_KEY"'),
  ];
}
