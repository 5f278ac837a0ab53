// Die erste Minute.

import type { welcome as en } from "../en/welcome";

export const welcome = {
  "welcome.step": "Schritt {step} von {steps}",
  "welcome.languages": "Lernen wir uns kennen",
  "welcome.level": "Wie gut sprichst du sie?",
  "welcome.goals": "Wofür lernst du?",
  "welcome.corrections": "Wenn du einen Fehler machst",
  "welcome.recording": "Dürfen Gespräche aufgenommen werden?",
  "welcome.skip": "Überspringen",
  "welcome.finish": "Fertig",
  "welcome.levelChoice": "Wähle, was am besten passt",
  "welcome.placement": "Beim Sprechen herausfinden",
  "welcome.placementAbout": "Nicht sicher? Sprich eine Minute mit dem Tutor: Drei Antworten genügen.",
  "welcome.placementResult": "Dein Niveau, als erste Schätzung",
  "welcome.placementWords":
    "Aus {words} {words|Wort|Wörtern}. Du weißt es besser: Wähle ein anderes, wenn es nicht passt.",
  "welcome.placementTooLittle": "Das war zu wenig für eine Schätzung. Versuch es noch einmal, oder wähle selbst.",
  "welcome.placementTake": "Übernehmen",
  "welcome.placementChoose": "Selbst wählen",
  "welcome.goalsAbout": "So viele du willst",
  "welcome.ownGoal": "Etwas anderes",
  "welcome.ownGoalSuch": "ein Vorstellungsgespräch im Mai",
  "welcome.recordingAbout":
    "Aus, solange du nichts sagst. Aufnahmen bleiben auf diesem Server, und du kannst sie jederzeit löschen.",
  "goal.travel": "Reisen",
  "goal.work": "Arbeit",
  "goal.people": "Familie und Freunde",
  "goal.exam": "Eine Prüfung",
  "goal.study": "Studium im Ausland",
  "goal.moving": "Umzug in ein anderes Land",
  "today.due": "{count} zu wiederholen",
  "today.streak": "{count} Tage in Folge",
  "today.new": "Neu hier? Erzähl dem Tutor in einer Minute von dir.",
  "today.begin": "Anfangen",
} satisfies Record<keyof typeof en, string>;
