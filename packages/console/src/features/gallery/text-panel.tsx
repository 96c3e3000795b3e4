import { Panel } from '../../ui/panel.tsx';
import classes from './gallery.module.css';

/** A text of the author as he parted it into lines. */
export function TextPanel(props: { readonly title: string; readonly text: string }) {
  return (
    <Panel title={props.title}>
      <div className={classes.lines} dir="auto">
        {props.text}
      </div>
    </Panel>
  );
}
