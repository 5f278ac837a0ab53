// El primer minuto.

import type { welcome as en } from "../en/welcome";

export const welcome = {
  "welcome.step": "Paso {step} de {steps}",
  "welcome.languages": "Vamos a conocernos",
  "welcome.level": "¿Qué tal la hablas?",
  "welcome.goals": "¿Para qué es?",
  "welcome.corrections": "Cuando cometes un error",
  "welcome.recording": "¿Se pueden grabar las charlas?",
  "welcome.skip": "Saltar esto",
  "welcome.finish": "Listo",
  "welcome.levelChoice": "Elige lo que mejor encaje",
  "welcome.placement": "Averiguarlo hablando",
  "welcome.placementAbout": "¿No lo sabes? Habla un minuto con el tutor: bastan tres respuestas.",
  "welcome.placementResult": "Tu nivel, como primera estimación",
  "welcome.placementWords": "A partir de {words} {words|palabra|palabras}. Tú lo sabes mejor: elige otro si no encaja.",
  "welcome.placementTooLittle": "Fue muy poco para estimarlo. Inténtalo otra vez o elige tú.",
  "welcome.placementTake": "Aceptarlo",
  "welcome.placementChoose": "Elegir yo",
  "welcome.goalsAbout": "Tantas como quieras",
  "welcome.ownGoal": "Otra cosa",
  "welcome.ownGoalSuch": "una entrevista de trabajo en mayo",
  "welcome.recordingAbout":
    "Apagado mientras no digas otra cosa. Las grabaciones quedan en este servidor y puedes borrarlas cuando quieras.",
  "goal.travel": "Viajar",
  "goal.work": "Trabajo",
  "goal.people": "Familia y amigos",
  "goal.exam": "Un examen",
  "goal.study": "Estudiar fuera",
  "goal.moving": "Mudarme a otro país",
  "today.due": "{count} para repasar",
  "today.streak": "{count} días seguidos",
  "today.new": "¿Primera vez aquí? Cuéntale al tutor quién eres, en un minuto.",
  "today.begin": "Empezar",
} satisfies Record<keyof typeof en, string>;
