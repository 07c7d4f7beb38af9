import type { LinkWords } from '../words.ts';

export const GERMAN: LinkWords = {
  // biome-ignore format: a table
  verify: [
    'e mail bestätigen', 'email bestätigen', 'e mail adresse bestätigen', 'mailadresse bestätigen',
    'email adresse bestätigen', 'adresse bestätigen', 'konto bestätigen', 'registrierung bestätigen',
    'anmeldung bestätigen', 'registrierung abschließen', 'registrierung abzuschließen', 'konto aktivieren',
    'account aktivieren', 'newsletter bestätigen', 'abonnement bestätigen', 'e mail verifizieren',
    'konto verifizieren', 'e mail adresse verifizieren', 'benutzerkonto aktivieren', 'zugang freischalten',
    'konto freischalten', 'bestätigungslink', 'aktivierungslink', 'e mail adresse zu bestätigen',
    'mailadresse zu bestätigen', 'adresse zu bestätigen', 'bestätige deine e mail*', 'bestätigen sie ihre e mail*',
    'bestätige deine anmeldung', 'bestätigen sie ihre anmeldung', 'bestätigen sie ihre registrierung',
    'bestätige deine registrierung', 'newsletter anmeldung bestätigen', 'ja, ich möchte den newsletter',
    'konto zu aktivieren', 'anmeldung zum newsletter', 'bestätigen sie bitte ihre e mail*',
    'bestätige bitte deine e mail*', 'anmeldung zu bestätigen', 'registrierung zu bestätigen',
  ],
  // biome-ignore format: a table
  verifyWeak: [
    'bestätigen', 'bestätige', 'verifizieren', 'aktivieren', 'freischalten', 'jetzt bestätigen', 'jetzt aktivieren',
  ],
  // biome-ignore format: a table
  reset: [
    'ändere dein passwort', 'ändere bitte dein passwort', 'ändern sie ihr passwort', 'ändern sie bitte ihr passwort',
    'setze dein passwort', 'setzen sie ihr passwort', 'passwort zurücksetzen', 'passwort zurückzusetzen',
    'kennwort zurücksetzen', 'kennwort zurückzusetzen', 'passwort ändern', 'kennwort ändern', 'neues passwort',
    'neues kennwort', 'passwort neu setzen', 'passwort vergessen', 'kennwort vergessen', 'konto wiederherstellen',
    'passwort festlegen', 'passwort zu ändern', 'passwort erneuern', 'neues passwort vergeben',
    'zurücksetzung ihres passworts',
  ],
  // biome-ignore format: a table
  magic: [
    'anmelden', 'jetzt anmelden', 'einloggen', 'jetzt einloggen', 'login link', 'anmeldelink', 'anmelde link',
    'magischer link', 'magic link', 'zum login', 'anzumelden', 'einzuloggen', 'einmal link', 'direkt anmelden',
    'zur anmeldung',
  ],
  // biome-ignore format: a table
  unsubscribe: [
    'abmelden', 'abbestellen', 'abzumelden', 'abzubestellen', 'newsletter abmelden', 'newsletter abbestellen',
    'vom newsletter abmelden', 'austragen', 'abmeldung', 'abbestellung', 'keine e mails mehr', 'nicht mehr erhalten',
    'keine weiteren e mails', 'abmeldelink', 'keine mails mehr', 'benachrichtigungen abbestellen',
    'keine newsletter mehr', 'melden sie sich hier ab', 'melde dich hier ab', 'hier ab',
  ],
  // biome-ignore format: a table
  disowns: [
    'nicht ich', 'nicht angefordert', 'nicht du', 'nicht sie', 'du das nicht warst', 'sie das nicht waren',
    'nicht selbst',
  ],
  // biome-ignore format: a table
  denial: [
    'melden sie', 'anfrage abbrechen', 'hilfe', 'kundenservice', 'mehr erfahren', 'weiterlesen', 'bestellung',
    'termin', 'teilnahme', 'datenschutz', 'impressum', 'agb', 'im browser', 'konto sichern', 'lieferung', 'sendung',
    'zahlung', 'buchung',
  ],
  // biome-ignore format: a table
  generic: [
    'hier', 'hier klicken', 'klicken sie hier', 'klicke hier', 'klick hier', 'diesen link', 'diesem link', 'link',
    'weiter', 'los geht\'s', 'jetzt starten', 'folgenden link', 'fortfahren', 'ja', 'öffnen', 'auf diesen link',
    'button',
  ],
};
