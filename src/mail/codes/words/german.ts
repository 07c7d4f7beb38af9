import type { CodeWords } from '../words.ts';
import { cross } from './cross.ts';

// biome-ignore format: a table
const COMPOUNDS = [
  'bestellung', 'bestell', 'bestellungs', 'auftrags', 'rechnungs', 'kunden', 'buchungs', 'reservierungs', 'sendungs',
  'ticket', 'vorgangs', 'fall', 'mitglieds', 'mitglieder', 'vertrags', 'referenz', 'transaktions', 'artikel', 'serien',
  'steuer', 'telefon', 'handy', 'mobil', 'fax', 'konto', 'paket', 'trackings', 'tracking', 'liefer', 'beleg',
  'beitrags', 'versicherungs', 'personal', 'matrikel', 'haus', 'zimmer', 'sitzplatz', 'zug', 'flug', 'wagen', 'gleis',
  'modell', 'chargen', 'zähler', 'abo', 'service', 'hotline', 'bank', 'geschäfts', 'akten', 'antrags', 'policen',
  'ust id', 'lieferschein', 'storno', 'retouren',
];

export const GERMAN: CodeWords = {
  strong: [
    ...cross(
      // biome-ignore format: a table
      [
        'bestätigungs', 'bestaetigungs', 'verifizierungs', 'verifikations', 'sicherheits', 'einmal', 'anmelde',
        'anmeldungs', 'login', 'zugangs', 'zugriffs', 'authentifizierungs', 'autorisierungs', 'aktivierungs',
        'freischalt', 'freischaltungs', 'registrierungs', 'prüf', 'wiederherstellungs', 'rücksetz', 'reset',
        'identifizierungs', 'entsperr', 'geräte', 'kopplungs', 'pass', 'legitimations', 'freigabe', 'backup', 'email',
        'transaktions',
      ],
      '',
      ['code', 'codes', 'pin', 'tan'],
    ),
    // biome-ignore format: a table
    ...[
      'bestätigungs code', 'verifizierungs code', 'sicherheits code', 'einmal code', 'einmal pin', 'login code',
      'zugangs code', 'aktivierungs code', '2fa code', 'ihre tan', 'deine tan', 'die tan', 'eine tan', 'tan lautet',
      'mtan', 'mobile tan', 'sms tan', 'pushtan', 'einmalpasswort', 'einmal passwort', 'einmalkennwort',
      'einmal kennwort', 'einmaliges passwort', 'einmaligen code', 'einmaliger code', 'stelligen code',
      'stelliger code', 'stellige code', 'stellige pin', 'stelligen zahlencode', 'zahlencode', 'sicherheitsnummer',
      'code zur anmeldung', 'code zur bestätigung',
    ],
  ],
  weak: ['code', 'codes', 'pin', '*code', 'ziffernfolge', 'geheimzahl', 'kennzahl', 'zahlenfolge'],
  // biome-ignore format: a table
  actions: [
    'gib', 'geben sie', 'eingeben', 'ein geben', 'verwende', 'verwenden sie', 'nutze', 'nutzen sie', 'trage',
    'tragen sie', 'tippe',
  ],
  // biome-ignore format: a table
  purposes: [
    'anmelden', 'anmeldung', 'anzumelden', 'einloggen', 'einzuloggen', 'bestätigen', 'zu bestätigen', 'verifizieren',
    'verifizierung', 'freischalten', 'registrierung abzuschließen', 'abzuschließen', 'zurückzusetzen',
    'authentifizierung', 'zur freigabe', 'freizugeben', 'freigabe ihrer', 'zu legitimieren',
  ],
  names: [
    ...cross(COMPOUNDS, '', ['nummer', 'nummern', 'nr', 'id']),
    ...cross(COMPOUNDS, ' ', ['nummer', 'nr', 'id', 'no']),
    ...cross(
      // biome-ignore format: a table
      [
        'gutschein', 'rabatt', 'aktions', 'promo', 'promotion', 'vorteils', 'bonus', 'geschenk', 'empfehlungs',
        'einladungs', 'buchungs', 'reservierungs', 'referenz', 'bar', 'strich', 'qr', 'qr ', 'qr-', 'fehler', 'status',
        'quell', 'länder', 'bank', 'produkt', 'artikel', 'sendungs', 'tracking', 'post', 'spar', 'gutschein-',
        'rabatt-', 'farb', 'dress', 'zip', 'tür',
      ],
      '',
      ['code', 'codes'],
    ),
    // biome-ignore format: a table
    ...[
      'postleitzahl', 'plz', 'postfach', 'bankleitzahl', 'blz',      'hotline',
      'rufnummer', 'unter der nummer', 'durchwahl', 'ust idnr', 'ust id nr', 'handelsregister',  
      'amtsgericht', 'aktenzeichen',  'kennzeichen', 'kassenzeichen', 'sendungsverfolgung', 'seriennr',
      'zählerstand', 'endet auf', 'endziffern', 'letzten vier ziffern', 'endend auf', 'verwendungszweck',
      'ihr zeichen', 'unser zeichen', 'mandatsreferenz', 'packstation', 'gläubiger id', 'steuernr', 
      
    ],
  ],
  // biome-ignore format: a table
  things: [
    'telefon', 'tel', 'fax', 'handy', 'mobil', 'telefonisch', 'anrufen', 'az', 'hrb', 'hra', 'bestellung', 'auftrag',
    'rechnung', 'buchung', 'reservierung', 'sendung', 'paket', 'kunde', 'vorgang', 'vertrag', 'beleg', 'artikel',
    'konto', 'zimmer', 'postfiliale', 'filiale', 'flug', 'zug', 'ice', 'gesamt', 'gesamtbetrag', 'summe', 'betrag',
    'gesamtsumme', 'straße', 'strasse', 'punkte', 'seite', 'jahr', 'lieferung', 'lieferschein', 'nummer', 'nr',
  ],
  // biome-ignore format: a table
  offers: [
    'rabatt', 'gutschein', 'an der kasse', 'warenkorb', 'einlösen', 'einlösbar', 'versandkostenfrei', 'jetzt shoppen',
    'sparen sie', 'sparst du', 'spare', 'prozent auf',
  ],
  meetings: ['meeting id', 'besprechungs id', 'konferenz id', 'einwahl', 'einwahlnummer', 'sitzungs id', 'kenncode'],
  // biome-ignore format: a table
  assurances: [
    'gültig', 'läuft ab', 'läuft in', 'verfällt', 'nicht weiter', 'niemals weiter', 'an niemanden',
    'nicht angefordert', 'nicht du', 'nicht sie', 'ignorieren', 'ignoriere', 'nicht selbst', 'nie nach diesem',
  ],
};
