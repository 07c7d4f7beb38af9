import type { LinkWords } from '../words.ts';

export const ENGLISH: LinkWords = {
  // biome-ignore format: a table
  verify: [
    'verify your email', 'verify email', 'verify your e mail', 'verify my email', 'verify email address',
    'verify your account', 'verify account', 'verify address', 'verify your address', 'verify your identity',
    'verify my account', 'verify this email', 'confirm your email', 'confirm email', 'confirm my email',
    'confirm email address', 'confirm your e mail', 'confirm your account', 'confirm my account', 'confirm account',
    'confirm your subscription', 'confirm subscription', 'confirm my subscription', 'confirm your registration',
    'confirm registration', 'confirm your address', 'confirm address', 'confirm this email', 'confirm your new email',
    'confirm new email', 'confirm the change', 'confirm your sign up', 'confirm signup', 'confirm your identity',
    'verify new email', 'verify your new email', 'activate your account', 'activate account', 'activate my account',
    'activate now', 'complete your registration', 'complete registration', 'complete your sign up',
    'finish signing up', 'validate your email', 'validate email', 'email verification', 'verification link',
    'activation link', 'confirmation link', 'verify that this', 'confirm that this', 'confirm that you want', 'opt in',
    'verify it\'s you', 'yes, subscribe me',
  ],
  verifyWeak: ['verify', 'confirm', 'activate', 'validate', 'verify now', 'confirm now'],
  // biome-ignore format: a table
  reset: [
    'reset password', 'reset your password', 'reset my password', 'reset the password', 'password reset',
    'change your password', 'change password', 'change my password', 'new password', 'set a new password',
    'choose a new password', 'create a new password', 'create new password', 'set new password', 'set your password',
    'set password', 'recover your account', 'recover account', 'reset passphrase', 'account recovery',
    'forgot your password', 'forgot password', 'forgotten password', 'reset link', 'reset it', 'recover password',
  ],
  // biome-ignore format: a table
  magic: [
    'magic link', 'sign in', 'log in', 'login', 'signin', 'sign me in', 'log me in', 'login link', 'sign in link',
    'log in link', 'one time link', 'one click login', 'signing in', 'logging in', 'sign in with one click',
    'access your account', 'passwordless', 'one time login', 'continue to sign in',
  ],
  // biome-ignore format: a table
  unsubscribe: [
    'unsubscribe', 'unsubscribing', 'unsubscribed', 'opt out', 'opt me out', 'stop receiving',
    'no longer wish to receive', 'no longer want to receive', 'no longer receive', 'remove me from',
    'turn off these emails', 'turn off these notifications', 'leave this list', 'don\'t want to receive',
    'do not want to receive', 'don\'t want these', 'stop these emails', 'mute this thread', 'stop getting',
    'rather not receive',
  ],
  // biome-ignore format: a table
  disowns: [
    'not me', 'wasn\'t me', 'was not me', 'wasn\'t you', 'was not you', 'didn\'t request', 'did not request',
    'didn\'t create', 'not you', 'did not create', 'did not sign up', 'didn\'t sign up', 'did not make this',
    'didn\'t make this',
  ],
  // biome-ignore format: a table
  denial: [
    'report', 'secure your account', 'secure my account', 'cancel this request', 'cancel request', 'help', 'support',
    'contact us', 'learn more', 'read more', 'order', 'attendance', 'terms', 'privacy', 'view in browser',
    'view online', 'delivery', 'appointment', 'booking', 'payment', 'subscribe again', 'block this', 'reservation',
    'why did i get',
  ],
  // biome-ignore format: a table
  generic: [
    'click here', 'here', 'this link', 'link', 'click', 'tap here', 'button', 'continue', 'go', 'get started',
    'press here', 'the link', 'this page', 'open', 'proceed', 'follow this link', 'click this link', 'this button',
    'let\'s go', 'next', 'start', 'yes', 'click below', 'the following link', 'click to continue', 'accept', 'i agree',
    'finish',
  ],
};
