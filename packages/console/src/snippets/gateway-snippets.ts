import { command, comment, literal, plain, type SnippetContext, type SnippetPart } from './parts.ts';

// Without these nginx sends the callers' keys to whoever answers under the name.
const VERIFY_CERTIFICATE = [
  '    proxy_ssl_server_name on;',
  '    proxy_ssl_verify on;',
  '    proxy_ssl_trusted_certificate /etc/ssl/certs/ca-certificates.crt;',
  '',
].join('\n');

/** The callers bring their own keys, so the text holds none. */
export function nginxSnippet({ url, words }: SnippetContext): readonly SnippetPart[] {
  return [
    comment(`# ${words.gateway}\n`),
    plain('location /api/ {\n    '),
    command('auth_request'),
    plain(' /keyreeve;\n    '),
    command('auth_request_set'),
    plain(' $keyreeve_account $upstream_http_x_keyreeve_account;\n'),
    plain('    proxy_set_header X-Keyreeve-Account $keyreeve_account;\n'),
    plain('    proxy_pass '),
    literal('http://127.0.0.1:3000'),
    plain(';\n}\n\nlocation = /keyreeve {\n    internal;\n'),
    comment(`    # ${words.gatewayAction}\n`),
    plain('    proxy_pass '),
    literal(`${url}/v1/authorize`),
    plain(';\n    proxy_pass_request_body off;\n    proxy_set_header Content-Length '),
    literal('""'),
    plain(`;\n${url.startsWith('https:') ? VERIFY_CERTIFICATE : ''}}`),
  ];
}
