import { type ComboboxItem, type OptionsFilter, Select } from '@mantine/core';
import { formatInstant } from '../format/dates.ts';
import { useWords } from '../i18n/words.tsx';
import { asFieldError } from './field-error.tsx';
import { timeZoneWords } from './time-zone.words.ts';
import { useNow } from './use-now.ts';

/** Stands for null: no zone has such a name. */
const AS_WORKSPACE = 'workspace';
const LISTED_MAX = 60;

/** The zones that this browser knows, UTC first; one that only the server knows stays what it is. */
function listZones(value: string | null): readonly string[] {
  const known = Intl.supportedValuesOf('timeZone').filter((zone) => zone !== 'UTC');
  const zones = ['UTC', ...known];
  return value === null || zones.includes(value) ? zones : [value, ...zones];
}

/** People type "new york" for America/New_York. */
function fold(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[\s_/-]+/g, ' ')
    .trim();
}

const filterZones: OptionsFilter = ({ options, search, limit }) => {
  const wanted = fold(search);
  const isFound = (option: ComboboxItem) => wanted === '' || fold(option.label).includes(wanted);
  return (options as ComboboxItem[]).filter(isFound).slice(0, limit);
};

function isKnownZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).format(0) !== '';
  } catch {
    return false;
  }
}

/** What the clocks of the zone say at this moment. */
export function ZoneNow({ zone }: { readonly zone: string }) {
  const { t, language } = useWords(timeZoneWords);
  const now = useNow();
  if (!isKnownZone(zone)) return null;
  return <>{t('now', { instant: formatInstant(now, language, { timeZone: zone }) })}</>;
}

/**
 * A time zone by its IANA name, found by typing. With `workspace` the choice may be left to the workspace, whose zone
 * it names; `true` where that is not known.
 */
export function TimeZoneField(props: {
  readonly label: string;
  readonly description?: string;
  readonly value: string | null;
  readonly onChange: (zone: string | null) => void;
  readonly error: string | null;
  readonly workspace?: string | true;
  readonly isChanged?: boolean;
}) {
  const { value, workspace } = props;
  const { t } = useWords(timeZoneWords);
  const ofWorkspace =
    workspace === undefined
      ? []
      : [
          {
            value: AS_WORKSPACE,
            label: workspace === true ? t('asWorkspace') : t('asWorkspaceZone', { zone: workspace }),
          },
        ];
  return (
    <Select
      label={props.label}
      description={props.description}
      inputWrapperOrder={['label', 'description', 'input', 'error']}
      searchable
      autoComplete="off"
      spellCheck={false}
      allowDeselect={false}
      nothingFoundMessage={t('nothing')}
      limit={LISTED_MAX}
      filter={filterZones}
      maxDropdownHeight={260}
      data-changed={props.isChanged === true || undefined}
      value={value ?? AS_WORKSPACE}
      error={asFieldError(props.error)}
      data={[...ofWorkspace, ...listZones(value).map((zone) => ({ value: zone, label: zone }))]}
      onChange={(zone) => {
        if (zone !== null) props.onChange(zone === AS_WORKSPACE ? null : zone);
      }}
    />
  );
}
