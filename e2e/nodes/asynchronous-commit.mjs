// The negative control: the server asks for durable commits, and PostgreSQL is asked for the opposite. If a crash of
// the database then took nothing with it, the test of the real setting would prove nothing either.
import pg from 'pg';

const { prototype } = pg.Client;
const { value: query } = Object.getOwnPropertyDescriptor(prototype, 'query');

prototype.query = function queryAsynchronously(text, ...rest) {
  const changed =
    typeof text === 'string' ? text.replace('synchronous_commit = on', 'synchronous_commit = off') : text;
  return query.call(this, changed, ...rest);
};
