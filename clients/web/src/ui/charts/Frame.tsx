// What every chart has: a title, a picture as wide as there is room, and the same as a table.

import { type ReactNode, useEffect, useId, useRef, useState } from "react";
import { useText } from "../../i18n/text";
import { Card } from "../Card";
import styles from "./Chart.module.css";

export interface Column {
  /** What stands below it. */
  readonly name: string;
  /** One value for each series. */
  readonly values: readonly number[];
}

interface FrameProps {
  title: string;
  about?: string;
  /** What the picture tells, in a sentence. */
  summary: string;
  /** What the values of a column are. */
  series: readonly string[];
  columns: readonly Column[];
  /** A value as text. */
  write: (value: number) => string;
  /** What the columns are, such as "Week". */
  axis: string;
  height?: number;
  children: (width: number) => ReactNode;
}

export function Frame({ title, about, summary, series, columns, write, axis, height = 200, children }: FrameProps) {
  const say = useText();
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  const label = useId();
  useEffect(() => {
    const watched = box.current;
    if (!watched) return;
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry?.contentRect.width ?? 0)));
    observer.observe(watched);
    return () => observer.disconnect();
  }, []);
  return (
    <Card title={title} about={about}>
      <div ref={box} className={styles.box}>
        {width > 0 && (
          <svg width={width} height={height} role="img" aria-labelledby={label}>
            <title id={label}>{summary}</title>
            {children(width)}
          </svg>
        )}
      </div>
      {series.length > 1 && (
        <ul className={styles.key}>
          {series.map((each, part) => (
            <li key={each}>
              <span className={styles[`part${part}`]} />
              {each}
            </li>
          ))}
        </ul>
      )}
      <details className={styles.details}>
        <summary>{say("chart.asTable")}</summary>
        <table>
          <caption className="unseen">{title}</caption>
          <thead>
            <tr>
              <th scope="col">{axis}</th>
              {series.map((each) => (
                <th key={each} scope="col">
                  {each}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {columns.filter(happened).map((column) => (
              <tr key={column.name}>
                <th scope="row">{column.name}</th>
                {series.map((each, index) => (
                  <td key={each}>{write(column.values[index] ?? 0)}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </Card>
  );
}

function happened(column: Column): boolean {
  return column.values.some((value) => value > 0);
}
