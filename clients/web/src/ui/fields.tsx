// What people fill in: a line of text, a longer text, one of many, yes or no.

import {
  type InputHTMLAttributes,
  type ReactNode,
  type SelectHTMLAttributes,
  type TextareaHTMLAttributes,
  useId,
} from "react";
import { useFault } from "./Form";
import styles from "./Form.module.css";

interface Labelled {
  label: string;
  hint?: ReactNode;
}

export function TextField({ label, hint, ...rest }: Labelled & InputHTMLAttributes<HTMLInputElement>) {
  return (
    <Frame label={label} hint={hint} name={rest.name}>
      {(aria) => <input type="text" className={styles.input} {...rest} {...aria} />}
    </Frame>
  );
}

export function LongTextField({ label, hint, ...rest }: Labelled & TextareaHTMLAttributes<HTMLTextAreaElement>) {
  return (
    <Frame label={label} hint={hint} name={rest.name}>
      {(aria) => <textarea className={styles.input} {...rest} {...aria} />}
    </Frame>
  );
}

/** What can be chosen, and how it is called. */
export type Options<T extends string> = readonly (readonly [value: T, name: string])[];

interface SelectFieldProps<T extends string>
  extends Labelled,
    Omit<SelectHTMLAttributes<HTMLSelectElement>, "onChange" | "value"> {
  options: Options<T>;
  value: T;
  onChange: (value: T) => void;
}

export function SelectField<T extends string>({ label, hint, options, value, onChange, ...rest }: SelectFieldProps<T>) {
  const choose = (chosen: string) => {
    const option = options.find(([each]) => each === chosen);
    if (option) onChange(option[0]);
  };
  return (
    <Frame label={label} hint={hint} name={rest.name}>
      {(aria) => (
        <select
          className={styles.input}
          value={value}
          onChange={(event) => choose(event.target.value)}
          {...rest}
          {...aria}
        >
          {options.map(([each, name]) => (
            <option key={each} value={each}>
              {name}
            </option>
          ))}
        </select>
      )}
    </Frame>
  );
}

interface ChoicesProps<T extends string> {
  legend: string;
  /** Value, name, and a sentence about it, which may be empty. */
  options: readonly (readonly [value: T, name: string, about: string])[];
  value: T;
  onChange: (value: T) => void;
}

/** One of a few, all of which are to be seen and explained. */
export function Choices<T extends string>({ legend, options, value, onChange }: ChoicesProps<T>) {
  const group = useId();
  return (
    <fieldset className={styles.choices}>
      <legend>{legend}</legend>
      {options.map(([each, name, about]) => (
        <label key={each} className={styles.choice}>
          <input type="radio" name={group} value={each} checked={each === value} onChange={() => onChange(each)} />
          <span>
            <strong>{name}</strong>
            {about && <span className={styles.hint}>{about}</span>}
          </span>
        </label>
      ))}
    </fieldset>
  );
}

interface SwitchProps {
  label: string;
  hint?: ReactNode;
  checked: boolean;
  onChange: (checked: boolean) => void;
  disabled?: boolean;
}

export function Switch({ label, hint, checked, onChange, disabled = false }: SwitchProps) {
  return (
    <label className={styles.switch}>
      <input
        type="checkbox"
        role="switch"
        aria-checked={checked}
        checked={checked}
        disabled={disabled}
        onChange={(event) => onChange(event.target.checked)}
      />
      <span>
        <strong>{label}</strong>
        {hint && <span className={styles.hint}>{hint}</span>}
      </span>
    </label>
  );
}

interface Aria {
  id: string;
  "aria-invalid": boolean | undefined;
  "aria-describedby": string | undefined;
}

interface FrameProps extends Labelled {
  name: string | undefined;
  children: (aria: Aria) => ReactNode;
}

function Frame({ label, hint, name = "", children }: FrameProps) {
  const id = useId();
  const fault = useFault(name);
  const hintId = hint ? `${id}hint` : undefined;
  return (
    <div className={styles.field}>
      <label className={styles.label} htmlFor={id}>
        {label}
      </label>
      {children({ id, "aria-invalid": fault !== "" || undefined, "aria-describedby": hintId })}
      {hint && (
        <span className={styles.hint} id={hintId}>
          {hint}
        </span>
      )}
    </div>
  );
}
