// A button, and a link that looks like one.

import type { ComponentProps } from "react";
import { Link } from "../app/router";
import styles from "./Button.module.css";

/** `main` is the one thing to do here; `danger` takes something away; `plain` has no frame. */
export type Look = "normal" | "main" | "danger" | "plain";

interface ButtonProps extends ComponentProps<"button"> {
  look?: Look;
}

export function Button({ look = "normal", type = "button", className, ...rest }: ButtonProps) {
  return <button type={type} className={classes(look, className)} {...rest} />;
}

export function ButtonLink({ look = "normal", className, ...rest }: ComponentProps<typeof Link> & { look?: Look }) {
  return <Link className={classes(look, className)} {...rest} />;
}

function classes(look: Look, more = ""): string {
  return [styles.button, styles[look], more].filter(Boolean).join(" ");
}
