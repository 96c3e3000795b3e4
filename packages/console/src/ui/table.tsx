import { IconArrowDown, IconArrowUp } from '@tabler/icons-react';
import { memo, type ReactNode } from 'react';
import { useWords } from '../i18n/words.tsx';
import classes from './table.module.css';
import { uiWords } from './ui.words.ts';

export interface Column<Row> {
  readonly id: string;
  readonly header: string;
  readonly cell: (row: Row) => ReactNode;
  /** The name by which the list sorts; without one the head is no button. */
  readonly sort?: string;
  /** A CSS width, for instance `22%` or `160px`. */
  readonly width?: string;
  /** Numbers that are compared stand right. */
  readonly isNumeric?: boolean;
  /** On a telephone: `title` stands on top of the card, `aside` below it, `last` at its end, `none` is left out. */
  readonly narrow?: 'title' | 'aside' | 'last' | 'none';
}

export interface Sorting {
  readonly sort: string;
  readonly order: 'asc' | 'desc';
}

interface TableProps<Row> {
  /** What the table lists, for people who do not see it. */
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  readonly sorting?: Sorting;
  readonly onSort?: (sorting: Sorting) => void;
  readonly isDimmed?: (row: Row) => boolean;
  /** The last cell of a row; see RowActions. */
  readonly actions?: (row: Row) => ReactNode;
  readonly actionsHeader?: string;
  /** For more icons than three, for instance `152px`. */
  readonly actionsWidth?: string;
}

/**
 * A table of hairlines. On a telephone each row becomes a card with label above value; the roles are written out,
 * because browsers drop those of a table that is not drawn as one.
 */
export function Table<Row>(props: TableProps<Row>) {
  const { label, columns, rows, keyOf, isDimmed, actions } = props;
  return (
    <table className={classes.table} role="table" aria-label={label}>
      <thead role="rowgroup" className={classes.head}>
        <tr role="row">
          {columns.map((column) => (
            <Head key={column.id} column={column} sorting={props.sorting} onSort={props.onSort} />
          ))}
          {actions !== undefined && (
            <th
              role="columnheader"
              scope="col"
              className={classes.actionsHead}
              style={props.actionsWidth === undefined ? {} : { width: props.actionsWidth }}
            >
              <span className="kr-visually-hidden">{props.actionsHeader}</span>
            </th>
          )}
        </tr>
      </thead>
      <tbody role="rowgroup">
        {rows.map((row) => (
          <BodyRow
            key={keyOf(row)}
            row={row}
            columns={columns}
            actions={actions}
            isDimmed={isDimmed?.(row) === true}
          />
        ))}
      </tbody>
    </table>
  );
}

interface BodyRowProps<Row> {
  readonly row: Row;
  readonly columns: readonly Column<Row>[];
  readonly actions: ((row: Row) => ReactNode) | undefined;
  readonly isDimmed: boolean;
}

function PlainBodyRow<Row>({ row, columns, actions, isDimmed }: BodyRowProps<Row>) {
  return (
    <tr role="row" data-dimmed={isDimmed || undefined}>
      {columns.map((column) => (
        <td
          key={column.id}
          role="cell"
          data-label={column.header}
          data-narrow={column.narrow}
          data-numeric={column.isNumeric === true || undefined}
        >
          {column.cell(row)}
        </td>
      ))}
      {actions !== undefined && (
        <td role="cell" className={classes.actions}>
          {actions(row)}
        </td>
      )}
    </tr>
  );
}

/** Drawn anew only when its row is another one; a list of hundreds keeps `columns` and `actions` the same for it. */
const BodyRow = memo(PlainBodyRow) as typeof PlainBodyRow;

function Head<Row>(props: {
  readonly column: Column<Row>;
  readonly sorting: Sorting | undefined;
  readonly onSort: ((sorting: Sorting) => void) | undefined;
}) {
  const { column, sorting, onSort } = props;
  const { t } = useWords(uiWords);
  const { sort } = column;
  const style = column.width === undefined ? {} : { width: column.width };
  if (sort === undefined || onSort === undefined) {
    return (
      <th role="columnheader" scope="col" style={style} data-numeric={column.isNumeric === true || undefined}>
        {column.header}
      </th>
    );
  }
  const isSorted = sorting?.sort === sort;
  const isAscending = isSorted && sorting.order === 'asc';
  const Arrow = isAscending ? IconArrowUp : IconArrowDown;
  return (
    <th
      role="columnheader"
      scope="col"
      style={style}
      aria-sort={isSorted ? (isAscending ? 'ascending' : 'descending') : 'none'}
      data-numeric={column.isNumeric === true || undefined}
    >
      <button
        type="button"
        className={classes.sort}
        data-sorted={isSorted || undefined}
        onClick={() => onSort({ sort, order: isAscending ? 'desc' : 'asc' })}
      >
        {column.header}
        {isSorted && (
          <Arrow size={14} stroke={2} aria-label={isAscending ? t('sortAscending') : t('sortDescending')} />
        )}
      </button>
    </th>
  );
}
