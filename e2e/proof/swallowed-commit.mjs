// A negative control: the server takes a commit that the disk has refused for one that was made, and says so.
import { DatabaseSync } from 'node:sqlite';

const { prepare, exec } = DatabaseSync.prototype;

DatabaseSync.prototype.prepare = function prepareCareless(sql, ...rest) {
  const statement = prepare.call(this, sql, ...rest);
  if (sql !== 'commit') return statement;
  const run = () => {
    try {
      return statement.run();
    } catch {
      // What SQLite has not rolled back by itself would keep the next change from its beginning.
      if (this.isTransaction) exec.call(this, 'rollback');
      return { changes: 0, lastInsertRowid: 0 };
    }
  };
  return { columns: () => [], run, all: run };
};
