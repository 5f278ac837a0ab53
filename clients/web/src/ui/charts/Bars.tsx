// Bars side by side, each of one or more parts on top of each other.

import styles from "./Chart.module.css";
import { type Column, Frame } from "./Frame";
import { Grid, HEIGHT, LEFT, xOf, yOf } from "./Grid";
import { ticksUpTo } from "./scale";

export interface ChartProps {
  title: string;
  about?: string;
  summary: string;
  series: readonly string[];
  columns: readonly Column[];
  write: (value: number) => string;
  axis: string;
}

export function Bars(props: ChartProps) {
  const { columns, series, write } = props;
  const ticks = ticksUpTo(Math.max(0, ...columns.map(sumOf)));
  const most = ticks.at(-1) ?? 1;
  return (
    <Frame {...props} height={HEIGHT}>
      {(width) => {
        const thick = Math.max(2, Math.min(36, ((width - LEFT) / columns.length) * 0.64));
        return (
          <>
            <Grid width={width} ticks={ticks} columns={columns} write={write} />
            {columns.map((column, index) => (
              <g key={column.name}>
                {column.values.map((value, part) => {
                  const below = sumOf({ ...column, values: column.values.slice(0, part) });
                  const top = yOf(below + value, most);
                  return (
                    <rect
                      key={series[part]}
                      className={styles[`part${part}`]}
                      x={xOf(index, columns.length, width) - thick / 2}
                      y={top}
                      width={thick}
                      height={Math.max(0, yOf(below, most) - top)}
                      rx="2"
                    />
                  );
                })}
              </g>
            ))}
          </>
        );
      }}
    </Frame>
  );
}

function sumOf(column: Column): number {
  return column.values.reduce((sum, value) => sum + value, 0);
}
