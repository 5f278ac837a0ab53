// A part of a screen that belongs together, under a heading.

import { type ReactNode, useId } from "react";
import styles from "./Card.module.css";

interface CardProps {
  title: string;
  /** A sentence under the heading. */
  about?: ReactNode;
  children?: ReactNode;
}

export function Card({ title, about, children }: CardProps) {
  const id = useId();
  return (
    <section className={styles.card} aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {about && <p className={styles.about}>{about}</p>}
      {children}
    </section>
  );
}
