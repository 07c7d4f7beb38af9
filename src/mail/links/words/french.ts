import type { LinkWords } from '../words.ts';

export const FRENCH: LinkWords = {
  // biome-ignore format: a table
  verify: [
    'confirmer mon adresse', 'confirmer votre adresse', 'confirmer ton adresse', 'confirmer mon e mail',
    'confirmer mon email', 'confirmer votre email', 'confirmer votre e mail', 'vérifier mon adresse',
    'vérifier votre adresse', 'vérifier mon email', 'vérifier votre email', 'vérifier mon e mail',
    'activer mon compte', 'activer votre compte', 'activer ton compte', 'activez votre compte', 'valider mon adresse',
    'valider votre adresse', 'valider mon compte', 'valider votre compte', 'valider mon inscription',
    'valider votre inscription', 'confirmer mon inscription', 'confirmer votre inscription',
    'confirmer ton inscription', 'confirmer mon compte', 'confirmer votre compte', 'confirmer mon abonnement',
    'confirmez votre adresse', 'confirmez votre inscription', 'confirme ton adresse', 'vérifiez votre adresse',
    'validez votre adresse', 'finaliser votre inscription', 'finaliser mon inscription', 'lien de confirmation',
    'lien de vérification', 'lien d\'activation', 'vérifier l\'adresse', 'confirmer l\'adresse',
    'confirmer l\'inscription', 'valider l\'adresse', 'validez votre inscription', 'confirmer que cette adresse',
  ],
  verifyWeak: ['confirmer', 'vérifier', 'activer', 'valider', 'je confirme', 'je valide'],
  // biome-ignore format: a table
  reset: [
    'réinitialisez votre mot de passe', 'changez votre mot de passe', 'modifiez votre mot de passe',
    'changez de mot de passe', 'réinitialiser mon mot de passe', 'réinitialiser votre mot de passe',
    'réinitialiser le mot de passe', 'réinitialiser ton mot de passe', 'réinitialisation', 'nouveau mot de passe',
    'changer mon mot de passe', 'changer de mot de passe', 'modifier mon mot de passe', 'modifier votre mot de passe',
    'mot de passe oublié', 'changer votre mot de passe', 'définir un mot de passe', 'choisir un mot de passe',
    'créer un mot de passe', 'récupérer mon compte', 'réinitialiser', 'définir votre mot de passe',
  ],
  // biome-ignore format: a table
  magic: [
    'se connecter', 'me connecter', 'vous connecter', 'te connecter', 'connexion', 'lien magique', 'lien de connexion',
    'connectez vous', 'connecte toi', 's\'identifier', 'm\'identifier', 'accéder à mon compte',
    'accéder à votre compte', 'lien à usage unique',
  ],
  // biome-ignore format: a table
  unsubscribe: [
    'se désabonner', 'se désinscrire', 'me désinscrire', 'me désabonner', 'désabonner', 'désinscrire', 'désabonnement',
    'désinscription', 'vous désabonner', 'vous désinscrire', 'désabonnez vous', 'désinscrivez vous',
    'ne plus recevoir', 'te désabonner', 'te désinscrire', 'annuler mon abonnement',
    'résilier mon abonnement à la newsletter',
  ],
  // biome-ignore format: a table
  disowns: [
    'pas moi', 'n\'est pas moi', 'pas vous', 'pas à l\'origine', 'n\'avez pas demandé', 'n\'avez pas effectué',
    'n\'as pas demandé',
  ],
  // biome-ignore format: a table
  denial: [
    'signaler', 'annuler la demande', 'aide', 'support', 'en savoir plus', 'lire la suite', 'commande', 'présence',
    'rendez vous', 'conditions', 'confidentialité', 'dans le navigateur', 'version en ligne', 'sécuriser mon compte',
    'livraison', 'colis', 'paiement', 'réservation', 'participation',
  ],
  // biome-ignore format: a table
  generic: [
    'ici', 'cliquez ici', 'clique ici', 'ce lien', 'en cliquant ici', 'lien', 'le lien', 'continuer', 'c\'est parti',
    'commencer', 'suivant', 'ouvrir', 'bouton', 'lien suivant', 'oui', 'accéder',
  ],
};
