/** The mark: a K whose upper arm ends in the bow of a key. */
export function Mark(props: { readonly size: number }) {
  return (
    <svg viewBox="0 0 24 24" width={props.size} height={props.size} aria-hidden focusable="false">
      <rect
        width="24"
        height="24"
        rx="6"
        fill="light-dark(var(--mantine-color-reeve-8), var(--mantine-color-reeve-6))"
      />
      <g fill="none" stroke="#fff" strokeLinecap="round" strokeLinejoin="round">
        <path d="M8 5.5v13M8 13.6l4.6-3.4M10.6 12l5.6 6.5" strokeWidth="2" />
        <circle cx="14.9" cy="8.4" r="2.6" strokeWidth="1.8" />
      </g>
    </svg>
  );
}
