// The signs beside words: drawn in the colour of the text, and silent to screen readers.

const PATHS = {
  talk: "M12 15a3.5 3.5 0 0 0 3.5-3.5v-5a3.5 3.5 0 0 0-7 0v5A3.5 3.5 0 0 0 12 15ZM5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3",
  notebook: "M7 3.5h10a2 2 0 0 1 2 2v13a2 2 0 0 1-2 2H7M7 3.5v17M4.5 8H7M4.5 12H7M4.5 16H7M10.5 8.5h5M10.5 12h5",
  progress: "M4 20h16M6.5 20v-6M12 20V5M17.5 20v-9",
  history: "M4 12a8 8 0 1 0 2.6-5.9M4 4.5V8.5h4M12 8v4.4l3 1.8",
  settings:
    "M4 7h8M17 7h3M4 17h3M12 17h8M14.5 9.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5ZM9.5 19.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5Z",
  play: "M8 5.5v13l10.5-6.5Z",
  stop: "M7 7h10v10H7Z",
  slow: "M4 17.5h16M6 17.5c0-5 3-8 6.5-8s5 2.5 5 5H20M9 17.5a3 3 0 0 1 6 0",
  both: "M3.5 12h2.5l2-5 3 10 2-7 1.5 4h2l1.5-3 1 1h2",
  edit: "M4.5 19.5l1-4.2L15.8 5a1.7 1.7 0 0 1 2.4 0l.8.8a1.7 1.7 0 0 1 0 2.4L8.7 18.5Z",
  remove: "M5 7h14M9.5 7V4.5h5V7M7 7l1 12.5h8L17 7M10.5 10.5v5.5M13.5 10.5v5.5",
  search: "M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13ZM15.5 15.5 20 20",
  keep: "M7 4h10v16l-5-4-5 4Z",
  check: "M5 12.5l4.5 4.5L19 7.5",
  flame: "M12 3c1 3.5 5.5 5.5 5.5 11a5.5 5.5 0 0 1-11 0c0-2 1-3.5 2-4.5.3 1.5 1 2.3 2 2.500C10 9 10.5 5.5 12 3Z",
  muted:
    "M12 15a3.5 3.5 0 0 0 3.5-3.5M15.5 6.500a3.5 3.5 0 0 0-6.5-1.800M8.5 8.500v3M5.5 11.500a6.5 6.5 0 0 0 10.5 5M18.5 11.500a6.5 6.5 0 0 1-.4 2.200M12 18v3M4 4l16 16",
  think: "M7 4h10M7 20h10M8 4c0 4 4 5 4 8s-4 4-4 8M16 4c0 4-4 5-4 8s4 4 4 8",
  push: "M12 3v8M9 12V7.500a1.5 1.5 0 0 1 3 0M12 10.500a1.5 1.5 0 0 1 3 0v1a1.5 1.5 0 0 1 3 0V15a6 6 0 0 1-6 6c-3 0-4.5-1.5-6-5l-1.2-2.800a1.4 1.4 0 0 1 2.4-1.400L9 14",
  end: "M3.5 14.500c5-4.5 12-4.5 17 0l-2 3-4-1.500v-2.500a10 10 0 0 0-5 0V16l-4 1.500Z",
  help: "M12 20.500a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17ZM9.7 9.500a2.3 2.3 0 1 1 3.4 2c-.8.4-1.1.9-1.1 1.800M12 16.500v.1",
  send: "M4.5 12 20 4.5 14.5 20l-3-6.500Z",
  close: "M6 6l12 12M18 6 6 18",
  sound: "M4.5 9.500v5h3.500l4.5 4v-13L8 9.500ZM16 9a4 4 0 0 1 0 6M18.5 6.500a7.5 7.5 0 0 1 0 11",
  pen: "M4.5 19.500l1-4.200L15.8 5a1.7 1.7 0 0 1 2.4 0l.8.8a1.7 1.7 0 0 1 0 2.400L8.7 18.500Z",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg
      width="22"
      height="22"
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.8"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
