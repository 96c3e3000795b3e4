import { describe, expect, test } from 'vitest';
import { describeAgent } from './agent.ts';

const CHROME = 'AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0';

describe('the program behind a request', () => {
  test.each([
    ['NuGet Command Line/6.12.1 (Microsoft Windows NT 10.0.20348.0)', 'NuGet 6.12'],
    ['NuGet .NET Core MSBuild Task/6.11.0 (Linux, .NET Standard Client)', 'NuGet 6.11'],
    ['NuGet xplat/7.0.0-rc.1 (Linux)', 'NuGet 7.0'],
    ['PowerShellGet/2.2.5', 'PowerShellGet 2.2.5'],
    ['PSResourceGet/1.1.1 PowerShell/7.4.6 (Linux)', 'PSResourceGet 1.1'],
    ['Mozilla/5.0 (Windows NT; Windows NT 10.0; en-US) WindowsPowerShell/5.1.19041.4522', 'PowerShell 5.1'],
    ['Mozilla/5.0 (Linux; Debian GNU/Linux 12; en-US) PowerShell/7.4.6', 'PowerShell 7.4'],
    ['curl/8.5.0', 'curl 8.5'],
    ['curl', 'curl'],
    ['Wget/1.21.3', 'Wget 1.21'],
    ['python-requests/2.31.0', 'Python requests 2.31'],
    ['Python-urllib/3.11', 'Python urllib 3.11'],
    ['Go-http-client/1.1', 'Go'],
    ['node', 'Node.js'],
    ['keyreeve-cli/0.1.0', 'keyreeve CLI 0.1'],
    ['keyreeve', 'keyreeve CLI'],
    ['nuget', 'NuGet'],
  ])('%s is %s', (agent, words) => {
    expect(describeAgent(agent)).toBe(words);
  });

  test.each([
    ['Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0', 'Firefox 145, Linux'],
    [`Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${CHROME} Safari/537.36`, 'Chrome 156, Windows'],
    [`Mozilla/5.0 (Windows NT 10.0) ${CHROME} Safari/537.36 Edg/156.0.3000.1`, 'Edge 156, Windows'],
    [`Mozilla/5.0 (Linux; Android 15; Pixel 9) ${CHROME} Mobile Safari/537.36`, 'Chrome 156, Android'],
    [`Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) ${CHROME} Safari/537.36`, 'Chrome 156, ChromeOS'],
    [
      'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Safari/605.1.15',
      'Safari 26, macOS',
    ],
    [
      'Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1',
      'Safari 26, iOS',
    ],
    ['Mozilla/5.0 Firefox/145.0', 'Firefox 145'],
  ])('%s is %s', (agent, words) => {
    expect(describeAgent(agent)).toBe(words);
  });

  test('that nobody knows is told by its first word', () => {
    expect(describeAgent('acme-deployer/3.2.1 (build 77)')).toBe('acme-deployer/3.2.1');
    expect(describeAgent('Mozilla/5.0 (compatible; Odd)')).toBe('Mozilla/5.0');
    expect(describeAgent('')).toBe('');
  });
});

describe('a header that was written to deceive', () => {
  test.each([
    ['\u202egnp.exe', 'gnp.exe'],
    ['a\u0000b\u001b[2Jc', 'ab[2Jc'],
    ['\u200b\u2066 \n', ''],
    ['curl/8.5\u202e.0', 'curl 8.5'],
    ['curl/<script>alert(1)</script>', 'curl'],
  ])('shows nothing that cannot be seen: %j', (agent, words) => {
    expect(describeAgent(agent)).toBe(words);
  });

  test.each(['x'.repeat(100_000), '👩‍💻'.repeat(500), `NuGet/${'9'.repeat(500)}`, 'a '.repeat(300)])(
    'is short, whatever its length',
    (agent) => {
      const words = describeAgent(agent);
      expect(words.length).toBeLessThanOrEqual(40);
      expect(words.isWellFormed()).toBe(true);
    },
  );

  test('is cut between characters, with a sign that it was', () => {
    expect(describeAgent('x'.repeat(41))).toBe(`${'x'.repeat(39)}…`);
    expect(describeAgent('x'.repeat(40))).toBe('x'.repeat(40));
    expect(describeAgent('👩‍💻'.repeat(20))).toBe(`${'👩‍💻'.repeat(7)}…`);
  });
});
