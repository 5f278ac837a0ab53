// What every screen says.

export const common = {
  "app.name": "Vivavoce",
  "app.skip": "Skip to the content",
  "app.menu": "Main",
  "app.loading": "One moment …",
  "app.broken": "This page broke. Reload it; if it happens again, tell whoever runs this server.",
  "app.reload": "Reload",
  "app.notFound": "There is nothing at this address.",
  "nav.talk": "Talk",
  "nav.settings": "Settings",
  "action.close": "Close",
  "action.tryAgain": "Try again",
  "failure.unreachable": "The server does not answer. Check that it still runs and that you are connected.",
  "failure.unknown": "That did not work. Try again.",
} as const;
