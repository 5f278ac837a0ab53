// The latest correction, for a while, where there is no room for all of them. It takes no focus and stops nothing.

import { useEffect, useState } from "react";
import type { Slip } from "../../call/talk";
import styles from "./SlipToast.module.css";

const SHOWN_MS = 7000;

export function SlipToast({ slips }: { slips: readonly Slip[] }) {
  const [read, setRead] = useState(0);
  useEffect(() => {
    const timer = setTimeout(() => setRead(slips.length), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [slips]);
  const latest = slips.at(-1)?.correction;
  if (!latest || read >= slips.length) return null;
  return (
    <p className={styles.toast}>
      <del>{latest.said}</del> <strong>{latest.better}</strong>
    </p>
  );
}
