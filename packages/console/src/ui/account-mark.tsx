import { IconRobotFace } from '@tabler/icons-react';
import { initialsOf } from '../format/initials.ts';
import classes from './account-mark.module.css';

/** A round mark with initials for a person, a rounded square for a program. Decorative: the name stands beside. */
export function AccountMark(props: {
  readonly name: string;
  readonly kind: string;
  readonly isDisabled?: boolean;
}) {
  const isService = props.kind !== 'user';
  return (
    <span
      aria-hidden
      className={classes.mark}
      data-service={isService || undefined}
      data-disabled={props.isDisabled === true || undefined}
    >
      {isService ? <IconRobotFace size={16} stroke={1.75} /> : initialsOf(props.name)}
    </span>
  );
}

/** Mark and name in one line; the name may be in any script and direction. */
export function AccountName(props: {
  readonly name: string;
  readonly kind: string;
  readonly isDisabled?: boolean;
}) {
  return (
    <span className={classes.name}>
      <AccountMark {...props} />
      <bdi className="kr-truncate" title={props.name} data-truncate>
        {props.name}
      </bdi>
    </span>
  );
}
