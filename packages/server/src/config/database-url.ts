const PORT_DEFAULT = 5432;
const HOSTS_MAX = 8;

/** One server of several that hold the same database. */
export interface DatabaseHost {
  /** The whole address, with the password, for this server alone. */
  readonly url: string;
  /** `host:port`, for messages. */
  readonly name: string;
  readonly port: number;
}

/**
 * Takes `postgres://user:password@host1:5432,host2:5432/name?options` apart, as libpq writes several servers
 * (PostgreSQL manual 34.1.1.3), into one address for each. Faults name no part of the address.
 */
export function parseDatabaseUrl(text: string): {
  readonly hosts: readonly DatabaseHost[];
  readonly faults: readonly string[];
} {
  const [, scheme = '', authority = '', tail = ''] =
    /^(postgres(?:ql)?:\/\/)([^/?#]*)(.*)$/s.exec(text) ?? [];
  if (scheme === '')
    return { hosts: [], faults: ['must start with postgres:// (leave it empty for SQLite)'] };
  const at = authority.lastIndexOf('@') + 1;
  const places = authority.slice(at).split(',');
  const faults: string[] = [];
  if (places.length > HOSTS_MAX)
    faults.push(`names ${places.length} servers; at most ${HOSTS_MAX} may be named`);
  const hosts = places.map((place): DatabaseHost => {
    const [, host = '', portText = ''] = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/s.exec(place) ?? [];
    if (host === '' && places.length > 1) faults.push('has an empty place in its list of servers');
    const port = portText === '' ? PORT_DEFAULT : Number(portText);
    if (!(Number.isInteger(port) && port >= 1 && port <= 65_535)) {
      // What stands there may be the rest of a password with a slash in it.
      faults.push(
        'has a port that is not a whole number from 1 to 65535 (in a password, / is written as %2F and # as %23)',
      );
    }
    return { url: `${scheme}${authority.slice(0, at)}${place}${tail}`, name: `${host}:${port}`, port };
  });
  return { hosts, faults: [...new Set(faults)] };
}
