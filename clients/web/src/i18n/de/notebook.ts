// Das Heft und seine Wiederholungen.

import type { notebook as en } from "../en/notebook";

export const notebook = {
  "notebook.title": "Heft",
  "notebook.about":
    "Wörter, die du behalten willst, und Fehler, die du gemacht hast. Sie kommen wieder, kurz bevor du sie vergisst.",
  "notebook.due": "{count} zu wiederholen",
  "notebook.nothingDue": "Nichts zu wiederholen",
  "notebook.nothingDueAbout": "Was du im Gespräch richtig sagst, gilt auch als wiederholt.",
  "notebook.review": "Wiederholen",
  "notebook.all": "Alles, was du behältst",
  "notebook.empty": "Noch nichts im Heft. Fehler und neue Wörter aus deinen Gesprächen kommen von selbst hierher.",
  "notebook.add": "Wort hinzufügen",
  "notebook.front": "Was du dir merken willst",
  "notebook.back": "Was es heißt, oder ein Satz damit",
  "notebook.isDue": "Jetzt zu wiederholen",
  "notebook.comesBack": "Kommt {when} wieder",
  "notebook.hear": "„{front}“ anhören",
  "notebook.change": "„{front}“ ändern",
  "notebook.remove": "„{front}“ entfernen",
  "review.progress": "Wie weit du bist",
  "review.leave": "Zum Heft",
  "review.howIsItRight": "Das hast du gesagt. Wie ist es richtig?",
  "review.whichWord": "Welches Wort ist es?",
  "review.show": "Antwort zeigen",
  "review.grade": "Wie gut ist es dir eingefallen?",
  "review.done": "Das war alles für jetzt",
  "review.doneAbout": "{count} wiederholt. Jedes kommt wieder, wenn es Zeit ist.",
  "grade.again": "Gar nicht",
  "grade.hard": "Mit Mühe",
  "grade.good": "Nach einem Moment",
  "grade.easy": "Sofort",
} satisfies Record<keyof typeof en, string>;
