// The scale of a chart: where its lines are drawn, and how high a value stands.

/** Round numbers from 0 up to the first that no value passes, two to five of them. */
export function ticksUpTo(most: number): number[] {
  const goal = Math.max(most, 1) / 4;
  const power = 10 ** Math.floor(Math.log10(goal));
  const step = ([1, 2, 5, 10].find((each) => each * power >= goal) ?? 10) * power;
  const count = Math.ceil(Math.max(most, 1) / step - 1e-9);
  return Array.from({ length: count + 1 }, (_, index) => Number((index * step).toPrecision(6)));
}
