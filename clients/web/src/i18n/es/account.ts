// Registrarse, entrar, y lo que hacen los enlaces de los correos.

import type { account as en } from "../en/account";

export const account = {
  "account.email": "Correo electrónico",
  "account.password": "Contraseña",
  "account.newPassword": "Contraseña nueva",
  "account.currentPassword": "Contraseña actual",
  "account.passwordHint": "Al menos 12 caracteres. Cuatro palabras sin relación van bien.",
  "login.title": "Entrar",
  "login.button": "Entrar",
  "login.needed": "Entra para ver esto.",
  "login.forgot": "¿Olvidaste la contraseña?",
  "login.noAccount": "¿Aún no tienes cuenta?",
  "login.guest": "¿Solo quieres mirar?",
  "login.asGuest": "Seguir como invitado",
  "login.guestHint":
    "Un clic, sin correo. Tus conversaciones quedan en este navegador hasta 30 días después de la última visita.",
  "register.title": "Crear una cuenta",
  "register.about": "Para que tu progreso te siga en todos tus dispositivos.",
  "register.button": "Crear la cuenta",
  "register.keeps": "Lo que hiciste como invitado sigue siendo tuyo.",
  "register.haveAccount": "¿Ya tienes cuenta?",
  "forgot.title": "Poner una contraseña nueva",
  "forgot.about": "Enviamos un enlace a tu correo. Sirve una vez, durante una hora.",
  "forgot.button": "Enviar el enlace",
  "forgot.sent": "Si {email} tiene cuenta aquí, un enlace va en camino.",
  "forgot.noMail":
    "¿No llega? Mira en el correo no deseado. En un servidor sin correo, quien lo administra encuentra el enlace en la carpeta de datos.",
  "reset.title": "Elige una contraseña nueva",
  "reset.button": "Guardar la contraseña",
  "reset.done": "Tu contraseña ha cambiado y tu sesión se cerró en todas partes. Entra con la nueva.",
  "reset.noToken": "Esta página pertenece al enlace de un correo. Ábrelo otra vez o pide uno nuevo.",
  "verify.title": "Tu correo",
  "verify.busy": "Confirmando tu correo …",
  "verify.done": "Gracias: tu correo está confirmado.",
  "verify.failed": "Ese enlace ya no sirve. Pide uno nuevo en los ajustes.",
  "verify.onward": "Empezar a hablar",
} satisfies Record<keyof typeof en, string>;
