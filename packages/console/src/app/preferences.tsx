import {
  ActionIcon,
  Group,
  SegmentedControl,
  Tooltip,
  useComputedColorScheme,
  useMantineColorScheme,
} from '@mantine/core';
import { IconMoon, IconSun } from '@tabler/icons-react';
import { chooseLanguage } from '../i18n/i18n.ts';
import { useWords } from '../i18n/words.tsx';
import { shellWords } from './shell/shell.words.ts';

/** Language and light/dark; both are remembered on this device. */
export function Preferences() {
  const { t, language } = useWords(shellWords);
  const { setColorScheme } = useMantineColorScheme();
  const isDark = useComputedColorScheme('light') === 'dark';
  const label = isDark ? t('toLight') : t('toDark');
  return (
    <Group gap="xs" justify="space-between" wrap="nowrap">
      <SegmentedControl
        size="xs"
        aria-label={t('language')}
        value={language}
        onChange={(value) => void chooseLanguage(value)}
        data={[
          { value: 'en', label: <span lang="en">English</span> },
          { value: 'ja', label: <span lang="ja">日本語</span> },
        ]}
      />
      <Tooltip label={label}>
        <ActionIcon aria-label={label} onClick={() => setColorScheme(isDark ? 'light' : 'dark')}>
          {isDark ? <IconSun size={18} stroke={1.75} /> : <IconMoon size={18} stroke={1.75} />}
        </ActionIcon>
      </Tooltip>
    </Group>
  );
}
