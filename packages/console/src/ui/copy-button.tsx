import { ActionIcon, Tooltip } from '@mantine/core';
import { useTimeout } from '@mantine/hooks';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import { useState } from 'react';
import { useWords } from '../i18n/words.tsx';
import { copyText } from './clipboard.ts';
import { notifyProblem } from './notify.tsx';
import { uiWords } from './ui.words.ts';

const COPIED_MS = 2_000;

/** Copies a public text, for instance an API key. `label` says what: "Copy API key". */
export function CopyIcon(props: {
  readonly text: string;
  readonly label: string;
  readonly className?: string;
}) {
  const { t } = useWords(uiWords);
  const [isCopied, setCopied] = useState(false);
  const { start } = useTimeout(() => setCopied(false), COPIED_MS);
  const copy = async () => {
    const done = await copyText(props.text);
    setCopied(done);
    if (done) start();
    else notifyProblem(t('copyFailed'));
  };
  return (
    <Tooltip label={isCopied ? t('copied') : props.label}>
      <ActionIcon className={props.className ?? ''} aria-label={props.label} onClick={() => void copy()}>
        {isCopied ? <IconCheck size={16} stroke={1.75} /> : <IconCopy size={16} stroke={1.75} />}
      </ActionIcon>
    </Tooltip>
  );
}
