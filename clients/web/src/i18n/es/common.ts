// Lo que dicen todas las páginas.

import type { common as en } from "../en/common";

export const common = {
  "app.name": "Vivavoce",
  "app.skip": "Ir al contenido",
  "app.menu": "Menú principal",
  "app.loading": "Un momento …",
  "app.broken": "Esta página se rompió. Recárgala; si vuelve a pasar, avisa a quien administra el servidor.",
  "app.reload": "Recargar",
  "app.newer": "Hay una versión más nueva de estas páginas.",
  "app.notFound": "No hay nada en esta dirección.",
  "nav.talk": "Hablar",
  "nav.notebook": "Cuaderno",
  "nav.progress": "Progreso",
  "nav.history": "Historial",
  "nav.settings": "Ajustes",
  "action.close": "Cerrar",
  "action.tryAgain": "Intentar de nuevo",
  "action.save": "Guardar",
  "action.saved": "Guardado.",
  "action.cancel": "Cancelar",
  "action.delete": "Borrar",
  "action.edit": "Cambiar",
  "action.more": "Ver más",
  "action.back": "Atrás",
  "action.next": "Siguiente",
  "failure.unreachable": "El servidor no responde. Comprueba que siga en marcha y que tengas conexión.",
  "failure.unknown": "No funcionó. Inténtalo de nuevo.",
} satisfies Record<keyof typeof en, string>;
