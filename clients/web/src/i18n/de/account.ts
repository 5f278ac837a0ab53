// Registrieren, Anmelden, und was Links in Briefen tun.

import type { account as en } from "../en/account";

export const account = {
  "account.email": "E-Mail-Adresse",
  "account.password": "Passwort",
  "account.newPassword": "Neues Passwort",
  "account.currentPassword": "Bisheriges Passwort",
  "account.passwordHint": "Mindestens 12 Zeichen. Vier Wörter, die nichts miteinander zu tun haben, sind gut.",
  "login.title": "Anmelden",
  "login.button": "Anmelden",
  "login.needed": "Melde dich an, um das zu sehen.",
  "login.forgot": "Passwort vergessen?",
  "login.noAccount": "Noch kein Konto?",
  "login.guest": "Nur mal schauen?",
  "login.asGuest": "Als Gast weiter",
  "login.guestHint":
    "Ein Klick, keine Adresse. Deine Gespräche bleiben bis 30 Tage nach dem letzten Besuch in diesem Browser.",
  "register.title": "Konto anlegen",
  "register.about": "Damit dein Fortschritt auf jedem Gerät dabei ist.",
  "register.button": "Konto anlegen",
  "register.keeps": "Was du als Gast getan hast, bleibt deins.",
  "register.haveAccount": "Schon ein Konto?",
  "forgot.title": "Neues Passwort setzen",
  "forgot.about": "Wir schicken einen Link an deine Adresse. Er gilt einmal, eine Stunde lang.",
  "forgot.button": "Link schicken",
  "forgot.sent": "Wenn {email} hier ein Konto hat, ist ein Link unterwegs.",
  "forgot.noMail":
    "Kein Brief da? Sieh im Spam-Ordner nach. Auf einem Server ohne E-Mail findet ihn der Betreiber im Datenordner.",
  "reset.title": "Neues Passwort wählen",
  "reset.button": "Passwort setzen",
  "reset.done": "Dein Passwort ist geändert, und du bist überall abgemeldet. Melde dich mit dem neuen an.",
  "reset.noToken":
    "Diese Seite gehört zu einem Link in einem Brief. Öffne ihn noch einmal, oder fordere einen neuen an.",
  "verify.title": "Deine Adresse",
  "verify.busy": "Deine Adresse wird bestätigt …",
  "verify.done": "Danke: Deine Adresse ist bestätigt.",
  "verify.failed": "Dieser Link gilt nicht mehr. In den Einstellungen kannst du einen neuen schicken lassen.",
  "verify.onward": "Sprechen",
} satisfies Record<keyof typeof en, string>;
