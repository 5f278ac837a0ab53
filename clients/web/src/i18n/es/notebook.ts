// El cuaderno y sus repasos.

import type { notebook as en } from "../en/notebook";

export const notebook = {
  "notebook.title": "Cuaderno",
  "notebook.about": "Palabras que guardaste y errores que cometiste. Vuelven justo antes de que los olvides.",
  "notebook.due": "{count} para repasar",
  "notebook.nothingDue": "Nada que repasar",
  "notebook.nothingDueAbout": "Lo que dices bien al hablar también cuenta como repasado.",
  "notebook.review": "Repasar",
  "notebook.all": "Todo lo que guardas",
  "notebook.empty": "Aún no hay nada. Los errores y las palabras nuevas de tus charlas llegan aquí solos.",
  "notebook.add": "Añadir una palabra",
  "notebook.front": "Qué quieres recordar",
  "notebook.back": "Qué significa, o una frase con ella",
  "notebook.isDue": "Toca repasarlo",
  "notebook.comesBack": "Vuelve {when}",
  "notebook.hear": "Oír «{front}»",
  "notebook.change": "Cambiar «{front}»",
  "notebook.remove": "Quitar «{front}»",
  "review.progress": "Cuánto llevas",
  "review.leave": "Al cuaderno",
  "review.howIsItRight": "Dijiste esto. ¿Cómo es correcto?",
  "review.whichWord": "¿Qué palabra es?",
  "review.show": "Ver la respuesta",
  "review.grade": "¿Qué tal te vino a la memoria?",
  "review.done": "Eso es todo por ahora",
  "review.doneAbout": "{count} {count|repasada|repasadas}. Cada una volverá a su tiempo.",
  "grade.again": "Nada",
  "grade.hard": "Con esfuerzo",
  "grade.good": "Tras un momento",
  "grade.easy": "Enseguida",
} satisfies Record<keyof typeof en, string>;
