// Was jede Seite sagt.

import type { common as en } from "../en/common";

export const common = {
  "app.name": "Vivavoce",
  "app.skip": "Zum Inhalt springen",
  "app.menu": "Hauptmenü",
  "app.loading": "Einen Moment …",
  "app.broken": "Diese Seite ist kaputt. Lade sie neu; wenn es wieder geschieht, sag es dem Betreiber des Servers.",
  "app.reload": "Neu laden",
  "app.newer": "Es gibt eine neuere Fassung dieser Seiten.",
  "app.notFound": "Unter dieser Adresse ist nichts.",
  "nav.talk": "Sprechen",
  "nav.notebook": "Heft",
  "nav.progress": "Fortschritt",
  "nav.history": "Verlauf",
  "nav.settings": "Optionen",
  "action.close": "Schließen",
  "action.tryAgain": "Noch einmal",
  "action.save": "Speichern",
  "action.saved": "Gespeichert.",
  "action.cancel": "Abbrechen",
  "action.delete": "Löschen",
  "action.edit": "Ändern",
  "action.more": "Mehr zeigen",
  "action.back": "Zurück",
  "action.next": "Weiter",
  "failure.unreachable": "Der Server antwortet nicht. Prüfe, ob er noch läuft und ob du verbunden bist.",
  "failure.unknown": "Das hat nicht geklappt. Versuch es noch einmal.",
} satisfies Record<keyof typeof en, string>;
