// A form that sends itself to the mesh, and says beside which field it failed.

import { createContext, type FormEvent, type ReactNode, useContext } from "react";
import { fieldOf, sentenceOf } from "../api/failures";
import { useDeed } from "../app/deed";
import { Button } from "./Button";
import styles from "./Form.module.css";
import { Notice } from "./Notice";

/** What is wrong with which field, by the last part of the name the contract has for it. */
interface Fault {
  readonly field: string;
  readonly sentence: string;
}

const FaultContext = createContext<Fault | null>(null);

interface FormProps {
  /** Sends what was filled in; what it throws is told to the person. */
  send: (fields: FormFields) => Promise<unknown>;
  /** What the button says. */
  button: string;
  look?: "main" | "danger";
  children: ReactNode;
  /** Beside the button. */
  besides?: ReactNode;
}

/** What was filled in, by the names of the fields. */
export type FormFields = (name: string) => string;

export function Form({ send, button, look = "main", children, besides }: FormProps) {
  const deed = useDeed();
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    void deed.run(() => send((name) => String(data.get(name) ?? "")));
  };
  const fault = deed.error === undefined ? null : { field: fieldOf(deed.error), sentence: sentenceOf(deed.error) };
  const shown = fault?.field.split(".").at(-1) ?? "";
  return (
    <FaultContext value={fault && { ...fault, field: shown }}>
      <form className={styles.form} onSubmit={submit}>
        {children}
        {fault && <Notice kind="bad" text={fault.sentence} />}
        <div className={styles.actions}>
          <Button type="submit" look={look} disabled={deed.busy} aria-busy={deed.busy}>
            {button}
          </Button>
          {besides}
        </div>
      </form>
    </FaultContext>
  );
}

/** What is wrong with the field of this name; empty where nothing is. */
export function useFault(name: string): string {
  const fault = useContext(FaultContext);
  return fault && name !== "" && fault.field === name ? fault.sentence : "";
}
