// One value over time as a curve; where nothing was measured there is no point, and the curve goes on to the next.

import type { ChartProps } from "./Bars";
import styles from "./Chart.module.css";
import { Frame } from "./Frame";
import { Grid, HEIGHT, xOf, yOf } from "./Grid";
import { ticksUpTo } from "./scale";

export function Curve(props: ChartProps) {
  const { columns, write } = props;
  const ticks = ticksUpTo(Math.max(0, ...columns.map((each) => each.values[0] ?? 0)));
  const most = ticks.at(-1) ?? 1;
  const measured = columns
    .map((column, index) => ({ name: column.name, index, value: column.values[0] ?? 0 }))
    .filter(({ value }) => value > 0);
  return (
    <Frame {...props} height={HEIGHT}>
      {(width) => {
        const points = measured.map(
          ({ index, value }) => [xOf(index, columns.length, width), yOf(value, most)] as const,
        );
        return (
          <>
            <Grid width={width} ticks={ticks} columns={columns} write={write} />
            <polyline className={styles.curve} points={points.map((point) => point.join(",")).join(" ")} />
            {points.map(([x, y]) => (
              <circle key={x} className={styles.part0} cx={x} cy={y} r="3.5" />
            ))}
          </>
        );
      }}
    </Frame>
  );
}
