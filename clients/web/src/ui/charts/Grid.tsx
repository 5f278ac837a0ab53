// The lines and words behind a chart: round values at its side, some names below.

import styles from "./Chart.module.css";
import type { Column } from "./Frame";

export const HEIGHT = 200;
export const LEFT = 38;
const TOP = 10;
const BOTTOM = 26;
/** About as wide as a letter of a name is, and the room between two names. */
const LETTER = 7.5;
const GAP = 14;

/** How far down a value stands. */
export function yOf(value: number, most: number): number {
  return TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / most);
}

/** Where the middle of a column is. */
export function xOf(index: number, count: number, width: number): number {
  return LEFT + ((width - LEFT) * (index + 0.5)) / count;
}

interface GridProps {
  width: number;
  ticks: readonly number[];
  columns: readonly Column[];
  write: (value: number) => string;
}

export function Grid({ width, ticks, columns, write }: GridProps) {
  const most = ticks.at(-1) ?? 1;
  const widest = LETTER * Math.max(...columns.map(({ name }) => name.length));
  const every = Math.max(1, Math.ceil((columns.length * (widest + GAP)) / Math.max(1, width - LEFT)));
  // Below its column, but no further than the picture goes.
  const nameAt = (index: number) => Math.min(xOf(index, columns.length, width), width - widest / 2);
  return (
    <g className={styles.grid}>
      {ticks.map((tick) => (
        <g key={tick}>
          <line x1={LEFT} x2={width} y1={yOf(tick, most)} y2={yOf(tick, most)} />
          <text x={LEFT - 8} y={yOf(tick, most)} dy="0.35em" textAnchor="end">
            {write(tick)}
          </text>
        </g>
      ))}
      {columns.map((column, index) =>
        (columns.length - 1 - index) % every === 0 ? (
          <text key={column.name} x={nameAt(index)} y={HEIGHT - 6} textAnchor="middle">
            {column.name}
          </text>
        ) : null,
      )}
    </g>
  );
}
