// What every screen is given.

export interface ScreenProps {
  /** The parts of the address that stand for `:names` in the pattern. */
  params: Record<string, string>;
}
