import type { CodeWords } from '../words.ts';
import { cross } from './cross.ts';

// biome-ignore format: a table
const THINGS = [
  'commande', 'facture', 'reçu', 'réservation', 'dossier', 'colis', 'suivi', 'client', 'cliente', 'compte', 'adhérent',
  'membre', 'référence', 'réf', 'transaction', 'paiement', 'contrat', 'série', 'article', 'produit', 'billet', 'vol',
  'train', 'voiture', 'place', 'siège', 'chambre', 'tva', 'siret', 'siren', 'rcs', 'téléphone', 'portable',
  'expédition', 'bon', 'devis', 'ticket', 'carte', 'abonné', 'abonnement', 'fidélité', 'allocataire', 'police',
  'sociétaire', 'compteur', 'demande', 'incident',
];

export const FRENCH: CodeWords = {
  strong: [
    ...cross(
      ['code', 'codes'],
      ' ',
      // biome-ignore format: a table
      [
        'de vérification', 'de confirmation', 'de sécurité', "d'authentification", "d'accès", 'de connexion',
        "d'activation", 'de validation', "d'identification", 'à usage unique', "d'autorisation", 'de réinitialisation',
        'de récupération', 'temporaire', 'secret', 'à 4 chiffres', 'à 6 chiffres', 'à 8 chiffres', 'à six chiffres',
        'à quatre chiffres', 'provisoire', 'unique', 'personnel', 'de déverrouillage', "d'inscription", 'otp', '2fa',
        'sms',
      ],
    ),
    'mot de passe à usage unique',
    'mot de passe unique',
    'mot de passe temporaire',
    'clé de sécurité',
  ],
  weak: ['code', 'codes', 'code pin'],
  // biome-ignore format: a table
  actions: [
    'saisissez', 'saisir', 'saisis', 'entrez', 'entrer', 'utilisez', 'utiliser', 'utilise', 'tapez', 'indiquez',
    'renseignez', 'copiez',
  ],
  // biome-ignore format: a table
  purposes: [
    'vous connecter', 'te connecter', 'connexion', 'vérifier', 'confirmer votre', 'confirmer ton', 'valider votre',
    'valider ton', 'activer votre', 'finaliser', 'inscription', 'réinitialiser', 'vous identifier', 'authentification',
    'confirmer que',
  ],
  names: [
    ...THINGS.flatMap((thing) =>
      ['numéro', 'n', 'no', 'num', 'n°', 'nº', 'identifiant', 'référence', 'code'].flatMap((number) => [
        `${number} de ${thing}`,
        `${number} ${thing}`,
        `${number} d'${thing}`,
        `${number} du ${thing}`,
      ]),
    ),
    ...cross(
      THINGS.flatMap((thing) => [thing, `votre ${thing}`]),
      ' ',
      ['n°', 'nº', 'numéro'],
    ),
    // biome-ignore format: a table
    ...[
      'code postal', 'code promo', 'code promotionnel', 'code de réduction', 'code réduction', 'code avantage',
      'code cadeau', 'code de parrainage', 'code parrain', 'code parrainage', 'code barre', 'code barres',
      'code à barres', 'code qr', 'qr code', 'code erreur', "code d'erreur", 'code source', 'code banque',
      'code guichet', 'code pays', 'code produit', 'code article', 'code vestimentaire', 'code civil',
      'code de la consommation', 'code de conduite', 'code porte', 'code couleur', 'code ape', 'code naf', 'code bic',
      'code swift', 'numéro de téléphone',      'appelez', 'appeler',
      'appelez le', 'au numéro',  'numéro vert', 'boîte postale',   'se terminant par',
      'finissant par', 'terminée par', 'siret', 'siren', 'rcs', 'code commande', 'numéro de suivi', 
      'numéro de mandat',
    ],
  ],
  // biome-ignore format: a table
  things: [
    'téléphone', 'tél', 'fax', 'portable', 'mobile', 'service client', 'cedex', 'mandat', 'bp', ...THINGS, 'numéro',
    'total', 'montant', 'solde', 'somme', 'points', 'année', 'page', 'rue', 'capital de',
  ],
  // biome-ignore format: a table
  offers: [
    'réduction', 'remise', 'code promo', 'panier', 'livraison offerte', 'soldes', 'profitez', 'économisez',
    "bon d'achat", 'caisse', 'de rabais',
  ],
  meetings: ['id de réunion', 'identifiant de réunion', 'id de la réunion', 'numéro de conférence'],
  // biome-ignore format: a table
  assurances: [
    'expire', 'expirera', 'valable', 'valide pendant', 'ne partagez', 'ne partage', 'ne communiquez',
    'ne le communiquez', 'ne transmettez', "pas à l'origine", "n'avez pas demandé", "n'êtes pas",
    "n'avez pas effectué", 'ignorez', 'ignorer ce',
  ],
};
