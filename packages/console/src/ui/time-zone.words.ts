import { defineWords } from '../i18n/words.tsx';

export const timeZoneWords = defineWords(
  'timeZone',
  {
    asWorkspace: 'As the workspace',
    asWorkspaceZone: 'As the workspace ({{zone}})',
    nothing: 'No such time zone',
    now: 'There it is {{instant}} now.',
  },
  {
    asWorkspace: 'ワークスペースと同じ',
    asWorkspaceZone: 'ワークスペースと同じ（{{zone}}）',
    nothing: '該当するタイムゾーンはありません',
    now: '現地の現在時刻：{{instant}}',
  },
);
