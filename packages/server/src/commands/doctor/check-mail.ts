import { resolveMx } from 'node:dns/promises';
import { createMailTransport } from '../../features/notices/index.ts';
import { type Check, codeOf, type Finding, fault, warning } from './check.ts';
import { isLoopbackHost } from './check-config.ts';

const CODES = {
  login: ['mail.login_refused', 'Check the user and the password in KEYREEVE_SMTP_URL.'],
  tls: [
    'mail.tls',
    'The mail server must offer TLS with a certificate for its name that this machine trusts (NODE_EXTRA_CA_CERTS for one of your own).',
  ],
  connection: ['mail.unreachable', 'Check host and port in KEYREEVE_SMTP_URL, and the firewall.'],
} as const;

/** The SMTP dialogue up to where a mail would begin. */
export const mailCheck: Check = {
  name: 'mail',
  run: async ({ config }) => {
    const transport = createMailTransport(config);
    if (transport === null || config.smtpUrl === null)
      return 'no SMTP server is set; mails go to the local mailbox';
    const { hostname } = new URL(config.smtpUrl.reveal());
    const findings: Finding[] = [];
    const refusal = await transport.verify();
    if (refusal !== null) {
      const [code, remedy] = CODES[refusal.kind];
      findings.push(fault(code, `The mail server ${hostname} cannot be used: ${refusal.reason}.`, remedy));
    }
    // A relay on this machine is set up by whoever set up the sender.
    if (!isLoopbackHost(hostname)) findings.push(...(await judgeSender(config.mailFrom)));
    return findings;
  },
};

async function judgeSender(address: string): Promise<Finding[]> {
  const domain = address.split('@')[1] ?? '';
  const remedy = 'Set KEYREEVE_MAIL_FROM to an address of a domain for which your mail server may send.';
  if (!domain.includes('.') || /\.(local|localhost|internal|invalid|test)$/.test(domain))
    return [warning('mail.sender_local', `The sender ${address} has no domain that others know.`, remedy)];
  try {
    await resolveMx(domain);
    return [];
  } catch (error) {
    // Anything else says more about the resolver here than about the domain.
    if (codeOf(error) !== 'ENOTFOUND') return [];
    return [warning('mail.sender_unknown', `The domain of the sender ${address} does not exist.`, remedy)];
  }
}
