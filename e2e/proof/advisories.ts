/**
 * Advisories about packages that this product stands on, or has thought of, with the first version that is mended.
 * Looked through on 2026-11-22; `npm audit` asks for all others, where a registry answers it.
 */
export const ADVISORIES: readonly {
  readonly name: string;
  readonly mendedIn: string;
  readonly id: string;
}[] = [
  { name: 'fastify', mendedIn: '5.3.2', id: 'CVE-2025-32442' },
  { name: 'fastify', mendedIn: '5.7.2', id: 'CVE-2026-25223' },
  { name: 'fastify', mendedIn: '5.8.5', id: 'CVE-2026-33806 and CVE-2026-3635' },
  { name: 'nodemailer', mendedIn: '7.0.7', id: 'CVE-2025-13033' },
  { name: 'nodemailer', mendedIn: '7.0.11', id: 'CVE-2025-14874' },
  { name: 'fast-xml-parser', mendedIn: '4.1.2', id: 'CVE-2023-26920' },
  { name: 'hono', mendedIn: '4.11.4', id: 'CVE-2026-22817' },
];
