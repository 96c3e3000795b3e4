import { Modal } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import type { ReactNode } from 'react';
import { useWords } from '../i18n/words.tsx';
import classes from './dialog.module.css';
import { useDialogOrder } from './dialog-order.ts';
import { uiWords } from './ui.words.ts';

/** Above the header and the navigation, below menus and tooltips. */
const LOWEST_LAYER = 200;
/** One press closes one dialog, also when that opens a question about it. */
const handledEscapes = new WeakSet<KeyboardEvent>();
const WIDTHS = { small: 456, medium: 720, large: 968 } as const;

export interface DialogProps {
  readonly isOpen: boolean;
  /** Null: it takes an answer, and is not closed in passing. */
  readonly onClose: (() => void) | null;
  /** The question or the act, naming the thing. */
  readonly title: ReactNode;
  readonly subtitle?: ReactNode;
  readonly size?: keyof typeof WIDTHS;
  /** Far left in the footer: the softer way out. */
  readonly aside?: ReactNode;
  /** Right in the footer: Cancel, then the verb. */
  readonly actions?: ReactNode;
  /** The content brings its own padding, for instance two columns. */
  readonly isFlush?: boolean;
  readonly children: ReactNode;
}

/** A dialog of one of three widths; on a telephone it takes the whole screen, its footer at the bottom. */
export function Dialog(props: DialogProps) {
  const isNarrow = useMediaQuery('(max-width: 48em)', undefined, { getInitialValueInEffect: false });
  const { t } = useWords(uiWords);
  const { level, isTop } = useDialogOrder(props.isOpen);
  const { onClose } = props;
  const isClosable = onClose !== null;
  return (
    <Modal
      opened={props.isOpen}
      onClose={() => onClose?.()}
      closeOnEscape={isTop && isClosable}
      closeOnClickOutside={isClosable}
      withCloseButton={isClosable}
      __handledEscapeEvents={handledEscapes}
      zIndex={LOWEST_LAYER + level}
      fullScreen={isNarrow}
      size={WIDTHS[props.size ?? 'small']}
      centered
      title={
        <>
          <span className={classes.title}>{props.title}</span>
          {props.subtitle !== undefined && <span className={classes.subtitle}>{props.subtitle}</span>}
        </>
      }
      closeButtonProps={{ 'aria-label': t('close') }}
      classNames={{
        content: classes.content ?? '',
        header: classes.header ?? '',
        body: classes.modalBody ?? '',
      }}
    >
      <div className={props.isFlush === true ? classes.flush : classes.body}>{props.children}</div>
      {(props.actions !== undefined || props.aside !== undefined) && (
        <div className={classes.footer}>
          <div className={classes.aside}>{props.aside}</div>
          <div className={classes.actions}>{props.actions}</div>
        </div>
      )}
    </Modal>
  );
}
