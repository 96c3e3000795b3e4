/** One line that ends in `…` when it is too long; the whole text stands in the title. */
export function Truncate(props: {
  readonly text: string;
  readonly className?: string;
  readonly isMono?: boolean;
}) {
  const names = ['kr-truncate', props.isMono === true ? 'kr-mono' : '', props.className ?? ''];
  return (
    <bdi className={names.filter((name) => name !== '').join(' ')} title={props.text} data-truncate>
      {props.text}
    </bdi>
  );
}
